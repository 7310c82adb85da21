import Engine
import Formats
import Kafka
import Records
import State

/// All that a loop reaches outside itself: brokers, disk, clocks and chance. A worker runs in the
/// ``KafkaWorld``; a simulation gives it another, in which everything can go wrong.
///
/// Each part has the doors of the Kafka room's type that stands for it in a worker, whose
/// documentation says what they promise. A loop is generic over its world and is specialised for
/// the one of a worker, so that no record costs more for it.
///
/// One thread owns it, the loop's.
package protocol LoopWorld: AnyObject {
  associatedtype Consumer: LoopConsumer
  associatedtype Producer: LoopProducer where Producer.Consumer == Consumer
  associatedtype Admin: LoopAdmin
  associatedtype Look: LoopLook

  /// A member of the group, which has not joined.
  func makeConsumer(
    group: String, instance: String, topics: [String], aside: Set<TopicOrdinal>, log: ClientLog
  ) throws(KafkaError) -> Consumer
  /// A producer that has not fenced anybody.
  /// - Parameter batchBytes: what it may put into one batch at most.
  func makeProducer(
    transactionalId: String, topics: [String], batchBytes: Int, log: ClientLog
  ) throws(KafkaError) -> Producer
  func makeAdmin(readsUncommitted: Bool) throws(KafkaError) -> Admin
  /// Begins a look at a group and its topics, for which nobody waits.
  func look(at group: String, topics: [String]) -> Look

  /// Opens the rows that a directory holds.
  func openRows(_ directory: String, _ memory: StateMemory) throws(StoreFailure) -> RowStore
  func destroyRows(_ directory: String) throws(StoreFailure)

  /// Milliseconds since 1970 by the wall clock, which may be set.
  func wallMs() -> Int64
  /// Milliseconds of a clock that nobody sets; only differences mean anything.
  func monotonicMs() -> Int64
  func monotonicMicroseconds() -> Int64
  /// Waits between two tries; a stop ends it.
  func pause(milliseconds: Int)
  /// A number that no other call gives, above 0.
  func drawNumber() -> UInt64
}

/// ``GroupConsumer``
package protocol LoopConsumer: AnyObject {
  associatedtype Batch: LoopBatch
  associatedtype Metadata: LoopGroupMetadata

  var topics: [String] { get }
  var group: String { get }
  /// Ends a wait in poll, from any thread.
  var wake: @Sendable () -> Void { get }
  func subscribe() throws(KafkaError)
  @discardableResult
  func close(_ deadline: Deadline) -> Bool

  func poll(into batch: Batch, waitMilliseconds: Int)
  func pollAside(into batch: Batch)
  func nextEvent() -> ConsumerEvent?

  func assign(_ offsets: [PartitionOffset], incremental: Bool) throws(KafkaError)
  func unassign(_ partitions: [TopicPartition], incremental: Bool) throws(KafkaError)
  func seek(_ offsets: [PartitionOffset], _ deadline: Deadline) throws(KafkaError)
  func seekSoon(_ offsets: [PartitionOffset])
  func pause(_ partitions: [TopicPartition]) throws(KafkaError)
  func resume(_ partitions: [TopicPartition]) throws(KafkaError)

  func committed(_ partitions: [TopicPartition], _ deadline: Deadline) throws(KafkaError)
    -> [CommittedOffset]
  func watermarks(_ at: TopicPartition, _ deadline: Deadline) throws(KafkaError) -> Range<Int64>
  func offsets(
    _ partitions: [TopicPartition], notOlderThan milliseconds: Int64, _ deadline: Deadline
  ) throws(KafkaError) -> [Offset]
  func partitionCounts(_ deadline: Deadline) throws(KafkaError) -> [Int?]

  var memberId: String? { get }
  var assignmentLost: Bool { get }
  func groupMetadata() -> Metadata?
  var isDividingAnew: Bool { get }
  func divideAnew(with topic: String, _ deadline: Deadline) throws(KafkaError) -> Bool
  func unowned(in group: GroupDescription, counts: [Int]) -> [TopicPartition]
}

/// ``RecordBatch``
package protocol LoopBatch: AnyObject {
  init(capacity: Int)
  var count: Int { get }
  var isEmpty: Bool { get }
  func clear()
  func topic(at index: Int) -> TopicOrdinal
  func partition(at index: Int) -> Partition
  func offset(at index: Int) -> Offset
  func key(at index: Int) -> ByteView?
  func value(at index: Int) -> ByteView?
  func bytes(at index: Int) -> Int
  func timestamp(at index: Int) -> Int64?
  /// The value of the last header of that name; nil if there is none, or it is null.
  func header(_ name: StaticString, at index: Int) -> ByteView?
}

extension LoopBatch {
  /// The actual time that a product's record says of itself.
  func cloudEventsTime(at index: Int) -> Timestamp? {
    header(CloudEventsHeader.time, at: index).flatMap { Timestamp(rfc3339: $0) }
  }

  /// What a record that may be taken back says of itself.
  func correction(at index: Int) -> CorrectionHeaders {
    CorrectionHeaders(
      id: header(CloudEventsHeader.id, at: index),
      operation: header(CloudEventsHeader.operation, at: index),
      corrects: header(CloudEventsHeader.corrects, at: index))
  }
}

/// ``GroupMetadata``
package protocol LoopGroupMetadata: AnyObject {
  init(group: String)
}

/// ``TransactionalProducer``
package protocol LoopProducer: AnyObject {
  associatedtype Consumer: LoopConsumer

  var isInTransaction: Bool { get }
  func connectionLoss() -> String?
  func initTransactions(_ deadline: Deadline) throws(KafkaError)
  func partitions(of topic: TopicOrdinal) -> Int32
  func begin() throws(KafkaError)
  func produce(
    to topic: TopicOrdinal, _ partition: Partition, key: ByteView?, value: ByteView?,
    timestamp: Int64?, _ deadline: Deadline
  ) throws(KafkaError)
  func produce(
    to topic: TopicOrdinal, _ partition: Partition, key: ByteView?, value: ByteView?,
    timestamp: Int64?, headers: consuming RecordHeaders, _ deadline: Deadline
  ) throws(KafkaError)
  func produceTagged(
    to topic: TopicOrdinal, _ partition: Partition, key: ByteView?, value: ByteView?,
    timestamp: Int64?, _ deadline: Deadline
  ) throws(KafkaError) -> RecordTag
  func offset(of tag: RecordTag) -> Offset?
  func flush(_ deadline: Deadline) throws(KafkaError)
  func sendOffsets(
    _ offsets: [PartitionOffset], of consumer: Consumer, metadata: (TopicPartition) -> String,
    group: Consumer.Metadata, _ deadline: Deadline
  ) throws(KafkaError)
  func commit(_ deadline: Deadline) throws(KafkaError)
  func abort(_ deadline: Deadline) throws(KafkaError)
}

/// ``Kafka/Admin``
package protocol LoopAdmin: AnyObject {
  func topics(_ deadline: Deadline) throws(KafkaError) -> [TopicDescription]
  func topic(_ name: String, _ deadline: Deadline) throws(KafkaError) -> TopicDescription?
  func topicConfigs(_ topic: String, _ deadline: Deadline) throws(KafkaError) -> [TopicConfig]
  func group(_ name: String, _ deadline: Deadline) throws(KafkaError) -> GroupDescription?
  func watermarks(_ topic: String, _ partition: Partition, _ deadline: Deadline)
    throws(KafkaError) -> Range<Int64>
}

/// ``GroupLook``
package protocol LoopLook: AnyObject {
  var isOver: Bool { get }
  var outcome: GroupLook.Outcome? { get }
}
