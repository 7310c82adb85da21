import Kafka
import Product
import Records
import State
import Worker

/// What a start must be refused for.
extension Run {
  /// Kafka forgets the offsets of an idle group: the product must not start over by itself.
  func forgetOffsets() {
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
  func changeOffsets() {
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
