import Formats
import Kafka
import Observability
import Product
import Records
import State
import Synchronization
import Worker

/// One case being run, and what was wrong with it.
package final class Run {
  package let given: Case
  package private(set) var failures: [String] = []
  package var calls: Int { simulation.calls }
  package var trace: [String] { simulation.trace ?? [] }

  let simulation: Simulation
  let definition: ProductDefinition
  /// By input and partition, in the order of offsets.
  private(set) var fed: [[[GeneratedInput]]]
  private let edited: ProductDefinition
  let plants: Set<Plant>
  private let entriesMax: Int?
  private let memory: StateMemory
  private var feedingLeft: Int
  var operationsLeft: Int
  /// What was written of what operators have asked for.
  var asked: [Asked] = []
  var started = 0
  private var handled: Set<Int> = []
  var writesFailUntilMs: Int64 = -1
  var isWindingDown = false
  /// Nobody runs while everything is made anew.
  var isDown = false
  var hasMadeAnew = false
  /// Directories of states that were written since.
  var written: Set<String> = []
  /// Those that the disk did not take when they were to be written last.
  var refused: Set<String> = []

  /// - Throws: ``Shape/Rejected`` if the product's files are refused.
  package init(_ given: Case, plants: Set<Plant> = [], traces: Bool = false) throws {
    self.given = given
    self.plants = plants
    let shape = plants.reduce(given.shape) { $1.changed($0) }
    definition = plants.reduce(try Run.definition(shape)) { $1.changed($0) }
    entriesMax = shape.entriesMax
    let isEdited = given.faults.contains { if case .edit = $0.kind { true } else { false } }
    edited = isEdited ? try Run.definition(given.shape.edited(given.seed / 16)) : definition
    simulation = Simulation(seed: given.seed, plants: plants)
    if traces { simulation.trace = [] }
    memory = StateMemory(bytes: StateMemory.bytesMin, hotBytes: given.hotBytes)
    fed = given.shape.inputNames.map { _ in
      Array(repeating: [], count: given.shape.inputPartitions)
    }
    feedingLeft = given.inputs.count
    operationsLeft = given.operations.count
  }

  private static let definitions = Mutex<[Shape: ProductDefinition]>([:])

  private static func definition(_ shape: Shape) throws -> ProductDefinition {
    if let known = definitions.withLock({ $0[shape] }) { return known }
    let made = try shape.definition()
    definitions.withLock {
      if $0.count > 64 { $0.removeAll() }
      $0[shape] = made
    }
    return made
  }

  func fail(_ text: String) {
    if failures.count < 20 { failures.append(text) }
    simulation.note("FAILURE: \(text)")
  }

  // MARK: The run

  /// Runs the case to its end; what was wrong is in ``failures``.
  package func run() {
    prepare()
    for instance in 0..<given.instances { start(instance, machine: instance) }
    if !simulation.run(forMs: 900_000, calls: 300_000, until: isSettled) {
      fail("the product does not get done with its input: \(progress)")
    }
    if failures.isEmpty { windDown() }
    if failures.isEmpty {
      do { try Checks(self).check() } catch { fail("\(error)") }
    }
    if failures.isEmpty && given.forgetsOffsets {
      changeOffsets()
      forgetOffsets()
    }
    simulation.inject = { _, _ in }
    simulation.finish()
  }

  private func prepare() {
    let broker = simulation.broker
    for input in definition.inputs {
      broker.makeTopic(input.topic, partitions: given.shape.inputPartitions)
    }
    makeTopics()
    broker.group.topics = definition.inputs.map(\.topic) + definition.journals.map(\.topic)
    for input in given.inputs {
      simulation.after(input.atMs) { [unowned self] in feed(input) }
    }
    for operation in given.operations { schedule(operation) }
    simulation.faults = Dictionary(given.faults.map { ($0.call, $0.kind) }) { first, _ in first }
    simulation.inject = { [unowned self] in inject($0, $1) }
    simulation.disk.intercept = { [unowned self] directory, step throws(StoreFailure) in
      try write(directory, &step)
    }
  }

  /// Those of the product's own.
  func makeTopics() {
    let broker = simulation.broker
    for journal in definition.journals {
      broker.makeTopic(journal.topic, partitions: Int(journal.partitions))
    }
    for output in definition.outputs {
      broker.makeTopic(output.topic, partitions: Int(output.partitions))
    }
    broker.makeTopic(definition.names.quarantineTopic, partitions: 1)
  }

  private func feed(_ input: GeneratedInput) {
    feedingLeft -= 1
    // What asked for links may have been taken away.
    if input.kind == .Linked && !given.shape.usesLinks { return }
    if input.kind == .Kept && !given.shape.usesKept { return }
    let number = given.shape.input(of: input.kind)
    let headers = plants.reduce(input) { $1.changed($0, after: fed[number].joined(), given.shape) }
      .headers
    fed[number][input.partition].append(input)
    simulation.broker.append(
      SimulatedBroker.Record(
        key: key(of: input), value: value(of: input),
        timestampMs: SimulatedWorld.epochMs + input.atMs,
        headers: plants.contains(.linkTimesLost) ? [] : headers),
      to: definition.inputs[number].topic, input.partition)
  }

  private func key(of input: GeneratedInput) -> [UInt8]? {
    guard input.isDeletion, plants.contains(.otherRowDeleted) else { return input.key }
    var other = input
    other.account = input.account == "a0" ? "a1" : "a0"
    return other.key
  }

  private func value(of input: GeneratedInput) -> [UInt8]? {
    input.isDeletion && plants.contains(.emptyForNull) ? [] : input.value
  }

  func start(_ instance: Int, machine: Int, isEdited: Bool = false) {
    if isWindingDown { return }
    // A lock on the machine keeps a second one out, until the first one is really gone.
    if isDown || simulation.processes.contains(where: { $0.machine == machine && !$0.hasEnded }) {
      simulation.after(20) { [unowned self] in
        start(instance, machine: machine, isEdited: isEdited)
      }
      return
    }
    // Before anything is committed, other files are as good as these.
    let isEdited = isEdited && !simulation.broker.offsets.isEmpty
    started += 1
    let settings = LoopSettings(
      product: isEdited ? edited : definition, kafka: ClientSettings(bootstrap: "simulated"),
      instance: "\(instance).0",
      turn: TurnMeter.Limits(
        records: given.turnRecords, outputBytes: given.turnOutputBytes, ageMs: given.turnAgeMs),
      outputBytes: given.batchBytes, holdBytes: given.holdBytes, entriesMax: entriesMax,
      tickMs: given.tickMs, state: files(instance, machine),
      unsafe: UnsafeSettings(disabled: plants.reduce(into: []) { $0.formUnion($1.rules) }),
      log: Log(format: .logfmt, level: .debug, clock: { 0 }) { [simulation] in
        if simulation.trace != nil { simulation.note($0) }
        if $0.contains("no more of the journal comes") { simulation.silences.append($0) }
      })
    let skew = Int64(simulation.random.below(4000)) - 2000
    let process = SimulatedProcess(
      number: started, instance: instance, machine: machine, isEdited: isEdited
    ) { [simulation] process in
      let world = SimulatedWorld(simulation, process, skewMs: skew)
      do {
        return try ProductLoop(
          settings, control: process.control, monitor: ProductMonitor(product: "goods"), in: world
        ).run()
      } catch {
        return .failed("\(error)")
      }
    }
    simulation.start(process)
  }

  func files(_ instance: Int, _ machine: Int) -> StateFiles {
    StateFiles(directory: "m\(machine)/shop.\(instance)", memory: memory)
  }

  // MARK: Where it is

  private func isSettled() -> Bool {
    look()
    checkWaiting()
    for process in simulation.processes where process.hasCommittedAsEdited {
      fail("\(process.name) has committed by other files than those before")
    }
    if let silence = simulation.silences.first,
      !given.faults.contains(where: { $0.kind == .readerHangs })
    {
      fail("a reader hangs: \(silence)")
    }
    if !failures.isEmpty { return true }
    if feedingLeft > 0 || operationsLeft > 0 || isDown || simulation.broker.hasOpenTransactions {
      return false
    }
    // Who stands still is waited for: it must find out that it is too late.
    if simulation.hasFrozen { return false }
    return progress.isEmpty
  }

  /// However full its turns are, a worker takes in no more than it can apply soon. (A crash in
  /// between costs a turn's worth each time; other instances write to the same journals.)
  private func checkWaiting() {
    if given.instances > 1 || !given.faults.isEmpty { return }
    // With a clock a turn writes ticks behind its events.
    let most = (given.shape.hasClock ? 2 : 1) * Run.waitingMax + given.operations.count * 6
    for journal in definition.journals {
      for partition in 0..<Int(journal.partitions) {
        let waiting = simulation.broker.waiting(journal.topic, partition)
        if waiting > most {
          fail("\(journal.topic)/\(partition) runs ahead: \(waiting) blocks wait to be applied")
        }
      }
    }
  }
  private static let waitingMax = 4

  /// Deals with processes that have ended.
  private func look() {
    for process in simulation.processes where process.hasEnded {
      if !handled.insert(process.number).inserted { continue }
      guard let reason = process.reason else { continue }
      simulation.note("\(process.name) ended: \(reason)")
      if process.isEdited {
        switch reason {
        case .otherLogic, .undrained, .unbegun, .fenced: break
        case .drained where process.control.isStopping: break
        default: fail("other files were not refused: \(reason)")
        }
        replace(process, 50, elsewhere: false)
        continue
      }
      switch reason {
      case .drained, .unapplied, .undrained, .unbegun: break
      case .fenced: reviveIfNone(process)
      case .failed(let text) where text.hasPrefix("no room"): reviveIfNone(process)
      // A disk that damages one state after another is not worked on.
      case .failed(let text) where text.contains("checksum") && damages > 3:
        reviveIfNone(process)
      default: fail("\(process.name) stopped: \(reason.message)")
      }
    }
  }

  private var damages: Int {
    given.faults.count { $0.kind == .rowsDamaged || $0.kind == .diskDamaged }
  }

  /// A person starts an instance again that has nobody.
  private func reviveIfNone(_ process: SimulatedProcess) {
    simulation.after(500) { [unowned self] in
      let isThere = simulation.processes.contains {
        $0.instance == process.instance && $0.isAlive
      }
      if !isThere { start(process.instance, machine: process.machine) }
    }
  }

  /// What is not committed yet; empty: everything is.
  private var progress: String {
    let broker = simulation.broker
    var missing: [String] = []
    for input in definition.inputs {
      for partition in 0..<given.shape.inputPartitions {
        let at = NamedPartition(topic: input.topic, partition: Partition(Int32(partition)))
        let end = broker.end(input.topic, partition)
        let done = broker.offsets[at]?.offset ?? 0
        if done < end { missing.append("\(input.topic)/\(partition) at \(done) of \(end)") }
      }
    }
    for journal in definition.journals {
      for partition in 0..<Int(journal.partitions) {
        let at = NamedPartition(topic: journal.topic, partition: Partition(Int32(partition)))
        let last = broker.lastEvents(journal.topic, partition)
        let done = broker.offsets[at]?.offset ?? 0
        if done <= last { missing.append("\(journal.topic)/\(partition) at \(done), last \(last)") }
      }
    }
    if missing.isEmpty { missing = TickChecks(run: self).missing() }
    return missing.joined(separator: ", ")
  }

  /// Of the planted faults the one of the clock.
  var clockFault: ReferenceClock.Fault? { plants.lazy.compactMap(\.clockFault).first }

  private func windDown() {
    isWindingDown = true
    simulation.faults = [:]
    writesFailUntilMs = -1
    for process in simulation.processes where process.isAlive { process.control.stop() }
    simulation.wakeAll()
    let ended = simulation.run(forMs: 200_000, calls: 100_000) { [self] in
      look()
      return simulation.processes.allSatisfy(\.hasEnded) && !simulation.broker.hasOpenTransactions
    }
    if !ended { fail("the worker does not stop when it is asked to") }
  }
}

extension SimulatedBroker {
  /// Records that readers see and the group has not committed.
  func waiting(_ topic: String, _ partition: Int) -> Int {
    let at = NamedPartition(topic: topic, partition: Partition(Int32(partition)))
    guard let log = log(at) else { return 0 }
    let done = Int(offsets[at]?.offset ?? 0)
    return (min(done, log.stableEnd)..<log.stableEnd).count {
      if case .record(_, let number) = log.entries[$0] {
        !log.aborted.contains(number)
      } else {
        false
      }
    }
  }

  /// Committed records of a journal that the group has applied. Behind them may be ticks that were
  /// written when everybody stopped.
  func applied(_ topic: String, _ partition: Int) -> [(offset: Int64, record: Record)] {
    let end = offsets[NamedPartition(topic: topic, partition: Partition(Int32(partition)))]?.offset
    return committed(topic, partition).filter { $0.offset < end ?? 0 }
  }

  /// The offset of the last block of events that readers see; −1 if there is none. Ticks go on for
  /// ever, and one is always on its way.
  func lastEvents(_ topic: String, _ partition: Int) -> Int64 {
    committed(topic, partition).last { $0.record.value?[1] != JournalBlockKind.ticks.rawValue }?
      .offset ?? -1
  }

  /// The offset of the last record that readers see; −1 if there is none.
  func lastCommitted(_ topic: String, _ partition: Int) -> Int64 {
    committed(topic, partition).last?.offset ?? -1
  }
}
