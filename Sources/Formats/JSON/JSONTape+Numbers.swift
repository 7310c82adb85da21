import Records

/// Why a number does not fit the field it is read into.
package enum JSONNumberFault: Sendable, Hashable {
  /// The node is no number at all.
  case notANumber
  /// It has a fraction that is not zero.
  case notIntegral
  /// It is beyond what the type holds.
  case outOfRange
}

/// Numbers, read from their text. Each gives nil when the node is no number or does not fit;
/// ``integerFault(at:)`` then says why.
extension JSONTape {
  /// The number as an integer: its value must be one and fit, however it is written (`1`, `1.0` and
  /// `1e2` are integers, `1.5` and `1e-1` are not).
  package func int64(at index: Int) -> Int64? {
    let node = node(index)
    if node.kind != .number { return nil }
    let digits = text[Int(node.start)..<Int(node.end)]
    if node.flags & JSONNode.fractional != 0 || digits.count > 18 {
      return JSONInteger(digits).int64
    }
    // At most 18 bytes of sign and digits: no overflow is possible.
    let isNegative = digits[0] == UInt8(ascii: "-")
    var value: Int64 = 0
    var at = isNegative ? 1 : 0
    while at < digits.count {
      value = value &* 10 &+ Int64(digits[at] &- 0x30)
      at += 1
    }
    return isNegative ? -value : value
  }

  /// Why ``int64(at:)`` gave nil.
  package func integerFault(at index: Int) -> JSONNumberFault {
    let node = node(index)
    if node.kind != .number { return .notANumber }
    return JSONInteger(text[Int(node.start)..<Int(node.end)]).isIntegral
      ? .outOfRange : .notIntegral
  }

  /// The number as the nearest double; nil when it is beyond the largest one.
  package func double(at index: Int) -> Double? {
    let node = node(index)
    if node.kind != .number { return nil }
    return Double(json: text[Int(node.start)..<Int(node.end)])
  }

  /// The number exactly, with the decimal places it is written with; nil when it has more than 38
  /// digits or decimal places.
  package func decimal(at index: Int) -> Decimal? {
    let node = node(index)
    if node.kind != .number { return nil }
    return Decimal(text[Int(node.start)..<Int(node.end)])
  }
}

/// A JSON number as an integer times a power of ten: the significant digits without the zeros at
/// their end, which is the form in which being integral and fitting can be seen.
struct JSONInteger {
  private var significand: UInt64 = 0
  private var exponent = 0
  private var isNegative = false
  private var isTooLong = false

  /// `text` has been accepted by the scanner.
  init(_ text: ByteView) {
    var index = 0
    var zeros = 0
    var inFraction = false
    if text[0] == UInt8(ascii: "-") {
      isNegative = true
      index = 1
    }
    while index < text.count {
      let byte = text[index]
      index += 1
      if byte == UInt8(ascii: ".") {
        inFraction = true
      } else if byte | 0x20 == UInt8(ascii: "e") {
        exponent += JSONInteger.exponent(text.suffix(from: index))
        break
      } else {
        if inFraction { exponent -= 1 }
        zeros += 1
        if byte != 0x30 {
          append(byte &- 0x30, behind: zeros - 1)
          zeros = 0
        }
      }
    }
    exponent += zeros
  }

  private mutating func append(_ digit: UInt8, behind zeros: Int) {
    for _ in 0...zeros {
      if significand == 0 || isTooLong { break }
      let next = significand.multipliedReportingOverflow(by: 10)
      significand = next.partialValue
      isTooLong = next.overflow
    }
    let sum = significand.addingReportingOverflow(UInt64(digit))
    significand = sum.partialValue
    if sum.overflow { isTooLong = true }
  }

  /// Beyond a thousand millions it does not matter: no document is as long as would bring it back.
  private static func exponent(_ text: ByteView) -> Int {
    if text.isEmpty { return 0 }
    var index = 0
    let isNegative = text[0] == UInt8(ascii: "-")
    if isNegative || text[0] == UInt8(ascii: "+") { index = 1 }
    var value = 0
    while index < text.count {
      value = min(value * 10 + Int(text[index] &- 0x30), 1 << 40)
      index += 1
    }
    return isNegative ? -value : value
  }

  /// Its last significant digit is not behind the point (zero has none).
  var isIntegral: Bool { exponent >= 0 || (significand == 0 && !isTooLong) }

  var int64: Int64? {
    if isTooLong || !isIntegral { return nil }
    if significand == 0 { return 0 }
    if exponent > 19 { return nil }
    var magnitude = significand
    for _ in 0..<exponent {
      let next = magnitude.multipliedReportingOverflow(by: 10)
      if next.overflow { return nil }
      magnitude = next.partialValue
    }
    if isNegative {
      return magnitude <= Int64.min.magnitude ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil
    }
    return Int64(exactly: magnitude)
  }
}

extension Int64 {
  /// The value of a JSON number, however it is written (`1`, `1.0`, `1e2`); nil when it is no
  /// integer or beyond 64 bits.
  package init?(json text: ByteView) {
    guard let value = JSONInteger(text).int64 else { return nil }
    self = value
  }
}

extension Double {
  /// 10^0 to 10^22, all of which a double holds exactly.
  private static func exactPower(_ exponent: Int) -> Double {
    var result = 1.0
    for _ in 0..<exponent { result *= 10 }
    return result
  }

  /// The double nearest to a JSON number; nil when it is beyond the largest one.
  ///
  /// Up to 15 digits and 22 places it is one exact integer times or by one exact power of ten, and
  /// hence rounded once and correctly (Clinger's fast path); else the library's own conversion,
  /// which allocates.
  package init?(json text: ByteView) {
    var index = 0
    var digits = 0
    var places = 0
    var significand: Int64 = 0
    let isNegative = text[0] == UInt8(ascii: "-")
    if isNegative { index = 1 }
    var inFraction = false
    while index < text.count {
      let byte = text[index]
      if byte == UInt8(ascii: ".") {
        inFraction = true
      } else if byte &- 0x30 <= 9 {
        significand = significand &* 10 &+ Int64(byte &- 0x30)
        if significand != 0 { digits += 1 }
        if inFraction { places += 1 }
      } else {
        break
      }
      index += 1
    }
    if index == text.count && digits <= 15 && places <= 22 {
      let value = Double(significand) / Double.exactPower(places)
      self = isNegative ? -value : value
      return
    }
    guard let value = Double(text.text), value.isFinite else { return nil }
    self = value
  }
}
