import Records

/// The resolved identifiers of a handed event, one after another: the identifier's number in the
/// product as a varint, the length of the global id as a varint, the global id.
package struct JournalIdentifiers {
  private var reader: ByteReader

  package init(_ region: ByteView) { reader = ByteReader(region) }

  /// The next one, with the life of the region; nil behind the last one, or where the bytes are
  /// none.
  package mutating func next() -> (identifier: Int, global: ByteView)? {
    guard let number = reader.varint().flatMap({ Int(exactly: $0) }),
      let length = reader.varint().flatMap({ Int(exactly: $0) }), let global = reader.bytes(length)
    else { return nil }
    return (number, global)
  }
}

extension ByteBuffer {
  /// Adds an identifier to a region that ``JournalIdentifiers`` reads.
  package func appendJournalIdentifier(_ identifier: Int, _ global: ByteView) {
    append(varint: UInt64(identifier))
    append(varint: UInt64(global.count))
    append(global)
  }
}
