import Records

/// Any value as bytes, for lists and objects in rows: its kind, then what it holds.
extension ByteBuffer {
  func append(_ value: Value) {
    append(value.kind.rawValue)
    switch value.kind {
    case .absent, .null, .error: break
    case .bool: append(value.bool ? 1 : 0)
    case .int: append(zigzag: value.int)
    case .uint: append(varint: value.uint)
    case .double: append(littleEndian: value.double.bitPattern)
    case .decimal:
      append(value.decimal.scale)
      append(littleEndian: value.decimal.mantissa)
    case .timestamp:
      append(zigzag: value.timestamp.seconds)
      append(varint: UInt64(value.timestamp.nanoseconds))
    case .date: append(zigzag: value.dateDays)
    case .duration:
      append(zigzag: value.duration.seconds)
      append(zigzag: Int64(value.duration.nanoseconds))
    case .string, .bytes, .json:
      append(varint: UInt64(value.view.count))
      append(value.view)
    case .list, .object, .map:
      append(varint: UInt64(value.run.count))
      for index in 0..<value.run.count { append(value.run[index]) }
    }
  }
}

extension ByteReader {
  /// Reads what ``ByteBuffer/append(_:)`` wrote; nil where it is none.
  mutating func value(_ arena: Arena) -> Value? {
    guard let kind = byte().flatMap({ Value.Kind(rawValue: $0) }) else { return nil }
    switch kind {
    case .absent, .error: return .absent
    case .null: return .null
    case .bool: return byte().map { .bool($0 != 0) }
    case .int: return zigzag().map { .int($0) }
    case .uint: return varint().map { .uint($0) }
    case .double: return littleEndian(UInt64.self).map { .double(Double(bitPattern: $0)) }
    case .decimal:
      guard let scale = byte(), let mantissa = littleEndian(Int128.self) else { return nil }
      return .decimal(Decimal(mantissa: mantissa, scale: scale))
    case .timestamp:
      guard let seconds = zigzag(), let nanoseconds = varint() else { return nil }
      return .timestamp(
        Timestamp(seconds: seconds, nanoseconds: UInt32(truncatingIfNeeded: nanoseconds)))
    case .date: return zigzag().map { .date(days: $0) }
    case .duration:
      guard let seconds = zigzag(), let nanoseconds = zigzag() else { return nil }
      return .duration(seconds: seconds, nanoseconds: Int32(truncatingIfNeeded: nanoseconds))
    case .string: return text().map { .string($0) }
    case .bytes: return text().map { .bytes($0) }
    case .json: return text().map { .json($0) }
    case .list: return run(arena).map { .list($0) }
    case .object: return run(arena).map { .object($0) }
    case .map: return run(arena).map { .map($0) }
    }
  }

  private mutating func text() -> ByteView? {
    guard let length = varint() else { return nil }
    return bytes(Int(truncatingIfNeeded: length))
  }

  private mutating func run(_ arena: Arena) -> ValueRun? {
    guard let length = varint(), length <= UInt64(left) else { return nil }
    let run = arena.values(Int(length))
    for index in 0..<run.count {
      guard let value = value(arena) else { return nil }
      run[index] = value
    }
    return run
  }
}
