import Dispatch
import Kafka
import Records
import Testing

@Suite struct ConsumerTests {
  private let first = TopicPartition(topic: TopicOrdinal(0), partition: Partition(0))
  private let second = TopicPartition(topic: TopicOrdinal(1), partition: Partition(1))

  private func made() throws -> (MockCluster, GroupConsumer) {
    let cluster = try MockCluster(topics: ["a": 2, "b": 2])
    let producer = try PlainProducer(settings: cluster.settings())
    try producer.put("a", 0, ["0", "1", "2"])
    try producer.put("b", 1, ["x"])
    let consumer = try GroupConsumer(
      settings: cluster.settings(), group: "g", instance: nil, topics: ["a", "b"])
    return (cluster, consumer)
  }

  @Test func `records name their topic by its place in the list`() throws {
    let (cluster, consumer) = try made()
    _ = cluster
    try consumer.assign(
      [PartitionOffset(first, Offset(2)), PartitionOffset(second, Offset(0))], incremental: false)
    let batch = RecordBatch(capacity: 10)
    var seen: Set<String> = []
    let deadline = soon
    while seen.count < 2 && !deadline.hasPassed {
      consumer.poll(into: batch, waitMilliseconds: 50)
      for index in 0..<batch.count {
        let topic = batch.topic(at: index).value
        seen.insert("\(topic)/\(batch.partition(at: index).value)@\(batch.offset(at: index).value)")
      }
    }
    #expect(seen == ["0/0@2", "1/1@0"])
    #expect(consumer.close(soon))
  }

  @Test func `a rebalance that nobody answered does not hold the close up`() throws {
    let (cluster, consumer) = try made()
    _ = cluster
    try consumer.subscribe()
    let batch = RecordBatch(capacity: 10)
    let deadline = soon
    while !consumer.hasRebalance && !deadline.hasPassed {
      consumer.poll(into: batch, waitMilliseconds: 50)
    }
    #expect(consumer.nextEvent() != nil)
    #expect(consumer.close(.after(milliseconds: 3000)))
  }

  @Test func `a rewound partition is read again from there`() throws {
    let (cluster, consumer) = try made()
    _ = cluster
    try consumer.assign([PartitionOffset(first, Offset(0))], incremental: false)
    #expect(consumer.take(3).map(\.offset) == [0, 1, 2])
    try consumer.seek([PartitionOffset(first, Offset(1))], soon)
    #expect(consumer.take(2).map(\.offset) == [1, 2])
    consumer.close(soon)
  }

  @Test func `a paused partition gives nothing until it is resumed`() throws {
    let (cluster, consumer) = try made()
    _ = cluster
    try consumer.assign(
      [PartitionOffset(first, Offset(0)), PartitionOffset(second, Offset(0))], incremental: false)
    try consumer.pause([first])
    #expect(consumer.take(1).map(\.value) == [bytes("x")])
    let batch = RecordBatch(capacity: 10)
    consumer.poll(into: batch, waitMilliseconds: 100)
    #expect(batch.isEmpty)
    try consumer.resume([first])
    #expect(consumer.take(3).map(\.offset) == [0, 1, 2])
    consumer.close(soon)
  }

  @Test func `a held partition goes on where its reader is sent, and tells its end`() throws {
    let cluster = try MockCluster(topics: ["a": 2, "b": 2])
    let producer = try PlainProducer(settings: cluster.settings())
    let consumer = try GroupConsumer(
      settings: cluster.settings(), group: "g", instance: nil, topics: ["a", "b"],
      aside: [TopicOrdinal(0)])
    try consumer.assign([PartitionOffset(first, Offset(0))], incremental: false)
    let batch = RecordBatch(capacity: 10)
    let deadline = soon
    var end: Offset?
    func next() -> [[UInt8]?] {
      consumer.poll(into: batch, waitMilliseconds: 50)
      while let event = consumer.nextEvent() {
        if case .reachedEnd(first, let offset) = event { end = offset }
      }
      consumer.pollAside(into: batch)
      return batch.copied().map(\.value)
    }
    for round in 0..<3 {
      // Fetched and not taken, and come while it was held: neither is given.
      try producer.put("a", 0, ["fetched"])
      consumer.poll(into: batch, waitMilliseconds: 200)
      try consumer.pause([first])
      try producer.put("a", 0, ["held", "round \(round)"])
      consumer.seekSoon([PartitionOffset(first, Offset(Int64(3 * round + 2)))])
      try consumer.resume([first])
      var seen: [[UInt8]?] = []
      while seen.isEmpty && !deadline.hasPassed { seen = next() }
      #expect(seen == [bytes("round \(round)")])
    }
    while end != Offset(9) && !deadline.hasPassed { #expect(next().isEmpty) }
    #expect(end == Offset(9))
    consumer.close(soon)
  }

  @Test func `the end of a partition is told`() throws {
    let (cluster, consumer) = try made()
    _ = cluster
    try consumer.assign([PartitionOffset(first, Offset(1))], incremental: false)
    #expect(consumer.take(2).count == 2)
    let batch = RecordBatch(capacity: 10)
    let deadline = soon
    var end: Offset?
    while end == nil && !deadline.hasPassed {
      consumer.poll(into: batch, waitMilliseconds: 50)
      while let event = consumer.nextEvent() {
        if case .reachedEnd(let at, let offset) = event, at == first { end = offset }
      }
    }
    #expect(end == Offset(3))
    consumer.close(soon)
  }

  @Test func `an offset that is not there any more is an error, not a reset`() throws {
    let (cluster, consumer) = try made()
    _ = cluster
    try consumer.assign([PartitionOffset(first, Offset(500))], incremental: false)
    let batch = RecordBatch(capacity: 10)
    let deadline = soon
    var found: KafkaError?
    while found == nil && !deadline.hasPassed {
      consumer.poll(into: batch, waitMilliseconds: 50)
      #expect(batch.isEmpty)
      while let event = consumer.nextEvent() {
        if case .failed(let error, let at) = event, at == first { found = error }
      }
    }
    #expect(found?.code == .offsetReset)
    consumer.close(soon)
  }

  @Test func `another thread ends a poll`() throws {
    let (cluster, consumer) = try made()
    _ = cluster
    let batch = RecordBatch(capacity: 10)
    let handle = consumer.wakeHandle
    let started = ContinuousClock.now
    DispatchQueue.global().async { handle.wake() }
    consumer.poll(into: batch, waitMilliseconds: 8000)
    #expect(ContinuousClock.now - started < .seconds(6))
    consumer.close(soon)
    handle.wake()
  }

  @Test func `a member is told what it gets, and reads after it has taken it`() throws {
    let (cluster, consumer) = try made()
    _ = cluster
    try consumer.subscribe()
    let batch = RecordBatch(capacity: 10)
    let deadline = Deadline.after(milliseconds: 20_000)
    var seen: [[UInt8]?] = []
    var wasAssigned = false
    while seen.count < 4 && !deadline.hasPassed {
      consumer.poll(into: batch, waitMilliseconds: 50)
      #expect(wasAssigned || batch.isEmpty)
      seen += batch.copied().map(\.value)
      while let event = consumer.nextEvent() {
        guard case .assigned(let partitions, let incremental) = event else { continue }
        #expect(incremental)
        #expect(partitions.count == 4)
        let committed = try consumer.committed(partitions, soon)
        #expect(committed.allSatisfy { $0.offset == nil })
        try consumer.assign(
          partitions.map { PartitionOffset($0, Offset(0)) }, incremental: incremental)
        wasAssigned = true
      }
    }
    #expect(seen.count == 4)
    #expect(consumer.memberId != nil)
    #expect(consumer.close(soon))
  }

  @Test func `topics read aside come by their own poll, and end the wait of the other`() throws {
    let cluster = try MockCluster(topics: ["a": 2, "b": 2])
    let producer = try PlainProducer(settings: cluster.settings())
    try producer.put("a", 0, ["0"])
    let consumer = try GroupConsumer(
      settings: cluster.settings(), group: "g", instance: nil, topics: ["a", "b"],
      aside: [TopicOrdinal(1)])
    try consumer.assign(
      [PartitionOffset(first, Offset(0)), PartitionOffset(second, Offset(0))], incremental: false)
    #expect(consumer.take(1).map(\.value) == [bytes("0")])
    try producer.put("b", 1, ["x"])
    let batch = RecordBatch(capacity: 10)
    let started = ContinuousClock.now
    let deadline = soon
    var aside: [[UInt8]?] = []
    while aside.isEmpty && !deadline.hasPassed {
      consumer.pollAside(into: batch)
      aside += batch.copied().map(\.value)
      if !aside.isEmpty { break }
      consumer.poll(into: batch, waitMilliseconds: 8000)
      #expect(batch.isEmpty)
    }
    #expect(aside == [bytes("x")])
    #expect(ContinuousClock.now - started < .seconds(6))
    // A rewind holds for them too.
    try consumer.seek([PartitionOffset(second, Offset(0))], soon)
    aside = []
    while aside.isEmpty && !deadline.hasPassed {
      consumer.poll(into: batch, waitMilliseconds: 50)
      consumer.pollAside(into: batch)
      aside += batch.copied().map(\.value)
    }
    #expect(aside == [bytes("x")])
    #expect(consumer.close(soon))
  }
}
