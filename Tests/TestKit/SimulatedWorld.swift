import Kafka
import Records
import State
import Worker

/// The world of one simulated process.
package final class SimulatedWorld: LoopWorld {
  /// What everything answers to a process that has been put out of the world.
  static let gone = KafkaError(
    code: .fatal, operation: "go on", message: "the process is gone", isFatal: true)
  /// The wall clock when a simulation begins.
  package static let epochMs: Int64 = 1_717_200_000_000

  private let simulation: Simulation
  private let process: SimulatedProcess
  /// How far the machine's wall clock is off.
  private let skewMs: Int64

  package init(_ simulation: Simulation, _ process: SimulatedProcess, skewMs: Int64) {
    self.simulation = simulation
    self.process = process
    self.skewMs = skewMs
  }

  package func makeConsumer(
    group: String, instance: String, topics: [String], aside: Set<TopicOrdinal>, log: ClientLog
  ) throws(KafkaError) -> SimulatedConsumer {
    SimulatedConsumer(
      simulation, process, group: group, instance: instance, topics: topics, aside: aside)
  }

  package func makeProducer(
    transactionalId: String, topics: [String], batchBytes: Int, log: ClientLog
  ) throws(KafkaError) -> SimulatedProducer {
    SimulatedProducer(simulation, process, transactionalId: transactionalId, topics: topics)
  }

  package func makeAdmin(readsUncommitted: Bool) throws(KafkaError) -> SimulatedAdmin {
    SimulatedAdmin(simulation, process, readsUncommitted: readsUncommitted)
  }

  package func look(at group: String, topics: [String]) -> SimulatedLook {
    SimulatedLook(simulation, topics)
  }

  package func openRows(_ directory: String, _ memory: StateMemory) throws(StoreFailure)
    -> RowStore
  {
    simulation.touch(process)
    try check(directory)
    return try RowStore(directory: directory, memory: memory, on: simulation.disk)
  }

  package func destroyRows(_ directory: String) throws(StoreFailure) {
    simulation.touch(process)
    try check(directory)
    try simulation.disk.destroy(directory)
  }

  private func check(_ directory: String) throws(StoreFailure) {
    if process.isDead {
      throw StoreFailure(.failed, directory: directory, detail: "the process is gone")
    }
  }

  package func wallMs() -> Int64 { SimulatedWorld.epochMs + simulation.nowMs + skewMs }
  /// A process that is gone must not wait for a time that does not come.
  package func monotonicMs() -> Int64 {
    if process.isDead { goneMs += 1000 }
    return simulation.nowMs + goneMs
  }
  private var goneMs: Int64 = 0
  package func monotonicMicroseconds() -> Int64 { monotonicMs() * 1000 }

  package func pause(milliseconds: Int) {
    simulation.touch(process)
    _ = simulation.wait(process, untilMs: simulation.nowMs + Int64(milliseconds)) {
      let isEnded = process.control.isStopping && !process.hasEndedPause
      if isEnded { process.hasEndedPause = true }
      return isEnded
    }
  }

  package func drawNumber() -> UInt64 {
    let number = simulation.random.next() | 1
    return simulation.plants.contains(.incarnationsAlike) ? 1 : number
  }
}

package final class SimulatedAdmin: LoopAdmin {
  private let simulation: Simulation
  private let process: SimulatedProcess
  private let readsUncommitted: Bool

  init(_ simulation: Simulation, _ process: SimulatedProcess, readsUncommitted: Bool) {
    self.simulation = simulation
    self.process = process
    self.readsUncommitted = readsUncommitted
  }

  private func call() throws(KafkaError) {
    try simulation.reach(process, "ask about the group", patienceMs: 3000)
  }

  package func topics(_ deadline: Deadline) throws(KafkaError) -> [TopicDescription] {
    try call()
    return simulation.broker.topics.sorted { $0.key < $1.key }.map {
      TopicDescription(name: $0.key, partitions: $0.value.count, replicas: 1)
    }
  }

  package func topic(_ name: String, _ deadline: Deadline) throws(KafkaError) -> TopicDescription? {
    try topics(deadline).first { $0.name == name }
  }

  package func topicConfigs(_ topic: String, _ deadline: Deadline) throws(KafkaError)
    -> [TopicConfig]
  { [] }

  package func group(_ name: String, _ deadline: Deadline) throws(KafkaError)
    -> GroupDescription?
  {
    try call()
    return simulation.broker.group.description
  }

  package func watermarks(_ topic: String, _ partition: Partition, _ deadline: Deadline)
    throws(KafkaError) -> Range<Int64>
  {
    try call()
    let log = simulation.broker.log(NamedPartition(topic: topic, partition: partition))
    return 0..<Int64((readsUncommitted ? log?.entries.count : log?.stableEnd) ?? 0)
  }
}

/// A look at the group, taken at once.
package final class SimulatedLook: LoopLook {
  package let isOver = true
  package let outcome: GroupLook.Outcome?

  init(_ simulation: Simulation, _ topics: [String]) {
    let broker = simulation.broker
    if simulation.areBrokersAway {
      outcome = nil
      return
    }
    outcome = GroupLook.Outcome(
      group: broker.group.description, counts: topics.map { broker.partitions(of: $0) })
  }
}
