import Records

/// Where a loop is in one journal partition that it owns, and which of its own blocks it may apply
/// in the turn that wrote them. A pure value: the loop tells it what happened and does what it
/// says.
///
/// The protocol is `Turn.tla` of the design, whose names are kept. A block of one's own is applied
/// in its turn only where the state has everything before it: the state is at the loop's last block
/// (`mine`), and the broker put the new one at that block's offset plus two. Between lies one
/// record, and that is the commit marker of the transaction before, which had to be there before
/// this one could write: so nobody else wrote. At any other offset, or an unknown one, the turn
/// leaves the block, and it comes back from Kafka later.
///
/// The model forgets what it expects when a block is read back after the turn has written; here the
/// order of the two does not matter, as the state is the same either way when the block is applied.
package struct JournalCursor: Hashable, Sendable {
  /// What to do with a block that came back from Kafka.
  package enum ReadBack: Hashable, Sendable {
    /// It is in the state already.
    case skip
    /// It was applied before, by whoever was here: into the state without publishing.
    case reapply
    /// Apply it and publish.
    case apply
  }

  /// What to do with an own block of this turn.
  package enum Own: Hashable, Sendable {
    /// Apply it and publish, in this turn.
    case apply
    /// The last turn's block has to come back first. Ask again, at last at the turn's end.
    case wait
    /// It comes back from Kafka in a later turn, and so do those behind it.
    case leave
  }

  /// The first offset that is not in the state, the open turn included.
  package private(set) var next: Offset
  /// The first offset that no committed turn has covered.
  package private(set) var committed: Offset
  /// The last own block of a committed turn; nil: there is none, or its place is not known.
  private var mine: Offset?

  // The open turn.
  private var hasWritten = false
  private var hasLeft = false
  /// Where its last own block is that was asked about.
  private var last: Offset?
  private var hasApplied = false
  private let checksOffset: Bool

  /// A state that is at `stamp` of a journal whose committed offset is `committed`.
  /// - Parameter checksOffset: false only to show what breaks without the offset rule.
  package init(stamp: Offset, committed: Offset, checksOffset: Bool = true) {
    next = stamp
    self.committed = committed
    self.checksOffset = checksOffset
  }

  /// Whether blocks have still to be re-applied before anything new may be.
  package var isRestoring: Bool { next < committed }

  /// The next offset to come, where a block is known to lie there or behind it that has not come
  /// back; nil where none is known. Between turns.
  package var awaited: Offset? {
    if isRestoring { return next }
    guard let mine, next <= mine else { return nil }
    return next
  }

  /// The block that is known to be there and has not come back; nil where none is known. While
  /// restoring, the offset at which or behind which it lies.
  package var awaitedBlock: Offset? { isRestoring ? next : awaited == nil ? nil : mine }

  /// What the group's offset is to be when the open turn commits. While restoring it stays.
  package var position: Offset { max(next, committed) }

  /// A block came back from Kafka. Blocks come in the order of their offsets.
  package mutating func readBack(_ offset: Offset) -> ReadBack {
    if offset < next { return .skip }
    let wasRestoring = isRestoring
    next = offset.advanced(by: 1)
    return wasRestoring && offset < committed ? .reapply : .apply
  }

  /// An own block was handed to the producer in this turn.
  package mutating func wrote() { hasWritten = true }

  /// What to do with the next own block of this turn, in the order of writing, which the broker put
  /// at `offset` (nil: not known). A block that has to wait is asked about again.
  package mutating func own(at offset: Offset?, isFinal: Bool) -> Own {
    guard let offset else { return leave(nil) }
    if hasLeft { return leave(offset) }
    if checksOffset {
      if hasApplied {
        // Blocks of one transaction follow each other without a marker.
        if offset != last?.advanced(by: 1) { return leave(offset) }
      } else {
        guard let mine, offset == mine.advanced(by: 2) else { return leave(offset) }
        if next <= mine { return isFinal ? leave(offset) : .wait }
        // The state is beyond the last own block: impossible with a block at mine plus two.
        if next > mine.advanced(by: 1) { return leave(offset) }
      }
    }
    hasApplied = true
    last = offset
    next = offset.advanced(by: 1)
    return .apply
  }

  /// The next own block of this turn is left though it may be where it was expected, and so are
  /// those behind it.
  package mutating func leaveOwn(at offset: Offset?) -> Own { leave(offset) }

  private mutating func leave(_ offset: Offset?) -> Own {
    hasLeft = true
    last = offset
    return .leave
  }

  /// The turn was committed, after ``own(at:isFinal:)`` was asked about each block that it wrote.
  package mutating func commit() {
    committed = position
    if hasWritten { mine = last }
    endTurn()
  }

  /// The turn came to nothing; the state is at `stamp`, the group at `committed`.
  package mutating func rollBack(stamp: Offset, committed: Offset) {
    next = stamp
    self.committed = committed
    mine = nil
    endTurn()
  }

  private mutating func endTurn() {
    hasWritten = false
    hasLeft = false
    hasApplied = false
    last = nil
  }
}
