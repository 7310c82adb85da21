import Records

/// What a block of ticks says of one source, which is a partition of an input: how far its events'
/// actual times have come, and whether all that it holds has been taken.
package struct JournalTick: Hashable, Sendable {
  /// Ordinal of the input in the product.
  package let input: Int
  package let partition: Partition
  /// Whether who wrote the block reads the source. If not, all it says is that there is one.
  package let isRead: Bool
  /// The largest actual time since its reader began, in milliseconds since 1970; nil: none yet.
  package let shownMs: Int64?
  /// Nothing lay there that the block's writer had not taken.
  package let isAtEnd: Bool

  package init(
    input: Int, partition: Partition, isRead: Bool = true, shownMs: Int64? = nil,
    isAtEnd: Bool = false
  ) {
    self.input = input
    self.partition = partition
    self.isRead = isRead
    self.shownMs = shownMs
    self.isAtEnd = isAtEnd
  }
}

extension JournalFormat {
  static let tickIsRead: UInt8 = 1
  static let tickIsAtEnd: UInt8 = 2
  static let tickHasTime: UInt8 = 4
  static let tickFlagsKnown: UInt8 = 7
}

extension JournalBlockBuilder {
  /// Adds a tick to a block of ticks, which has room for those of some thousand sources.
  package func append(_ tick: JournalTick) {
    append(entryOf: .ticks) { buffer in
      var flags: UInt8 = tick.isRead ? JournalFormat.tickIsRead : 0
      if tick.isAtEnd { flags |= JournalFormat.tickIsAtEnd }
      if tick.shownMs != nil { flags |= JournalFormat.tickHasTime }
      buffer.append(flags)
      buffer.append(varint: UInt64(tick.input))
      buffer.append(varint: UInt64(tick.partition.value))
      if let time = tick.shownMs { buffer.append(zigzag: time) }
    }
  }
}

/// A walk over the ticks of a block: `while let tick = try ticks.next() { … }`.
package struct JournalTicks {
  private var reader: ByteReader
  private var left: Int

  init(_ entries: ByteView, _ count: Int) {
    reader = ByteReader(entries)
    left = count
  }

  /// The next tick; nil behind the last one. Throws where the entry is no tick, or there are more
  /// or fewer of them than the block's header says.
  package mutating func next() throws(JournalBlockFailure) -> JournalTick? {
    if left == 0 {
      if reader.left > 0 { throw failure(.trailingBytes, reader.position) }
      return nil
    }
    left -= 1
    guard let length = reader.uint32() else { throw failure(.wrongCount, reader.position) }
    let start = reader.position
    guard let bytes = reader.bytes(Int(length)) else { throw failure(.wrongCount, start) }
    var entry = ByteReader(bytes)
    guard let flags = entry.byte() else { throw failure(.truncated, start) }
    if flags & ~JournalFormat.tickFlagsKnown != 0 { throw failure(.unknownFlags, start) }
    guard let input = entry.varint().flatMap({ Int32(exactly: $0) }),
      let partition = entry.varint().flatMap({ Int32(exactly: $0) })
    else { throw failure(.badNumber, start + entry.position) }
    var shownMs: Int64?
    if flags & JournalFormat.tickHasTime != 0 {
      guard let time = entry.zigzag() else { throw failure(.truncated, start + entry.position) }
      shownMs = time
    }
    if entry.left > 0 { throw failure(.trailingBytes, start + entry.position) }
    return JournalTick(
      input: Int(input), partition: Partition(partition),
      isRead: flags & JournalFormat.tickIsRead != 0, shownMs: shownMs,
      isAtEnd: flags & JournalFormat.tickIsAtEnd != 0)
  }

  private func failure(_ reason: JournalBlockFailure.Reason, _ offset: Int) -> JournalBlockFailure {
    JournalBlockFailure(reason, at: JournalFormat.headerBytes + offset)
  }
}
