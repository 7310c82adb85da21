import Records

/// The declared headers of a journaled event, one name and value after another: name length and
/// value length + 1 as varints (0: the value is null), then both.
package struct JournalHeaders {
  private var reader: ByteReader

  package init(_ region: ByteView) { reader = ByteReader(region) }

  /// The next header, with the life of the region; nil behind the last one, or where the bytes are
  /// no header (``isWhole`` tells which).
  package mutating func next() -> (name: ByteView, value: ByteView?)? {
    if reader.left == 0 { return nil }
    var attempt = reader
    guard let nameLength = attempt.varint().flatMap({ Int(exactly: $0) }),
      let valueLength = attempt.varint().flatMap({ Int(exactly: $0) }),
      let name = attempt.bytes(nameLength),
      let value = attempt.bytes(max(valueLength, 1) - 1)
    else { return nil }
    reader = attempt
    return (name, valueLength == 0 ? nil : value)
  }

  /// Whether all of the region has been read.
  package var isWhole: Bool { reader.left == 0 }
}

extension ByteBuffer {
  /// Adds a header to a region that ``JournalHeaders`` reads.
  package func appendJournalHeader(_ name: ByteView, _ value: ByteView?) {
    append(varint: UInt64(name.count))
    append(varint: value.map { UInt64($0.count) + 1 } ?? 0)
    append(name)
    if let value { append(value) }
  }
}
