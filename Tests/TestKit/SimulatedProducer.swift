import Kafka
import Records
import Worker

/// A transactional producer over the simulated broker. What is produced goes out at some moment up
/// to the next flush, as librdkafka's threads send beside the loop.
package final class SimulatedProducer: LoopProducer {
  package private(set) var isInTransaction = false
  private var lost: String?
  package func connectionLoss() -> String? { lost }

  private let simulation: Simulation
  private let process: SimulatedProcess
  private let id: String
  private let topics: [String]
  private var epoch = -1
  private var queue: [(at: NamedPartition, record: SimulatedBroker.Record, tag: Int?)] = []
  /// Of the open transaction's tagged records: nil while not known.
  private var acknowledged: [Int64?] = []
  private var tagPlaces: [NamedPartition] = []
  private var lastTagged: [NamedPartition: Int64] = [:]
  private var failure: KafkaError?

  init(
    _ simulation: Simulation, _ process: SimulatedProcess, transactionalId: String,
    topics: [String]
  ) {
    self.simulation = simulation
    self.process = process
    id = transactionalId
    self.topics = topics
  }

  private var broker: SimulatedBroker { simulation.broker }

  private func call() throws(KafkaError) {
    simulation.touch(process)
    if process.isDead { throw SimulatedWorld.gone }
    if let failure { throw failure }
  }

  private func reach(_ operation: String, patienceMs: Int64 = 20_000) throws(KafkaError) {
    try simulation.reach(process, operation, patienceMs: patienceMs)
    if let failure { throw failure }
  }

  /// The broker's answer to one whose epoch is over.
  private func checkEpoch() throws(KafkaError) {
    if broker.isCurrent(id, epoch) { return }
    failure = KafkaError(code: .fenced, operation: "go on as \(id)", isFatal: true)
    throw KafkaError(code: .fenced, operation: "go on as \(id)", isFatal: true)
  }

  /// The open transaction at the broker; waits while the one before is being ended.
  private func open() throws(KafkaError) -> SimulatedBroker.Transaction {
    var found: SimulatedBroker.Transaction?
    var isFenced = false
    let isThere = simulation.wait(process, untilMs: simulation.nowMs + 20_000) {
      isFenced = !broker.isCurrent(id, epoch)
      if !isFenced { found = broker.transaction(of: id) }
      return isFenced || found != nil
    }
    if process.isDead { throw SimulatedWorld.gone }
    try checkEpoch()
    guard isThere, let found else {
      throw KafkaError(code: .concurrentTransactions, operation: "write", isRetriable: true)
    }
    return found
  }

  // MARK: LoopProducer

  package func initTransactions(_ deadline: Deadline) throws(KafkaError) {
    try reach("become the only \(id)", patienceMs: 3000)
    epoch = broker.becomeOnly(id)
    let isDone = simulation.wait(process, untilMs: simulation.nowMs + 3000) {
      broker.producers[id]?.transaction.map { $0.state == .complete } ?? true
    }
    if process.isDead { throw SimulatedWorld.gone }
    if !isDone {
      throw KafkaError(
        code: .concurrentTransactions, operation: "become the only \(id)", isRetriable: true)
    }
  }

  package func partitions(of topic: TopicOrdinal) -> Int32 {
    Int32(broker.partitions(of: topics[topic.value]))
  }

  package func begin() throws(KafkaError) {
    try call()
    isInTransaction = true
    acknowledged = []
    tagPlaces = []
  }

  package func produce(
    to topic: TopicOrdinal, _ partition: Partition, key: ByteView?, value: ByteView?,
    timestamp: Int64?, _ deadline: Deadline
  ) throws(KafkaError) {
    try add(topic, partition, record(key, value, timestamp), tag: nil)
  }

  package func produce(
    to topic: TopicOrdinal, _ partition: Partition, key: ByteView?, value: ByteView?,
    timestamp: Int64?, headers: consuming RecordHeaders, _ deadline: Deadline
  ) throws(KafkaError) {
    var record = record(key, value, timestamp)
    var reader = headers.reader()
    while let header = reader.next() {
      record.headers.append((header.name.text, header.value?.copied() ?? []))
    }
    let isLargeRow = record.headers.contains {
      $0.name == "weft_reason" && $0.value == Array("row-too-large".utf8)
    }
    if isLargeRow && simulation.plants.contains(.largeRowsLost) { return }
    let isSettlement = record.headers.first?.name == "weft_settles"
    if isSettlement && simulation.isHit(.settlementsLost) { return }
    if simulation.plants.contains(.headersLost) { record.headers = [] }
    if simulation.plants.contains(.explodedIdsAlike) { record.forgetNumber(of: "ce_id") }
    if simulation.plants.contains(.correctedAlike) { record.forgetNumber(of: "ce_corrects") }
    if simulation.plants.contains(.retractionsUnsent), record.text(of: "ce_op") == "retract",
      record.text(of: "weft_reason") == nil
    {
      return
    }
    if simulation.plants.contains(.correctedUnnamed) {
      record.headers.removeAll { $0.name == "ce_corrects" }
    }
    if simulation.plants.contains(.timesLost) { record.timestampMs = simulation.nowMs }
    try add(topic, partition, record, tag: nil)
  }

  package func produceTagged(
    to topic: TopicOrdinal, _ partition: Partition, key: ByteView?, value: ByteView?,
    timestamp: Int64?, _ deadline: Deadline
  ) throws(KafkaError) -> RecordTag {
    acknowledged.append(nil)
    tagPlaces.append(NamedPartition(topic: topics[topic.value], partition: partition))
    let tag = acknowledged.count - 1
    if simulation.plants.contains(.ticksAtOne), partition.value > 0, value?[1] == 2 {
      return RecordTag(index: tag)
    }
    try add(topic, partition, record(key, value, timestamp), tag: tag)
    return RecordTag(index: tag)
  }

  private func record(_ key: ByteView?, _ value: ByteView?, _ timestamp: Int64?)
    -> SimulatedBroker.Record
  {
    SimulatedBroker.Record(
      key: key?.copied(), value: value?.copied(), timestampMs: timestamp ?? simulation.nowMs)
  }

  private func add(
    _ topic: TopicOrdinal, _ given: Partition, _ record: SimulatedBroker.Record, tag: Int?
  ) throws(KafkaError) {
    try call()
    var partition = given
    let name = topics[topic.value]
    let isQuarantine = topic.value == topics.count - 1
    if isQuarantine, simulation.isHit(.quarantineLost) { return }
    if tag == nil, !isQuarantine {
      if simulation.isHit(.recordsLost) { return }
      if simulation.isHit(.wrongPartition) {
        partition = Partition((given.value + 1) % Int32(broker.partitions(of: name)))
      }
      if simulation.isHit(.recordsTwice) {
        queue.append((NamedPartition(topic: name, partition: partition), record, nil))
      }
    }
    var records = [record]
    if tag != nil, simulation.handedPlants {
      records = HandedBlock.planted(
        record, simulation, isFirstOfSuccessor: process.number > 3 && guesses.isEmpty)
      let isHanded = HandedBlock.changed(record.value, { _ in }) != nil
      if isHanded, simulation.isHit(.handedElsewhere) {
        partition = Partition((given.value + 1) % Int32(broker.partitions(of: name)))
      }
    }
    for record in records {
      queue.append((NamedPartition(topic: name, partition: partition), record, tag))
    }
    // Some of it goes out at once.
    if simulation.random.percent(30), !simulation.areBrokersAway, broker.isCurrent(id, epoch),
      let transaction = broker.transaction(of: id)
    {
      send(in: transaction)
    }
  }

  private func send(in transaction: SimulatedBroker.Transaction) {
    for entry in queue {
      let offset = broker.write(entry.record, to: entry.at, in: transaction)
      guard let tag = entry.tag else { continue }
      // After a retry librdkafka does not know where the record is.
      let isUnknown = simulation.random.percent(2)
      acknowledged[tag] = isUnknown ? nil : offset
      lastTagged[entry.at] = offset
    }
    queue.removeAll()
  }

  package func offset(of tag: RecordTag) -> Offset? {
    guard let offset = acknowledged[tag.index] else { return nil }
    if simulation.plants.contains(.offsetGuessed), let guess = guesses[tagPlaces[tag.index]] {
      return Offset(guess + 2)
    }
    return Offset(offset)
  }
  /// Where the last committed transaction's last tagged record was.
  private var guesses: [NamedPartition: Int64] = [:]

  package func flush(_ deadline: Deadline) throws(KafkaError) {
    try call()
    if queue.isEmpty { return }
    try reach("have records acknowledged")
    let transaction = try open()
    if process.isDeliveryFailing {
      process.isDeliveryFailing = false
      queue.removeLast(1 + simulation.random.below(queue.count))
      send(in: transaction)
      throw KafkaError(
        code: KafkaErrorCode(value: -192), operation: "write", message: "not delivered in time",
        requiresAbort: true)
    }
    send(in: transaction)
  }

  package func sendOffsets(
    _ offsets: [PartitionOffset], of consumer: SimulatedConsumer,
    metadata: (TopicPartition) -> String, group: SimulatedMetadata, _ deadline: Deadline
  ) throws(KafkaError) {
    try reach("send offsets")
    let transaction = try open()
    if let refusal = broker.group.refusal(id: group.id, generation: group.generation) {
      simulation.note("offsets refused: \(refusal.code.value)")
      throw refusal
    }
    for entry in offsets {
      let at = NamedPartition(
        topic: consumer.topics[entry.at.topic.value], partition: entry.at.partition)
      transaction.offsets[at] = (entry.offset.value, metadata(entry.at))
    }
  }

  package func commit(_ deadline: Deadline) throws(KafkaError) {
    try flush(deadline)
    try reach("commit the transaction")
    try checkEpoch()
    guard let arrival = process.nextCommit else {
      commitAtBroker()
      isInTransaction = false
      guesses.merge(lastTagged) { $1 }
      return
    }
    process.nextCommit = nil
    switch arrival {
    case .done: commitAtBroker()
    case .never: break
    case .late(let byMs):
      // Kafka may apply it to a later transaction of the same epoch.
      simulation.after(byMs) { [self] in
        if broker.isCurrent(id, epoch) { commitAtBroker() }
      }
    }
    throw KafkaError(code: .timedOut, operation: "commit the transaction", isRetriable: true)
  }

  private func commitAtBroker() {
    if let transaction = broker.producers[id]?.transaction, transaction.state == .open {
      if process.isEdited { process.hasCommittedAsEdited = true }
      let then = broker.landLateMarkers(before: transaction, of: id)
      end(transaction, commits: true)
      then?()
    }
  }

  private func end(_ transaction: SimulatedBroker.Transaction, commits: Bool) {
    broker.end(transaction, commits: commits)
    guard let again = process.markersAgain else { return }
    // Unnoticed, they matter more after an abort, which is rarer.
    if again.records == nil, commits, simulation.random.percent(60) { return }
    process.markersAgain = nil
    // The answer was lost with the connection, and asked for again: the loss is known before the
    // call returns.
    if again.records != nil { lost = "a connection was lost" }
    broker.markAgain(
      SimulatedBroker.LateMarkers(
        old: transaction, epoch: epoch, commits: commits, recordsLeft: again.records,
        then: again.then),
      of: id)
  }

  package func abort(_ deadline: Deadline) throws(KafkaError) {
    try reach("abort the transaction")
    queue.removeAll()
    try checkEpoch()
    if let transaction = broker.producers[id]?.transaction, transaction.state == .open {
      end(transaction, commits: false)
    }
    isInTransaction = false
  }
}

extension SimulatedBroker.Record {
  /// Takes from `ce_id` which of several records of its event it is.
  fileprivate mutating func forgetNumber(of name: String) {
    for index in headers.indices where headers[index].name == name {
      let parts = headers[index].value.split(separator: UInt8(ascii: "-"))
      // A round of corrections is told before it.
      let isCorrection = parts.count > 3 && parts[3].first == UInt8(ascii: "c")
      let left = parts.prefix(isCorrection ? 4 : 3)
      headers[index].value = Array(left.joined(separator: [UInt8(ascii: "-")]))
    }
  }
}
