import Records

/// Where a loop is in one journal partition that it owns, and which of its own blocks it may apply
/// in the turn that wrote them. A pure value: the loop tells it what happened and does what it says.
///
/// The protocol is `Turn.tla` of the design: `expected`, `mine` and `wrote` have its names. A block
/// of one's own is applied at once only where the broker put it at the very offset expected: the
/// last block plus two, for the one commit marker between. Then nobody wrote in between. At any
/// other offset, or an unknown one, the turn leaves it, and it comes back from Kafka later.
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

  /// The first offset that is not in the state, the open turn included.
  package private(set) var next: Offset
  /// The first offset that no committed turn has covered.
  package private(set) var committed: Offset
  /// Where the next own block must be for it to be applied at once; nil: nobody knows.
  package private(set) var expected: Offset?
  /// The last own block of a committed turn.
  private var mine: Offset?

  // The open turn.
  private var hasWritten = false
  private var hasLeft = false
  private var last: Offset?
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

  /// What the group's offset is to be when the open turn commits. While restoring it stays.
  package var position: Offset { max(next, committed) }

  /// Whether own blocks are being applied in their turn, so that writing them early costs nothing.
  package var appliesOwn: Bool { !checksOffset || (expected != nil && !hasLeft) }

  /// A block came back from Kafka.
  package mutating func readBack(_ offset: Offset) -> ReadBack {
    if offset < next { return .skip }
    let wasRestoring = isRestoring
    next = offset.advanced(by: 1)
    if wasRestoring && offset < committed { return .reapply }
    // Its own last block, before it wrote another: only its marker follows.
    expected = offset == mine && !hasWritten ? offset.advanced(by: 2) : nil
    if hasWritten { hasLeft = true }
    return .apply
  }

  /// An own block was handed to the producer in this turn.
  package mutating func wrote() { hasWritten = true }

  /// The own blocks of this turn are acknowledged, one after the other: whether to apply this one
  /// now. Once one is left, those behind it are.
  package mutating func acknowledged(_ offset: Offset?) -> Bool {
    let wanted = last.map { $0.advanced(by: 1) } ?? expected
    last = offset
    guard let offset, !hasLeft, !checksOffset || offset == wanted else {
      hasLeft = true
      return false
    }
    next = offset.advanced(by: 1)
    return true
  }

  /// The turn was committed.
  package mutating func commit() {
    committed = position
    if hasWritten {
      expected = hasLeft ? nil : last.map { $0.advanced(by: 2) }
      mine = last
    }
    endTurn()
  }

  /// The turn came to nothing; the state is at `stamp`, the group at `committed`.
  package mutating func rollBack(stamp: Offset, committed: Offset) {
    next = stamp
    self.committed = committed
    expected = nil
    mine = nil
    endTurn()
  }

  private mutating func endTurn() {
    hasWritten = false
    hasLeft = false
    last = nil
  }
}
