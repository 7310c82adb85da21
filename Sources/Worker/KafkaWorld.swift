import Kafka
import State

/// The world of a worker: Kafka by librdkafka, the disk by RocksDB, the machine's clocks.
final class KafkaWorld: LoopWorld {
  private let settings: ClientSettings
  private let control: LoopControl

  init(_ settings: ClientSettings, control: LoopControl) {
    self.settings = settings
    self.control = control
  }

  func makeConsumer(
    group: String, instance: String, topics: [String], aside: Set<TopicOrdinal>, log: ClientLog
  ) throws(KafkaError) -> GroupConsumer {
    try GroupConsumer(
      settings: settings, group: group, instance: instance, topics: topics, aside: aside, log: log)
  }

  func makeProducer(
    transactionalId: String, topics: [String], batchBytes: Int, log: ClientLog
  ) throws(KafkaError) -> TransactionalProducer {
    try TransactionalProducer(
      settings: settings.with("batch.size", "\(batchBytes)"), transactionalId: transactionalId,
      topics: topics, log: log)
  }

  func makeAdmin(readsUncommitted: Bool) throws(KafkaError) -> Admin {
    try Admin(settings: settings, readsUncommitted: readsUncommitted)
  }

  func look(at group: String, topics: [String]) -> GroupLook {
    GroupLook(settings: settings, group: group, topics: topics)
  }

  func openRows(_ directory: String, _ memory: StateMemory) throws(StoreFailure) -> RowStore {
    try RowStore(directory: directory, memory: memory)
  }

  func destroyRows(_ directory: String) throws(StoreFailure) {
    try RowStore.destroy(directory: directory)
  }

  func wallMs() -> Int64 { Clock.wallMs() }
  func monotonicMs() -> Int64 { Clock.monotonicMs() }
  func monotonicMicroseconds() -> Int64 { Clock.monotonicMicroseconds() }
  func pause(milliseconds: Int) { control.pause(milliseconds: milliseconds) }
  func drawNumber() -> UInt64 { UInt64.random(in: 1...UInt64.max) }
}

extension GroupConsumer: LoopConsumer {
  package var wake: @Sendable () -> Void {
    let handle = wakeHandle
    return { handle.wake() }
  }
}
extension RecordBatch: LoopBatch {}
extension GroupMetadata: LoopGroupMetadata {}
extension TransactionalProducer: LoopProducer {}
extension Admin: LoopAdmin {}
extension GroupLook: LoopLook {}
