import Records

/// Reads rows into slots and writes them from there. Text that is read is lent by the row.
extension RowLayout {
  /// Reads `row` into `columns.count` slots from `first` on, and its times into those behind.
  func read(_ row: ByteView, into slots: ValueRun, from first: Int, arena: Arena) {
    var tail = fixedBytes
    for index in columns.indices {
      slots[first + index] = value(columns[index], row, &tail, arena)
    }
    for index in times.indices {
      slots[first + columns.count + index] = value(times[index], row, &tail, arena)
    }
  }

  private func value(_ cell: Cell, _ row: ByteView, _ tail: inout Int, _ arena: Arena) -> Value {
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
    case .string, .json, .nested:
      let length = Int(row.uint32(at: at))
      let bytes = row[tail..<tail + length]
      tail += length
      if cell.kind == .string { return .string(bytes) }
      if cell.kind == .json { return .json(bytes) }
      var reader = ByteReader(bytes)
      return reader.value(arena) ?? .absent
    }
  }

  /// Appends the row that stands in the slots from `first` on.
  func write(_ slots: ValueRun, from first: Int, flags: UInt32, into buffer: ByteBuffer) {
    let start = buffer.count
    buffer.append(uint32: flags)
    var hasTail = false
    for index in columns.indices {
      append(columns[index], slots[first + index], buffer)
      hasTail = hasTail || columns[index].kind.rawValue >= Kind.string.rawValue
    }
    for index in times.indices {
      append(times[index], slots[first + columns.count + index], buffer)
    }
    if hasTail { appendTail(slots, from: first, start, buffer) }
  }

  private func appendTail(
    _ slots: ValueRun, from first: Int, _ start: Int, _ buffer: ByteBuffer
  ) {
    for index in columns.indices {
      let value = slots[first + index]
      if value.isAbsent { continue }
      switch columns[index].kind {
      case .string, .json: buffer.append(value.view)
      case .nested:
        let begin = buffer.count
        buffer.append(value)
        buffer.replace(
          at: start + columns[index].offset + 1, uint32: UInt32(buffer.count - begin))
      default: break
      }
    }
  }

  private func append(_ cell: Cell, _ value: Value, _ buffer: ByteBuffer) {
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
    case .string, .json: buffer.append(uint32: isThere ? UInt32(value.view.count) : 0)
    case .nested: buffer.append(uint32: 0)
    }
  }

  /// Whether a value can stand in the column.
  func takes(_ value: Value, column: Int) -> Bool {
    switch (columns[column].kind, value.kind) {
    case (.int, .int), (.double, .double), (.bool, .bool), (.decimal, .decimal),
      (.timestamp, .timestamp), (.date, .date), (.string, .string), (.json, .json),
      (.nested, .list), (.nested, .object), (.nested, .map):
      true
    default: false
    }
  }
}
