import Kafka
import Records

/// Where a loop goes on in a partition, and what is known of how that was reached.
struct CommittedPosition {
  let offset: Offset
  /// Of a journal's: which making of it; nil: unknown, or nothing was committed.
  let incarnation: UInt64?
  /// The offset was committed by something that is no worker, such as Kafka's own tools: a worker
  /// always says what it was reached with.
  let isSetElsewhere: Bool

  init(_ offset: Offset, _ metadata: OffsetMetadata, isCommitted: Bool) {
    self.offset = offset
    incarnation = metadata.incarnation
    isSetElsewhere = isCommitted && metadata.logic.isEmpty
  }

  /// What a state has to be of to go on here.
  func check(_ digest: LogicDigest, incarnation: UInt64?) -> StateCheck {
    StateCheck(
      digest: digest, incarnation: incarnation, committed: offset, isSetElsewhere: isSetElsewhere)
  }
}
