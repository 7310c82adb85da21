import Kafka
import Product
import State
import Worker

/// What goes wrong, and when.
extension Run {
  func inject(_ kind: Fault.Kind, _ process: SimulatedProcess) {
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

  func replace(_ process: SimulatedProcess, _ afterMs: Int64, elsewhere: Bool) {
    simulation.after(afterMs) { [unowned self] in
      start(process.instance, machine: elsewhere ? freeMachine() : process.machine)
    }
  }

  /// A machine that no process is on.
  private func freeMachine() -> Int {
    let taken = Set(simulation.processes.filter { !$0.hasEnded }.map(\.machine))
    return (0...).first { !taken.contains($0) && simulation.random.percent(70) } ?? 0
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
  func write(_ directory: String, _ step: inout MemoryDisk.Step) throws(StoreFailure) {
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
}
