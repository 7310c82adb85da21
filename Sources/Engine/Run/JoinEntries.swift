import Records

/// What a side of a join has of one key, as a row: each event's actual time and what is kept of it,
/// in the order of the times, of equal ones in that in which they came.
struct JoinEntries {
  struct Entry {
    let time: Timestamp
    /// A list, as ``ByteBuffer/append(_:)`` writes values.
    let value: ByteView
  }

  private var reader: ByteReader

  init(_ row: ByteView) { reader = ByteReader(row) }

  mutating func next() -> Entry? {
    guard let seconds = reader.uint64(), let nanoseconds = reader.uint32(),
      let length = reader.varint(), let value = reader.bytes(Int(truncatingIfNeeded: length))
    else { return nil }
    let time = Timestamp(seconds: Int64(bitPattern: seconds), nanoseconds: nanoseconds)
    return Entry(time: time, value: value)
  }

  /// Writes the entries of a row without those that are over, and with one more at its place; how
  /// many that are. Neither must be lent by the buffer.
  static func write(
    _ row: ByteView, adding new: Entry?, to buffer: ByteBuffer, isOver: (Timestamp) -> Bool
  ) -> Int {
    var entries = JoinEntries(row)
    var count = 0
    var new = new
    while let entry = entries.next() {
      if isOver(entry.time) { continue }
      if let added = new, entry.time > added.time {
        append(added, buffer)
        count += 1
        new = nil
      }
      append(entry, buffer)
      count += 1
    }
    if let new {
      append(new, buffer)
      count += 1
    }
    return count
  }

  private static func append(_ entry: Entry, _ buffer: ByteBuffer) {
    buffer.append(uint64: UInt64(bitPattern: entry.time.seconds))
    buffer.append(uint32: entry.time.nanoseconds)
    buffer.append(varint: UInt64(entry.value.count))
    buffer.append(entry.value)
  }
}
