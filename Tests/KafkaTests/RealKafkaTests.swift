import Foundation
import Kafka
import Records
import Testing

/// The address of an Apache Kafka to test against, if there is one.
let realBootstrap = ProcessInfo.processInfo.environment["WEFT_TEST_KAFKA"]

/// What only a real broker can show. Every test has topics of its own.
@Suite(.enabled(if: realBootstrap != nil), .serialized)
struct RealKafkaTests {
  private let settings = ClientSettings(bootstrap: realBootstrap ?? "")
  private let prefix = "test-\(UInt32.random(in: 0...UInt32.max))"
  private var name: String { "\(prefix).topic" }

  private func makeTopic(_ name: String, _ partitions: Int = 1, _ configs: [String: String] = [:])
    throws
  {
    let results = try Admin(settings: settings).createTopics(
      [NewTopic(name: name, partitions: partitions, replicas: 1, configs: configs)], soon)
    #expect(results.map(\.error) == [nil])
  }

  /// A broker answers a commit when it is decided; readers see it once its markers are written.
  private func awaitCommitted(to end: Int64) throws {
    let admin = try Admin(settings: settings)
    let limit = soon
    while try admin.watermarks(name, Partition(0), soon).upperBound < end, !limit.hasPassed {
      Thread.sleep(forTimeInterval: 0.02)
    }
  }

  private func removeTopic(_ name: String) throws {
    _ = try Admin(settings: settings).deleteTopics([name], soon)
  }

  @Test func `a topic is made once, described, changed without losing a setting, deleted`() throws {
    let admin = try Admin(settings: settings)
    try makeTopic(name, 3, ["cleanup.policy": "compact", "max.message.bytes": "2000000"])
    #expect(try admin.topic(name, soon)?.partitions == 3)
    let again = try admin.createTopics([NewTopic(name: name, partitions: 1)], soon)
    #expect(again.map { $0.error?.code } == [.topicExists])
    try admin.alterTopicConfigs(name, ["max.message.bytes": "3000000"], soon)
    // The controller has taken the change; the broker that answers learns of it a moment later.
    let changed = ["cleanup.policy=compact", "max.message.bytes=3000000"]
    var overrides: [String] = []
    let deadline = soon
    while overrides != changed && !deadline.hasPassed {
      overrides = try admin.topicConfigs(name, soon).filter(\.isOverride)
        .map { "\($0.name)=\($0.value ?? "")" }
    }
    #expect(overrides == changed)
    #expect(try admin.deleteTopics([name], soon).map(\.error) == [nil])
    let gone = try admin.deleteTopics([name], soon)
    #expect(gone.first?.error?.isTopicMissing == true)
    #expect(throws: KafkaError.self) { _ = try admin.topicConfigs(name, soon) }
    try admin.deleteGroup("\(prefix).no-such-group", soon)
    #expect(try admin.group("\(prefix).no-such-group", soon) == nil)
  }

  @Test func `an offset that is not there any more is an error, not a reset`() throws {
    try makeTopic(name)
    defer { try? removeTopic(name) }
    let consumer = try GroupConsumer(
      settings: settings, group: prefix, instance: nil, topics: [name])
    let at = TopicPartition(topic: TopicOrdinal(0), partition: Partition(0))
    try consumer.assign([PartitionOffset(at, Offset(500))], incremental: false)
    let batch = RecordBatch(capacity: 10)
    let deadline = soon
    var found: KafkaError?
    while found == nil && !deadline.hasPassed {
      consumer.poll(into: batch, waitMilliseconds: 50)
      while let event = consumer.nextEvent() {
        if case .failed(let error, at) = event { found = error }
      }
    }
    #expect(found?.code == .offsetReset)
    consumer.close(soon)
  }

  /// Joins, takes everything over from `start`, and has the group's metadata.
  private func join(_ consumer: GroupConsumer, from start: Int64) throws {
    try consumer.subscribe()
    let batch = RecordBatch(capacity: 10)
    let deadline = soon
    while !deadline.hasPassed {
      consumer.poll(into: batch, waitMilliseconds: 50)
      while let event = consumer.nextEvent() {
        guard case .assigned(let partitions, let incremental) = event else { continue }
        try consumer.assign(
          partitions.map { PartitionOffset($0, Offset(start)) }, incremental: incremental)
        return
      }
    }
    Issue.record("nothing was assigned")
  }

  @Test func `one marker lies between the blocks of two turns, and an abort shows nothing`() throws
  {
    let input = "\(prefix).in"
    try makeTopic(name)
    try makeTopic(input)
    defer {
      try? removeTopic(name)
      try? removeTopic(input)
    }
    let producer = try TransactionalProducer(
      settings: settings, transactionalId: prefix, topics: [name])
    try producer.initTransactions(soon)
    let consumer = try GroupConsumer(
      settings: settings, group: prefix, instance: "\(prefix)-0", topics: [input])
    try join(consumer, from: 0)
    let at = TopicPartition(topic: TopicOrdinal(0), partition: Partition(0))
    var offsets: [Int64?] = []
    for turn in 0..<4 {
      try producer.begin()
      let tag = try producer.produceTagged(
        to: TopicOrdinal(0), Partition(0), key: nil, value: StaticString("b").view, timestamp: nil,
        soon)
      try producer.flush(soon)
      offsets.append(producer.offset(of: tag)?.value)
      try producer.sendOffsets(
        [PartitionOffset(at, Offset(Int64(turn) + 1))], of: consumer,
        metadata: { _ in "digest \(turn)" },
        group: consumer.place(), soon)
      if turn == 1 { try producer.abort(soon) } else { try producer.commit(soon) }
    }
    #expect(offsets == [0, 2, 4, 6])
    let committed = try consumer.committed([at], soon)
    #expect(committed == [CommittedOffset(at: at, offset: Offset(4), metadata: "digest 3")])
    let admin = try Admin(settings: settings)
    let other = try admin.committed(by: prefix, input, [Partition(0)], soon)
    #expect(other.map(\.offset) == [Offset(4)])
    #expect(other.map(\.metadata) == ["digest 3"])
    let group = try #require(try admin.group(prefix, soon))
    #expect(group.isStable)
    #expect(group.members.map { $0.isNamed("\(prefix)-0") } == [true])
    #expect(group.members.map(\.memberId) == [consumer.memberId])
    #expect(
      group.members.map(\.partitions) == [[NamedPartition(topic: input, partition: Partition(0))]])
    try awaitCommitted(to: 8)
    let reader = try TopicReader(settings: settings, topic: name, from: .earliest, soon)
    #expect(try reader.everything().map(\.offset) == [0, 4, 6])
    #expect(consumer.close(soon))
  }

  @Test func `a second producer with the same id fences the first`() throws {
    try makeTopic(name)
    defer { try? removeTopic(name) }
    func made() throws -> TransactionalProducer {
      let producer = try TransactionalProducer(
        settings: settings, transactionalId: prefix, topics: [name])
      try producer.initTransactions(soon)
      try producer.begin()
      try producer.produce(
        to: TopicOrdinal(0), Partition(0), key: nil, value: .empty, timestamp: nil, soon)
      return producer
    }
    let first = try made()
    try first.flush(soon)
    let second = try made()
    let error = #expect(throws: KafkaError.self) { try first.commit(soon) }
    #expect(error?.isFenced == true)
    #expect(error?.reaction == .recreate)
    try second.commit(soon)
    try awaitCommitted(to: 4)
    let reader = try TopicReader(settings: settings, topic: name, from: .earliest, soon)
    // The first one's record and its abort marker came before.
    #expect(try reader.everything().map(\.offset) == [2])
  }

  @Test func `offsets of a generation that is over are refused`() throws {
    try makeTopic(name, 2)
    defer { try? removeTopic(name) }
    let first = try GroupConsumer(
      settings: settings, group: prefix, instance: "a", topics: [name])
    try join(first, from: 0)
    let old = try first.place()
    let second = try GroupConsumer(
      settings: settings, group: prefix, instance: "b", topics: [name])
    try second.subscribe()
    let batch = RecordBatch(capacity: 10)
    let deadline = soon
    var moved = false
    while !moved && !deadline.hasPassed {
      second.poll(into: batch, waitMilliseconds: 10)
      first.poll(into: batch, waitMilliseconds: 10)
      while let event = first.nextEvent() {
        switch event {
        case .revoked(let partitions, let incremental, _):
          try first.unassign(partitions, incremental: incremental)
        case .assigned(_, let incremental): try first.assign([], incremental: incremental)
        case .reachedEnd, .failed: break
        }
      }
      while let event = second.nextEvent() {
        guard case .assigned(let partitions, let incremental) = event else { continue }
        try second.assign(
          partitions.map { PartitionOffset($0, Offset(0)) }, incremental: incremental)
        moved = !partitions.isEmpty
      }
    }
    #expect(moved)
    let producer = try TransactionalProducer(
      settings: settings, transactionalId: prefix, topics: [name])
    try producer.initTransactions(soon)
    try producer.begin()
    let at = TopicPartition(topic: TopicOrdinal(0), partition: Partition(0))
    let error = #expect(throws: KafkaError.self) {
      try producer.sendOffsets(
        [PartitionOffset(at, Offset(1))], of: first, metadata: { _ in "" }, group: old, soon)
    }
    #expect(error?.reaction == .abort)
    try producer.abort(soon)
    first.close(soon)
    second.close(soon)
  }

  /// Answers rebalances of all `members`, at least once and until `isDone` or the deadline; what
  /// they own then.
  private func settle(_ members: [GroupConsumer], until isDone: ([Set<TopicPartition>]) -> Bool)
    throws -> [Set<TopicPartition>]
  {
    let batch = RecordBatch(capacity: 10)
    let deadline = soon
    repeat {
      for member in members {
        member.poll(into: batch, waitMilliseconds: 10)
        while let event = member.nextEvent() {
          switch event {
          case .assigned(let partitions, let incremental):
            try member.assign(
              partitions.map { PartitionOffset($0, Offset(0)) }, incremental: incremental)
          case .revoked(let partitions, let incremental, _):
            try member.unassign(partitions, incremental: incremental)
          case .reachedEnd, .failed: break
          }
        }
      }
    } while !isDone(members.map(\.assigned)) && !deadline.hasPassed
    return members.map(\.assigned)
  }

  @Test func `a partition that nobody was left with is found, and the group divides anew`() throws {
    let other = "\(prefix).other"
    try makeTopic(name, 2)
    try makeTopic(other)
    defer {
      try? removeTopic(name)
      try? removeTopic(other)
    }
    func member(_ instance: String) throws -> GroupConsumer {
      let made = try GroupConsumer(
        settings: settings, group: prefix, instance: instance, topics: [name])
      try made.subscribe()
      return made
    }
    func look() -> GroupLook.Outcome? {
      let look = GroupLook(settings: settings, group: prefix, topics: [name])
      while !look.isOver { Thread.sleep(forTimeInterval: 0.01) }
      return look.outcome
    }
    // The first dies when it is told to give one of its two partitions to the second.
    var first: GroupConsumer? = try member("a")
    _ = try settle([first!]) { $0[0].count == 2 }
    let second = try member("b")
    let batch = RecordBatch(capacity: 10)
    let deadline = soon
    var isTold = false
    while !isTold && !deadline.hasPassed {
      first!.poll(into: batch, waitMilliseconds: 10)
      _ = try settle([second]) { _ in true }
      isTold = first!.hasRebalance
    }
    first = nil
    let again = try member("a")
    _ = try settle([again, second]) { $0[0].count == 1 }
    var seen = try #require(look())
    #expect(seen.counts == [2])
    #expect(seen.group.isStable)
    #expect(again.unowned(in: seen.group, counts: [2]).count == 1)

    #expect(try !again.divideAnew(with: "\(prefix).nowhere", soon))
    #expect(try again.divideAnew(with: other, soon))
    let owned = try settle([again, second]) { $0[0].count == 1 && $0[1].count == 1 }
    #expect(owned[0].union(owned[1]).count == 2)
    // The second rebalance, in which the other topic goes, comes right after.
    let limit = soon
    repeat {
      _ = try settle([again, second]) { _ in true }
      seen = try #require(look())
    } while !limit.hasPassed
      && (!seen.group.isStable
        || seen.group.members.flatMap(\.partitions).contains { $0.topic == other })
    #expect(again.unowned(in: seen.group, counts: [2]) == [])
    #expect(seen.group.members.map { $0.partitions.map(\.topic) } == [[name], [name]])
    again.close(soon)
    second.close(soon)
  }
}
