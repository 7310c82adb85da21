import CSIMD

/// Strings, numbers and words: what has no parts.
extension JSONScanner {
  /// A string from its opening quote on. Most end within the first sixteen bytes looked at.
  @inline(__always)
  mutating func string(_ kind: JSONKind) -> Bool {
    let start = unsafe at + 1
    let stop = unsafe weft_plain_text_end(start, begin, end)
    if unsafe stop < end && stop.pointee == UInt8(ascii: "\"") {
      unsafe append(kind, from: start, to: stop)
      unsafe at = stop + 1
      return true
    }
    unsafe at = stop
    return unsafe rest(of: kind, from: start)
  }

  /// The rest of a string that has escapes or bytes beyond ASCII, or is refused.
  @inline(never)
  private mutating func rest(of kind: JSONKind, from start: UnsafePointer<UInt8>) -> Bool {
    var flags: UInt8 = 0
    while unsafe at < end {
      let byte = unsafe at.pointee
      if byte == UInt8(ascii: "\"") {
        unsafe append(kind, from: start, to: at, flags)
        unsafe at += 1
        return true
      }
      if byte == UInt8(ascii: "\\") {
        flags = JSONNode.escaped
        if !escape() { return false }
      } else if byte < 0x20 {
        return fail(.controlCharacter)
      } else if byte >= 0x80 {
        let length = unsafe weft_utf8_length(at, end)
        if length == 0 { return fail(.invalidUTF8) }
        unsafe at += length
      } else {
        unsafe at = weft_plain_text_end(at, begin, end)
      }
    }
    return fail(.truncated)
  }

  /// An escape from its backslash on.
  private mutating func escape() -> Bool {
    guard unsafe at + 1 < end else { return fail(.truncated) }
    switch unsafe at[1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      unsafe at += 2
      return true
    case UInt8(ascii: "u"):
      guard let unit = unsafe hexadecimal(at + 2) else { return fail(.badEscape) }
      if unit < 0xD800 || unit > 0xDFFF {
        unsafe at += 6
        return true
      }
      guard unit < 0xDC00, unsafe end - at >= 12, unsafe at[6] == UInt8(ascii: "\\"),
        unsafe at[7] == UInt8(ascii: "u"), let low = unsafe hexadecimal(at + 8), low >= 0xDC00,
        low <= 0xDFFF
      else { return fail(.loneSurrogate) }
      unsafe at += 12
      return true
    default:
      return fail(.badEscape)
    }
  }

  /// The four hexadecimal digits at `place`; nil when they are not there.
  private func hexadecimal(_ place: UnsafePointer<UInt8>) -> UInt32? {
    guard unsafe end - place >= 4 else { return nil }
    var value: UInt32 = 0
    for index in 0..<4 {
      guard let digit = unsafe hexadecimalDigit(place[index]) else { return nil }
      value = value << 4 | digit
    }
    return value
  }

  /// A number by JSON's grammar; its text is kept, nothing is computed.
  @inline(__always)
  mutating func number() -> Bool {
    let start = unsafe at
    var flags: UInt8 = 0
    if unsafe at.pointee == UInt8(ascii: "-") { unsafe at += 1 }
    if unsafe at < end && at.pointee == UInt8(ascii: "0") {
      unsafe at += 1
      if isAtDigit { return fail(.badNumber) }
    } else if !digits() {
      return fail(.badNumber)
    }
    if unsafe at < end && at.pointee == UInt8(ascii: ".") {
      flags = JSONNode.fractional
      unsafe at += 1
      if !digits() { return fail(.badNumber) }
    }
    if unsafe at < end && at.pointee | 0x20 == UInt8(ascii: "e") {
      flags = JSONNode.fractional
      unsafe at += 1
      if unsafe at < end && (at.pointee == UInt8(ascii: "+") || at.pointee == UInt8(ascii: "-")) {
        unsafe at += 1
      }
      if !digits() { return fail(.badNumber) }
    }
    unsafe append(.number, from: start, to: at, flags)
    return true
  }

  @inline(__always)
  private var isAtDigit: Bool { unsafe at < end && at.pointee &- 0x30 <= 9 }

  /// One digit or more.
  @inline(__always)
  private mutating func digits() -> Bool {
    if !isAtDigit { return false }
    repeat { unsafe at += 1 } while isAtDigit
    return true
  }

  /// `true`, `false` or `null`.
  mutating func word() -> Bool {
    let start = unsafe at
    let kind: JSONKind
    let literal: StaticString
    switch unsafe at.pointee {
    case UInt8(ascii: "t"): (kind, literal) = (.true, "true")
    case UInt8(ascii: "f"): (kind, literal) = (.false, "false")
    case UInt8(ascii: "n"): (kind, literal) = (.null, "null")
    case 0x80...0xFF where unsafe weft_utf8_length(at, end) == 0: return fail(.invalidUTF8)
    default: return fail(.unexpectedByte)
    }
    let expected = unsafe literal.utf8Start
    for index in 0..<literal.utf8CodeUnitCount {
      if unsafe at == end { return fail(.truncated) }
      if unsafe at.pointee != expected[index] { return fail(.unexpectedByte) }
      unsafe at += 1
    }
    unsafe append(kind, from: start, to: at)
    return true
  }
}

/// The value of a hexadecimal digit; nil when it is none.
func hexadecimalDigit(_ byte: UInt8) -> UInt32? {
  switch byte {
  case 0x30...0x39: UInt32(byte - 0x30)
  case 0x41...0x46: UInt32(byte - 0x41 + 10)
  case 0x61...0x66: UInt32(byte - 0x61 + 10)
  default: nil
  }
}
