import Engine
import Records
import State

/// A journal partition that a loop owns: where it is, its state, the program that applies blocks.
final class JournalSlot {
  let journal: Int
  let partition: Partition
  let state: PartitionState
  let apply: Apply
  var cursor: JournalCursor
  var watch = BlockWatch()
  private let digest: LogicDigest
  /// Whether the open turn has written to the state.
  private var isInTurn = false

  init(plan: ProductPlan, journal: Int, partition: Partition, cursor: JournalCursor) {
    self.journal = journal
    self.partition = partition
    self.cursor = cursor
    digest = plan.logicDigest
    state = PartitionState()
    apply = Apply(plan, journal: journal, partition: partition, state: state)
  }

  private var stamp: Stamp { Stamp(generation: 0, digest: digest, position: cursor.next) }

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

  /// Applies a block that somebody published before, without publishing or counting.
  func reapply(_ bytes: ByteView, at offset: Offset) -> Applied {
    state.begin()
    let applied = apply.apply(bytes: bytes, at: offset, publishing: nil)
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
    isInTurn = false
    apply.clearCounts()
  }

  /// The turn came to nothing. Afterwards the state is where its stamp says.
  func rollBack() {
    if isInTurn {
      state.rollback()
      apply.rolledBack()
    }
    isInTurn = false
    apply.clearCounts()
  }
}
