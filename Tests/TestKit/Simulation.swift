import Dispatch
import Foundation
import Kafka
import Product
import Records
import State
import Worker

/// Whole workers in a world that goes wrong as its seed says: a broker, machines with disks, and
/// processes that crash, stand still, wake late and are replaced at any call that they make.
///
/// Each process has a thread, but only one runs at a time: whoever holds the baton. At every call
/// into the world the schedule may pass it on. So a seed gives the same run each time, and time is
/// a number that goes on when nobody has anything to do.
package final class Simulation: @unchecked Sendable {
  package let plants: Set<Plant>
  package var random: Random
  package private(set) var nowMs: Int64 = 0
  package let disk = MemoryDisk()
  package private(set) lazy var broker = SimulatedBroker(self)
  package private(set) var processes: [SimulatedProcess] = []
  /// Calls into the world so far.
  package private(set) var calls = 0
  /// What goes wrong at which call.
  package var faults: [Int: Fault.Kind] = [:]
  /// The story, when it is asked for.
  package var trace: [String]?
  /// What loops have said of readers that hang.
  var silences: [String] = []
  /// To whom each partition was given last.
  package internal(set) var holders: [NamedPartition: SimulatedProcess] = [:]
  /// A fault was met that concerns one process; the owner decides what follows.
  package var inject: (Fault.Kind, SimulatedProcess) -> Void = { _, _ in }

  /// Who asked for a run waits here until it is over.
  private let director = DispatchSemaphore(value: 0)
  private var goal: Goal?
  private var outcome = false
  /// What happens by itself, the latest first.
  private var timeline: [(atMs: Int64, action: () -> Void)] = []
  /// How many calls in a hundred pass the baton on.
  private let restlessness: Int

  package init(seed: UInt64, plants: Set<Plant>) {
    random = Random(seed)
    self.plants = plants
    disk.hidesUnreadable = plants.contains(.damageUnseen)
    restlessness = [3, 10, 25][random.below(3)]
  }

  package func note(_ text: @autoclosure () -> String) {
    trace?.append("\(nowMs) \(text())")
  }

  // MARK: Time

  /// Has something happen later, whoever runs then.
  package func after(_ milliseconds: Int64, _ action: @escaping () -> Void) {
    let atMs = nowMs + milliseconds
    // Of two things at one moment that which was said first comes first.
    let place = timeline.lastIndex { $0.atMs > atMs }.map { $0 + 1 } ?? 0
    timeline.insert((atMs, action), at: place)
  }

  private func runTimeline() {
    while let next = timeline.last, next.atMs <= nowMs {
      timeline.removeLast()
      next.action()
    }
  }

  /// Something changed that a process may be waiting for.
  package func wakeAll() {
    for process in processes where process.isWaiting { process.wakeMs = nowMs }
  }

  // MARK: Processes

  package func start(_ process: SimulatedProcess) {
    processes.append(process)
    process.wakeMs = nowMs
    note("start \(process.name)")
    process.begin { [self] in passOn() }
  }

  /// When a run is over.
  private struct Goal {
    let endMs: Int64
    let lastCall: Int
    let isDone: () -> Bool
  }

  /// Lets processes run until `isDone`; false when that took too long.
  package func run(forMs limit: Int64, calls callsMax: Int, until isDone: @escaping () -> Bool)
    -> Bool
  {
    goal = Goal(endMs: nowMs + limit, lastCall: calls + callsMax, isDone: isDone)
    passOn()
    director.wait()
    return outcome
  }

  /// Who comes next, once time has come so far; nil: the run is over.
  private func next() -> SimulatedProcess? {
    guard let goal else { return nil }
    while true {
      runTimeline()
      outcome = goal.isDone()
      if outcome || nowMs > goal.endMs || calls > goal.lastCall { return nil }
      let ready = processes.filter { $0.isReady(nowMs) }
      if !ready.isEmpty { return ready[random.below(ready.count)] }
      let moments =
        processes.filter { !$0.hasEnded }.map { max($0.wakeMs, $0.frozenUntilMs) }
        + (timeline.last.map { [$0.atMs] } ?? [])
      guard let next = moments.min() else { return nil }
      nowMs = max(nowMs, next)
    }
  }

  /// Who holds the baton.
  package private(set) var current: SimulatedProcess?

  /// Gives the baton to whoever comes next; whoever had it goes on only when it gets it back.
  /// Nothing is waited for where that is the same one.
  private func passOn(from process: SimulatedProcess? = nil) {
    current = nil
    let next = next()
    next?.isWaiting = false
    current = next
    if let next, next === process { return }
    if let next {
      next.resume()
    } else {
      goal = nil
      director.signal()
    }
    process?.awaitTurn()
  }

  /// Every process is put out of the world, so that its thread ends.
  package func finish() {
    for process in processes where !process.hasEnded { kill(process) }
    for process in processes {
      if process.hasEnded { continue }
      current = process
      process.resume()
      director.wait()
    }
    // What they and the timeline do would hold all of this for ever.
    processes.removeAll()
    holders.removeAll()
    timeline.removeAll()
    goal = nil
    broker.empty()
  }

  /// Nothing that the process does from now on reaches the world.
  package func kill(_ process: SimulatedProcess) {
    if process.hasEnded || process.isDead { return }
    note("kill \(process.name)")
    process.isDead = true
    process.silentSinceMs = nowMs
    process.frozenUntilMs = 0
    process.wakeMs = nowMs
    process.control.stop()
    broker.group.fellSilent(process)
  }

  /// The process stands still for so long, without a heartbeat.
  package func freeze(_ process: SimulatedProcess, forMs milliseconds: Int64) {
    note("freeze \(process.name) for \(milliseconds)")
    process.frozenUntilMs = nowMs + milliseconds
    process.silentSinceMs = nowMs
    broker.group.fellSilent(process)
    after(milliseconds) {
      if !process.isDead { process.silentSinceMs = nil }
    }
  }

  /// Whether a process stands still.
  package var hasFrozen: Bool { processes.contains { $0.isAlive && $0.frozenUntilMs > nowMs } }

  // MARK: What a process calls

  /// A call into the world: anything may happen here.
  func touch(_ process: SimulatedProcess) {
    if process.isDead { return }
    calls += 1
    if let kind = faults[calls] { inject(kind, process) }
    if process.isDead { return }
    if nowMs < process.frozenUntilMs || random.percent(restlessness) {
      if random.percent(50) { nowMs += Int64(random.below(4)) }
      pass(process, untilMs: nowMs)
    }
  }

  /// Waits until something is the case, at most until a moment; whether it is.
  func wait(_ process: SimulatedProcess, untilMs: Int64, _ isSo: () -> Bool) -> Bool {
    while !process.isDead {
      if isSo() { return true }
      if nowMs >= untilMs { return false }
      process.isWaiting = true
      pass(process, untilMs: untilMs)
    }
    return false
  }

  /// No broker answers anybody for so long.
  package func takeBrokersAway(forMs milliseconds: Int64) {
    awayUntilMs = max(awayUntilMs, nowMs + milliseconds)
    after(milliseconds) { [self] in wakeAll() }
  }
  private var awayUntilMs: Int64 = 0
  var areBrokersAway: Bool { nowMs < awayUntilMs }

  /// A call that a broker has to answer: waits for one, and fails when none comes back in time.
  func reach(_ process: SimulatedProcess, _ operation: String, patienceMs: Int64)
    throws(KafkaError)
  {
    touch(process)
    let isThere = wait(process, untilMs: nowMs + patienceMs) { !areBrokersAway }
    if process.isDead { throw SimulatedWorld.gone }
    if !isThere { throw KafkaError(code: .timedOut, operation: operation, isRetriable: true) }
  }

  private func pass(_ process: SimulatedProcess, untilMs: Int64) {
    process.wakeMs = untilMs
    passOn(from: process)
  }
}

/// One process of a worker, with one product.
package final class SimulatedProcess: @unchecked Sendable {
  package let number: Int
  package let instance: Int
  package let machine: Int
  /// Runs with other files than the rest.
  package let isEdited: Bool
  package let control = LoopControl()
  package private(set) var hasEnded = false
  package private(set) var reason: StopReason?
  package internal(set) var isDead = false
  var frozenUntilMs: Int64 = 0
  var wakeMs: Int64 = 0
  var isWaiting = false
  /// Its next wait in a poll ends at once.
  var isWoken = false
  /// A stop ends one pause, not all.
  var hasEndedPause = false
  /// What its next commit comes to, of which it hears nothing.
  var nextCommit: Fault.Arrival?
  /// The markers of the next transaction that it ends come again, amid the one after it.
  var markersAgain: (records: Int?, then: () -> Void)?
  var hasCommittedAsEdited = false
  /// What it sends next does not arrive.
  var isDeliveryFailing = false
  /// What it held, as the group has it, when it left.
  package internal(set) var leftWith: Set<NamedPartition> = []
  /// Since when it has sent no heartbeat.
  var silentSinceMs: Int64?

  private let turn = DispatchSemaphore(value: 0)
  private var body: ((SimulatedProcess) -> StopReason)?

  package init(
    number: Int, instance: Int, machine: Int, isEdited: Bool,
    _ body: @escaping (SimulatedProcess) -> StopReason
  ) {
    self.number = number
    self.instance = instance
    self.machine = machine
    self.isEdited = isEdited
    self.body = body
  }

  package var name: String { "process \(number) (instance \(instance), machine \(machine))" }
  package var isAlive: Bool { !hasEnded && !isDead }

  func isReady(_ nowMs: Int64) -> Bool {
    !hasEnded && wakeMs <= nowMs && frozenUntilMs <= nowMs
  }

  func begin(_ passOn: @escaping @Sendable () -> Void) {
    let thread = Thread { [self] in
      turn.wait()
      let reason = body?(self)
      self.reason = isDead ? nil : reason
      // A thread keeps its block for longer than it runs.
      body = nil
      hasEnded = true
      passOn()
    }
    thread.stackSize = 4 << 20
    thread.start()
  }

  func resume() { turn.signal() }
  func awaitTurn() { turn.wait() }
}
