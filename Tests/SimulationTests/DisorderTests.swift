import TestKit
import Testing

/// In which order things come within grace is not to be seen in what comes of them.
@Suite struct DisorderTests {
  /// Seeds of different products.
  private static let seeds = (0..<60 as Range<UInt64>).map { 16 * $0 + $0 % 16 }

  @Test func `in order, and in any disorder within grace, input ends in the same`() throws {
    for seed in Self.seeds {
      let disorder = try Disorder(seed: seed)
      let ordered = try disorder.outcome(order: nil)
      #expect(ordered.quarantined.keys.allSatisfy { !$0.hasPrefix("late") }, "seed \(seed)")
      for order in 1...3 as ClosedRange<UInt64> {
        let differences = try disorder.outcome(order: order).differences(from: ordered)
        #expect(differences == [], "seed \(seed), order \(order)")
      }
    }
  }

  @Test func `what follows the order of the journal by its definition does not`() throws {
    let differing = try Self.seeds.filter { seed in
      let disorder = try Disorder(seed: seed, isPlain: false)
      return try disorder.outcome(order: 1).differences(from: disorder.outcome(order: nil)) != []
    }
    #expect(!differing.isEmpty)
  }
}
