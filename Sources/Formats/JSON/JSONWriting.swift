import Records

/// Values as JSON text; none allocates but the rare double with sixteen digits or more.
extension ByteBuffer {
  package func appendJSON(bool value: Bool) { append(value ? "true" : "false" as StaticString) }

  package func appendJSONNull() { append("null" as StaticString) }

  /// The fewest digits that read back as the same double, with a fraction or an exponent (`12.0`,
  /// `1e+16`). False, and nothing written, for what JSON cannot say: infinities and NaN.
  package func appendJSON(double value: Double) -> Bool {
    if !value.isFinite { return false }
    let magnitude = value.magnitude
    if magnitude >= 0.001 && magnitude < 1e15 || magnitude == 0 {
      if appendShort(magnitude, isNegative: value.sign == .minus) { return true }
    }
    append(value.description)
    return true
  }

  /// Up to six decimal places and 15 digits: there is at most one decimal of 15 digits for a
  /// double, so the first that reads back is the shortest. (12 ns; the description takes 60 and
  /// allocates.)
  private func appendShort(_ magnitude: Double, isNegative: Bool) -> Bool {
    var factor = 1.0
    for places in 0...6 {
      let scaled = magnitude * factor
      if scaled >= 1e15 { return false }
      let rounded = Int64(scaled + 0.5)
      if Double(rounded) / factor == magnitude {
        if isNegative { append(UInt8(ascii: "-")) }
        append(Decimal(mantissa: Int128(rounded), scale: UInt8(places)))
        if places == 0 { append(".0" as StaticString) }
        return true
      }
      factor *= 10
    }
    return false
  }

  /// The moment as a quoted RFC 3339 text in UTC.
  package func appendJSON(timestamp value: Timestamp) {
    append(UInt8(ascii: "\""))
    append(value)
    append(UInt8(ascii: "\""))
  }

  /// The day, counted from 1970-01-01, as a quoted text such as `"2024-02-29"`.
  package func appendJSON(days: Int64) {
    append(UInt8(ascii: "\""))
    append(days: days)
    append(UInt8(ascii: "\""))
  }

  /// Bytes as a quoted text in base64 (RFC 4648, with padding).
  package func appendJSON(base64 bytes: ByteView) {
    append(UInt8(ascii: "\""))
    append(base64: bytes)
    append(UInt8(ascii: "\""))
  }

  /// Bytes in base64 (RFC 4648, with padding), without quotes.
  package func append(base64 bytes: ByteView) {
    let alphabet =
      ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" as StaticString).view
    var index = 0
    while index < bytes.count {
      let left = min(3, bytes.count - index)
      var group = UInt32(bytes[index]) << 16
      if left > 1 { group |= UInt32(bytes[index + 1]) << 8 }
      if left > 2 { group |= UInt32(bytes[index + 2]) }
      append(alphabet[Int(group >> 18)])
      append(alphabet[Int(group >> 12 & 63)])
      append(left > 1 ? alphabet[Int(group >> 6 & 63)] : UInt8(ascii: "="))
      append(left > 2 ? alphabet[Int(group & 63)] : UInt8(ascii: "="))
      index += 3
    }
  }
}
