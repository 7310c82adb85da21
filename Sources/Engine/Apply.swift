import Records
import State

/// Applies journal blocks of one journal partition: state changes and output records.
package final class Apply {
  package let plan: ProductPlan
  /// What became of the events applied since ``clearCounts()``, silent ones aside.
  package private(set) var counts = Counts()

  package init(_ plan: ProductPlan, journal: Int, partition: Partition, state: PartitionState) {
    self.plan = plan
  }

  /// Applies the block that lies at `offset` of its journal partition. With a batch its outputs are
  /// appended and counted; with nil it is re-applied silently.
  package func apply(bytes: ByteView, at offset: Offset, publishing batch: OutputBatch?) -> Applied
  {
    .applied
  }

  package func clearCounts() { counts = Counts() }

  /// The state was rolled back: what is remembered beside it is forgotten.
  package func rolledBack() {}
}
