import Engine
import Kafka
import Observability
import Product
import Records
import State

/// What one loop is made from; Sendable, so that everything else is made on the loop's own thread.
package struct LoopSettings: Sendable {
  package let product: ProductDefinition
  package let kafka: ClientSettings
  /// `<instance>-<loop>`: names the static membership and the transactional id.
  package let instance: String
  package let turn: TurnMeter.Limits
  /// What the output batch holds before it is published amid a turn.
  package let outputBytes: Int
  /// How much of one partition's own blocks a turn applies before it holds their reader.
  package let holdBytes: Int
  /// See `ProductPlan`; nil but in simulations.
  package let entriesMax: Int?
  /// How often journals with a clock are told of their sources; nil but in simulations.
  package let tickMs: Int64?
  package let state: StateFiles
  package let unsafe: UnsafeSettings
  package let log: Log

  package init(
    product: ProductDefinition, kafka: ClientSettings, instance: String, turn: TurnMeter.Limits,
    outputBytes: Int = OutputBatch.bytesMax, holdBytes: Int = 128 << 10, entriesMax: Int? = nil,
    tickMs: Int64? = nil, state: StateFiles, unsafe: UnsafeSettings = .none, log: Log
  ) {
    self.product = product
    // A broker gives a transaction up after so long, so a turn must be well over before.
    self.kafka =
      turn.ageMs > 2000
      ? kafka.with("transaction.timeout.ms", "\(turn.ageMs + 10_000)") : kafka
    self.instance = instance
    self.turn = turn
    self.outputBytes = outputBytes
    self.holdBytes = holdBytes
    self.entriesMax = entriesMax
    self.tickMs = tickMs
    self.state = state
    self.unsafe = unsafe
    self.log = log
  }
}

/// What ends a step of the loop.
enum LoopFailure: Error {
  case kafka(KafkaError, Recovery.Phase)
  case state(StoreFailure)
  case stop(StopReason)
}

/// The loop of one product: one member of its group, one transactional producer, the engine's
/// programs and their state. One thread makes and owns all of it.
///
/// The order of a start is that of a process in `Turn.tla`: become the only holder, then join, then
/// read the committed offsets, restore, and only then consume.
package final class ProductLoop<World: LoopWorld> {
  static var blocksMax: Int { 64 }
  /// Own blocks, for each partition, that may wait for others so that rows are read together.
  static var blocksGathered: Int { 4 }
  /// How long a call to the brokers is tried before the loop looks up.
  static var callMs: Int { 20_000 }
  static var startCallMs: Int { 3000 }
  /// A worker that is asked to stop leaves within ten seconds: so much of them is for finishing the
  /// turn and for what was left, the rest for leaving.
  static var drainMs: Int64 { 6000 }

  let world: World
  let settings: LoopSettings
  let control: LoopControl
  let monitor: ProductMonitor
  let plan: ProductPlan
  let ingest: Ingest
  let chained: ChainedBlocks
  let direct: Direct
  let isDirect: Bool
  /// Of each input: whether it is another product's port.
  let isPort: ContiguousArray<Bool>
  /// By input: whether its records may be taken back.
  let corrects: ContiguousArray<Bool>
  let logic: String

  var consumer: World.Consumer?
  var publisher: Publisher<World.Producer>?
  var owned: OwnedPartitions
  var needsRewind = false
  var isRestoring = false
  var pausedInputs: [TopicPartition] = []
  /// Journals that nothing can come from before the open turn ends.
  var heldJournals: [TopicPartition] = []
  var restoredBlocks: Int64 = 0
  var restoringSinceMs: Int64 = 0
  /// Partitions whose end the last poll told of.
  var ends: [PartitionOffset] = []
  /// Where partitions begin that nobody has begun, those of other members among them: committed
  /// before anything is taken.
  var uncommittedStarts: [PartitionOffset] = []
  /// Assigned, and yet to be begun by the member that begins.
  var awaitingStart: [TopicPartition] = []
  var startAskedMs: Int64 = 0
  /// Nil while the loop has no place in its group.
  var membership: Membership<World.Consumer>?
  /// All ids that the group gave this loop's member. librdkafka forgets one when it is put out, and
  /// a coordinator that took over may know an earlier one.
  var ownIds: Set<String> = []
  var watch = GroupWatch()
  var look: World.Look?
  var notices = LoopNotices()
  /// Since the last turn that was committed.
  var damagesSeen = 0
  /// When states without a turn were last looked at.
  var tendedMs: Int64 = 0
  /// When it was last said that merges of states do not keep up.
  var mergesSaidMs: Int64 = -30_000
  /// Directories whose rows turned out to be damaged, until they are made anew.
  var damagedStates: [String: StoreFailure] = [:]

  // The open turn.
  let batch = World.Consumer.Batch(capacity: 2000)
  /// Journal blocks, of up to 64 KiB each as a rule.
  let blocks = World.Consumer.Batch(capacity: blocksMax)
  /// How many of them are done with.
  var blocksTaken = 0
  /// How often nothing more of them was there.
  var blockDrains = 0
  let outputs: OutputBatch
  var meter: TurnMeter
  /// The wall clock when the open turn took its first input; never goes back.
  var recordedMs: Int64 = 0
  /// Whether the open turn has taken it: read-back blocks alone open a turn without it.
  var hasRecordedTime = false
  var ownBlocks: ContiguousArray<OwnBlock> = []
  var settledBlocks = 0
  /// Blocks of ingest, and of apply, that were handed to the producer.
  var sealedDone = 0
  var chainedDone = 0
  var publishedInTurn: Int64 = 0
  /// Records that the open turn has taken, by input.
  var takenInTurn: ContiguousArray<Int64> = []
  var readBackInTurn: Int64 = 0
  var appliedAtOnceInTurn: Int64 = 0
  /// Only without the rule of the gathered generation: what was gathered of partitions now gone.
  var strayOffsets: [PartitionOffset] = []

  var log: ClientLog
  private var awaySinceMs: Int64?
  private var awaySaidMs: Int64 = 0
  var lossSaidMs: Int64?
  private var failuresInRow = 0
  private var repeats = Repeats()
  /// Known once the topics' limits are.
  var batchBytes: Int?
  /// Whether it ever had a group to join: before that there is no turn that could be lost.
  private var hasBegun = false

  /// A block that this turn wrote.
  struct OwnBlock {
    let block: SealedBlock
    let tag: RecordTag
  }

  package init(
    _ settings: LoopSettings, control: LoopControl, monitor: ProductMonitor, in world: World
  ) throws(PlanFailure) {
    self.world = world
    self.settings = settings
    self.control = control
    self.monitor = monitor
    plan = try ProductPlan(settings.product, entriesMax: settings.entriesMax)
    outputs = OutputBatch(bytesMax: settings.outputBytes)
    ingest = Ingest(plan, tickMs: settings.tickMs)
    chained = ChainedBlocks(plan)
    direct = Direct(plan)
    isDirect = settings.product.journals.isEmpty
    isPort = ContiguousArray(settings.product.inputs.map { $0.port != nil })
    corrects = ContiguousArray(settings.product.inputs.map(\.corrects))
    takenInTurn = ContiguousArray(repeating: 0, count: isPort.count)
    logic = "\(plan.logicDigest)"
    meter = TurnMeter(settings.turn)
    owned = OwnedPartitions(
      inputCount: settings.product.inputs.count,
      journalPartitions: settings.product.journals.map(\.partitions))
    log = ClientLog()
  }

  var product: ProductDefinition { settings.product }
  var deadline: Deadline {
    .after(
      milliseconds: control.isStopping
        ? Int(max(Self.drainMs - control.sinceStopMs, 100)) : Self.callMs)
  }

  /// Runs until it is stopped or has to stop; says why.
  package func run() -> StopReason {
    while true {
      do {
        while !control.isStopping {
          if consumer == nil || publisher == nil { try open() }
          try step()
          drainLog()
        }
        if !needsRewind { try closeTurn() }
        return end(try awaitOwnBlocks())
      } catch {
        switch error {
        case .kafka(let reason, _) where control.isStopping:
          if hasBegun { return end(.undrained("\(reason)")) }
          let isAway = awaySinceMs != nil
          return end(
            .unbegun(
              isAway ? "no broker has answered at \(settings.kafka.bootstrap)" : "\(reason)"))
        case .state(let reason) where control.isStopping: return end(.undrained("\(reason)"))
        default: break
        }
        if let reason = recover(from: error) { return end(reason) }
      }
    }
  }

  /// Makes what is missing, in the order of a start.
  private func open() throws(LoopFailure) {
    if publisher == nil { try openProducer() }
    if consumer == nil, let publisher { try openConsumer(publisher.producer) }
    if !isRestoring { monitor.update { $0.phase = .running } }
  }

  private func recover(from failure: LoopFailure) -> StopReason? {
    failuresInRow += 1
    let error: KafkaError
    let phase: Recovery.Phase
    switch failure {
    case .stop(let reason): return reason
    case .state(let failure):
      needsRewind = true
      return recover(from: failure)
    case .kafka(let kafkaError, let inPhase): (error, phase) = (kafkaError, inPhase)
    }
    var recovery = Recovery.from(error, in: phase)
    if recovery == .askWhoHolds { recovery = whoHolds(after: error) }
    if repeats.isTooMany(error, in: phase) {
      recovery = .stop(
        .failed("the same turn failed \(Repeats.max) times, and would again: \(error)"))
    }
    needsRewind = true
    switch recovery {
    case .stop(let reason): return reason
    case .rewind:
      settings.log.write(TurnRolledBack(product: product.name, reason: "\(error)"))
    case .renewProducer, .askWhoHolds:
      settings.log.write(ProducerRenewed(product: product.name, reason: "\(error)"))
      rollBackTurn()
      publisher = nil
    case .rejoin:
      settings.log.write(TurnRolledBack(product: product.name, reason: "\(error)"))
      rollBackTurn()
      leave()
    }
    // The first tries follow at once; a failure that repeats must not become a busy loop.
    if failuresInRow > 3 { world.pause(milliseconds: min(100 * failuresInRow, 2000)) }
    return nil
  }

  /// A turn was committed: whatever failed before is over.
  func noteSuccess() {
    failuresInRow = 0
    damagesSeen = 0
    repeats.reset()
    noteBack()
  }

  /// A broker has answered.
  func noteBack() {
    if awaySinceMs == nil { return }
    awaySinceMs = nil
    let phase: ProductStatus.Phase = isRestoring ? .restoring : .running
    monitor.update { $0.phase = phase }
  }

  /// `group.instance.id`
  var instanceName: String { "\(product.names.transactionalIdPrefix).\(settings.instance)" }

  private func openConsumer(_ producer: World.Producer) throws(LoopFailure) {
    let topics = product.inputs.map(\.topic) + product.journals.map(\.topic)
    let consumer: World.Consumer
    do {
      consumer = try world.makeConsumer(
        group: product.names.group, instance: instanceName, topics: topics,
        aside: Set((product.inputs.count..<topics.count).map(TopicOrdinal.init)), log: log)
    } catch {
      throw .stop(.refused("\(error)"))
    }
    let counts = try patiently { limit throws(KafkaError) in try consumer.partitionCounts(limit) }
    for (index, count) in counts.enumerated() where count == nil {
      throw .stop(.refused(missing(topics[index], isInput: index < product.inputs.count)))
    }
    try checkLogicEarly(consumer, counts.map { $0 ?? 0 })
    for (index, journal) in product.journals.enumerated() {
      if let count = counts[product.inputs.count + index], count != Int(journal.partitions) {
        throw .stop(.refused(wrongCount(journal.topic, count, journal.partitions)))
      }
    }
    for input in product.inputs.indices {
      ingest.expect(input: input, partitions: counts[input] ?? 0)
    }
    try checkOutputs(producer)
    do {
      try consumer.subscribe()
    } catch {
      throw .kafka(error, .reading)
    }
    control.setWake(consumer.wake)
    self.consumer = consumer
    hasBegun = true
    settings.log.write(
      ProductStarted(product: product.name, group: product.names.group, logic: logic))
  }

  /// Before anything asks for a topic by its name: many brokers would make it then, with a number
  /// of partitions of their own (`auto.create.topics.enable`).
  func checkTopics() throws(LoopFailure) {
    // A broker may not have heard yet of topics that were made just now.
    let patience = Deadline.after(milliseconds: Self.startCallMs)
    while let missing = missingTopic(try topicNames()) {
      if patience.hasPassed || control.isStopping {
        try checkIsHidden(missing.topic)
        throw .stop(.refused(missing.problem))
      }
      world.pause(milliseconds: 200)
    }
  }

  /// Among all topics those are left out that the user may not describe.
  private func checkIsHidden(_ topic: String) throws(LoopFailure) {
    _ = try patiently { limit throws(KafkaError) in
      try self.world.makeAdmin(readsUncommitted: false).topic(topic, limit)
    }
  }

  private func topicNames() throws(LoopFailure) -> Set<String> {
    Set(
      try patiently { limit throws(KafkaError) in
        try self.world.makeAdmin(readsUncommitted: false).topics(limit).map(\.name)
      })
  }

  private func missingTopic(_ present: Set<String>) -> (topic: String, problem: String)? {
    if let topic = product.inputs.first(where: { !present.contains($0.topic) })?.topic {
      return (topic, missing(topic, isInput: true))
    }
    let own = writtenTopics
    guard let topic = own.first(where: { !present.contains($0) }) else { return nil }
    if !present.isDisjoint(with: own) { return (topic, missing(topic, isInput: false)) }
    return (
      topic,
      "none of the product's topics is there: it was not applied to this broker, or under"
        + " another environment; `weft apply` makes them, --environment or WEFT_ENVIRONMENT says which"
        + " environment is meant"
    )
  }

  /// In the order of their ordinals: journals, ports, quarantine.
  var writtenTopics: [String] {
    product.journals.map(\.topic) + product.outputs.map(\.topic) + [product.names.quarantineTopic]
  }

  func checkOutputs(_ producer: World.Producer) throws(LoopFailure) {
    for (index, journal) in product.journals.enumerated() {
      let count = producer.partitions(of: TopicOrdinal(index))
      if count != journal.partitions {
        throw .stop(.refused(wrongCount(journal.topic, Int(count), journal.partitions)))
      }
    }
    for (index, output) in product.outputs.enumerated() {
      let count = producer.partitions(of: TopicOrdinal(product.journals.count + index))
      if count < output.partitions {
        throw .stop(.refused(wrongCount(output.topic, Int(count), output.partitions)))
      }
    }
  }

  func wrongCount(_ topic: String, _ count: Int, _ wanted: Int32) -> String {
    "topic \(topic) has \(count) partitions, the product's files say \(wanted); a partition count"
      + " is fixed for a topic's life: put the old count back, or make a new major version"
  }

  private func missing(_ topic: String, isInput: Bool) -> String {
    isInput
      ? "input topic \(topic) is not there; the system that writes it has to make it"
      : "topic \(topic) is not there; `weft apply` makes it"
  }

  /// Makes a call again and again while the brokers do not answer, and says so now and then.
  func patiently<Result>(_ call: (Deadline) throws(KafkaError) -> Result) throws(LoopFailure)
    -> Result
  {
    while true {
      do {
        let result = try call(.after(milliseconds: Self.startCallMs))
        if consumer == nil { awaySinceMs = nil } else { noteBack() }
        return result
      } catch {
        drainLog()
        if error.isTopicMissing {
          throw .stop(.refused("\(error); `weft apply` makes the product's topics"))
        }
        // What another try of the same call cannot help ends it: a new client, or nothing, can.
        if error.reaction != .retry || control.isStopping {
          throw .kafka(error, .reading)
        }
        noteAway(error)
        world.pause(milliseconds: 100)
      }
    }
  }

  /// Says that the brokers are away at once and then every half minute.
  func noteAway(_ error: KafkaError) {
    let now = world.monotonicMs()
    let since = awaySinceMs ?? now
    if awaySinceMs == nil || now - awaySaidMs >= 30_000 {
      awaySaidMs = now
      settings.log.write(
        BrokersAway(
          product: product.name, bootstrap: settings.kafka.bootstrap, reason: "\(error)",
          seconds: (now - since) / 1000))
    }
    awaySinceMs = since
    monitor.update { $0.phase = .waiting(error.message) }
  }

  private func drainLog() {
    for line in log.drain().lines {
      settings.log.write(KafkaSaid(product: product.name, line: line))
    }
  }

  /// Leaves the group; a static member keeps its partitions for when it comes back.
  func leave() {
    // First: a client does not end while records of its are held.
    rollBackTurn()
    control.setWake(nil)
    consumer?.close(.after(milliseconds: 2000))
    consumer = nil
    for entry in owned.offsets { forget(entry.at) }
    pausedInputs = []
    heldJournals = []
    ends.removeAll()
    uncommittedStarts = []
    awaitingStart = []
    isRestoring = false
    membership = nil
    look = nil
  }

  private func end(_ reason: StopReason) -> StopReason {
    rollBackTurn()
    // What is left open would hold readers back until it times out.
    if let producer = publisher?.producer, producer.isInTransaction {
      try? producer.abort(.after(milliseconds: 1000))
    }
    publisher = nil
    // States as they are left, for who asks later.
    if !owned.isEmpty {
      for slot in owned.allSlots { try? slot.close() }
      let states = stateStatuses
      monitor.update { $0.states = states }
    }
    leave()
    drainLog()
    monitor.update { $0.phase = .stopped(reason) }
    settings.log.write(ProductEnded(product: product.name, reason: reason))
    return reason
  }
}
