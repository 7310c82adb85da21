import Kafka

/// The place in the group that the loop's partitions came with: generation and member id as they
/// were when the assignment was answered. A commit under it fails once the group has gone on.
///
/// Not read from the client when it is needed: the client learns a new generation before the loop
/// has answered for the partitions of the old one, and would vouch for offsets of partitions that
/// another member has by then.
final class Membership<Consumer: LoopConsumer> {
  let metadata: Consumer.Metadata
  let memberId: String?

  /// Nil when the client has no place in the group.
  init?(_ consumer: Consumer) {
    // Asked for on both sides of the metadata, which does not show whose it is.
    guard let memberId = consumer.memberId, let metadata = consumer.groupMetadata(),
      consumer.memberId == memberId
    else { return nil }
    self.metadata = metadata
    self.memberId = memberId
  }

  /// One that vouches for nothing: for the tests that show why the real one is needed.
  init(unchecked consumer: Consumer, fences: Bool) {
    memberId = nil
    if fences, let metadata = consumer.groupMetadata() {
      self.metadata = metadata
    } else {
      metadata = Consumer.Metadata(group: consumer.group)
    }
  }
}
