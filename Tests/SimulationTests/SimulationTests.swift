import TestKit
import Testing

/// A bounded share of what `Scripts/simulate` runs for long.
@Suite struct SimulationTests {
  private func failures(_ given: Case, _ plants: Set<Plant> = []) throws -> [String] {
    let run = try Run(given, plants: plants)
    run.run()
    return run.failures
  }

  @Test func `whole workers keep their promises in a world that goes wrong`() throws {
    // Sixteen seeds in a row share a product.
    for seed in (0..<60 as Range<UInt64>).map({ 16 * $0 + $0 % 16 }) {
      #expect(try failures(Case(seed: seed)) == [], "Scripts/simulate --seed \(seed)")
    }
  }

  @Test func `a seed gives the same run each time`() throws {
    for seed in [3, 11, 29] as [UInt64] {
      let runs = try (0..<2).map { _ in
        let run = try Run(Case(seed: seed), traces: true)
        run.run()
        return run.trace
      }
      #expect(runs[0].count > 10)
      #expect(runs[0] == runs[1])
    }
  }

  @Test(arguments: Plant.allCases)
  func `a fault that is planted by hand is found, and nothing without it`(_ plant: Plant) throws {
    let found = try plant.seeds.map { Case(seed: $0) }.first { given in
      try plant.matters(in: given) && !failures(given, [plant]).isEmpty
    }
    let given = try #require(found, "Scripts/simulate --plant \(plant)")
    #expect(try failures(given) == [])
  }

  @Test func `a case that goes wrong is made small, and the small one goes wrong too`() throws {
    let fails = { (given: Case) in (try? failures(given, [.recordsTwice]).isEmpty) == false }
    let given = try #require((0..<20 as Range<UInt64>).map { Case(seed: $0) }.first(where: fails))
    let small = given.shrunk(triesMax: 60, fails)
    #expect(fails(small))
    #expect(small.inputs.count + small.faults.count < given.inputs.count + given.faults.count)
  }

  /// The simulation found this: a member looked for offsets, stood still while another began, then
  /// looked at the journal, and took what it saw for forgotten offsets.
  @Test func `a member that stands still in a first start knows that others have begun`() throws {
    var given = Case(seed: 264)
    given.instances = 2
    given.forgetsOffsets = false
    for call in 1...40 {
      given.faults = [Fault(at: call, .freeze(forMs: 4000, replaced: false))]
      #expect(try failures(given) == [], "frozen at call \(call)")
    }
  }

  /// The simulation found this: in a busy group the early look at the logic gave up, and a member
  /// that was given partitions which nobody had begun began them by its own files.
  @Test func `partitions that nobody has begun are not begun by other files`() throws {
    var given = Case(seed: 1_001_370)
    given.instances = 3
    given.turnRecords = 1
    given.forgetsOffsets = false
    for call in 30...60 {
      given.seed = UInt64(call)
      given.faults = [Fault(at: call, .edit(afterMs: 150))]
      #expect(try failures(given) == [], "edited at call \(call)")
    }
  }
}
