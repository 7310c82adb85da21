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
  private var started = 0
  private var handled: Set<Int> = []
  private var writesFailUntilMs: Int64 = -1
  private var isWindingDown = false
  /// Nobody runs while everything is made anew.
  private(set) var isDown = false
  private(set) var hasMadeAnew = false
  /// Directories of states that were written since.
  private(set) var written: Set<String> = []
  /// Those that the disk did not take when they were to be written last.
  private(set) var refused: Set<String> = []

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
  private func makeTopics() {
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

  private func start(_ instance: Int, machine: Int, isEdited: Bool = false) {
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

  /// A machine that no process is on.
  private func freeMachine() -> Int {
    let taken = Set(simulation.processes.filter { !$0.hasEnded }.map(\.machine))
    return (0...).first { !taken.contains($0) && simulation.random.percent(70) } ?? 0
  }

  // MARK: What goes wrong

  private func inject(_ kind: Fault.Kind, _ process: SimulatedProcess) {
    simulation.note("fault \(kind) at \(process.name)")
    switch kind {
    case .crash(let afterMs, let elsewhere):
      simulation.kill(process)
      replace(process, afterMs, elsewhere: elsewhere)
    case .freeze(let forMs, let replaced):
      simulation.freeze(process, forMs: forMs)
      if replaced { replace(process, Int64(simulation.random.below(Int(forMs))), elsewhere: true) }
    case .stop(let afterMs):
      process.control.stop()
      simulation.wakeAll()
      replace(process, afterMs, elsewhere: false)
    case .edit(let afterMs):
      if simulation.broker.offsets.isEmpty { return }
      simulation.kill(process)
      simulation.after(afterMs) { [unowned self] in
        start(process.instance, machine: process.machine, isEdited: true)
      }
    case .powerLost(let afterMs):
      simulation.kill(process)
      simulation.disk.losePower(under: "m\(process.machine)/") { [simulation] in
        simulation.random.below($0 + 1)
      }
      replace(process, afterMs, elsewhere: false)
    case .rebalance: simulation.broker.group.rebalance()
    case .memberForgotten(let standsForMs):
      simulation.broker.group.forget(process)
      simulation.freeze(process, forMs: standsForMs)
    case .transactionTimedOut: simulation.broker.timeOutAny()
    case .commitUnanswered(let arrival): process.nextCommit = arrival
    case .markersAgain(let records, let dies):
      process.markersAgain = (
        records,
        { [unowned self] in
          if dies { inject(.crash(afterMs: 100, elsewhere: false), process) }
        }
      )
    case .deliveryFailed: process.isDeliveryFailing = true
    case .madeAnew(let afterMs): makeAnew(afterMs)
    case .readerHangs: simulation.broker.group.hang(process)
    case .diskDamaged:
      if let one = state(of: process) { simulation.disk.damaged.insert(one) }
    case .rowsDamaged:
      if let one = state(of: process) { simulation.disk.unreadable.insert(one) }
    case .brokersAway(let forMs): simulation.takeBrokersAway(forMs: forMs)
    case .writesFail: writesFailUntilMs = simulation.nowMs + 300
    }
  }

  private func replace(_ process: SimulatedProcess, _ afterMs: Int64, elsewhere: Bool) {
    simulation.after(afterMs) { [unowned self] in
      start(process.instance, machine: elsewhere ? freeMachine() : process.machine)
    }
  }

  /// A state on the machine of a process.
  private func state(of process: SimulatedProcess) -> String? {
    let own = simulation.disk.directories.filter { $0.hasPrefix("m\(process.machine)/") }
    return own.isEmpty ? nil : own[simulation.random.below(own.count)]
  }

  /// As `weft apply --recreate` does when no worker runs: the inputs are read from the beginning,
  /// and what machines have on their disks stays there.
  private func makeAnew(_ afterMs: Int64) {
    if isDown || definition.journals.isEmpty { return }
    isDown = true
    var instances: [Int: Int] = [:]
    let isInOrder = simulation.random.percent(70)
    for process in simulation.processes where process.isAlive {
      instances[process.instance] = process.machine
      if isInOrder { process.control.stop() } else { simulation.kill(process) }
    }
    simulation.wakeAll()
    simulation.after(isInOrder ? 12_000 : afterMs) { [unowned self] in
      simulation.note("made anew")
      for process in simulation.processes where process.isAlive { simulation.kill(process) }
      simulation.broker.startOver()
      makeTopics()
      hasMadeAnew = true
      asked = []
      written = []
      simulation.disk.sync()
      isDown = false
      for (instance, machine) in instances.sorted(by: { $0.key < $1.key }) {
        start(instance, machine: simulation.random.percent(70) ? machine : freeMachine())
      }
    }
  }

  /// What a disk does with a step.
  private func write(_ directory: String, _ step: inout MemoryDisk.Step) throws(StoreFailure) {
    if let process = simulation.current {
      simulation.touch(process)
      if process.isDead {
        throw StoreFailure(.failed, directory: directory, detail: "the process is gone")
      }
    }
    if simulation.nowMs < writesFailUntilMs {
      refused.insert(directory)
      throw StoreFailure(.full, directory: directory, detail: "No space left on device")
    }
    simulation.damage(&step)
    if isWindingDown && plants.contains(.lastStepLost) { step = [] }
    written.insert(directory)
    refused.remove(directory)
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
    for journal in definition.journals {
      for partition in 0..<Int(journal.partitions) {
        let waiting = simulation.broker.waiting(journal.topic, partition)
        if waiting > Run.waitingMax + given.operations.count * 6 {
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

  /// Kafka forgets the offsets of an idle group: the product must not start over by itself.
  private func forgetOffsets() {
    if definition.journals.isEmpty { return }
    let blocks = definition.journals.contains { journal in
      (0..<Int(journal.partitions)).contains {
        simulation.broker.lastCommitted(journal.topic, $0) >= 0
      }
    }
    if !blocks { return }
    simulation.broker.forgetOffsets()
    if plants.contains(.forgottenUnseen) { makeTopics() }
    expectRefusal(naming: "offsets.retention", "forgotten offsets")
  }

  /// Starts a process when all is done, which must see what is wrong.
  private func expectRefusal(naming text: String, _ what: String) {
    let before = started
    isWindingDown = false
    start(0, machine: 0)
    // What else was to start would take partitions from it.
    isWindingDown = true
    var new: SimulatedProcess? {
      simulation.processes.last { $0.number > before && $0.instance == 0 }
    }
    _ = simulation.run(forMs: 100_000, calls: 20_000) { new?.hasEnded ?? false }
    guard let process = new, process.hasEnded else {
      fail("\(what) were not refused: the product runs")
      new?.control.stop()
      _ = simulation.run(forMs: 200_000, calls: 100_000) { new?.hasEnded ?? true }
      return
    }
    if case .refused(let reason) = process.reason, reason.contains(text) { return }
    fail("\(what) were not refused: \(String(describing: process.reason))")
  }

  /// Somebody sets one of the group's offsets below what a state has, or anywhere with Kafka's own
  /// tool, which leaves no metadata: what a state was made of would be published twice, or what was
  /// not published would never be.
  private func changeOffsets() {
    for journal in definition.journals.indices {
      for number in 0..<definition.journals[journal].partitions {
        let directory = files(0, 0).directory(definition, journal: journal, Partition(number))
        let at = NamedPartition(
          topic: definition.journals[journal].topic, partition: Partition(number))
        guard simulation.disk.directories.contains(directory),
          !simulation.disk.damaged.contains(directory),
          !hasMadeAnew || written.contains(directory),
          let committed = simulation.broker.offsets[at]?.offset,
          let position = position(of: directory), position > 0
        else { continue }
        let before = simulation.broker.offsets[at]
        if plants.contains(.aheadUnseen) { try? simulation.disk.destroy(directory) }
        simulation.broker.set(at, to: position - 1)
        expectRefusal(naming: "is ahead of what", "offsets below a state's")
        simulation.broker.set(at, to: position + (given.seed % 2 == 0 ? 1 : -1), metadata: "")
        expectRefusal(naming: "was not committed to", "an offset that a tool has set")
        simulation.broker.set(at, to: committed, metadata: before?.metadata)
        return
      }
    }
  }

  /// How far a state on disk is in its journal.
  private func position(of directory: String) -> Int64? {
    let memory = StateMemory(bytes: StateMemory.bytesMin)
    let store = try? RowStore(directory: directory, memory: memory, on: simulation.disk)
    return store?.moment.map { $0.stamp.position.value }
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
