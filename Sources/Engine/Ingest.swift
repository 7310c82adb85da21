import Formats
import Records

/// Takes input records into journal blocks.
package final class Ingest {
  /// A finished block, to be published to its journal's topic in the order of ``sealed``.
  package struct SealedBlock {
    /// Ordinal of the journal in the product.
    package let journal: Int
    package let partition: Partition
    /// Bytes of ``Ingest/bytes(of:)``.
    let range: Range<Int>
    package let events: Int
  }

  package let plan: ProductPlan
  /// Blocks finished since the last ``clear()`` or ``discard()``.
  package private(set) var sealed: [SealedBlock] = []
  /// What became of the records taken since the last ``clear()`` or ``discard()``.
  package private(set) var counts = Counts()
  /// Events in blocks that are not sealed yet.
  package var openEvents: Int { 0 }

  package init(_ plan: ProductPlan) {
    self.plan = plan
  }

  /// Appends the record to the open block of each journal that takes it, or to `batch` as
  /// quarantined. `recordedMs` is the turn's clock. A block that is full is sealed at once.
  package func take(_ record: SourceRecord, recordedMs: Int64, into batch: OutputBatch) -> Intake {
    .taken
  }

  /// Seals all open blocks.
  package func seal(recordedMs: Int64) {}

  /// The bytes of a sealed block, until the next ``take(_:recordedMs:into:)``, seal or clear.
  package func bytes(of block: SealedBlock) -> ByteView { .empty }

  /// The turn was committed: its blocks and counts are forgotten, its input positions kept.
  package func clear() {}

  /// The turn was aborted: its blocks, counts and input positions are forgotten.
  package func discard() {}

  /// The partition of an input went to another member: its position is no longer ours to tell.
  package func forget(input: Int, partition: Partition) {}
}
