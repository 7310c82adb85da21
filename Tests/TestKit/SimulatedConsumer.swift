import Kafka
import Records
import Worker

/// Records of a poll, with copies of their bytes.
package final class SimulatedBatch: LoopBatch {
  package struct Item {
    let at: TopicPartition
    let offset: Int64
    let record: SimulatedBroker.Record
    var key: Range<Int>?
    var value: Range<Int>?
    var headers: [(name: Range<Int>, value: Range<Int>)] = []
  }

  let capacity: Int
  private var items: [Item] = []
  private let bytes = ByteBuffer()

  package init(capacity: Int) { self.capacity = capacity }

  package var count: Int { items.count }
  package var isEmpty: Bool { items.isEmpty }
  package func clear() {
    items.removeAll()
    bytes.clear()
  }

  func add(_ at: TopicPartition, _ offset: Int64, _ record: SimulatedBroker.Record) {
    func keep(_ part: [UInt8]) -> Range<Int> {
      let start = bytes.count
      bytes.append(part)
      return start..<bytes.count
    }
    items.append(
      Item(
        at: at, offset: offset, record: record, key: record.key.map(keep),
        value: record.value.map(keep),
        headers: record.headers.map { (keep(Array($0.name.utf8)), keep($0.value)) }))
  }

  func swapLastTwo() {
    if items.count > 1 { items.swapAt(items.count - 1, items.count - 2) }
  }
  func dropLast() { if !items.isEmpty { items.removeLast() } }

  package func topic(at index: Int) -> TopicOrdinal { items[index].at.topic }
  package func partition(at index: Int) -> Partition { items[index].at.partition }
  package func offset(at index: Int) -> Offset { Offset(items[index].offset) }
  package func key(at index: Int) -> ByteView? { items[index].key.map { bytes[$0] } }
  package func value(at index: Int) -> ByteView? { items[index].value.map { bytes[$0] } }
  package func bytes(at index: Int) -> Int {
    (items[index].key?.count ?? 0) + (items[index].value?.count ?? 0)
  }
  package func timestamp(at index: Int) -> Int64? { items[index].record.timestampMs }
  package func header(_ name: StaticString, at index: Int) -> ByteView? {
    items[index].headers.last { bytes[$0.name] == name.view }.map { bytes[$0.value] }
  }
}

/// Generation and member as the client knew them at one moment.
package final class SimulatedMetadata: LoopGroupMetadata {
  let generation: Int
  let id: String?

  package init(group: String) {
    generation = -1
    id = nil
  }
  init(generation: Int, id: String?) {
    self.generation = generation
    self.id = id
  }
}

/// A group member over the simulated broker. What it hears from the group it hears between calls,
/// as librdkafka's own thread does.
package final class SimulatedConsumer: LoopConsumer {
  package let topics: [String]
  package let group: String
  package private(set) var memberId: String?
  package private(set) var assignmentLost = false
  package private(set) var isDividingAnew = false

  let process: SimulatedProcess
  private let simulation: Simulation
  private let instance: String
  private let aside: Set<TopicOrdinal>
  private var generation = -1
  private var events: [ConsumerEvent] = []
  private var isClosed = false
  private var isPutOut = false
  /// Hands out nothing more of what is read aside, until it is made anew or told where to read.
  var hangs = false
  /// Waits for the owner's answer to a rebalance.
  private var isUnanswered = false
  /// What it has, as it tells the group.
  private(set) var owned: Set<NamedPartition> = []
  private var pendingSync: (Set<NamedPartition>, Int)?
  private var positions: [TopicPartition: Int64] = [:]
  private var paused: Set<TopicPartition> = []
  private var endsTold: [TopicPartition: Int64] = [:]

  init(
    _ simulation: Simulation, _ process: SimulatedProcess, group: String, instance: String,
    topics: [String], aside: Set<TopicOrdinal>
  ) {
    self.simulation = simulation
    self.process = process
    self.group = group
    self.instance = instance
    self.topics = topics
    self.aside = aside
  }

  private var broker: SimulatedBroker { simulation.broker }

  private func named(_ at: TopicPartition) -> NamedPartition {
    NamedPartition(topic: topics[at.topic.value], partition: at.partition)
  }
  private func numbered(_ at: NamedPartition) -> TopicPartition {
    TopicPartition(
      topic: TopicOrdinal(topics.firstIndex(of: at.topic) ?? 0), partition: at.partition)
  }

  /// Every call of the owner. A process that is out of the world hears nothing more.
  private func call() throws(KafkaError) {
    simulation.touch(process)
    if process.isDead { throw SimulatedWorld.gone }
  }

  private func reach() throws(KafkaError) {
    try simulation.reach(process, "ask about \(group)", patienceMs: 3000)
  }

  // MARK: What the group's coordinator says

  var canJoin: Bool { !isClosed && !isUnanswered && !isPutOut && !process.isDead }

  func take(id: String, generation: Int) {
    memberId = id
    self.generation = generation
  }

  func putOut() {
    isPutOut = true
    simulation.wakeAll()
  }

  /// A round ended: what is new and what has to go.
  func sync(_ given: Set<NamedPartition>, generation: Int) {
    self.generation = generation
    if isUnanswered {
      pendingSync = (given, generation)
      return
    }
    isUnanswered = true
    let gone = owned.subtracting(given)
    if gone.isEmpty {
      isDividingAnew = false
      events.append(.assigned(listed(given.subtracting(owned)), incremental: true))
    } else {
      events.append(.revoked(listed(gone), incremental: true, lost: false))
    }
    simulation.wakeAll()
  }

  private func listed(_ partitions: Set<NamedPartition>) -> [TopicPartition] {
    partitions.map { numbered($0) }.sorted()
  }

  /// The owner has answered.
  private func answered(mustRejoin: Bool) {
    isUnanswered = false
    if let (given, generation) = pendingSync {
      pendingSync = nil
      sync(given, generation: generation)
      return
    }
    if mustRejoin {
      broker.group.rebalance()
    } else {
      broker.group.joinAgain(self)
    }
  }

  /// What heartbeats have told meanwhile.
  private func hear() {
    if isClosed || process.isDead { return }
    if isPutOut {
      let error = KafkaError(
        code: .fencedInstance, operation: "stay in the group", isFatal: true)
      events.append(.failed(error, nil))
      isPutOut = false
      memberId = nil
      isClosed = true
      return
    }
    if memberId != nil, broker.group.member(self) == nil {
      // The group has given its place away.
      memberId = nil
      if isUnanswered { events.removeAll() }
      pendingSync = nil
      assignmentLost = true
      isUnanswered = true
      events.append(.revoked(listed(owned), incremental: true, lost: true))
    }
  }

  // MARK: LoopConsumer

  package var wake: @Sendable () -> Void { { [process] in process.isWoken = true } }

  package func subscribe() throws(KafkaError) {
    try call()
    broker.group.join(self, instance)
  }

  package func close(_ deadline: Deadline) -> Bool {
    if process.isDead || isClosed { return true }
    isClosed = true
    process.leftWith = owned.intersection(broker.group.member(self)?.assigned ?? [])
    broker.group.closed(self)
    return true
  }

  package func poll(into batch: SimulatedBatch, waitMilliseconds: Int) {
    batch.clear()
    simulation.touch(process)
    if process.isDead { return }
    hear()
    let until = simulation.nowMs + Int64(waitMilliseconds)
    _ = simulation.wait(process, untilMs: until) {
      hear()
      return !events.isEmpty || process.isWoken
        || !simulation.areBrokersAway
          && positions.contains { !paused.contains($0.key) && visible($0.key, $0.value) }
    }
    process.isWoken = false
    if process.isDead { return }
    if simulation.areBrokersAway { return }
    // A rebalance is noticed inside the poll: the batch may hold records of before.
    fetch(into: batch, isAside: false)
  }

  package func pollAside(into batch: SimulatedBatch) {
    batch.clear()
    simulation.touch(process)
    if process.isDead || simulation.areBrokersAway || hangs { return }
    fetch(into: batch, isAside: true)
  }

  private func visible(_ at: TopicPartition, _ position: Int64) -> Bool {
    if hangs && aside.contains(at.topic) { return false }
    guard let log = broker.log(named(at)) else { return false }
    return position < stableEnd(log)
  }

  private func stableEnd(_ log: SimulatedBroker.Log) -> Int64 {
    Int64(simulation.plants.contains(.uncommittedRead) ? log.entries.count : log.stableEnd)
  }

  private func fetch(into batch: SimulatedBatch, isAside: Bool) {
    let most = min(batch.capacity, 1 + simulation.random.below(12))
    var places = positions.keys.filter { aside.contains($0.topic) == isAside }.sorted()
    while !places.isEmpty && batch.count < most {
      let at = places.remove(at: simulation.random.below(places.count))
      if !paused.contains(at) { fetch(at, into: batch, most: most, isAside) }
    }
  }

  private func fetch(
    _ at: TopicPartition, into batch: SimulatedBatch, most: Int, _ isAside: Bool
  ) {
    guard let log = broker.log(named(at)), var position = positions[at] else { return }
    let end = stableEnd(log)
    while position < end && batch.count < most {
      let offset = position
      position += 1
      guard case .record(let record, let number) = log.entries[Int(offset)] else { continue }
      if log.aborted.contains(number) && !simulation.plants.contains(.abortedRead) { continue }
      if simulation.isHit(isAside ? .blockSkipped : .inputSkipped) { continue }
      // The second byte of a block is its kind, and 3 are control records.
      if isAside, record.value?[1] == 3, simulation.isHit(.controlsSkipped) { continue }
      batch.add(at, offset, record)
      if !isAside, simulation.isHit(.inputReordered) { batch.swapLastTwo() }
    }
    positions[at] = position
    if position >= end, endsTold[at] != position {
      endsTold[at] = position
      if !isAside && simulation.plants.contains(.endsUntold) { return }
      events.append(.reachedEnd(at, Offset(position)))
    }
  }

  package func nextEvent() -> ConsumerEvent? {
    events.isEmpty || process.isDead ? nil : events.removeFirst()
  }

  package func assign(_ offsets: [PartitionOffset], incremental: Bool) throws(KafkaError) {
    try call()
    hangs = false
    for entry in offsets {
      positions[entry.at] = entry.offset.value
      endsTold[entry.at] = nil
      owned.insert(named(entry.at))
      simulation.holders[named(entry.at)] = process
    }
    answered(mustRejoin: false)
  }

  package func unassign(_ partitions: [TopicPartition], incremental: Bool) throws(KafkaError) {
    try call()
    for at in partitions {
      positions[at] = nil
      paused.remove(at)
      owned.remove(named(at))
    }
    if assignmentLost {
      assignmentLost = false
      isUnanswered = false
      broker.group.join(self, instance)
    } else {
      answered(mustRejoin: true)
    }
  }

  package func seek(_ offsets: [PartitionOffset], _ deadline: Deadline) throws(KafkaError) {
    try call()
    hangs = false
    for entry in offsets where positions[entry.at] != nil {
      positions[entry.at] = entry.offset.value
      endsTold[entry.at] = nil
    }
  }

  package func seekSoon(_ offsets: [PartitionOffset]) {
    if simulation.random.percent(10) { return }
    let more: Int64 = simulation.plants.contains(.skippedTooFar) ? 2 : 0
    for entry in offsets where positions[entry.at] != nil {
      positions[entry.at] = entry.offset.value + more
      endsTold[entry.at] = nil
    }
  }

  package func pause(_ partitions: [TopicPartition]) throws(KafkaError) {
    try call()
    let isDeaf = simulation.plants.contains(.inputsUnheld)
    paused.formUnion(isDeaf ? partitions.filter { aside.contains($0.topic) } : partitions)
  }

  package func resume(_ partitions: [TopicPartition]) throws(KafkaError) {
    try call()
    let isDeaf = simulation.plants.contains(.readerLeftHeld)
    paused.subtract(isDeaf ? partitions.filter { !aside.contains($0.topic) } : partitions)
  }

  package func committed(_ partitions: [TopicPartition], _ deadline: Deadline)
    throws(KafkaError) -> [CommittedOffset]
  {
    try reach()
    let names = partitions.map { named($0) }
    let isStable = simulation.wait(process, untilMs: simulation.nowMs + 3000) {
      broker.isStable(names)
    }
    if process.isDead { throw SimulatedWorld.gone }
    if !isStable {
      throw KafkaError(
        code: .unstableOffsets, operation: "read the committed offsets", isRetriable: true)
    }
    return partitions.map { at in
      let entry = broker.offsets[named(at)]
      return CommittedOffset(
        at: at, offset: entry.map { Offset($0.offset) }, metadata: entry?.metadata ?? "")
    }
  }

  package func watermarks(_ at: TopicPartition, _ deadline: Deadline)
    throws(KafkaError) -> Range<Int64>
  {
    try reach()
    if hangs && simulation.plants.contains(.endsUnknown) { return 0..<(positions[at] ?? 0) }
    return 0..<Int64(broker.log(named(at))?.stableEnd ?? 0)
  }

  package func offsets(
    _ partitions: [TopicPartition], notOlderThan milliseconds: Int64, _ deadline: Deadline
  ) throws(KafkaError) -> [Offset] {
    try reach()
    return partitions.map { at in
      let entries = broker.log(named(at))?.entries ?? []
      let place = entries.firstIndex {
        if case .record(let record, _) = $0 { record.timestampMs >= milliseconds } else { false }
      }
      return Offset(Int64(place ?? entries.count))
    }
  }

  package func partitionCounts(_ deadline: Deadline) throws(KafkaError) -> [Int?] {
    try reach()
    return topics.map { broker.partitions(of: $0) }
  }

  package func groupMetadata() -> SimulatedMetadata? {
    process.isDead ? nil : SimulatedMetadata(generation: generation, id: memberId)
  }

  package func divideAnew(with topic: String, _ deadline: Deadline) throws(KafkaError) -> Bool {
    try reach()
    if isDividingAnew { return false }
    isDividingAnew = true
    broker.group.rebalance()
    return true
  }

  package func unowned(in group: GroupDescription, counts: [Int]) -> [TopicPartition] {
    let owned = Set(group.members.flatMap(\.partitions))
    return counts.enumerated().flatMap { topic, count in
      (0..<count).map {
        TopicPartition(topic: TopicOrdinal(topic), partition: Partition(Int32($0)))
      }
    }.filter { !owned.contains(named($0)) }
  }
}
