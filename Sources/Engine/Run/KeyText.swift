import Expressions
import Formats
import Records

/// What became of a key that was asked for.
enum KeyOutcome {
  case written
  /// A part has no value.
  case missing(part: Int)
  /// A part could not be computed; see the term's fault.
  case failed(Value, part: Int)
}

/// Keys as text: one part as it is, several as a JSON array.
extension ByteBuffer {
  /// Appends the key that the parts of `key` give in `frame`. What is appended of a key that is not
  /// written is the caller's to drop.
  func appendKey(_ key: KeyPlan, _ frame: Frame) -> KeyOutcome {
    if key.parts.count == 1 {
      let value = key.parts[0].evaluate(frame)
      if appendKeyPart(value) { return .written }
      return value.isError ? .failed(value, part: 0) : .missing(part: 0)
    }
    append(UInt8(ascii: "["))
    for index in key.parts.indices {
      if index > 0 { append(UInt8(ascii: ",")) }
      let value = key.parts[index].evaluate(frame)
      if !appendKeyMember(value) {
        return value.isError ? .failed(value, part: index) : .missing(part: index)
      }
    }
    append(UInt8(ascii: "]"))
    return .written
  }

  /// The text of a scalar. A decimal without zeros at its end, so that equal keys are equal text.
  /// False, and nothing written, for what cannot be a key.
  @inline(__always)
  func appendKeyPart(_ value: Value) -> Bool {
    if value.kind == .string {
      append(value.view)
      return true
    }
    return appendOtherKeyPart(value)
  }

  private func appendOtherKeyPart(_ value: Value) -> Bool {
    switch value.kind {
    case .string, .bytes, .json: append(value.view)
    case .int: append(decimal: value.int)
    case .uint: append(decimal: value.uint)
    case .bool: appendJSON(bool: value.bool)
    case .decimal: append(value.decimal.withoutTrailingZeros)
    case .timestamp: append(value.timestamp)
    case .date: append(days: value.dateDays)
    case .double: return appendJSON(double: value.double)
    case .absent, .null, .duration, .list, .object, .map, .error: return false
    }
    return true
  }

  /// A part of a key of several, as JSON: numbers and booleans bare, all else quoted.
  private func appendKeyMember(_ value: Value) -> Bool {
    switch value.kind {
    case .string: appendJSON(string: value.view)
    case .timestamp: appendJSON(timestamp: value.timestamp)
    case .date: appendJSON(days: value.dateDays)
    default: return appendOtherKeyPart(value)
    }
    return true
  }
}
