/// Numbers read from a text with a zero and 15 more bytes behind it, up to eight bytes at once: no
/// loop over digits, whose end would be guessed wrongly at nearly every number.
///
/// Those that read take the place of the first digit and move it behind the number; nil, and the
/// place where it was, for what is no number, is too long or has an exponent: the way by its text
/// then finds out.
enum JSONDigits {
  typealias Place = UnsafePointer<UInt8>

  /// Digits that fit 64 bits whatever they are.
  private static let digitsMax = 18
  /// A point, as the words below have it.
  private static let point: UInt64 = 0x2E ^ 0x30

  /// Eight bytes, each digit as its value, the first in the lowest byte.
  @inline(__always)
  private static func word(_ at: Place) -> UInt64 {
    unsafe UnsafeRawPointer(at).loadUnaligned(as: UInt64.self) ^ 0x3030_3030_3030_3030
  }

  /// The highest bit of each byte that is no digit; right up to the first of them.
  @inline(__always)
  private static func others(_ word: UInt64) -> UInt64 {
    ((word &+ 0x7676_7676_7676_7676) | word) & 0x8080_8080_8080_8080
  }

  /// The number that the first `bits` / 8 bytes of the word say, 1 to 8 of them. Neighbours are
  /// added up in pairs, fours and eights.
  @inline(__always)
  private static func number(_ word: UInt64, bits: Int) -> Int64 {
    var sum = word &<< UInt64(truncatingIfNeeded: 64 &- bits)
    sum = (sum &* 2561) &>> 8 & 0x00FF_00FF_00FF_00FF
    sum = (sum &* 6_553_601) &>> 16 & 0x0000_FFFF_0000_FFFF
    return Int64(truncatingIfNeeded: (sum &* 42_949_672_960_001) &>> 32)
  }

  @inline(__always)
  private static func goesOn(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ".") || byte | 0x20 == UInt8(ascii: "e")
  }

  /// Past one digit or more, however many; nil: there is none.
  @inline(__always)
  private static func pastDigits(_ start: Place) -> Place? {
    var at = unsafe start
    while true {
      let others = unsafe others(word(at))
      if others != 0 {
        unsafe at += others.trailingZeroBitCount / 8
        return unsafe at > start ? at : nil
      }
      unsafe at += 8
    }
  }

  /// Past a number by JSON's grammar, of any length; nil: it is none.
  @inline(__always)
  static func pastNumber(_ start: Place) -> Place? {
    let first = unsafe start.pointee == UInt8(ascii: "-") ? start + 1 : start
    guard var at = unsafe pastDigits(first) else { return nil }
    if unsafe first.pointee == UInt8(ascii: "0") && at - first > 1 { return nil }
    if unsafe at.pointee == UInt8(ascii: ".") {
      guard let behind = unsafe pastDigits(at + 1) else { return nil }
      unsafe at = behind
    }
    if unsafe at.pointee | 0x20 != UInt8(ascii: "e") { return unsafe at }
    let sign = unsafe at[1]
    let isSigned = sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-")
    return unsafe pastDigits(at + (isSigned ? 2 : 1))
  }

  /// Digits without point and exponent, 18 at most.
  @inline(__always)
  static func integer(_ at: inout Place) -> Int64? {
    let word = unsafe word(at)
    let others = others(word)
    let bits = others == 0 ? 64 : others.trailingZeroBitCount & ~7
    if bits == 0 || (word & 0xFF == 0 && bits > 8) { return nil }
    var value = number(word, bits: bits)
    var next = unsafe at + bits / 8
    if others == 0 {
      while unsafe next.pointee &- 0x30 <= 9 {
        value = unsafe value &* 10 &+ Int64(next.pointee &- 0x30)
        unsafe next += 1
      }
      if unsafe next - at > digitsMax { return nil }
    }
    if unsafe goesOn(next.pointee) { return nil }
    unsafe at = next
    return value
  }

  /// Digits with or without a point, and how many of them stand behind it.
  @inline(__always)
  static func decimal(_ at: inout Place) -> (mantissa: Int64, places: Int)? {
    var word = unsafe word(at)
    let others = others(word)
    if others == 0 { return unsafe longDecimal(&at) }
    let whole = others.trailingZeroBitCount & ~7
    if whole == 0 || (word & 0xFF == 0 && whole > 8) { return nil }
    var bits = whole
    var length = whole / 8
    if word &>> UInt64(whole) & 0xFF == point {
      let behind = others & (others &- 1)
      if behind == 0 { return unsafe longDecimal(&at) }
      // The digits behind the point go to those before it.
      let before = (1 &<< UInt64(whole)) &- 1
      word = word & before | (word &>> 8) & ~before
      bits = (behind.trailingZeroBitCount & ~7) &- 8
      length = bits / 8 &+ 1
      if bits == whole { return nil }
    }
    let next = unsafe at + length
    if unsafe goesOn(next.pointee) { return nil }
    unsafe at = next
    return (number(word, bits: bits), (bits &- whole) / 8)
  }

  /// The same digit by digit, for what does not fit eight bytes.
  @inline(never)
  private static func longDecimal(_ at: inout Place) -> (mantissa: Int64, places: Int)? {
    var value: Int64 = 0
    var next = unsafe at
    while unsafe next.pointee &- 0x30 <= 9 {
      value = unsafe value &* 10 &+ Int64(next.pointee &- 0x30)
      unsafe next += 1
    }
    let whole = unsafe next - at
    var places = 0
    if unsafe next.pointee == UInt8(ascii: ".") {
      unsafe next += 1
      let first = unsafe next
      while unsafe next.pointee &- 0x30 <= 9 {
        value = unsafe value &* 10 &+ Int64(next.pointee &- 0x30)
        unsafe next += 1
      }
      places = unsafe next - first
      if places == 0 { return nil }
    }
    if unsafe whole == 0 || whole + places > digitsMax || (whole > 1 && at.pointee == 0x30)
      || goesOn(next.pointee)
    {
      return nil
    }
    unsafe at = next
    return (value, places)
  }
}
