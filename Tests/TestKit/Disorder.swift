import Engine
import Product
import Records

/// A generated product whose input comes in the order of its actual times, and in others in which
/// nothing comes later than its windows and joins wait for. The order must not be seen in what
/// comes of it, but for what follows the order of the journal by its definition.
package struct Disorder {
  /// What came of one order, without what tells when: positions and recorded times.
  package struct Outcome: Hashable {
    /// Of state ports, by topic and key.
    package var rows: [String: String] = [:]
    /// Of event ports: how often each record stands, those that were taken back not counted.
    package var events: [String: Int] = [:]
    package var quarantined: [String: Int] = [:]
    package var held = 0

    /// What is here and not there, and the other way round.
    package func differences(from other: Outcome) -> [String] {
      func lines(_ outcome: Outcome) -> Set<String> {
        let events = outcome.events.map { "\($0.value) x \($0.key)" }
        let quarantined = outcome.quarantined.map { "\($0.value) x quarantined: \($0.key)" }
        return Set(outcome.rows.map { "\($0.key) \($0.value)" } + events + quarantined)
          .union(["held: \(outcome.held)"])
      }
      let (own, others) = (lines(self), lines(other))
      return own.subtracting(others).map { "has \($0)" }.sorted()
        + others.subtracting(own).map { "misses \($0)" }.sorted()
    }
  }

  private let seed: UInt64
  private let shape: Shape
  private let definition: ProductDefinition
  /// With the actual time by which it is ordered, in seconds.
  private let inputs: [(input: GeneratedInput, timeS: Int64)]

  /// - Parameter isPlain: without what follows the order of the journal.
  package init(seed: UInt64, isPlain: Bool = true) throws {
    self.seed = seed
    let given = Case(seed: seed)
    var shape = given.shape
    shape.settle(isPlain)
    self.shape = shape
    definition = try shape.definition()
    inputs = Self.spread(given.inputs, shape)
  }

  /// How much later than others a record may come.
  package var boundS: Int {
    let windows = shape.tables.compactMap { $0.window?.grace }
    return (windows + shape.joins.map { Int($0.graceMs / 1000) }).min() ?? 60
  }

  /// Gives each event an actual time of its own, a second after the one before it, and what takes
  /// it back the same, and all links earlier ones. Links say something else later only where that
  /// is repaired.
  private static func spread(_ inputs: [GeneratedInput], _ shape: Shape)
    -> [(input: GeneratedInput, timeS: Int64)]
  {
    var times: [String: Int64] = [:]
    var owners: [String: String] = [:]
    return inputs.enumerated().compactMap { place, input in
      var input = input
      if input.kind == .Kept { return nil }
      if input.kind == .Linked {
        if !shape.usesLinks || input.flaw != nil { return nil }
        if shape.repairableS == nil {
          input.owner = owners[input.local] ?? input.owner
          owners[input.local] = input.owner
        }
        input.timeS = -Int64(inputs.count - place)
        return (input, input.timeS)
      }
      let time = times[input.subject] ?? Int64(times.count)
      times[input.subject] = time
      input.timeS = time
      return (input, time)
    }
  }

  /// - Parameter order: which disorder; nil: none, and the links that hold in the end are known
  ///   from the start.
  package func outcome(order: UInt64?) throws -> Outcome {
    var random = Random(seed ^ (order ?? 0) &* 0x9E37_79B9)
    let simulation = try ProductSimulation(
      definition, recordedMs: SimulatedWorld.epochMs - 129_600_000)
    simulation.recordsPerTurn = 1 + random.below(20)
    var left = arrivals(order, &random)[...]
    while !left.isEmpty {
      let step = left.prefix(1 + random.below(10))
      left.removeFirst(step.count)
      for input in step { feed(input, to: simulation) }
      if random.percent(10) { simulation.loseTurn(of: 1 + random.below(3)) }
      simulation.run()
      if random.percent(10) { simulation.crash() }
    }
    // Long after, when every window is closed.
    simulation.recordedMs += 86_400_000
    simulation.run()
    return outcome(of: simulation)
  }

  private func arrivals(_ order: UInt64?, _ random: inout Random) -> [GeneratedInput] {
    // The last link by its actual time holds: in the end, or from the start.
    let last = inputs.filter { $0.input.kind == .Linked }
      .reduce(into: [:]) { $0[$1.input.local] = $1.timeS }
    let arrivals = inputs.enumerated().compactMap { place, entry -> (at: Int64, place: Int)? in
      let isLink = entry.input.kind == .Linked
      if isLink && order == nil && last[entry.input.local] != entry.timeS { return nil }
      let at =
        order == nil
        ? (isLink ? -1 : entry.timeS)
        : isLink
          ? Int64(random.below(inputs.count + 1)) : entry.timeS + Int64(random.below(boundS + 1))
      return (at, place)
    }
    return arrivals.sorted { $0 < $1 }.map { inputs[$0.place].input }
  }

  private func feed(_ input: GeneratedInput, to simulation: ProductSimulation) {
    let actual = input.actualMs(shape)
    simulation.recordedMs = max(simulation.recordedMs, actual)
    var record = ProductSimulation.Input(
      input: shape.input(of: input.kind), partition: Int32(input.partition), key: input.key,
      value: input.value, timestampMs: actual,
      time: input.kind == .Linked ? Timestamp(milliseconds: actual) : nil)
    if shape.corrects(input.kind) {
      record.id = Array((input.recordId ?? input.id).utf8)
      record.operation = input.operation.map { Array($0.utf8) }
      record.corrects = input.operation.map { _ in Array(input.corrects.utf8) }
    }
    simulation.feed(record)
  }

  private func outcome(of simulation: ProductSimulation) -> Outcome {
    func text(_ bytes: [UInt8]?) -> String {
      bytes.map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
    var outcome = Outcome()
    outcome.held = simulation.heldCount
    for record in simulation.published {
      if record.port < 0 {
        let what = "\(record[header: "weft_reason"] ?? "") \(text(record.value).prefix(200))"
        outcome.quarantined[what, default: 0] += 1
        continue
      }
      let output = definition.outputs[record.port]
      let key = "\(output.topic) \(text(record.key))"
      if case .state = output.content {
        outcome.rows[key] = record.value.map { text($0) }
      } else {
        let sign = record[header: "ce_op"] == "retract" ? -1 : 1
        outcome.events["\(key) \(text(record.value))", default: 0] += sign
      }
    }
    outcome.events = outcome.events.filter { $0.value != 0 }
    return outcome
  }
}

extension Shape {
  /// Without what goes by the order in which things come: what rejects, looks up, follows changes
  /// or deletes; limits that are met on the way; and, if it is to be plain, aggregates by the
  /// journal's order.
  fileprivate mutating func settle(_ isPlain: Bool) {
    (hasTime, holdsKeys, entriesMax) = (true, false, nil)
    if unmapped == .reject { unmapped = .hold }
    if repairableS != nil { repairableS = 604_800 }
    if horizonS != nil { horizonS = 604_800 }
    (followers, changePorts) = ([], [])
    forgetLookups()
    ports.removeAll { $0.kind == .Kept }
    // What fails does so whole, or only with what had to wait for a link; and not at all if it was
    // taken back before it came.
    if corrects || usesLinks { for place in ports.indices { ports[place].isNarrow = false } }
    for place in tables.indices {
      tables[place].isNarrow = false
      tables[place].expireS = nil
      // What has waited for a link is late in a window by then.
      if usesLinks { tables[place].window?.grace = 100_000 }
      tables[place].clauses.removeAll { $0.kind == .Kept }
      for clause in tables[place].clauses.indices { tables[place].clauses[clause].deletion = nil }
      // Those that only rows of the state port had set.
      let written = tables[place].clauses.flatMap { $0.updates.map(\.column) }.max() ?? 0
      tables[place].columns.removeSubrange((written + 1)...)
      for column in tables[place].columns.indices {
        let aggregate = tables[place].columns[column].aggregate
        let isOrdered = aggregate.isFold || [.first, .last, .collect].contains(aggregate)
        if isOrdered && (isPlain || aggregate.isFold) {
          tables[place].columns[column].aggregate = .count
          tables[place].columns[column].field = nil
        }
      }
    }
  }
}

extension GeneratedInput {
  /// Of a link: what it is about.
  fileprivate var local: String { "\(system) \(account)" }
}
