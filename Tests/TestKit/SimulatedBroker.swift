import Kafka
import Records

/// Kafka as it is, as far as exactly once goes: logs with commit and abort markers that come late,
/// a last stable offset, transactions that take offsets with them, producers that are fenced by
/// their epoch, transactions that time out, and one consumer group.
package final class SimulatedBroker {
  package struct Record {
    package var key: [UInt8]?
    package var value: [UInt8]?
    package var timestampMs: Int64
    package var headers: [(name: String, value: [UInt8])] = []

    package init(
      key: [UInt8]?, value: [UInt8]?, timestampMs: Int64,
      headers: [(name: String, value: [UInt8])] = []
    ) {
      self.headers = headers
      self.key = key
      self.value = value
      self.timestampMs = timestampMs
    }

    /// The last header of that name.
    func text(of header: String) -> String? {
      headers.last { $0.name == header }.map { String(decoding: $0.value, as: UTF8.self) }
    }
  }

  enum Entry {
    /// `transaction` 0: of no transaction.
    case record(Record, transaction: Int)
    case marker(isCommit: Bool, transaction: Int)
  }

  /// One partition of a topic.
  final class Log {
    var entries: [Entry] = []
    /// Where open transactions begin.
    var open: [Int: Int] = [:]
    var aborted: Set<Int> = []

    /// What a read_committed reader may see ends here.
    var stableEnd: Int { open.values.min() ?? entries.count }
  }

  final class Transaction {
    enum State { case open, committing, aborting, complete }
    let number: Int
    let openedMs: Int64
    var state = State.open
    var logs: [NamedPartition] = []
    var offsets: [NamedPartition: (offset: Int64, metadata: String)] = [:]
    var markersLeft = 0

    init(number: Int, openedMs: Int64) {
      self.number = number
      self.openedMs = openedMs
    }
  }

  /// What the coordinator knows of a transactional id.
  final class Producer {
    var epoch = 0
    var transaction: Transaction?
    var lateMarkers: LateMarkers?
  }

  static let transactionMs: Int64 = 10_000
  static let sweepMs = 10_000

  unowned let simulation: Simulation
  package private(set) lazy var group = SimulatedGroup(self)
  private(set) var topics: [String: [Log]] = [:]
  private(set) var offsets: [NamedPartition: (offset: Int64, metadata: String)] = [:]
  private(set) var producers: [String: Producer] = [:]
  private var transactions: [Transaction] = []
  private var numbered = 0

  init(_ simulation: Simulation) { self.simulation = simulation }

  package func makeTopic(_ name: String, partitions: Int) {
    topics[name] = (0..<partitions).map { _ in Log() }
  }

  func log(_ at: NamedPartition) -> Log? {
    guard let logs = topics[at.topic], at.partition.value >= 0,
      Int(at.partition.value) < logs.count
    else { return nil }
    return logs[Int(at.partition.value)]
  }

  /// A record of a foreign producer, without a transaction.
  package func append(_ record: Record, to topic: String, _ partition: Int) {
    topics[topic]?[partition].entries.append(.record(record, transaction: 0))
    simulation.wakeAll()
  }

  /// What a read_committed reader sees of a partition, with offsets.
  package func committed(_ topic: String, _ partition: Int) -> [(offset: Int64, record: Record)] {
    guard let log = topics[topic]?[partition] else { return [] }
    return (0..<log.stableEnd).compactMap { offset in
      guard case .record(let record, let number) = log.entries[offset],
        !log.aborted.contains(number)
      else { return nil }
      return (Int64(offset), record)
    }
  }

  package func partitions(of topic: String) -> Int { topics[topic]?.count ?? 0 }
  package func end(_ topic: String, _ partition: Int) -> Int64 {
    Int64(topics[topic]?[partition].entries.count ?? 0)
  }

  // MARK: Transactions

  /// A new epoch for a transactional id: whoever had it is fenced, and what it left open ends.
  func becomeOnly(_ id: String) -> Int {
    let producer = producers[id] ?? Producer()
    producers[id] = producer
    producer.epoch += 1
    if let transaction = producer.transaction, transaction.state == .open {
      end(transaction, commits: false)
    }
    return producer.epoch
  }

  func isCurrent(_ id: String, _ epoch: Int) -> Bool {
    producers[id]?.epoch == epoch
  }

  /// The open transaction of a producer, or a new one; nil while the last one is being ended.
  func transaction(of id: String) -> Transaction? {
    guard let producer = producers[id] else { return nil }
    switch producer.transaction?.state {
    case .open: return producer.transaction
    case .committing, .aborting: return nil
    case .complete, nil: break
    }
    numbered += 1
    let transaction = Transaction(number: numbered, openedMs: simulation.nowMs)
    producer.transaction = transaction
    transactions.append(transaction)
    let patience = SimulatedBroker.transactionMs + Int64(simulation.random.below(Self.sweepMs))
    simulation.after(patience) { [self] in timeOut(transaction, of: producer) }
    return transaction
  }

  private func timeOut(_ transaction: Transaction, of producer: Producer) {
    if transaction.state != .open || producer.transaction !== transaction { return }
    simulation.note("transaction \(transaction.number) times out")
    producer.epoch += 1
    end(transaction, commits: false)
  }

  /// Gives up one of the open transactions before its time.
  func timeOutAny() {
    let open = producers.sorted { $0.key < $1.key }.map(\.value)
      .filter { $0.transaction?.state == .open }
    if open.isEmpty { return }
    let producer = open[simulation.random.below(open.count)]
    if let transaction = producer.transaction { timeOut(transaction, of: producer) }
  }

  func write(_ record: Record, to at: NamedPartition, in transaction: Transaction) -> Int64 {
    guard let log = log(at) else { return -1 }
    if log.open[transaction.number] == nil {
      log.open[transaction.number] = log.entries.count
      if !transaction.logs.contains(at) { transaction.logs.append(at) }
    }
    log.entries.append(.record(record, transaction: transaction.number))
    let offset = Int64(log.entries.count - 1)
    noteWrite(transaction)
    return offset
  }

  /// Decides a transaction; its markers follow in each log and in the offsets.
  func end(_ transaction: Transaction, commits: Bool) {
    transaction.state = commits ? .committing : .aborting
    simulation.note("transaction \(transaction.number) \(commits ? "commits" : "aborts")")
    transaction.markersLeft = transaction.logs.count + (transaction.offsets.isEmpty ? 0 : 1)
    if transaction.markersLeft == 0 { complete(transaction) }
    for at in transaction.logs {
      simulation.after(markerDelayMs()) { [self] in mark(at, transaction, commits) }
    }
    if transaction.offsets.isEmpty { return }
    simulation.after(markerDelayMs()) { [self] in
      if transaction.state == .complete { return }
      let takes = commits ? !isPlanted(.offsetsLost) : isPlanted(.abortedOffsetsKept)
      if takes { for (at, entry) in transaction.offsets { offsets[at] = entry } }
      marked(transaction)
    }
  }

  private func isPlanted(_ plant: Plant) -> Bool { simulation.isHit(plant) }

  private func markerDelayMs() -> Int64 {
    let range = simulation.random.below(100)
    if range < 60 { return Int64(simulation.random.below(4)) }
    if range < 95 { return Int64(simulation.random.below(200)) }
    return Int64(simulation.random.below(4000))
  }

  private func mark(_ at: NamedPartition, _ transaction: Transaction, _ commits: Bool) {
    guard transaction.state != .complete, let log = log(at) else { return }
    log.entries.append(.marker(isCommit: commits, transaction: transaction.number))
    log.open[transaction.number] = nil
    let isTorn = commits && at.topic != group.topics.last && isPlanted(.tornCommit)
    if !commits || isTorn { log.aborted.insert(transaction.number) }
    marked(transaction)
  }

  /// Markers of a transaction that come again, as those of a broker whose answer was lost do: while
  /// the same producer's next one is open and so many of its records are written.
  struct LateMarkers {
    let old: Transaction
    let epoch: Int
    let commits: Bool
    /// Nil: they come right before the next one's commit.
    var recordsLeft: Int?
    let then: () -> Void
  }

  func markAgain(_ markers: LateMarkers, of id: String) { producers[id]?.lateMarkers = markers }

  private func noteWrite(_ transaction: Transaction) {
    guard let producer = producers.values.first(where: { $0.transaction === transaction }),
      let markers = producer.lateMarkers, markers.old !== transaction,
      let left = markers.recordsLeft
    else { return }
    producer.lateMarkers?.recordsLeft = left - 1
    if left == 1 { land(markers, of: producer, amid: transaction)() }
  }

  /// Has markers come that wait for the next commit, which is this one. What follows once it is
  /// done is for the caller to call.
  func landLateMarkers(before transaction: Transaction, of id: String) -> (() -> Void)? {
    guard let producer = producers[id], let markers = producer.lateMarkers,
      markers.old !== transaction, markers.recordsLeft == nil
    else { return nil }
    return land(markers, of: producer, amid: transaction)
  }

  private func land(
    _ markers: LateMarkers, of producer: Producer, amid transaction: Transaction
  ) -> () -> Void {
    producer.lateMarkers = nil
    // They name an epoch, not a transaction.
    if producer.epoch == markers.epoch { endEarly(transaction, markers) }
    return markers.then
  }

  private func endEarly(_ next: Transaction, _ markers: LateMarkers) {
    for at in markers.old.logs {
      guard let log = log(at) else { continue }
      numbered += 1
      if let start = log.open.removeValue(forKey: next.number) {
        simulation.note("transaction \(next.number) is ended early in \(at)")
        for index in start..<log.entries.count {
          if case .record(let record, next.number) = log.entries[index] {
            log.entries[index] = .record(record, transaction: numbered)
          }
        }
        if !markers.commits { log.aborted.insert(numbered) }
      }
      log.entries.append(.marker(isCommit: markers.commits, transaction: numbered))
    }
    if !markers.old.offsets.isEmpty {
      if markers.commits { for (at, entry) in next.offsets { offsets[at] = entry } }
      next.offsets = [:]
    }
    simulation.wakeAll()
  }

  private func marked(_ transaction: Transaction) {
    transaction.markersLeft -= 1
    if transaction.markersLeft == 0 { complete(transaction) }
    simulation.wakeAll()
  }

  private func complete(_ transaction: Transaction) {
    transaction.state = .complete
    transactions.removeAll { $0 === transaction }
    simulation.wakeAll()
  }

  var hasOpenTransactions: Bool { !transactions.isEmpty }

  // MARK: Offsets

  /// Whether no transaction that would move these offsets is pending.
  func isStable(_ partitions: [NamedPartition]) -> Bool {
    if simulation.plants.contains(.unstableOffsets) { return true }
    return !transactions.contains { transaction in
      partitions.contains { transaction.offsets[$0] != nil }
    }
  }

  package func forgetOffsets() { offsets.removeAll() }

  /// The world is at its end.
  func empty() {
    startOver()
    topics.removeAll()
    producers.removeAll()
  }

  /// With nobody running: the group is as if it had never been, and what is left of transactions
  /// goes with the topics, which are made anew next.
  package func startOver() {
    forgetOffsets()
    for producer in producers.values { producer.transaction = nil }
    for transaction in transactions { transaction.state = .complete }
    transactions.removeAll()
    group.empty()
  }

  /// Sets one of the group's offsets, as a person might; nil deletes it.
  func set(_ at: NamedPartition, to offset: Int64?, metadata: String? = nil) {
    let old = offsets[at]?.metadata
    offsets[at] = offset.map { ($0, metadata ?? old ?? "") }
  }
}
