import Kafka
import Records
import Testing

@Suite struct TransactionTests {
  private func producer(
    _ cluster: MockCluster, _ properties: [String: String] = [:], id: String = "weft.test"
  ) throws -> TransactionalProducer {
    let producer = try TransactionalProducer(
      settings: cluster.settings(properties), transactionalId: id, topics: ["journal", "out"])
    try producer.initTransactions(soon)
    return producer
  }

  /// Begins a transaction with one record in it.
  private func begin(_ producer: TransactionalProducer) throws {
    try producer.begin()
    try producer.produce(
      to: TopicOrdinal(1), Partition(0), key: nil, value: StaticString("o").view,
      timestamp: nil, soon)
  }

  private func send(_ producer: TransactionalProducer, _ consumer: GroupConsumer) throws {
    let group = try consumer.place()
    try producer.sendOffsets(
      [PartitionOffset(TopicPartition(topic: TopicOrdinal(0), partition: Partition(0)), Offset(1))],
      of: consumer, metadata: { _ in "digest" }, group: group, soon)
  }

  private func consumer(_ cluster: MockCluster) throws -> GroupConsumer {
    try GroupConsumer(
      settings: cluster.settings(), group: "weft.test", instance: nil, topics: ["in"])
  }

  private let topics: [String: Int32] = ["in": 1, "journal": 2, "out": 1]

  @Test func `the offsets of journal blocks are known once they are acknowledged`() throws {
    let cluster = try MockCluster(topics: topics)
    let producer = try producer(cluster)
    #expect(producer.partitions(of: TopicOrdinal(0)) == 2)
    for turn in 0..<3 {
      try producer.begin()
      var tags: [RecordTag] = []
      for partition in [0, 0, 1] as [Int32] {
        tags.append(
          try producer.produceTagged(
            to: TopicOrdinal(0), Partition(partition), key: nil, value: StaticString("b").view,
            timestamp: 1, soon))
      }
      try producer.flush(soon)
      let base = producer.offset(of: tags[0])?.value ?? -1
      #expect(producer.offset(of: tags[1]) == Offset(base + 1))
      // How far the turns are apart is the broker's business: this one writes no markers.
      #expect(base >= Int64(turn * 2))
      #expect(producer.offset(of: tags[2]) != nil)
      try producer.commit(soon)
    }
  }

  @Test func `a full queue is waited out`() throws {
    let cluster = try MockCluster(topics: topics)
    let producer = try producer(
      cluster, ["queue.buffering.max.messages": "20", "batch.num.messages": "10"])
    try producer.begin()
    for _ in 0..<500 {
      try producer.produce(
        to: TopicOrdinal(1), Partition(0), key: nil, value: StaticString("v").view,
        timestamp: nil, soon)
    }
    try producer.commit(soon)
    #expect(producer.producedCount == 500)
    let reader = try TopicReader(settings: cluster.settings(), topic: "out", from: .earliest, soon)
    #expect(try reader.everything().count == 500)
  }

  @Test func `a full queue that does not empty ends at the deadline`() throws {
    let cluster = try MockCluster(topics: topics)
    let producer = try producer(
      cluster, ["queue.buffering.max.messages": "5", "batch.num.messages": "5"])
    try producer.begin()
    cluster.setDown()
    let error = #expect(throws: KafkaError.self) {
      for _ in 0..<50 {
        try producer.produce(
          to: TopicOrdinal(1), Partition(0), key: nil, value: StaticString("v").view,
          timestamp: nil, .after(milliseconds: 100))
      }
    }
    #expect(error?.code == .queueFull)
    #expect(error?.reaction == .abort)
  }

  @Test func `a producer knows that it has lost a connection, and keeps knowing it`() throws {
    let cluster = try MockCluster(topics: topics)
    let producer = try producer(cluster)
    try begin(producer)
    try producer.commit(soon)
    #expect(producer.connectionLoss() == nil)
    cluster.setDown()
    let patience = Deadline.after(milliseconds: 10_000)
    while producer.connectionLoss() == nil && !patience.hasPassed { try? producer.flush(soon) }
    #expect(producer.connectionLoss()?.contains("in state UP") == true)
    // It is there again, and all goes on: what was lost was lost all the same.
    cluster.setUp()
    try begin(producer)
    try producer.commit(soon)
    #expect(producer.connectionLoss() != nil)
  }

  @Test func `a partition that is not there is refused at once, headers and all`() throws {
    let cluster = try MockCluster(topics: topics)
    let producer = try producer(cluster)
    try producer.begin()
    let headers = RecordHeaders()
    headers.add("a", .empty)
    let error = #expect(throws: KafkaError.self) {
      try producer.produce(
        to: TopicOrdinal(1), Partition(7), key: nil, value: .empty, timestamp: 1,
        headers: headers.copy(), soon)
    }
    #expect(error?.isTopicMissing == true)
  }

  @Test func `a start learns how many partitions each topic has`() throws {
    let cluster = try MockCluster(topics: ["out": 1, "wide": 3])
    let producer = try TransactionalProducer(
      settings: cluster.settings(), transactionalId: "x", topics: ["out", "wide"])
    try producer.initTransactions(soon)
    #expect((0..<2).map { producer.partitions(of: TopicOrdinal($0)) } == [1, 3])
  }

  @Test func `a busy coordinator is asked again until it answers`() throws {
    let cluster = try MockCluster(topics: topics)
    let producer = try producer(cluster)
    let consumer = try consumer(cluster)
    try begin(producer)
    // CONCURRENT_TRANSACTIONS, COORDINATOR_LOAD_IN_PROGRESS
    cluster.fail(.addOffsetsToTransaction, with: [51, 14, 51])
    try send(producer, consumer)
    cluster.fail(.endTransaction, with: [14])
    try producer.commit(soon)
  }

  @Test func `a member that the group does not know must abort, and may go on`() throws {
    let cluster = try MockCluster(topics: topics)
    let producer = try producer(cluster)
    let consumer = try consumer(cluster)
    try begin(producer)
    cluster.fail(.commitOffsetsOfTransaction, with: [25])
    let error = #expect(throws: KafkaError.self) { try send(producer, consumer) }
    #expect(error?.reaction == .abort)
    try producer.abort(soon)
    try begin(producer)
    try send(producer, consumer)
    try producer.commit(soon)
  }

  @Test func `a record that the broker refuses must abort`() throws {
    let cluster = try MockCluster(topics: topics)
    let producer = try producer(cluster)
    // MSG_SIZE_TOO_LARGE
    cluster.fail(.produce, with: [10])
    try begin(producer)
    let error = #expect(throws: KafkaError.self) { try producer.commit(soon) }
    #expect(error?.reaction == .abort)
    // To go on after it takes a broker that starts the sequence anew, which this one does not.
    try producer.abort(soon)
  }

  @Test func `a fenced producer is finished`() throws {
    let cluster = try MockCluster(topics: topics)
    let producer = try producer(cluster)
    try begin(producer)
    try producer.flush(soon)
    // INVALID_PRODUCER_EPOCH
    cluster.fail(.endTransaction, with: [47])
    let error = #expect(throws: KafkaError.self) { try producer.commit(soon) }
    #expect(error?.isFenced == true)
    #expect(error?.reaction == .recreate)
    #expect(producer.fatalError != nil)
    // A new one takes over.
    let next = try self.producer(cluster)
    try begin(next)
    try next.commit(soon)
  }

  @Test func `an abort of many queued records returns, and the producer goes on`() throws {
    let cluster = try MockCluster(topics: topics)
    let producer = try producer(cluster)
    try producer.begin()
    for _ in 0..<20_000 {
      try producer.produce(
        to: TopicOrdinal(1), Partition(0), key: nil, value: StaticString("queued").view,
        timestamp: nil, soon)
    }
    try producer.abort(soon)
    #expect(!producer.isInTransaction)
    #expect(producer.unacknowledgedCount == 0)
  }

  @Test func `what failed after the initialization goes on after it`() throws {
    let cluster = try MockCluster(topics: topics)
    let producer = try producer(cluster)
    // As after a hiccup while the partition counts were asked for.
    try producer.initTransactions(soon)
    try begin(producer)
    try producer.commit(soon)
  }

  @Test func `an abort right after the first record leaves the producer usable`() throws {
    let cluster = try MockCluster(topics: topics)
    let producer = try producer(cluster)
    for _ in 0..<5 {
      try begin(producer)
      try producer.abort(soon)
    }
    try begin(producer)
    try producer.commit(soon)
  }
}
