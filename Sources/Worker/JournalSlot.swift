import Engine
import Records
import State

/// A journal partition that a loop owns: where it is, its state, the program that applies blocks.
final class JournalSlot {
  let journal: Int
  let partition: Partition
  let state: PartitionState
  let apply: Apply
  /// Which making of the journal it is, for stamps and committed offsets.
  let incarnation: UInt64
  var cursor: JournalCursor
  var watch = BlockWatch()
  var probe = EndProbe()
  /// Where the reader was last told to be at the end.
  var reachedEnd = Offset(0)
  /// Where readers' end was when the broker was asked last.
  var knownEnd = Offset(0)
  /// Bytes of own blocks that the open turn has applied.
  var ownBytes = 0
  private let digest: LogicDigest
  /// Whether the open turn has written to the state.
  private var isInTurn = false
  /// Takes what is published again, only to show what breaks: nobody reads it.
  private let again: OutputBatch?

  /// - Parameter handsOnAgain: see ``UnsafeSettings/Rule/silentHandovers``.
  init(
    plan: ProductPlan, journal: Int, partition: Partition, state: PartitionState,
    incarnation: UInt64, cursor: JournalCursor, handingTo chained: ChainedBlocks,
    handsOnAgain: Bool
  ) {
    again = handsOnAgain ? OutputBatch(bytesMax: .max) : nil
    self.journal = journal
    self.partition = partition
    self.state = state
    self.incarnation = incarnation
    self.cursor = cursor
    digest = plan.logicDigest
    apply = Apply(
      plan, journal: journal, partition: partition, state: state, handingTo: chained)
  }

  /// The next offset to come, where a block may lie there or behind it that has not come; nil where
  /// nothing speaks for one.
  var awaited: Offset? {
    if let known = cursor.awaited { return known }
    return knownEnd > max(reachedEnd, cursor.next) ? cursor.next : nil
  }

  /// Something there is for readers to have, below this offset.
  var awaitedEnd: Offset { cursor.awaitedBlock?.advanced(by: 1) ?? knownEnd }

  /// Rows of tables.
  var rowCount: Int { max(0, state.rowCount - apply.innerRowCount) }

  private var stamp: Stamp {
    Stamp(
      generation: StateFiles.generation, digest: digest, incarnation: incarnation,
      position: cursor.next)
  }

  /// Applies a block in the open turn; the cursor has moved past it already.
  func apply(
    _ bytes: ByteView, at offset: Offset, publishing batch: OutputBatch, from event: UInt32
  ) -> Applied {
    if !isInTurn {
      state.begin()
      isInTurn = true
    }
    return apply.apply(bytes: bytes, at: offset, publishing: batch, from: event)
  }

  /// Says that a block has come back, which will be applied unless it was.
  func expect(_ bytes: ByteView, at offset: Offset) {
    if offset >= cursor.next { apply.expect(bytes: bytes) }
  }

  /// Applies a block that somebody published before, without publishing or counting.
  func reapply(_ bytes: ByteView, at offset: Offset) -> Applied {
    state.begin()
    again?.clear()
    let applied = apply.apply(bytes: bytes, at: offset, publishing: again)
    if case .applied = applied {
      state.commit(stamp)
    } else {
      state.rollback()
      apply.rolledBack()
    }
    return applied
  }

  /// The turn was committed.
  func commit() {
    cursor.commit()
    if isInTurn { state.commit(stamp) }
    endTurn()
  }

  /// The turn came to nothing. Afterwards the state is where its stamp says.
  func rollBack() {
    state.dropReadAhead()
    if isInTurn {
      state.rollback()
      apply.rolledBack()
    }
    endTurn()
  }

  private func endTurn() {
    isInTurn = false
    ownBytes = 0
    apply.clearCounts()
  }

  /// Between turns, for a partition that has none: memory that others have come to need is given
  /// back.
  func tend() throws(StoreFailure) {
    if isInTurn || state.failure != nil { return }
    if state.changedShare >= 1 { try state.writeBack() }
    state.shrink()
  }

  /// Brings the state to disk before its partition goes: a turn that is open comes to nothing.
  /// Where that fails nothing is lost, the next owner has more to apply.
  func close() throws(StoreFailure) {
    rollBack()
    if state.failure == nil { try state.writeBack() }
  }
}
