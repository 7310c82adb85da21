import Records

/// A value that stands in the text.
enum Constant: Sendable, Hashable {
  case null
  case bool(Bool)
  case int(Int64)
  case uint(UInt64)
  case double(Double)
  case decimal(Decimal)
  /// UTF-8.
  case string([UInt8])
  case bytes([UInt8])
  case timestamp(Timestamp)
  /// Days since 1970-01-01.
  case date(Int64)
  /// Nanoseconds.
  case duration(Int64)

  var type: ValueType {
    switch self {
    case .null: .null
    case .bool: .bool
    case .int: .int
    case .uint: .uint
    case .double: .double
    case .decimal: .decimal
    case .string: .string
    case .bytes: .bytes
    case .timestamp: .timestamp
    case .date: .date
    case .duration: .duration
    }
  }

  /// The text of a string.
  var text: String? {
    if case .string(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil }
  }
}
