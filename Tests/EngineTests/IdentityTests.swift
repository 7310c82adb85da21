import Diagnostics
import Foundation
import Product
import Records
import Testing

@testable import Engine

/// Local ids become global ones by links that come as events; who has none yet waits.
@Suite struct IdentityTests {
  // MARK: A mesh of two domains

  private static let text = "logicalType: string, required: true"

  static var files: [String: String] {
    return [
      "mesh.yaml": """
      kind: Mesh
      name: small
      identifiers:
        patient:
          links: people#links@1
          link: {system: event.system, local: event.local, global: event.patient}

      """,
      "desk/worker.yaml": MeshFiles.worker("desk"),
      "desk/product.odps.yaml": MeshFiles.descriptor(
        "desk", "people", inputs: ["told"], outputs: ["links"]),
      "desk/contracts/links.odcs.yaml": MeshFiles.contract(
        "people/links", "desk.people.links.v1",
        ["name: system, \(text)", "name: local, \(text)", "name: patient, \(text)"]),
      "desk/transform.yaml": """
      kind: Transform
      product: people
      inputs: {}
      outputs:
        links: {from: told, key: event.local, select: "a = event.a"}

      """,
      "shop/worker.yaml": MeshFiles.worker("shop"),
      "shop/product.odps.yaml": MeshFiles.descriptor(
        "shop", "claims", inputs: ["charges"], outputs: ["paid", "member"]),
      "shop/contracts/charges.odcs.yaml": MeshFiles.contract(
        "ops/charges", "ops.charges",
        [
          "name: id, \(text)", "name: member, \(text)", "name: claim, \(text)",
          "name: amount, logicalType: integer, required: true",
        ]),
      "shop/contracts/paid.odcs.yaml": MeshFiles.contract(
        "claims/paid", "shop.claims.paid.v1",
        ["name: id, \(text)", "name: patient, \(text)", "name: share, logicalType: integer"]),
      "shop/contracts/member.odcs.yaml": MeshFiles.contract(
        "claims/member", "shop.claims.member.v1",
        [
          "name: member, \(text), primaryKey: true", "name: patient, logicalType: string",
          "name: charges, logicalType: integer, required: true",
        ]),
      "shop/transform.yaml": """
      kind: Transform
      product: claims
      inputs:
        charges:
          topic: ops.charges
          contract: contracts/charges.odcs.yaml
          id: id
      journal: {partitions: 2}
      streams:
        known:
          from: charges
          where: event.amount > 0
          identify:
            patient: {system: claims, local: event.member, unmapped: hold}
      tables:
        member:
          key: event.member
          on:
            known: |
              patient = last(ids.patient)
              charges = count()
      outputs:
        paid:
          from: known
          key: ids.patient
          select: |
            id      = event.id
            patient = ids.patient
            share   = 100 / (event.amount - 13)
        member: {from: member}

      """,
    ]
  }

  /// - Parameter correcting: the port may take back what it published.
  static func load(_ changes: [(String, String)] = [], correcting: Bool = false) throws
    -> LoadedDomain
  {
    var files = correcting ? correctingFiles : files
    for (old, new) in changes {
      let place = ["shop/transform.yaml", "shop/product.odps.yaml"].first {
        files[$0]?.components(separatedBy: old).count == 2
      }
      let file = try #require(place, "\(old) is there once")
      files[file] = files[file]?.components(separatedBy: old).joined(separator: new)
    }
    return try MeshFiles.load(files, domain: "shop")
  }

  static func simulation(_ changes: [(String, String)] = [], correcting: Bool = false) throws
    -> ProductSimulation
  {
    try ProductSimulation(
      load(changes, correcting: correcting).product(), recordedMs: 1_700_000_000_000)
  }

  enum Input {
    case charge(Int, String, amount: Int)
    case link(String, String, String, at: Int64)
  }

  static func feed(_ simulation: ProductSimulation, _ input: Input) {
    switch input {
    case .charge(let number, let member, let amount):
      let value =
        "{\"id\":\"e\(number)\",\"member\":\"\(member)\",\"claim\":\"c\",\"amount\":\(amount)}"
      simulation.feed(.init(input: 0, key: [1], value: Array(value.utf8), timestampMs: 5000))
    case .link(let system, let local, let patient, let at):
      let value =
        "{\"system\":\"\(system)\",\"local\":\"\(local)\",\"patient\":\"\(patient)\"}"
      simulation.feed(
        .init(
          input: 1, key: [2], value: Array(value.utf8), timestampMs: 5000,
          time: Timestamp(milliseconds: at)))
    }
  }

  /// What is published at the event port: ids and patients, in order.
  static func paid(_ simulation: ProductSimulation) -> [String] { simulation.values(1) }

  static func run(_ inputs: [Input], _ changes: [(String, String)] = []) throws
    -> ProductSimulation
  {
    let simulation = try simulation(changes)
    for input in inputs {
      feed(simulation, input)
      simulation.run()
      simulation.recordedMs += 1000
    }
    return simulation
  }

  private static func shown(_ number: Int, _ patient: String, _ share: Int) -> String {
    "{\"id\":\"e\(number)\",\"patient\":\"\(patient)\",\"share\":\(share)}"
  }

  // MARK: What is promised

  @Test func `events wait for their link, and go on in their order when it comes`() throws {
    let simulation = try Self.run([
      .charge(1, "m1", amount: 23), .charge(2, "m2", amount: 33), .charge(3, "m1", amount: 113),
    ])
    #expect(Self.paid(simulation).isEmpty)
    #expect(simulation.heldCount == 3 && simulation.counts.held == 3)
    Self.feed(simulation, .link("claims", "m1", "P1", at: 1))
    simulation.run()
    #expect(Self.paid(simulation) == [Self.shown(1, "P1", 10), Self.shown(3, "P1", 1)])
    #expect(simulation.heldCount == 1)
    Self.feed(simulation, .charge(4, "m1", amount: 63))
    simulation.run()
    #expect(Self.paid(simulation).last == Self.shown(4, "P1", 2))
    let counts = simulation.counts
    #expect(counts.applied == 4 && counts.held == 1 && counts.quarantined == 0)
    #expect(
      counts.read
        == counts.applied + counts.filtered + counts.redelivered + counts.quarantined + counts.held)
    // A record is that of its event, not of the link: its id, its key, its recorded time.
    let records = simulation.published.filter { $0.port == 1 }
    #expect(
      records.map { $0.key.map { String(decoding: $0, as: UTF8.self) } } == ["P1", "P1", "P1"])
    #expect(Set(records.compactMap { $0[header: "ce_id"] }).count == 3)
    #expect(
      records.map(\.timestampMs) == [1_700_000_000_000, 1_700_000_002_000, 1_700_000_003_000])
    // The table over the same stream waits as well.
    #expect(simulation.values(0).last == "{\"member\":\"m1\",\"patient\":\"P1\",\"charges\":3}")
  }

  @Test func `a link that is there first, comes twice, or is another system's changes nothing`()
    throws
  {
    let simulation = try Self.run([
      .link("visits", "m1", "P9", at: 9), .link("claims", "m1", "P1", at: 2),
      .charge(1, "m1", amount: 23), .link("claims", "m1", "P1", at: 2),
      .link("claims", "m1", "P0", at: 1), .charge(2, "m1", amount: 23),
    ])
    #expect(Self.paid(simulation) == [Self.shown(1, "P1", 10), Self.shown(2, "P1", 10)])
    #expect(simulation.heldCount == 0)
    // Of another system; the same again; older than the one that is there.
    #expect(simulation.counts.filtered == 3)
  }

  @Test func `a later link holds for what comes after it`() throws {
    let simulation = try Self.run([
      .link("claims", "m1", "P1", at: 1), .charge(1, "m1", amount: 23),
      .link("claims", "m1", "P2", at: 2), .charge(2, "m1", amount: 23),
    ])
    #expect(Self.paid(simulation) == [Self.shown(1, "P1", 10), Self.shown(2, "P2", 10)])
  }

  @Test func `an event that is redelivered while it waits goes on once`() throws {
    let simulation = try Self.run([
      .charge(1, "m1", amount: 23), .charge(1, "m1", amount: 23),
      .link("claims", "m1", "P1", at: 1), .charge(1, "m1", amount: 23),
    ])
    #expect(Self.paid(simulation) == [Self.shown(1, "P1", 10)])
    #expect(simulation.counts.redelivered == 2)
  }

  @Test func `it is known how many events wait for an identifier, and since when`() throws {
    let simulation = try Self.run([
      .charge(1, "m1", amount: 23), .charge(2, "m2", amount: 33), .charge(3, "m1", amount: 113),
      .charge(4, "m3", amount: 23),
    ])
    func waiting() -> (count: Int64, asked: Int64, sinceMs: Int64?) {
      let all = simulation.held.joined()
      #expect(all.allSatisfy { $0.identifier == "patient" })
      return (
        all.reduce(0) { $0 + $1.count }, all.reduce(0) { $0 + $1.asked },
        all.compactMap(\.sinceMs).min()
      )
    }
    #expect(waiting() == (4, 4, 1_700_000_000_000))
    Self.feed(simulation, .link("claims", "m1", "P1", at: 1))
    simulation.run()
    #expect(waiting() == (2, 4, 1_700_000_001_000))
    for member in ["m2", "m3"] {
      Self.feed(simulation, .link("claims", member, "P2", at: 1))
      simulation.run()
    }
    #expect(waiting() == (0, 4, nil))
    simulation.crash()
    #expect(waiting() == (0, 4, nil))
  }

  @Test func `what the stream leaves out does not wait`() throws {
    let simulation = try Self.run([.charge(1, "m1", amount: -1)])
    #expect(simulation.heldCount == 0 && simulation.counts.filtered == 1)
  }

  @Test func `an event that fails when it goes on is quarantined alone`() throws {
    let simulation = try Self.run([
      .charge(1, "m1", amount: 13), .charge(2, "m1", amount: 23),
      .link("claims", "m1", "P1", at: 1),
    ])
    #expect(Self.paid(simulation) == [Self.shown(2, "P1", 10)])
    let quarantined = simulation.published.filter { $0.port == Int(OutputBatch.quarantine) }
    #expect(quarantined.map { $0[header: "weft_reason"] } == ["expression"])
    #expect(quarantined.map { $0[header: "weft_offset"] } == ["0"])
    #expect(simulation.counts.quarantined == 1 && simulation.counts.held == 0)
    #expect(simulation.heldCount == 0)
  }

  @Test func `events may be refused instead`() throws {
    let simulation = try Self.run(
      [
        .charge(1, "m1", amount: 23), .link("claims", "m1", "P1", at: 1),
        .charge(2, "m1", amount: 23),
      ], [("unmapped: hold", "unmapped: reject")])
    #expect(Self.paid(simulation) == [Self.shown(2, "P1", 10)])
    let quarantined = simulation.published.filter { $0.port == Int(OutputBatch.quarantine) }
    #expect(quarantined.map { $0[header: "weft_reason"] } == ["unmapped"])
    #expect(
      quarantined.first?[header: "weft_message"] == "`m1` of `claims` is linked to no `patient`")
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func `crashes, lost turns and journals that are read back leave the same`(_ seed: UInt64) throws {
    var random = seed &* 0x9E37_79B9
    func next(_ below: UInt64) -> UInt64 {
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (random >> 33) % below
    }
    let inputs: [Input] = (0..<120).map { number in
      next(5) == 0
        ? .link("claims", "m\(next(6))", "P\(next(3))", at: Int64(next(50)))
        : .charge(number, "m\(next(7))", amount: Int(next(40)))
    }
    let straight = try Self.run(inputs)
    let rough = try Self.simulation()
    rough.readsBack = seed % 2 == 0
    for input in inputs {
      Self.feed(rough, input)
      if next(6) == 0 { rough.loseTurn(of: 1) }
      rough.run()
      if next(6) == 0 { rough.crash() }
      rough.recordedMs += 1000
    }
    #expect(rough.stateDigests == straight.stateDigests)
    // Positions, and so ids, are the same; the order between journal partitions need not be.
    func shown(_ simulation: ProductSimulation) -> [String] {
      simulation.published.map { record in
        // Where the files lie differs.
        let headers = record.headers.filter { $0.name != "weft_place" }.map {
          "\($0.name)=\(String(decoding: $0.value, as: UTF8.self))"
        }
        return "\(record.port) \(record.partition) \(record.timestampMs) \(headers) "
          + String(decoding: record.value ?? [], as: UTF8.self)
      }.sorted()
    }
    #expect(shown(rough).difference(from: shown(straight)).prefix(3).map { "\($0)" } == [])
    #expect(rough.heldCount == straight.heldCount)
  }

  @Test func `what follows the rows of a chained journal is made there, and needs no other one`()
    throws
  {
    let followed = """
        rows: {from: others}
      tables:
        others:
          key: event.id
          on:
            known: count = count()
        after:
          key: key.id
          on:
            rows: count = count()
        member:
      """
    let loaded = try Self.load([("tables:\n  member:", followed)])
    let names = loaded.definition?.products.first?.journals.map(\.name)
    #expect(names?.sorted() == ["id", "member"], "\(loaded.diagnostics)")
  }

  // MARK: What is refused

  @Test(arguments: [
    ("patient: {system", "patent: {system", "W0341", "mesh.yaml has no identifier `patent`"),
    ("local: event.member", "local: event.amount", "W0315", ""),
    (
      "unmapped: hold", "unmapped: hold, repairable: 30d", "W0359",
      "what port `paid` publishes may be taken back"
    ),
    ("unmapped: hold", "unmapped: provisional", "W0312", "`ids.patient` may be absent"),
    ("    from: known\n    key: ids", "    from: charges\n    key: ids", "W0310", ""),
  ])
  func `what cannot be identified is told where it stands`(
    _ old: String, _ new: String, _ code: String, _ message: String
  ) throws {
    let found = try Self.load([(old, new)]).diagnostics
    #expect(found.contains { $0.code.text == code && $0.message.hasPrefix(message) }, "\(found)")
  }
}
