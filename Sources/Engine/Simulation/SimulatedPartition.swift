import Records
import State

/// Apply of one journal partition in a simulation, with its state and how far it is.
final class SimulatedPartition {
  let state = PartitionState()
  let apply: Apply
  /// One behind the last block that is in the state, and that is in the journal.
  private(set) var applied: Int64 = 0
  var written: Int64 = 0
  private var appliedInTurn: Int64 = 0

  init(
    _ plan: ProductPlan, journal: Int, partition: Partition, handingTo chained: ChainedBlocks
  ) {
    apply = Apply(
      plan, journal: journal, partition: partition, state: state, handingTo: chained)
  }

  func begin() {
    state.begin()
    appliedInTurn = applied
  }

  /// Applies a block in the open turn; the reason to stop, if there is one.
  func apply(_ block: ProductSimulation.Block, publishing batch: OutputBatch?) -> Stop? {
    let result = ByteView.lending(block.bytes) {
      apply.apply(bytes: $0, at: Offset(block.offset), publishing: batch)
    }
    switch result {
    case .applied:
      appliedInTurn = block.offset + 1
      return nil
    case .stop(let stop): return stop
    case .full: return refusal("full", "the batch of a simulation has no bound")
    case .otherLogic: return refusal("other-logic", "the block was taken in under other logic")
    case .unreadable(let reason): return refusal("unreadable", reason)
    }
  }

  private func refusal(_ code: String, _ message: String) -> Stop {
    Stop(
      reason: code, message: message, place: "", input: "", topic: "",
      partition: apply.partition.value, offset: appliedInTurn)
  }

  /// Applies a block silently, in a turn of its own.
  func reapply(_ block: ProductSimulation.Block) {
    begin()
    let refused = apply(block, publishing: nil)
    precondition(refused == nil, "a block of the simulation's own was refused")
    commit()
  }

  func commit() {
    applied = appliedInTurn
    state.commit(Stamp(generation: 0, digest: apply.plan.logicDigest, position: Offset(applied)))
    apply.clearCounts()
  }

  func rollback() {
    state.rollback()
    apply.rolledBack()
    apply.clearCounts()
  }
}
