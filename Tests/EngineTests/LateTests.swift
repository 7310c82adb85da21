import Product
import Testing

@testable import Engine

/// An event that comes too late for a window.
@Suite struct LateTests {
  /// What customers have paid: in windows of ten minutes, in all, and payment by payment.
  private static func simulation(_ order: KeyOrder) throws -> ProductSimulation {
    var shop = StreamShop()
    shop.tables = """
      windows:
        key: event.customer
        window: {tumbling: 10m}
        on:
          paid: paid = sum(event.amount)
      totals:
        key: event.customer
        on:
          paid: paid = sum(event.amount)
      """
    shop.outputs = [
      "windows": "from: windows", "totals": "from: totals",
      "payments": """
      from: paid
      key: event.customer
      select: |
        id   = event.id
        many = event.amount
      """,
    ]
    let customer = "name: customer, \(StreamShop.text), primaryKey: true, primaryKeyPosition: 1"
    shop.contracts["totals"] = [customer, "name: paid, logicalType: integer"]
    shop.contracts["windows"] = [
      customer,
      "name: since, logicalType: timestamp, required: true, primaryKey: true, primaryKeyPosition: 2",
      "name: paid, logicalType: integer",
    ]
    var definition = try shop.load().product()
    definition.order = order
    let simulation = try ProductSimulation(definition)
    for (id, minute, amount) in [("a", 1, 1), ("b", 15, 2), ("c", 2, 4), ("d", 16, 8)] {
      simulation.take(
        #"{"id":"\#(id)","customer":"c","amount":\#(amount),"#
          + #""at":"2024-06-01T00:\#(minute < 10 ? "0" : "")\#(minute):00Z"}"#, input: 1)
    }
    return simulation
  }

  @Test(arguments: [KeyOrder.skip, .holdKey])
  func `what is late for a window counts in all that has none, once, and holds nothing up`(
    _ order: KeyOrder
  ) throws {
    let run = try Self.simulation(order)
    let shown = run.port("windows").map { $0.text.split(separator: ":").last }
    #expect(shown == ["1}", "2}", "10}"])
    #expect(run.port("totals").last?.text == #"{"customer":"c","paid":15}"#)
    #expect(run.port("payments").count == 4)
    #expect(run.reasons == ["late"])
    #expect(run.quarantined[0][header: "weft_place"] == "windows")
    #expect(run.counts.applied == 3 && run.counts.quarantined == 1 && run.counts.held == 0)
    let live = run.stateDigests
    run.crash()
    #expect(run.stateDigests == live)
  }

  @Test func `it cannot be released, as all else would come twice, but discarded`() throws {
    let run = try Self.simulation(.skip)
    let blocks = try ControlBlocks(run.plan.definition)
    let record = try #require(run.quarantine.first?.event)
    #expect(blocks.release(record, recordedMs: run.recordedMs) == .isLate)
    #expect(blocks.discard(record, recordedMs: run.recordedMs) == nil)
    run.write(blocks.take(recordedMs: run.recordedMs))
    run.run()
    #expect(run.quarantine.last?.settlement?.result == .discarded)
    #expect(run.port("payments").count == 4)
  }
}
