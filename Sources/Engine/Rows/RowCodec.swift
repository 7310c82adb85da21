import Records

/// Cells of rows as bytes.
extension RowLayout {
  func value(_ cell: Cell, _ row: ByteView, _ tail: inout Int, _ arena: Arena) -> Value {
    let mark = row[cell.offset]
    if mark == 0 { return .absent }
    let at = cell.offset + 1
    switch cell.kind {
    case .int: return .int(row.int64(at: at))
    case .double: return .double(Double(bitPattern: UInt64(bitPattern: row.int64(at: at))))
    case .bool: return .bool(mark == 2)
    case .decimal:
      return .decimal(Decimal(mantissa: row.int128(at: at + 1), scale: row[at]))
    case .timestamp:
      return .timestamp(
        Timestamp(
          seconds: row.int64(at: at), nanoseconds: row.uint32(at: at + 8)))
    case .date: return .date(days: row.int64(at: at))
    case .string, .json, .bytes, .nested:
      let length = Int(row.uint32(at: at))
      let bytes = row[tail..<tail + length]
      tail += length
      if cell.kind == .string { return .string(bytes) }
      if cell.kind == .json { return .json(bytes) }
      if cell.kind == .bytes { return .bytes(bytes) }
      var reader = ByteReader(bytes)
      return reader.value(arena) ?? .absent
    }
  }

  /// Appends what stands behind all cells of one that has no fixed size.
  func appendTail(_ cell: Cell, _ value: Value, _ start: Int, _ buffer: ByteBuffer) {
    if value.isAbsent { return }
    switch cell.kind {
    case .string, .json, .bytes: buffer.append(value.view)
    case .nested:
      let begin = buffer.count
      buffer.append(value)
      buffer.replace(at: start + cell.offset + 1, uint32: UInt32(buffer.count - begin))
    default: break
    }
  }

  func append(_ cell: Cell, _ value: Value, _ buffer: ByteBuffer) {
    let isThere = !value.isAbsent
    buffer.append(isThere ? 1 : 0)
    switch cell.kind {
    case .int: buffer.append(int64: isThere ? value.int : 0)
    case .double: buffer.append(uint64: isThere ? value.double.bitPattern : 0)
    case .bool:
      if isThere && value.bool { buffer.replace(at: buffer.count - 1, littleEndian: UInt8(2)) }
    case .decimal:
      let decimal = isThere ? value.decimal : Decimal(0)
      buffer.append(decimal.scale)
      buffer.append(int128: decimal.mantissa)
    case .timestamp:
      buffer.append(int64: isThere ? value.timestamp.seconds : 0)
      buffer.append(uint32: isThere ? value.timestamp.nanoseconds : 0)
    case .date: buffer.append(int64: isThere ? value.dateDays : 0)
    case .string, .json, .bytes:
      buffer.append(uint32: isThere ? UInt32(value.view.count) : 0)
    case .nested: buffer.append(uint32: 0)
    }
  }

  /// Whether a value is of a kind.
  static func takes(_ value: Value, _ kind: Kind) -> Bool {
    switch (kind, value.kind) {
    case (.int, .int), (.double, .double), (.bool, .bool), (.decimal, .decimal),
      (.timestamp, .timestamp), (.date, .date), (.string, .string), (.json, .json),
      (.nested, .list), (.nested, .object), (.nested, .map), (.nested, .uint), (.nested, .duration),
      (.nested, .bytes):
      true
    default: false
    }
  }
}
