import Product
import Records
import State
import Testing

@testable import Engine

/// The same journal gives the same bytes, whatever happens to the worker in between.
@Suite struct DeterminismTests {
  /// Events of a few claims in disorder, with redeliveries and bad ones, from a seed.
  static func events(_ count: Int, seed: UInt64) -> [ProductSimulation.Input] {
    var random = SplitMix(seed)
    var events: [ProductSimulation.Input] = []
    for number in 0..<count {
      if number > 0 && random.next(10) == 0 {
        events.append(events[Int(random.next(UInt64(number)))])
        continue
      }
      let claim = "c\(random.next(20))"
      let id = "e\(number)"
      let time = "2024-0\(1 + random.next(4))-1\(random.next(9))T0\(random.next(9)):00:00Z"
      let text: String
      switch random.next(8) {
      case 0: text = Claims.submit(claim, id: id, at: time, payer: "p\(random.next(5))")
      case 1: text = Claims.close(claim, id: id, at: time)
      case 2: text = Claims.charge(claim, id: id, "\(random.next(99)).005", at: time)
      case 3: text = "not json \(number)"
      default:
        text = Claims.charge(
          claim, id: id, "\(random.next(9999)).\(random.next(10))",
          kind: random.next(2) == 0 ? "CHARGE" : "PAYMENT", at: time)
      }
      events.append(
        .init(
          input: 0, partition: Int32(random.next(3)), key: Array(claim.utf8),
          value: Array(text.utf8), timestampMs: 1_717_200_000_000))
    }
    return events
  }

  /// The claims with every kind of column.
  static func product() throws -> ProductDefinition {
    var options = Claims.Options()
    options.hasFigures = true
    return try Claims.product(options)
  }

  static func run(
    _ events: [ProductSimulation.Input], _ change: (ProductSimulation, Int) -> Void = { _, _ in }
  ) throws -> ProductSimulation {
    let simulation = try ProductSimulation(product())
    for (number, event) in events.enumerated() {
      simulation.feed(event)
      if number % 50 == 49 {
        simulation.recordedMs += 100
        change(simulation, number)
        simulation.run()
      }
    }
    simulation.run()
    return simulation
  }

  @Test(arguments: [1, 2, 3])
  func `own turn, read back, lost turns and crashes give the same journal and bytes`(
    seed: UInt64
  ) throws {
    let events = DeterminismTests.events(500, seed: seed)
    let plain = try DeterminismTests.run(events)
    #expect(plain.counts.quarantined > 25)
    #expect(plain.counts.redelivered > 20)
    #expect(plain.counts.applied > 250)
    #expect(plain.published.count { $0.port == 2 } > 250)
    #expect(plain.published.count { $0.port == 2 && $0.value == nil } > 3)
    let readBack = try DeterminismTests.run(events) { simulation, _ in
      simulation.readsBack = true
    }
    let lost = try DeterminismTests.run(events) { simulation, number in
      simulation.loseTurn(of: number % 49)
    }
    let crashed = try DeterminismTests.run(events) { simulation, number in
      simulation.loseTurn(of: number % 7)
      simulation.crash()
    }
    for other in [readBack, lost, crashed] {
      #expect(other.journal == plain.journal)
      #expect(other.stateDigests == plain.stateDigests)
      #expect(other.counts == plain.counts)
      // Turns gather other blocks when they are read back: order counts within a partition.
      #expect(DeterminismTests.byPlace(other) == DeterminismTests.byPlace(plain))
    }
    #expect(lost.published == plain.published)
    #expect(crashed.published == plain.published)
  }

  /// What a reader of each partition of each port sees. In quarantine what ingest and what apply
  /// put there may come in another order.
  static func byPlace(_ simulation: ProductSimulation) -> [String: [SimulatedRecord]] {
    var places = Dictionary(grouping: simulation.published) { "\($0.port)/\($0.partition)" }
    places["-1/0"]?.sort {
      ($0[header: "weft_partition"] ?? "", Int($0[header: "weft_offset"] ?? "") ?? 0)
        < ($1[header: "weft_partition"] ?? "", Int($1[header: "weft_offset"] ?? "") ?? 0)
    }
    return places
  }

  @Test(arguments: [1, 3, 1000])
  func `any number of blocks a turn gives the same bytes`(blocksPerTurn: Int) throws {
    let journal = try DeterminismTests.run(DeterminismTests.events(600, seed: 9)).journal
    let whole = try replay(journal, blocksPerTurn: .max)
    let other = try replay(journal, blocksPerTurn: blocksPerTurn)
    #expect(other == whole)
    let undone = try replay(journal, blocksPerTurn: blocksPerTurn, rollsBack: true)
    #expect(undone == whole)
    // A batch that is full is published amid a block.
    for bytesMax in [1, 2000] {
      let flushed = try replay(journal, blocksPerTurn: blocksPerTurn, bytesMax: bytesMax)
      #expect(flushed == whole)
    }
    // A state that was made silently goes on as if it had been there all the time.
    let silent = try replay(journal, blocksPerTurn: blocksPerTurn, silentBefore: 5)
    #expect(silent.digests == whole.digests)
    for partition in silent.records.indices {
      let tail = silent.records[partition]
      #expect(tail[...] == whole.records[partition].suffix(tail.count))
    }
  }

  struct Replayed: Equatable {
    var records: [[SimulatedRecord]] = []
    var digests: [StateDigest] = []
  }

  private func replay(
    _ journal: [[[ProductSimulation.Block]]], blocksPerTurn: Int, rollsBack: Bool = false,
    silentBefore: Int = 0, bytesMax: Int = .max
  ) throws -> Replayed {
    let plan = try ProductPlan(DeterminismTests.product())
    var result = Replayed()
    for (number, blocks) in journal[0].enumerated() {
      let state = PartitionState()
      let apply = Apply(plan, journal: 0, partition: Partition(Int32(number)), state: state)
      let batch = OutputBatch(bytesMax: bytesMax)
      var records: [SimulatedRecord] = []
      var next = 0
      var isSecond = false
      while next < blocks.count {
        let end = min(blocks.count, blocksPerTurn == .max ? blocks.count : next + blocksPerTurn)
        let mark = (batch.count, batch.bytes.count)
        state.begin()
        for place in next..<end {
          ByteView.lending(blocks[place].bytes) { bytes in
            var event: UInt32 = 0
            while true {
              let applied = apply.apply(
                bytes: bytes, at: Offset(blocks[place].offset),
                publishing: place < silentBefore ? nil : batch, from: event)
              guard case .full(let next) = applied else {
                if case .applied = applied {} else { Issue.record("\(applied)") }
                break
              }
              #expect(next > event)
              records += batch.copies(plan.ports)
              batch.clear()
              event = next
            }
          }
        }
        if rollsBack && !isSecond {
          state.rollback()
          batch.truncate(toEntry: mark.0, byte: mark.1)
          isSecond = true
          continue
        }
        isSecond = false
        state.commit(.empty)
        next = end
      }
      result.records.append(records + batch.copies(plan.ports))
      result.digests.append(state.contentDigest())
    }
    return result
  }

  @Test func `an event that fails in one part leaves nothing of the others`() throws {
    let simulation = try ProductSimulation(Claims.product())
    let huge = "9999999999999999.99"
    simulation.take(Claims.charge("c1", id: "e1", huge))
    let digests = simulation.stateDigests
    // The sum fits its column, not the contract of the port: the row must not keep it.
    simulation.take(Claims.charge("c1", id: "e2", huge))
    #expect(simulation.reasons == ["contract-output"])
    #expect(simulation.values(0).count == 1)
    #expect(simulation.values(1).count == 1)
    #expect(simulation.stateDigests != digests)
    simulation.take(Claims.charge("c1", id: "e3", "0"))
    #expect(simulation.values(1).last?.contains("\"charged\":\(huge),\"lines\":2") == true)
    simulation.take(Claims.charge("c1", id: "e2", "1"))
    #expect(simulation.counts.redelivered == 1)
  }

  @Test func `a block of other logic is not applied`() throws {
    let simulation = try ProductSimulation(Claims.product())
    simulation.take(Claims.charge("c1", id: "e1", "1"))
    let block = try #require(simulation.journal[0].joined().first)
    var other = try Claims.product()
    other.logicDigest = Array(repeating: 8, count: 32)
    let state = PartitionState()
    let apply = Apply(
      try ProductPlan(other), journal: 0, partition: Partition(0), state: state)
    state.begin()
    let applied = ByteView.lending(block.bytes) {
      apply.apply(bytes: $0, at: Offset(0), publishing: OutputBatch())
    }
    guard case .otherLogic = applied else {
      Issue.record("\(applied)")
      return
    }
  }

  @Test(arguments: [-1, 1])
  func `a block of more or fewer events than it says is refused, and leaves nothing`(
    _ more: Int
  ) throws {
    let simulation = try ProductSimulation(Claims.product())
    for number in 1...3 { simulation.take(Claims.charge("c\(number)", id: "e\(number)", "1")) }
    let blocks = simulation.journal[0].joined()
    var bytes = try #require(blocks.map(\.bytes).max { $0.count < $1.count })
    // Where the header counts them.
    bytes[48] = UInt8(Int(bytes[48]) + more)
    let state = PartitionState()
    let plan = try ProductPlan(Claims.product())
    let apply = Apply(plan, journal: 0, partition: Partition(0), state: state)
    state.begin()
    let applied = ByteView.lending(bytes) {
      apply.apply(bytes: $0, at: Offset(0), publishing: OutputBatch())
    }
    guard case .unreadable = applied else {
      Issue.record("\(applied)")
      return
    }
    state.rollback()
    #expect(state.contentDigest() == PartitionState().contentDigest())
  }

  @Test func `a torn block is refused, never half applied in silence`() throws {
    let simulation = try ProductSimulation(Claims.product())
    simulation.take(Claims.charge("c1", id: "e1", "1"))
    let block = try #require(simulation.journal[0].joined().first)
    let plan = try ProductPlan(Claims.product())
    for length in 0..<block.bytes.count {
      let state = PartitionState()
      let apply = Apply(plan, journal: 0, partition: Partition(0), state: state)
      state.begin()
      let applied = ByteView.lending(Array(block.bytes.prefix(length))) {
        apply.apply(bytes: $0, at: Offset(0), publishing: OutputBatch())
      }
      guard case .unreadable = applied else {
        Issue.record("\(length): \(applied)")
        return
      }
    }
  }
}

/// Sebastiano Vigna's splitmix64: one number in, a sequence out.
struct SplitMix {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }

  /// A number below `limit`.
  mutating func next(_ limit: UInt64) -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return (word ^ (word >> 31)) % limit
  }
}
