import Diagnostics
import Formats
import Product
import Records
import Testing

@testable import Engine

/// What only a link can tell as a key: apply of the journal by the local id hands events on to one
/// by the global id.
@Suite struct ChainedJournalTests {
  private typealias Input = IdentityTests.Input

  /// The members' table by whom they are.
  private static let byPatient = [("key: event.member\n", "key: ids.patient\n")]

  private static func run(_ inputs: [Input], _ changes: [(String, String)] = byPatient) throws
    -> ProductSimulation
  {
    try IdentityTests.run(inputs, changes)
  }

  private static func rows(_ simulation: ProductSimulation) -> [String] { simulation.values(0) }

  private static func row(_ patient: String, _ charges: Int) -> String {
    "{\"member\":\"\(patient)\",\"patient\":\"\(patient)\",\"charges\":\(charges)}"
  }

  /// What a chained journal has, in the order of its partitions.
  private static func handed(_ simulation: ProductSimulation) throws
    -> [(id: String?, patient: String, origin: JournalOrigin?)]
  {
    try simulation.journal[1].joined().flatMap { block in
      try ByteView.lending(block.bytes) { bytes in
        var found: [(id: String?, patient: String, origin: JournalOrigin?)] = []
        var events = try JournalBlock(bytes).events
        while try events.next() {
          if events.control != nil { continue }
          var known = JournalIdentifiers(events.event.identifiers)
          found.append(
            (events.event.id?.text, known.next()?.global.text ?? "", events.event.origin))
        }
        return found
      }
    }
  }

  @Test func `a table by the global id has what came by all of its local ones`() throws {
    let simulation = try Self.run([
      .link("claims", "m1", "P1", at: 1), .link("claims", "m2", "P1", at: 1),
      .charge(1, "m1", amount: 1), .charge(2, "m2", amount: 1), .charge(3, "m1", amount: 1),
    ])
    #expect(
      Self.rows(simulation) == [Self.row("P1", 1), Self.row("P1", 2), Self.row("P1", 3)])
    let journals = simulation.plan.definition.journals
    #expect(journals.map(\.name) == ["member", "patient"])
    #expect(journals[1].topic == "weft.shop.claims.journal.patient")
    #expect(journals[1].partitions == journals[0].partitions)
    // Each counts once, by the journal that has identified it.
    #expect(simulation.counts.applied == 5)
  }

  @Test func `an event that has waited goes on as itself when its link comes`() throws {
    let simulation = try Self.run([
      .charge(1, "m1", amount: 1), .charge(2, "m1", amount: 1), .charge(2, "m1", amount: 1),
    ])
    #expect(Self.rows(simulation).isEmpty && simulation.heldCount == 2)
    #expect(simulation.journal[1].joined().isEmpty)
    IdentityTests.feed(simulation, .link("claims", "m1", "P1", at: 1))
    simulation.run()
    let handed = try Self.handed(simulation)
    #expect(handed.map(\.id) == ["e1", "e2"] && handed.map(\.patient) == ["P1", "P1"])
    // Their own recorded times, on their records as well, and their own places.
    let times = [1_700_000_000_000, 1_700_000_001_000] as [Int64]
    #expect(handed.map(\.origin?.recordedMs) == times)
    #expect(simulation.published.filter { $0.port == 0 }.map(\.timestampMs) == times)
    let blocks = simulation.journal[0].joined().map { Optional($0.offset) }
    #expect(handed.map { $0.origin?.position.block.value } == Array(blocks.prefix(2)))
    #expect(simulation.heldCount == 0)
  }

  @Test func `what fails in the first journal is not handed on`() throws {
    // The port divides by zero; the table would have taken it.
    let simulation = try Self.run([
      .link("claims", "m1", "P1", at: 1), .charge(1, "m1", amount: 13),
      .charge(2, "m1", amount: 23),
    ])
    #expect(simulation.reasons == ["expression"])
    #expect(try Self.handed(simulation).map(\.id) == ["e2"])
    #expect(Self.rows(simulation) == [Self.row("P1", 1)])
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func `crashes, lost turns and journals that are read back hand nothing on twice`(_ seed: UInt64)
    throws
  {
    var random = SplitMix(seed)
    let inputs: [Input] = (0..<120).map { number in
      random.next(5) == 0
        ? .link("claims", "m\(random.next(6))", "P\(random.next(3))", at: Int64(random.next(50)))
        : .charge(number, "m\(random.next(7))", amount: Int(random.next(40)))
    }
    let straight = try Self.run(inputs)
    let rough = try IdentityTests.simulation(Self.byPatient)
    rough.readsBack = seed % 2 == 0
    for input in inputs {
      IdentityTests.feed(rough, input)
      if random.next(6) == 0 { rough.loseTurn(of: 1) }
      rough.run()
      if random.next(6) == 0 { rough.crash() }
      rough.recordedMs += 1000
    }
    #expect(try Self.handed(straight).count > 20)
    #expect(rough.journal == straight.journal)
    #expect(rough.stateDigests == straight.stateDigests)
    #expect(Self.rows(rough) == Self.rows(straight))
    #expect(rough.counts == straight.counts)
  }

  @Test func `identified events go on to a key that the local id does not lead to`() throws {
    let simulation = try Self.run(
      [
        .link("claims", "m1", "P1", at: 1), .charge(1, "m1", amount: 1),
        .charge(2, "m2", amount: 1), .link("claims", "m2", "P2", at: 1),
      ], [("key: event.member\n", "key: event.claim\n")])
    #expect(simulation.plan.definition.journals.map(\.name) == ["member", "claim"])
    #expect(
      Self.rows(simulation) == [
        "{\"member\":\"c\",\"patient\":\"P1\",\"charges\":1}",
        "{\"member\":\"c\",\"patient\":\"P2\",\"charges\":2}",
      ])
  }

  /// The same events once more, as an input of its own, known by their claim.
  private static let byClaim = [
    (
      "  - {name: charges, version: \"1.0.0\", contractId: ops/charges}\n",
      "  - {name: charges, version: \"1.0.0\", contractId: ops/charges}\n"
        + "  - {name: visits, version: \"1.0.0\", contractId: ops/charges}\n"
    ),
    (
      "    id: id\n",
      "    id: id\n  visits: {topic: visits, contract: contracts/charges.odcs.yaml}\n"
    ),
    (
      "tables:\n",
      "  byClaim:\n    from: visits\n    identify:\n"
        + "      patient: {system: claims, local: event.claim}\ntables:\n"
    ),
    ("    from: known\n", "    from: [known, byClaim]\n"),
  ]

  @Test func `a port over streams of different local ids comes together by its key`() throws {
    let simulation = try IdentityTests.simulation(Self.byClaim)
    let charge = "\"member\":\"m1\",\"claim\":\"c\",\"amount\":23}"
    for (input, value) in [
      (1, "{\"system\":\"claims\",\"local\":\"m1\",\"patient\":\"P1\"}"),
      (1, "{\"system\":\"claims\",\"local\":\"c\",\"patient\":\"P1\"}"),
      (0, "{\"id\":\"e1\"," + charge), (2, "{\"id\":\"e2\"," + charge),
    ] {
      simulation.feed(.init(input: input, key: nil, value: Array(value.utf8), timestampMs: 5000))
      simulation.run()
    }
    #expect(simulation.plan.definition.journals.map(\.name) == ["claim", "member", "patient"])
    #expect(
      simulation.values(1) == [1, 2].map { "{\"id\":\"e\($0)\",\"patient\":\"P1\",\"share\":10}" })
    let origins = try simulation.journal[2].joined().flatMap { try Self.origins($0) }
    #expect(origins == [1, 0])
  }

  /// From which journals a block's events come.
  private static func origins(_ block: ProductSimulation.Block) throws -> [Int] {
    try ByteView.lending(block.bytes) { bytes in
      var events = try JournalBlock(bytes).events
      var found: [Int] = []
      while try events.next() { found.append(events.event.origin?.journal ?? -1) }
      return found
    }
  }

  @Test func `the logic tells of a chained journal, and whence it is handed what`() throws {
    let definition = try Self.run([]).plan.definition
    let text = definition.logicFiles.first { $0.path == "product" }?.content ?? ""
    #expect(text.contains("journal patient = 2 by ids.patient\n"))
    #expect(text.contains("journal patient is handed = charges.Record by member\n"))
  }

  // MARK: Quarantine and back

  @Test func `what a chained journal could not take goes back there when it is released, once`()
    throws
  {
    let simulation = try Self.run(
      [
        .link("claims", "m1", "P 1", at: 1), .charge(1, "m1", amount: 5),
        .charge(2, "m1", amount: 1),
      ],
      Self.byPatient + [
        (
          "charges = count()",
          "charges = count() if 100 / (state.charges - event.amount) < 1000"
        )
      ])
    #expect(simulation.reasons == ["expression"])
    #expect(Self.rows(simulation) == [Self.row("P 1", 1)])
    func release(_ place: Int) throws {
      let blocks = try ControlBlocks(simulation.plan.definition)
      let record = try #require(simulation.quarantine[place].event)
      #expect(record.journal == "patient")
      #expect(blocks.release(record, recordedMs: simulation.recordedMs) == nil)
      simulation.write(blocks.take(recordedMs: simulation.recordedMs))
      simulation.run()
    }
    // As long as nothing has changed it fails again.
    try release(0)
    #expect(
      simulation.quarantine.compactMap(\.settlement).map(\.result) == [.quarantined])
    IdentityTests.feed(simulation, .charge(3, "m1", amount: 7))
    simulation.run()
    for _ in 0..<2 { try release(1) }
    #expect(
      simulation.quarantine.compactMap(\.settlement).map(\.result) == [.quarantined, .applied])
    #expect(Self.rows(simulation).last == Self.row("P 1", 3))
    // The first journal has it once, and what it made of it stays.
    #expect(try Self.handed(simulation).count == 3)
    #expect(IdentityTests.paid(simulation).count == 3)
    let digests = simulation.stateDigests
    simulation.crash()
    #expect(simulation.stateDigests == digests)
  }

  // MARK: What is refused

  @Test(arguments: [
    (
      [
        ("tables:\n", "  named: {from: known, let: who = ids.patient}\ntables:\n"),
        ("key: event.member\n", "key: who\n"), ("    known: |", "    named: |"),
      ], "W0347", "the key uses `who`"
    ),
    (
      [
        ("key: event.member\n", "key: event.claim\n"),
        ("      known: |", "      charges: charges = count()\n      known: |"),
      ],
      "W0205", "`Record` comes to one journal"
    ),
    (
      byClaim + [("    key: ids.patient\n", "")], "W0347",
      "port `paid` is made of streams that are identified by different local ids"
    ),
  ])
  func `what cannot be handed on is told where it stands`(
    _ changes: [(String, String)], _ code: String, _ message: String
  ) throws {
    let found = try IdentityTests.load(changes).diagnostics
    #expect(found.contains { $0.code.text == code && $0.message.hasPrefix(message) }, "\(found)")
  }
}
