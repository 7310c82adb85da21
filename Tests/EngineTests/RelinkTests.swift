import Diagnostics
import Product
import Records
import Testing

@testable import Engine

/// Links that come late or change: what went out before is corrected.
extension IdentityTests {
  /// The mesh, with a port that may take back what it published, of patients that may be unknown.
  static var correctingFiles: [String: String] {
    var files = files
    let path = "shop/contracts/paid.odcs.yaml"
    files[path] = files[path]?.replacing(
      "status: active",
      with: "status: active\ncustomProperties: [{property: weft.corrections, value: true}]"
    ).replacing(
      "{name: patient, logicalType: string, required: true}",
      with: "{name: patient, logicalType: string}")
    return files
  }

  private static let provisional = [
    ("unmapped: hold", "unmapped: provisional, repairable: 1d"),
    ("patient = last(ids.patient)", "patient = last(ids.?patient)"),
    ("key: ids.patient", "key: event.member"),
    ("patient = ids.patient\n", "patient = ids.?patient\n"),
  ]

  /// The members' table by whom they are, of those of whom that is known.
  private static let byPatient = repairable("1d") + [("key: event.member\n", "key: ids.patient\n")]
  private static let provisionalByPatient =
    provisional + [
      ("\ntables:\n", "\n  surely:\n    from: known\n    where: has(ids.patient)\ntables:\n"),
      (
        "    key: event.member\n    on:\n      known:",
        "    key: ids.patient\n    on:\n      surely:"
      ),
    ]

  private static func repairable(_ span: String) -> [(String, String)] {
    [("unmapped: hold", "unmapped: hold, repairable: \(span)")]
  }

  private static func corrected(
    _ inputs: [Input], _ changes: [(String, String)]
  ) throws -> ProductSimulation {
    let simulation = try simulation(changes, correcting: true)
    for input in inputs {
      feed(simulation, input)
      simulation.run()
      simulation.recordedMs += 1000
    }
    return simulation
  }

  /// What stands at the event port: all that it has published but for what was taken back.
  private static func standing(_ simulation: ProductSimulation) -> [String] {
    var all: [String: String] = [:]
    for record in simulation.published where record.port == 1 {
      let value = String(decoding: record.value ?? [], as: UTF8.self)
      if record[header: "ce_op"] == "retract" {
        let id = record[header: "ce_corrects"] ?? ""
        #expect(all[id] == value, "a retraction has the content of what it takes back")
        all[id] = nil
      } else {
        all[record[header: "ce_id"] ?? ""] = value
      }
    }
    return all.values.sorted()
  }

  private static func rows(_ simulation: ProductSimulation) -> [String: String] {
    var rows: [String: String] = [:]
    for record in simulation.published where record.port == 0 {
      let key = String(decoding: record.key ?? [], as: UTF8.self)
      rows[key] = record.value.map { String(decoding: $0, as: UTF8.self) }
    }
    return rows
  }

  @Test func `a link that changes is repaired as far back as is asked for`() throws {
    let simulation = try Self.corrected(
      [
        .link("claims", "m1", "P1", at: 1), .charge(1, "m1", amount: 23),
        .charge(2, "m1", amount: 33), .charge(3, "m1", amount: 63),
        .link("claims", "m1", "P2", at: 2), .charge(4, "m1", amount: 113),
      ], Self.repairable("2s"))
    let paid = simulation.published.filter { $0.port == 1 }
    #expect(
      paid.map { $0[header: "ce_op"] } == [
        nil, nil, nil, "retract", "assert", "retract", "assert", nil,
      ])
    #expect(paid[3].value == paid[1].value && paid[3].key == paid[1].key)
    #expect(paid[3][header: "ce_corrects"] == paid[1][header: "ce_id"])
    #expect(paid[4].key.map { String(decoding: $0, as: UTF8.self) } == "P2")
    // The actual time is kept, the recorded time is that of the link.
    #expect(paid[4][header: "ce_time"] == paid[1][header: "ce_time"])
    #expect(paid[4].timestampMs == 1_700_000_004_000)
    #expect(Set(paid.map { $0[header: "ce_id"] }).count == paid.count)
    #expect(Self.standing(simulation).count == 4)
    #expect(Self.rows(simulation)["m1"] == "{\"member\":\"m1\",\"patient\":\"P2\",\"charges\":4}")
  }

  @Test func `a second change takes back what the first one said`() throws {
    let simulation = try Self.corrected(
      [
        .link("claims", "m1", "P1", at: 1), .charge(1, "m1", amount: 23),
        .link("claims", "m1", "P2", at: 2), .link("claims", "m1", "P2", at: 3),
        .link("claims", "m1", "P1", at: 4),
      ], Self.repairable("1d"))
    let paid = simulation.published.filter { $0.port == 1 }
    #expect(paid.map { $0[header: "ce_op"] } == [nil, "retract", "assert", "retract", "assert"])
    #expect(paid[1][header: "ce_corrects"] == paid[0][header: "ce_id"])
    #expect(paid[3][header: "ce_corrects"] == paid[2][header: "ce_id"])
    #expect(paid[4].value == paid[0].value)
  }

  @Test func `an event goes on without its id, and is corrected when the link comes`() throws {
    let simulation = try Self.corrected(
      [
        .charge(1, "m1", amount: 23), .charge(2, "m2", amount: 23),
        .link("claims", "m1", "P1", at: 1), .charge(3, "m1", amount: 33),
      ], Self.provisional)
    let paid = simulation.published.filter { $0.port == 1 }
    #expect(paid.map { $0[header: "ce_op"] } == [nil, nil, "retract", "assert", nil])
    #expect(String(decoding: paid[0].value ?? [], as: UTF8.self) == "{\"id\":\"e1\",\"share\":10}")
    #expect(paid[2][header: "ce_corrects"] == paid[0][header: "ce_id"])
    #expect(
      String(decoding: paid[3].value ?? [], as: UTF8.self)
        == "{\"id\":\"e1\",\"patient\":\"P1\",\"share\":10}")
    // The other waits on, though it went out.
    #expect(simulation.heldCount == 1 && simulation.counts.held == 0)
    #expect(Self.rows(simulation)["m1"] == "{\"member\":\"m1\",\"patient\":\"P1\",\"charges\":2}")
    #expect(Self.rows(simulation)["m2"] == "{\"member\":\"m2\",\"charges\":1}")
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `links early, late, twice and changed end as if they had always been known`(_ seed: UInt64)
    throws
  {
    var random = StateRandom(seed)
    var inputs: [Input] = []
    var last: [String: (patient: String, at: Int64)] = [:]
    for number in 0..<80 {
      let member = "m\(random.next(below: 5))"
      if random.next(below: 4) > 0 {
        inputs.append(.charge(number, member, amount: 14 + random.next(below: 90)))
        continue
      }
      let patient = "P\(random.next(below: 3))"
      let at = Int64(random.next(below: 60))
      inputs.append(.link("claims", member, patient, at: at))
      if random.next(below: 3) == 0 { inputs.append(.link("claims", member, patient, at: at)) }
      if at >= last[member]?.at ?? 0 { last[member] = (patient, at) }
    }
    let links = last.sorted { $0.key < $1.key }.map {
      Input.link("claims", $0.key, $0.value.patient, at: $0.value.at)
    }
    let charges = inputs.filter { if case .charge = $0 { true } else { false } }
    let ways = [
      Self.repairable("1d"), Self.provisional, Self.byPatient, Self.provisionalByPatient,
      Self.repairable("1d") + Self.inTwo, Self.provisional + Self.inTwo,
    ]
    for changes in ways {
      let found = try Self.corrected(inputs, changes)
      let should = try Self.corrected(links + charges, changes)
      #expect(Self.rows(found) == Self.rows(should))
      #expect(Self.standing(found) == Self.standing(should))
      // The same through crashes, lost turns and blocks that are read back.
      let rough = try Self.simulation(changes, correcting: true)
      rough.readsBack = seed % 2 == 0
      for input in inputs {
        Self.feed(rough, input)
        if random.next(below: 6) == 0 { rough.loseTurn(of: 1) }
        rough.run()
        if random.next(below: 6) == 0 { rough.crash() }
        rough.recordedMs += 1000
      }
      #expect(rough.stateDigests == found.stateDigests)
    }
  }

  /// Each charge is made two.
  private static let inTwo = [
    (
      "    where: event.amount > 0\n",
      "    explode: {part: \"[1, 2]\"}\n    where: event.amount > 0\n"
    ),
    ("share   = 100 / (event.amount - 13)", "share   = 100 / (event.amount - 13) + part"),
  ]

  @Test func `each of several records that an event makes is taken back by its own id`() throws {
    let simulation = try Self.corrected(
      [
        .link("claims", "m1", "P1", at: 1), .charge(1, "m1", amount: 23),
        .link("claims", "m1", "P2", at: 2), .link("claims", "m1", "P1", at: 3),
      ], Self.repairable("1d") + Self.inTwo)
    let paid = simulation.published.filter { $0.port == 1 }
    let round = ["retract", "retract", "assert", "assert"]
    #expect(paid.map { $0[header: "ce_op"] } == [nil, nil] + round + round)
    let ids = paid.map { $0[header: "ce_id"] ?? "" }
    #expect(Set(ids).count == 10)
    let corrected = paid.compactMap { $0[header: "ce_corrects"] }
    #expect(corrected == [ids[0], ids[1], ids[4], ids[5]])
    #expect(paid.suffix(2).map(\.text) == paid.prefix(2).map(\.text))
    #expect(Self.standing(simulation) == paid.prefix(2).map(\.text))
    #expect(Self.rows(simulation)["m1"] == "{\"member\":\"m1\",\"patient\":\"P1\",\"charges\":2}")
  }

  @Test func `what was handed on to another journal is taken back there, and made anew`() throws {
    let simulation = try Self.corrected(
      [
        .link("claims", "m1", "P1", at: 1), .link("claims", "m2", "P1", at: 1),
        .charge(1, "m1", amount: 23), .charge(2, "m2", amount: 33),
        .link("claims", "m1", "P2", at: 2),
      ], Self.byPatient)
    func row(_ patient: String, _ charges: Int) -> String {
      "{\"member\":\"\(patient)\",\"patient\":\"\(patient)\",\"charges\":\(charges)}"
    }
    #expect(Self.rows(simulation) == ["P1": row("P1", 1), "P2": row("P2", 1)])
    let records = simulation.published.filter { $0.port == 0 }
    #expect(records.map(\.text) == [row("P1", 1), row("P1", 2), row("P1", 1), row("P2", 1)])
    // With the recorded time of the link, and the actual time of the event.
    #expect(records.suffix(2).map(\.timestampMs) == [1_700_000_004_000, 1_700_000_004_000])
    #expect(Set(records.suffix(2).map { $0[header: "ce_time"] }) == [records[0][header: "ce_time"]])
  }

  @Test func `what failed in the other journal is not taken back there, nor released after that`()
    throws
  {
    // Of P1 a row fails.
    let changes =
      Self.byPatient + [
        ("charges = count()", "charges = count() if 1 / (size(ids.patient) - 2) > -100")
      ]
    let simulation = try Self.corrected(
      [
        .link("claims", "m1", "P1", at: 1), .charge(1, "m1", amount: 23),
        .link("claims", "m1", "P22", at: 2),
      ], changes)
    #expect(simulation.reasons == ["expression"])
    let row = "{\"member\":\"P22\",\"patient\":\"P22\",\"charges\":1}"
    #expect(Self.rows(simulation) == ["P22": row])
    try Self.release(simulation, 0)
    #expect(Self.rows(simulation) == ["P22": row])
    #expect(simulation.quarantine.compactMap(\.settlement).map(\.result) == [.redelivered])
    // Back with P1 it fails anew, and that may be released, to fail again.
    Self.feed(simulation, .link("claims", "m1", "P1", at: 3))
    simulation.run()
    #expect(Self.rows(simulation).isEmpty && simulation.reasons.suffix(1) == ["expression"])
    try Self.release(simulation, 2)
    #expect(Self.rows(simulation).isEmpty)
  }

  /// Of patient P13 the share has no value.
  private static let failing =
    repairable("1d") + [
      ("share   = 100 / (event.amount - 13)", "share   = 100 / (size(ids.patient) - 3)")
    ]

  @Test func `what cannot be made anew is taken back and quarantined`() throws {
    let simulation = try Self.corrected(
      [
        .link("claims", "m1", "P1", at: 1), .charge(1, "m1", amount: 23),
        .link("claims", "m1", "P13", at: 2), .link("claims", "m1", "P2", at: 3),
      ], Self.failing)
    let paid = simulation.published.filter { $0.port == 1 }
    #expect(paid.map { $0[header: "ce_op"] } == [nil, "retract"])
    let quarantined = simulation.published.filter { $0.port == Int(OutputBatch.quarantine) }
    #expect(quarantined.map { $0[header: "weft_reason"] } == ["expression"])
    #expect(Self.rows(simulation).isEmpty)
  }

  @Test func `what could not be made anew is made when it is released, and corrected as ever`()
    throws
  {
    let simulation = try Self.corrected(
      [
        .link("claims", "m1", "P1", at: 1), .charge(1, "m1", amount: 23),
        .link("claims", "m1", "P13", at: 2),
      ], Self.failing)
    // Its link is what it was: it is back in quarantine.
    try Self.release(simulation, 0)
    #expect(simulation.reasons == ["expression", "expression", nil])
    #expect(Self.standing(simulation).isEmpty && Self.rows(simulation)["m1"] == nil)
    Self.feed(simulation, .link("claims", "m1", "P2", at: 3))
    simulation.run()
    #expect(Self.standing(simulation).isEmpty)
    // The first place in quarantine was settled; a second release of the other changes nothing.
    for offset in [0, 1, 1] { try Self.release(simulation, offset) }
    let once = "{\"id\":\"e1\",\"patient\":\"P2\",\"share\":-100}"
    #expect(Self.standing(simulation) == [once])
    #expect(Self.rows(simulation)["m1"] == "{\"member\":\"m1\",\"patient\":\"P2\",\"charges\":1}")
    // A redelivery has no effect, and the next link corrects it.
    Self.feed(simulation, .charge(1, "m1", amount: 23))
    Self.feed(simulation, .link("claims", "m1", "P1", at: 4))
    simulation.run()
    #expect(Self.standing(simulation) == [once.replacing("P2", with: "P1")])
    #expect(Self.rows(simulation)["m1"] == "{\"member\":\"m1\",\"patient\":\"P1\",\"charges\":1}")
    let live = simulation.stateDigests
    simulation.crash()
    #expect(simulation.stateDigests == live)
  }

  private static func release(_ simulation: ProductSimulation, _ offset: Int) throws {
    let blocks = try ControlBlocks(simulation.plan.definition)
    let record = try #require(simulation.quarantine[offset].event)
    #expect(blocks.release(record, recordedMs: simulation.recordedMs) == nil)
    simulation.write(blocks.take(recordedMs: simulation.recordedMs))
    simulation.run()
  }

  @Test func `values of windows that links would correct are refused`() throws {
    let window = (
      "    key: event.member\n    on:", "    key: event.member\n    window: {tumbling: 1h}\n    on:"
    )
    let found = try Self.load(Self.repairable("1d") + [window], correcting: true).diagnostics
    #expect(
      found.contains { $0.code.text == "W0359" && $0.message.hasPrefix("values of windows") },
      "\(found)")
  }
}
