import Formats
import Product
import Records
import Testing

@testable import Engine

/// What is in quarantine goes back through the product when an operator says so, once.
@Suite struct ReleaseTests {
  private static let early = Claims.charge("c1", id: "e1", "5").replacing(
    "2024-01-02", with: "2024-08-01")
  private static let afterwards: Int64 = 1_722_600_000_000

  /// A charge that lies two months ahead is in quarantine, and then it is time.
  private func waiting() throws -> ProductSimulation {
    let simulation = try ProductSimulation(Claims.product())
    simulation.take(Self.early)
    try #require(simulation.reasons == ["future"])
    simulation.recordedMs = Self.afterwards
    return simulation
  }

  private func settle(
    _ simulation: ProductSimulation, _ offset: Int, discards: Bool = false
  ) throws -> ControlBlocks.Refusal? {
    let blocks = try ControlBlocks(simulation.plan.definition)
    let record = try #require(simulation.quarantine[offset].event)
    let refusal =
      discards
      ? blocks.discard(record, recordedMs: simulation.recordedMs)
      : blocks.release(record, recordedMs: simulation.recordedMs)
    simulation.write(blocks.take(recordedMs: simulation.recordedMs))
    simulation.run()
    return refusal
  }

  @Test func `a released event is applied as if it came now, and a second release does nothing`()
    throws
  {
    let simulation = try waiting()
    #expect(try settle(simulation, 0) == nil)
    let released = simulation.published.filter { $0.port == 0 }
    #expect(released.count == 1)
    #expect(released[0].timestampMs == Self.afterwards)
    #expect(released[0][header: "ce_time"] == "2024-08-01T00:00:00Z")
    #expect(simulation.quarantine.compactMap(\.settlement).map(\.result) == [.applied])
    #expect(simulation.quarantine[1].settlement?.settles == 0)
    let all = simulation.published.count
    for _ in 0..<3 { #expect(try settle(simulation, 0) == nil) }
    simulation.crash()
    #expect(try settle(simulation, 0) == nil)
    #expect(simulation.published.count == all)
    #expect(simulation.counts.released == 1)
    #expect(simulation.counts.applied == 1 && simulation.counts.quarantined == 1)
  }

  @Test func `a release that is lost with its turn takes place in the next, and once`() throws {
    let simulation = try waiting()
    let blocks = try ControlBlocks(simulation.plan.definition)
    let record = try #require(simulation.quarantine[0].event)
    #expect(blocks.release(record, recordedMs: Self.afterwards) == nil)
    simulation.write(blocks.take(recordedMs: Self.afterwards))
    simulation.loseTurn(of: 0)
    #expect(simulation.values(0).isEmpty)
    simulation.run()
    #expect(simulation.values(0).count == 1)
    let live = simulation.stateDigests
    simulation.crash()
    #expect(simulation.stateDigests == live)
  }

  @Test func `the redelivery of a released event has no effect`() throws {
    let simulation = try waiting()
    #expect(try settle(simulation, 0) == nil)
    simulation.take(Self.early)
    #expect(simulation.counts.redelivered == 0 && simulation.values(0).count == 2)
    // Its id was remembered when it came first, for seven days.
    let late = try ProductSimulation(Claims.product())
    late.take(Self.early)
    late.take(Self.early)
    #expect(late.counts.redelivered == 1)
  }

  @Test func `what fails again is in quarantine again, and can be released from there`() throws {
    let simulation = try ProductSimulation(Claims.product())
    simulation.take(Self.early)
    #expect(try settle(simulation, 0) == nil)
    #expect(simulation.reasons == ["future", "future", nil])
    #expect(simulation.quarantine[2].settlement?.result == .quarantined)
    #expect(
      simulation.quarantine[1].event?.position == simulation.quarantine[2].settlement?.position)
    simulation.recordedMs = Self.afterwards
    #expect(try settle(simulation, 0) == nil)
    #expect(simulation.values(0).isEmpty)
    #expect(try settle(simulation, 1) == nil)
    #expect(simulation.values(0).count == 1)
  }

  @Test func `what is discarded stays out for good`() throws {
    let simulation = try waiting()
    #expect(try settle(simulation, 0, discards: true) == nil)
    #expect(simulation.quarantine[1].settlement?.result == .discarded)
    #expect(try settle(simulation, 0) == nil)
    #expect(simulation.values(0).isEmpty && simulation.quarantine.count == 2)
    #expect(simulation.counts.discarded == 1 && simulation.counts.released == 0)
  }

  @Test func `only what one journal made of an event comes again where the other had it`() throws {
    let simulation = try ProductSimulation(SeveralKeysTests.product(most: 2))
    simulation.take(FlowTests.sale("s", "i", 500, more: ",\"id\":\"1\""))
    try #require(simulation.quarantined.count == 1)
    #expect(simulation.quarantine[0].event?.extent == .journal)
    let before = simulation.published.count
    #expect(try settle(simulation, 0) == nil)
    // It fails again, in that journal; the other journal's rows stay as they are.
    #expect(simulation.published.count == before + 2)
    #expect(simulation.quarantine.last?.settlement?.result == .quarantined)
  }

  // MARK: Order

  /// A charge ahead of its time, two behind it of the same claim, one of another.
  private func holding() throws -> ProductSimulation {
    var definition = try Claims.product()
    definition.order = .holdKey
    let simulation = try ProductSimulation(definition)
    simulation.take(Self.early)
    simulation.take(Claims.charge("c1", id: "e2", "6"))
    simulation.take(Claims.charge("c2", id: "e3", "7"))
    simulation.take(Claims.charge("c1", id: "e4", "8"))
    return simulation
  }

  /// What stands at the event port: which event, from which position, recorded when.
  private func charges(_ simulation: ProductSimulation) -> [String] {
    simulation.published.filter { $0.port == 0 }.map { record in
      let id = record.text.firstMatch(of: /"transactionId":"(\w+)"/).map { String($0.1) } ?? "?"
      return "\(id) \(record[header: "ce_recordedtime"] ?? "")"
    }
  }

  @Test func `events of its key wait behind one in quarantine, and go on in order behind it`()
    throws
  {
    let simulation = try holding()
    #expect(charges(simulation) == ["e3 2024-06-01T00:00:00Z"])
    #expect(simulation.counts.held == 2 && simulation.counts.quarantined == 1)
    // A redelivery has no effect while it waits, either.
    simulation.take(Claims.charge("c1", id: "e2", "6"))
    #expect(simulation.counts.redelivered == 1)
    simulation.crash()
    simulation.recordedMs = Self.afterwards
    #expect(try settle(simulation, 0) == nil)
    #expect(
      charges(simulation) == [
        "e3 2024-06-01T00:00:00Z", "e1 2024-08-02T12:00:00Z", "e2 2024-06-01T00:00:00Z",
        "e4 2024-06-01T00:00:00Z",
      ])
    #expect(simulation.counts.held == 0 && simulation.counts.released == 1)
    let live = simulation.stateDigests
    simulation.crash()
    #expect(simulation.stateDigests == live)
    simulation.take(Claims.charge("c1", id: "e5", "9"))
    #expect(charges(simulation).count == 5)
  }

  @Test func `they wait on where the released one fails again, and go on where it is discarded`()
    throws
  {
    let simulation = try holding()
    #expect(try settle(simulation, 0) == nil)
    #expect(charges(simulation).count == 1)
    #expect(try settle(simulation, 1, discards: true) == nil)
    #expect(charges(simulation).map { $0.prefix(2) } == ["e3", "e2", "e4"])
  }

  @Test func `one that waits may fail itself, and then the rest waits behind it`() throws {
    let simulation = try holding()
    let wrong = QuarantineTests.good.replacing("e1", with: "x").replacing(
      #""chargeId":"1""#, with: #""chargeId":1"#)
    simulation.take(wrong)
    simulation.take(Claims.charge("c1", id: "e5", "9"))
    #expect(try settle(simulation, 0, discards: true) == nil)
    #expect(charges(simulation).map { $0.prefix(2) } == ["e3", "e2", "e4"])
    #expect(
      simulation.quarantine.compactMap(\.event).map(\.reason) == ["future", "contract-input"])
    #expect(simulation.counts.held == 1)
    #expect(try settle(simulation, 2, discards: true) == nil)
    #expect(charges(simulation).map { $0.prefix(2) } == ["e3", "e2", "e4", "e5"])
  }

  @Test(arguments: [true, false])
  func `what failed in one journal and waits in another is settled there as well`(discards: Bool)
    throws
  {
    var definition = try SeveralKeysTests.product()
    definition.order = .holdKey
    let simulation = try ProductSimulation(definition)
    func sale(_ shop: String, _ id: Int, isRight: Bool = false) {
      let text = FlowTests.sale(shop, "i", 1, more: ",\"id\":\"\(id)\"")
      simulation.take(isRight ? text : text.replacing(":1,", with: ":true,"))
    }
    sale("s1", 1)
    // The first journal quarantines it, in the second it is behind the other one.
    sale("s2", 2)
    sale("s3", 3, isRight: true)
    try #require(simulation.reasons == ["contract-input", "contract-input"])
    if !discards {
      #expect(try settle(simulation, 1) == nil)
      #expect(
        simulation.quarantine.compactMap(\.settlement).map(\.result) == [.quarantined, .held])
    }
    #expect(try settle(simulation, discards ? 1 : 2, discards: true) == nil)
    simulation.crash()
    #expect(try settle(simulation, 0, discards: true) == nil)
    #expect(simulation.values(0).count == 1)
    #expect(simulation.values(1).count == 1)
    let live = simulation.stateDigests
    simulation.crash()
    #expect(simulation.stateDigests == live)
  }

  @Test func `what has no key still has none, and can be discarded`() throws {
    let simulation = try ProductSimulation(Claims.product())
    simulation.take(QuarantineTests.good.replacing(#""claimId":"c1","#, with: ""))
    guard case .staysOut("missing-key", _) = try settle(simulation, 0) else {
      Issue.record("it was released")
      return
    }
    #expect(try settle(simulation, 0, discards: true) == nil)
    #expect(simulation.quarantine.last?.settlement?.result == .discarded)
  }

  @Test func `what is no JSON still is none`() throws {
    let simulation = try ProductSimulation(Claims.product())
    simulation.take("no event")
    guard case .staysOut("not-json", _) = try settle(simulation, 0) else {
      Issue.record("it was released")
      return
    }
  }

  @Test func `of an original that was cut there is nothing to release`() throws {
    let simulation = try ProductSimulation(Claims.product())
    simulation.take("\"" + String(repeating: "x", count: 2_000_000) + "\"")
    #expect(try settle(simulation, 0) == .isCut)
  }

  @Test func `a released event that a port does not take does not stop the product`() throws {
    var options = Claims.Options()
    options.onError = .stop
    let simulation = try waiting()
    let blocks = try ControlBlocks(simulation.plan.definition)
    let record = try #require(simulation.quarantine[0].event)
    #expect(blocks.release(record, recordedMs: 1_717_200_000_000) == nil)
    let stopping = try ProductSimulation(Claims.product(options))
    stopping.write(blocks.take(recordedMs: 1_717_200_000_000))
    stopping.run()
    #expect(stopping.stop == nil)
    #expect(stopping.reasons == ["future", nil])
  }
}

extension ProductSimulation {
  /// What lies in quarantine, by its place.
  var quarantine: [QuarantineLogEntry] {
    quarantined.enumerated().compactMap { offset, record in
      QuarantineLogEntry(
        offset: Int64(offset),
        headers: record.headers.map { ($0.name, String(decoding: $0.value, as: UTF8.self)) },
        key: record.key, value: record.value)
    }
  }
}

extension QuarantineLogEntry {
  var event: QuarantinedRecord? {
    if case .event(let record) = self { record } else { nil }
  }
  var settlement: SettlementRecord? {
    if case .settlement(let record) = self { record } else { nil }
  }
}
