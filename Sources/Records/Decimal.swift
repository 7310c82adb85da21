/// An exact decimal number: mantissa × 10^−scale, at most 38 digits.
///
/// Equality and order are numeric (1.50 equals 1.5); the scale is kept, so that text comes out as
/// the arithmetic says. Every operation gives nil when the result does not fit.
public struct Decimal: Sendable {
  /// All digits, as a whole number.
  public let mantissa: Int128
  /// Digits after the point, 0 to ``scaleMax``.
  public let scale: UInt8

  /// The most digits behind the point.
  public static let scaleMax: UInt8 = 38
  /// The largest mantissa of 38 digits.
  public static let mantissaMax: Int128 = 99_999_999_999_999_999_999_999_999_999_999_999_999

  /// The exact value of the parts.
  public init(mantissa: Int128, scale: UInt8) {
    self.mantissa = mantissa
    self.scale = scale
  }

  /// The exact value of the parts.
  public init(_ value: Int64) { self.init(mantissa: Int128(value), scale: 0) }

  /// Reads a JSON number, or what `decimal("…")` takes: sign, digits, fraction, exponent.
  /// Nil when the text is no such number, or has more than 38 significant digits or decimal places.
  /// Zeros at the end of a fraction are kept in the scale while they fit.
  public init?(_ text: ByteView) {
    if text.count <= 18, let short = Decimal(short: text) {
      self = short
      return
    }
    var index = 0
    let negative = !text.isEmpty && text[0] == UInt8(ascii: "-")
    if negative { index = 1 }
    var mantissa: Int128 = 0
    var scale = 0
    var digits = 0
    var inFraction = false
    while index < text.count {
      let byte = text[index]
      if byte >= 0x30 && byte <= 0x39 {
        if mantissa > Decimal.mantissaMax / 10 {
          // More digits than fit: only zeros of a fraction can be dropped without loss.
          if byte != 0x30 || !inFraction { return nil }
        } else {
          mantissa = mantissa * 10 + Int128(byte - 0x30)
          if inFraction { scale += 1 }
        }
        digits += 1
      } else if byte == UInt8(ascii: ".") && !inFraction && digits > 0 {
        inFraction = true
        digits = 0
      } else {
        break
      }
      index += 1
    }
    if digits == 0 || mantissa > Decimal.mantissaMax { return nil }
    if index < text.count {
      guard let exponent = Decimal.exponent(text.suffix(from: index)) else { return nil }
      scale -= exponent
    }
    while scale > Int(Decimal.scaleMax) && mantissa % 10 == 0 && mantissa != 0 {
      mantissa /= 10
      scale -= 1
    }
    if mantissa == 0 { scale = max(0, min(scale, Int(Decimal.scaleMax))) }
    while scale < 0 {
      if mantissa > Decimal.mantissaMax / 10 { return nil }
      mantissa *= 10
      scale += 1
    }
    if scale > Int(Decimal.scaleMax) { return nil }
    self.init(mantissa: negative ? -mantissa : mantissa, scale: UInt8(scale))
  }

  /// Up to 18 characters without an exponent: nearly every amount there is, in 64-bit arithmetic.
  private init?(short text: ByteView) {
    var index = 0
    let negative = !text.isEmpty && text[0] == UInt8(ascii: "-")
    if negative { index = 1 }
    var mantissa: Int64 = 0
    let first = index
    var point = -1
    while index < text.count {
      let digit = text[index] &- 0x30
      if digit <= 9 {
        mantissa = mantissa &* 10 &+ Int64(digit)
      } else if text[index] == UInt8(ascii: "."), point < 0, index > first {
        point = index
      } else {
        return nil
      }
      index += 1
    }
    if index == first || point == index - 1 { return nil }
    self.init(
      mantissa: Int128(negative ? -mantissa : mantissa),
      scale: point < 0 ? 0 : UInt8(index - 1 - point))
  }

  /// `e+12`, `E-3`; nil when it is none. Beyond ±999 is as good as ±999: it fits no decimal.
  private static func exponent(_ text: ByteView) -> Int? {
    guard text.count >= 2, text[0] | 0x20 == UInt8(ascii: "e") else { return nil }
    var index = 1
    let negative = text[1] == UInt8(ascii: "-")
    if negative || text[1] == UInt8(ascii: "+") { index = 2 }
    if index == text.count { return nil }
    var value = 0
    while index < text.count {
      let byte = text[index]
      if byte < 0x30 || byte > 0x39 { return nil }
      value = min(value * 10 + Int(byte - 0x30), 999)
      index += 1
    }
    return negative ? -value : value
  }

  static func power(_ exponent: Int) -> Int128? {
    if exponent < 0 || exponent > 38 { return nil }
    var result: Int128 = 1
    for _ in 0..<exponent { result *= 10 }
    return result
  }
}

extension Decimal {
  private static func aligned(_ left: Decimal, _ right: Decimal) -> (Int128, Int128, UInt8)? {
    if left.scale == right.scale { return (left.mantissa, right.mantissa, left.scale) }
    let distance = Int(left.scale) - Int(right.scale)
    guard let factor = power(abs(distance)) else { return nil }
    if distance > 0 {
      let (product, overflow) = right.mantissa.multipliedReportingOverflow(by: factor)
      return overflow ? nil : (left.mantissa, product, left.scale)
    }
    let (product, overflow) = left.mantissa.multipliedReportingOverflow(by: factor)
    return overflow ? nil : (product, right.mantissa, right.scale)
  }

  private init?(checked mantissa: Int128, _ overflow: Bool, scale: Int) {
    if overflow || mantissa.magnitude > Decimal.mantissaMax.magnitude || scale > 38 { return nil }
    self.init(mantissa: mantissa, scale: UInt8(scale))
  }

  /// The exact sum, with the larger scale; where that does not fit, without zeros at the end, so
  /// that equal numbers have equal sums. Nil when neither fits.
  public func adding(_ other: Decimal) -> Decimal? {
    plainlyAdding(other)
      ?? withoutTrailingZeros.plainlyAdding(other.withoutTrailingZeros)
  }

  private func plainlyAdding(_ other: Decimal) -> Decimal? {
    if scale == other.scale {
      if let left = Int64(exactly: mantissa), let right = Int64(exactly: other.mantissa) {
        let (sum, overflow) = left.addingReportingOverflow(right)
        if !overflow { return Decimal(mantissa: Int128(sum), scale: scale) }
      }
      let (sum, overflow) = mantissa.addingReportingOverflow(other.mantissa)
      return Decimal(checked: sum, overflow, scale: Int(scale))
    }
    guard let (left, right, scale) = Decimal.aligned(self, other) else { return nil }
    let (sum, overflow) = left.addingReportingOverflow(right)
    return Decimal(checked: sum, overflow, scale: Int(scale))
  }

  /// The exact difference, with the larger scale.
  public func subtracting(_ other: Decimal) -> Decimal? { adding(other.negated) }

  /// The same number with the least scale.
  package var withoutTrailingZeros: Decimal {
    var (mantissa, scale) = (mantissa, scale)
    while scale > 0 && mantissa % 10 == 0 {
      mantissa /= 10
      scale -= 1
    }
    return Decimal(mantissa: mantissa, scale: scale)
  }

  /// The exact product; its scale is the sum of the scales. Where that does not fit, without zeros
  /// at the end.
  public func multiplied(by other: Decimal) -> Decimal? {
    plainlyMultiplied(by: other)
      ?? withoutTrailingZeros.plainlyMultiplied(by: other.withoutTrailingZeros)
  }

  private func plainlyMultiplied(by other: Decimal) -> Decimal? {
    if let left = Int64(exactly: mantissa), let right = Int64(exactly: other.mantissa) {
      // One instruction: the product of two words is two words.
      let product = left.multipliedFullWidth(by: right)
      let places = Int(scale) + Int(other.scale)
      if product.high == Int64(bitPattern: product.low) >> 63 && places <= 38 {
        let whole = Int64(bitPattern: product.low)
        return Decimal(mantissa: Int128(whole), scale: UInt8(truncatingIfNeeded: places))
      }
      let whole = Int128(product.high) << 64 | Int128(product.low)
      return Decimal(checked: whole, false, scale: places)
    }
    let (product, overflow) = mantissa.multipliedReportingOverflow(by: other.mantissa)
    return Decimal(checked: product, overflow, scale: Int(scale) + Int(other.scale))
  }

  /// The quotient by a count of one or more, with `places` decimal places, rounded half to even;
  /// nil when it does not fit.
  public func divided(by count: Int64, places: UInt8) -> Decimal? {
    precondition(count > 0, "a count is one or more")
    let divisor = UInt128(count)
    var quotient = mantissa.magnitude
    // The value is (quotient + dropped / unit) / divisor, in units of the last place.
    var dropped: UInt128 = 0
    var unit: UInt128 = 1
    if scale > places {
      guard let factor = Decimal.power(Int(scale - places)) else { return nil }
      unit = factor.magnitude
      (quotient, dropped) = quotient.quotientAndRemainder(dividingBy: unit)
    }
    var rest: UInt128
    (quotient, rest) = quotient.quotientAndRemainder(dividingBy: divisor)
    var digits = scale
    while digits < places {
      if quotient > Decimal.mantissaMax.magnitude / 10 { return nil }
      rest *= 10
      quotient = quotient * 10 + rest / divisor
      rest %= divisor
      digits += 1
    }
    let isOdd = quotient & 1 == 1
    let isUp: Bool
    if rest * 2 >= divisor {
      isUp = rest * 2 > divisor || dropped > 0 || isOdd
    } else if rest * 2 + 1 == divisor {
      isUp = dropped * 2 > unit || (dropped * 2 == unit && isOdd)
    } else {
      isUp = false
    }
    if isUp { quotient += 1 }
    if quotient > Decimal.mantissaMax.magnitude { return nil }
    let whole = Int128(quotient)
    return Decimal(mantissa: mantissa < 0 ? -whole : whole, scale: places)
  }

  /// The nearest double, as far as two roundings find it: the same on every machine.
  public var double: Double {
    var power = 1.0
    for _ in 0..<scale { power *= 10 }
    return Double(mantissa) / power
  }

  /// The value with the other sign.
  public var negated: Decimal { Decimal(mantissa: -mantissa, scale: scale) }

  /// Negative, zero or positive as this is less than, equal to or greater than `other`.
  public func compare(_ other: Decimal) -> Int {
    if let (left, right, _) = Decimal.aligned(self, other) {
      return left < right ? -1 : (left > right ? 1 : 0)
    }
    // Aligning overflowed: the one with fewer decimal places is the larger in magnitude.
    let larger = scale < other.scale ? self : other
    let sign = larger.mantissa < 0 ? -1 : 1
    return scale < other.scale ? sign : -sign
  }

  /// The same value with `newScale` decimal places, rounded half to even; nil when it does not fit.
  public func rounded(toScale newScale: UInt8) -> Decimal? {
    if newScale == scale { return self }
    guard let factor = Decimal.power(abs(Int(newScale) - Int(scale))) else { return nil }
    if newScale > scale {
      let (product, overflow) = mantissa.multipliedReportingOverflow(by: factor)
      return Decimal(checked: product, overflow, scale: Int(newScale))
    }
    var (quotient, rest) = mantissa.quotientAndRemainder(dividingBy: factor)
    let twice = rest.magnitude * 2
    if twice > factor.magnitude || (twice == factor.magnitude && quotient % 2 != 0) {
      quotient += mantissa < 0 ? -1 : 1
    }
    rest = 0
    return Decimal(mantissa: quotient, scale: newScale)
  }

  /// Whether the value has at most `precision` digits, `places` of them after the point,
  /// zeros at the end not counted.
  public func fits(precision: Int, scale places: Int) -> Bool {
    var value = mantissa.magnitude
    var decimals = Int(scale)
    while decimals > places {
      if value % 10 != 0 { return false }
      value /= 10
      decimals -= 1
    }
    guard let limit = Decimal.power(max(0, precision - places + decimals)) else { return true }
    return value < limit.magnitude
  }
}

/// Sums and products of decimals that take 64 bits, as nearly all do, in a few instructions at the
/// caller; nil for others, which ``Decimal`` computes.
extension Value {
  @inlinable @inline(__always)
  var isShort: Bool { Int64(bitPattern: high) == Int64(bitPattern: low) &>> 63 }

  @inlinable @inline(__always)
  init(short mantissa: Int64, scale: UInt8) {
    self.init(
      .decimal, low: UInt64(bitPattern: mantissa), high: UInt64(bitPattern: mantissa &>> 63),
      scale: scale)
  }

  /// Of two decimals with as many places each, or of zero, from which sums begin, and another.
  @inlinable @inline(__always)
  public func shortSum(_ other: Value) -> Value? {
    assert(kind == .decimal && other.kind == .decimal)
    if !isShort || !other.isShort { return nil }
    if scale != other.scale { return low == 0 && scale < other.scale ? other : nil }
    let (sum, overflow) = Int64(bitPattern: low).addingReportingOverflow(
      Int64(bitPattern: other.low))
    return overflow ? nil : Value(short: sum, scale: scale)
  }

  /// Of two decimals.
  @inlinable @inline(__always)
  public func shortProduct(_ other: Value) -> Value? {
    assert(kind == .decimal && other.kind == .decimal)
    let places = Int(scale) &+ Int(other.scale)
    if !isShort || !other.isShort || places > 38 { return nil }
    let (product, overflow) = Int64(bitPattern: low).multipliedReportingOverflow(
      by: Int64(bitPattern: other.low))
    return overflow ? nil : Value(short: product, scale: UInt8(truncatingIfNeeded: places))
  }
}

extension Decimal: Comparable, Hashable {
  /// By value: 1.50 equals 1.5.
  public static func == (left: Decimal, right: Decimal) -> Bool { left.compare(right) == 0 }
  /// By value.
  public static func < (left: Decimal, right: Decimal) -> Bool { left.compare(right) < 0 }
  /// Equal values, equal hashes.
  public func hash(into hasher: inout Hasher) {
    var value = mantissa
    var decimals = scale
    while decimals > 0 && value % 10 == 0 {
      value /= 10
      decimals -= 1
    }
    hasher.combine(value)
    hasher.combine(decimals)
  }
}

extension ByteBuffer {
  /// The decimal as plain digits: `-12.50`, never an exponent.
  public func append(_ value: Decimal) {
    if value.mantissa < 0 { append(UInt8(ascii: "-")) }
    let scale = Int(value.scale)
    let magnitude = value.mantissa.magnitude
    if magnitude <= UInt128(UInt64.max), scale <= 18 {
      append(decimal: UInt64(truncatingIfNeeded: magnitude), places: scale)
      return
    }
    var digits: [UInt8] = []
    var rest = magnitude
    repeat {
      digits.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
      rest /= 10
    } while rest > 0 || digits.count <= scale
    for index in digits.indices.reversed() {
      append(digits[index])
      if index == scale && scale > 0 { append(UInt8(ascii: ".")) }
    }
  }
}

extension Decimal: CustomStringConvertible {
  /// Plain digits, never an exponent.
  public var description: String {
    let buffer = ByteBuffer(capacity: 64)
    buffer.append(self)
    return buffer.view.text
  }
}
