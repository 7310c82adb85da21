import Engine
import Formats
import Product
import Records

/// What journals are told of their sources, looked at from outside.
struct TickChecks {
  let run: Run

  /// The times of records that show one. Those that cannot be read at all show none, nor do those
  /// that no journal takes.
  private func shown(_ input: GeneratedInput) -> Int64? {
    switch input.flaw {
    case nil, .noId, .wrongType, .noKeys, .tooLarge: break
    case .unknownType where input.kind == .Told: break
    default: return nil
    }
    let shape = run.given.shape
    let event = EventReference(
      input: shape.input(of: input.kind), event: input.kind == .Closed ? 1 : 0)
    if !run.definition.journals.contains(where: { $0.keys[event] != nil }) { return nil }
    return input.actualMs(shape)
  }

  private func largest(_ input: Int, _ partition: Int) -> Int64? {
    run.fed[input][partition].compactMap(shown).max()
  }

  /// What is not told yet though all is taken: that each source is at its end, and, if no worker
  /// was disturbed, how far it has come.
  func missing() -> [String] {
    var missing: [String] = []
    for (number, journal) in run.definition.journals.enumerated() {
      let inputs = run.definition.clockInputs(ofJournal: number)
      if inputs.isEmpty { continue }
      for partition in 0..<Int(journal.partitions) {
        let place = "\(journal.topic)/\(partition)"
        let ticks = Self.ticks(run.simulation.broker.applied(journal.topic, partition))
        for input in inputs.sorted() {
          for source in 0..<run.given.shape.inputPartitions {
            let own = ticks.filter {
              $0.input == input && $0.partition.value == source && $0.isRead
            }
            let told = own.compactMap(\.shownMs).max()
            let isAtEnd = own.last?.isAtEnd ?? false
            let isWhole = run.given.faults.isEmpty && run.given.instances == 1
            if !isAtEnd || isWhole && told != largest(input, source) {
              missing.append("\(place) is not told how far \(input)/\(source) is")
            }
            if let told, told > largest(input, source) ?? .min {
              run.fail("\(place) is told of \(told) in \(input)/\(source), which nothing shows")
            }
          }
        }
      }
    }
    return missing
  }

  private static func ticks(_ blocks: [(offset: Int64, record: SimulatedBroker.Record)])
    -> [JournalTick]
  {
    var all: [JournalTick] = []
    for (_, record) in blocks {
      ByteView.lending(record.value ?? []) { bytes in
        guard let block = try? JournalBlock(bytes), block.kind == .ticks else { return }
        var ticks = block.ticks
        while let tick = try? ticks.next() { all.append(tick) }
      }
    }
    return all
  }
}
