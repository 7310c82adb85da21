import Diagnostics

/// Why the text of a literal has no value: the message, and where in the source.
struct LiteralFailure: Error {
  let message: String
  let range: Range<Int>
}

/// Reads the text of literals.
enum Literal {
  /// `text` of an int or uint, decimal or hexadecimal, without sign.
  static func integer(_ text: String, isUnsigned: Bool, isNegative: Bool, at range: Range<Int>)
    throws(LiteralFailure) -> Constant
  {
    var digits = text
    if isUnsigned { digits.removeLast() }
    var radix = 10
    if digits.hasPrefix("0x") || digits.hasPrefix("0X") {
      digits.removeFirst(2)
      radix = 16
    }
    if isUnsigned {
      if let value = UInt64(digits, radix: radix) { return .uint(value) }
      throw LiteralFailure(message: "`\(text)` is above the largest uint, 2^64 - 1", range: range)
    }
    if let value = Int64((isNegative ? "-" : "") + digits, radix: radix) { return .int(value) }
    throw LiteralFailure(
      message: "`\(isNegative ? "-" : "")\(text)` does not fit into an int of 64 bits", range: range
    )
  }

  static func double(_ text: String, isNegative: Bool, at range: Range<Int>)
    throws(LiteralFailure) -> Constant
  {
    guard let value = Double(text), value.isFinite else {
      throw LiteralFailure(message: "`\(text)` is above the largest double", range: range)
    }
    return .double(isNegative ? -value : value)
  }

  /// The value of a string or bytes literal that stands at `range`, prefix and quotes included.
  static func quoted(_ source: [UInt8], at range: Range<Int>, isBytes: Bool)
    throws(LiteralFailure) -> [UInt8]
  {
    var start = range.lowerBound
    var isRaw = false
    while isLetter(source[start]) {
      isRaw = isRaw || source[start] | 0x20 == UInt8(ascii: "r")
      start += 1
    }
    let quote = source[start]
    let isTriple =
      range.upperBound - start >= 6 && source[start + 1] == quote && source[start + 2] == quote
    let width = isTriple ? 3 : 1
    var reader = QuotedReader(
      source: source, index: start + width, end: range.upperBound - width, isBytes: isBytes)
    return try reader.read(isRaw: isRaw)
  }
}

/// Walks through the inside of a string literal.
private struct QuotedReader {
  let source: [UInt8]
  var index: Int
  let end: Int
  let isBytes: Bool
  var result: [UInt8] = []

  mutating func read(isRaw: Bool) throws(LiteralFailure) -> [UInt8] {
    while index < end {
      let byte = source[index]
      if byte == UInt8(ascii: "\\") && !isRaw {
        try escape()
      } else if byte == 0x0D {
        // Line breaks of any system are one line feed, as in cel-go.
        if index + 1 >= end || source[index + 1] != 0x0A { result.append(0x0A) }
        index += 1
      } else {
        result.append(byte)
        index += 1
      }
    }
    return result
  }

  private static let simple: [UInt8: UInt8] = [
    UInt8(ascii: "a"): 7, UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10,
    UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9, UInt8(ascii: "v"): 11,
    UInt8(ascii: "\\"): UInt8(ascii: "\\"), UInt8(ascii: "?"): UInt8(ascii: "?"),
    UInt8(ascii: "\""): UInt8(ascii: "\""), UInt8(ascii: "'"): UInt8(ascii: "'"),
    UInt8(ascii: "`"): UInt8(ascii: "`"),
  ]

  private mutating func escape() throws(LiteralFailure) {
    let start = index
    index += 1
    let letter = index < end ? source[index] : 0
    if let value = QuotedReader.simple[letter] {
      result.append(value)
      index += 1
      return
    }
    switch letter {
    case UInt8(ascii: "x"), UInt8(ascii: "X"): try code(start, digits: 2, radix: 16, skip: 1)
    case UInt8(ascii: "u") where !isBytes: try code(start, digits: 4, radix: 16, skip: 1)
    case UInt8(ascii: "U") where !isBytes: try code(start, digits: 8, radix: 16, skip: 1)
    case 0x30...0x33: try code(start, digits: 3, radix: 8, skip: 0)
    default:
      index = min(index + 1, end)
      throw LiteralFailure(
        message:
          "`\(String(decoding: source[start..<index], as: UTF8.self))` is no escape sequence",
        range: start..<index)
    }
  }

  private mutating func code(_ start: Int, digits: Int, radix: UInt32, skip: Int)
    throws(LiteralFailure)
  {
    index += skip
    var value: UInt32 = 0
    for _ in 0..<digits {
      guard index < end, let digit = hexValue(source[index]), digit < radix,
        value <= UInt32.max >> 4
      else {
        throw LiteralFailure(
          message: "this escape sequence takes \(digits) digits",
          range: start..<max(index, start + 1))
      }
      value = value * radix + digit
      index += 1
    }
    if isBytes {
      result.append(UInt8(truncatingIfNeeded: value))
    } else if let scalar = Unicode.Scalar(value) {
      result += Array(String(Character(scalar)).utf8)
    } else {
      throw LiteralFailure(
        message: "U+\(String(value, radix: 16, uppercase: true)) is no character",
        range: start..<index)
    }
  }
}
