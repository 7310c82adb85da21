import Records

/// Conversions of numbers that are seldom asked for.
extension Evaluation {
  @inline(never)
  func convertNumber(_ instruction: Instruction, _ a: Value) -> Value {
    switch instruction.opcode {
    case .doubleOfText: return double(a.view)
    case .doubleOfDecimal: return .double(a.decimal.nearestDouble)
    case .decimalOfUint: return .decimal(Decimal(mantissa: Int128(a.uint), scale: 0))
    case .intOfDecimal:
      guard let value = Int64(exactly: a.decimal.whole) else { return .failure(.integerOverflow) }
      return .int(value)
    default:
      guard a.decimal.mantissa >= 0, let value = UInt64(exactly: a.decimal.whole) else {
        return .failure(.integerOverflow)
      }
      return .uint(value)
    }
  }

  /// As Go's ParseFloat: what is beyond all doubles is none. Makes a text.
  private func double(_ text: ByteView) -> Value {
    guard let last = text.isEmpty ? nil : text[text.count - 1], text[0] > 0x20, last > 0x20,
      let value = Double(text.text)
    else { return .failure(.badConversion) }
    // Hexadecimal digits need an exponent there, and not here.
    let isHexadecimal = (0..<text.count).contains { text[$0] | 0x20 == UInt8(ascii: "x") }
    let hasExponent = (0..<text.count).contains { text[$0] | 0x20 == UInt8(ascii: "p") }
    if isHexadecimal && !hasExponent { return .failure(.badConversion) }
    let isWord = (0..<text.count).contains { text[$0] | 0x20 == UInt8(ascii: "n") }
    return !value.isFinite && !isWord ? .failure(.badConversion) : .double(value)
  }
}

extension Decimal {
  /// The nearest double. Makes a text where digits and power do not both fit a double exactly.
  var nearestDouble: Double {
    if mantissa.magnitude <= 1 << 53 && scale <= 22 {
      var power = 1.0
      for _ in 0..<scale { power *= 10 }
      return Double(Int64(mantissa)) / power
    }
    return Double(description) ?? .nan
  }

  /// Without the digits behind the point.
  var whole: Int128 {
    var value = mantissa
    for _ in 0..<scale { value /= 10 }
    return value
  }

  /// The number, if it is an integer.
  var integer: Int128? { Decimal(mantissa: whole, scale: 0).compare(self) == 0 ? whole : nil }
}

extension ByteView {
  /// Whether it is UTF-8: no surrogates, nothing too long, nothing above U+10FFFF.
  var isUTF8: Bool {
    var index = 0
    while index < count {
      let first = self[index]
      let length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
      if first >= 0x80 && first < 0xC2 || first > 0xF4 || index + length > count { return false }
      for place in 1..<length where self[index + place] & 0xC0 != 0x80 { return false }
      if length > 2 {
        let second = self[index + 1]
        let isWrong =
          first == 0xE0 && second < 0xA0 || first == 0xED && second > 0x9F
          || first == 0xF0 && second < 0x90 || first == 0xF4 && second > 0x8F
        if isWrong { return false }
      }
      index += length
    }
    return true
  }
}

extension ByteBuffer {
  /// The fewest digits that read back as the same double, in the form of CEL's `string()`: `0.5`,
  /// `1e+06`, with an exponent below 1e-04 and from 1e+06 on, as Go writes it. Makes a text.
  func append(double value: Double) {
    if value.isNaN { return append("NaN" as StaticString) }
    if value.isInfinite { return append(value < 0 ? "-Inf" : "+Inf" as StaticString) }
    if value.sign == .minus { append(UInt8(ascii: "-")) }
    if value == 0 { return append(UInt8(ascii: "0")) }
    let (digits, point) = ByteBuffer.digits(value.magnitude)
    let exponent = point - 1
    if exponent < -4 || exponent >= 6 {
      append(digits[0])
      if digits.count > 1 { append(UInt8(ascii: ".")) }
      for digit in digits.dropFirst() { append(digit) }
      append(exponent < 0 ? "e-" : "e+" as StaticString)
      if abs(exponent) < 10 { append(UInt8(ascii: "0")) }
      append(decimal: Int64(abs(exponent)))
      return
    }
    if point <= 0 {
      append("0." as StaticString)
      for _ in point..<0 { append(UInt8(ascii: "0")) }
    }
    for (place, digit) in digits.enumerated() {
      if place == point && place > 0 { append(UInt8(ascii: ".")) }
      append(digit)
    }
    for _ in 0..<max(0, point - digits.count) { append(UInt8(ascii: "0")) }
  }

  /// The digits of a positive number without zeros at either end, and where the point stands
  /// behind the first of them.
  private static func digits(_ value: Double) -> ([UInt8], Int) {
    var digits: [UInt8] = []
    var point: Int?
    var exponent = 0
    let text = Array(value.description.utf8)
    for (index, byte) in text.enumerated() {
      if byte == UInt8(ascii: ".") {
        point = digits.count
      } else if byte == UInt8(ascii: "e") {
        exponent = Int(String(decoding: text[(index + 1)...], as: UTF8.self)) ?? 0
        break
      } else {
        digits.append(byte)
      }
    }
    var place = (point ?? digits.count) + exponent
    while digits.last == UInt8(ascii: "0") { digits.removeLast() }
    while digits.first == UInt8(ascii: "0") {
      digits.removeFirst()
      place -= 1
    }
    return (digits, place)
  }

  /// A duration in seconds: `5400s`, `-0.5s`.
  func append(duration nanoseconds: Int64) {
    if nanoseconds < 0 { append(UInt8(ascii: "-")) }
    let (whole, rest) = nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
    append(decimal: whole)
    if rest > 0 {
      var fraction = rest
      var places = 9
      while fraction % 10 == 0 {
        fraction /= 10
        places -= 1
      }
      var factor: UInt64 = 1
      for _ in 1..<places { factor *= 10 }
      append(UInt8(ascii: "."))
      while factor > 0 {
        append(UInt8(ascii: "0") + UInt8(fraction / factor % 10))
        factor /= 10
      }
    }
    append(UInt8(ascii: "s"))
  }
}
