import Product
import Testing

@testable import Engine

@Suite struct DirectTests {
  static let order = """
    {"order_id":"o-1","customer":{"id":7,"email":"u7@example.com","name":"Jane"},"status":"paid",\
    "amount":12.50,"currency":"EUR","items":[{"sku":"s1","qty":2,"price":9.99},\
    {"sku":"s2","qty":1,"price":0.5}],"ts":1700000000000}
    """

  @Test func `a direct product filters, projects, masks and sums exactly`() throws {
    let simulation = try ProductSimulation(Orders.map())
    simulation.take(DirectTests.order)
    simulation.take(DirectTests.order.replacing("paid", with: "cancelled"))
    #expect(simulation.values(0).count == 1)
    let value = try #require(simulation.values(0).first)
    #expect(value.hasPrefix(#"{"order_id":"o-1","customer_id":7,"email":"#))
    #expect(value.hasSuffix(#","status":"paid","total":20.48,"ts":1700000000000}"#))
    #expect(simulation.counts.read == 2)
    #expect(simulation.counts.applied == 1)
    #expect(simulation.counts.filtered == 1)
  }

  @Test func `a bare record has no headers and a CloudEvent has six`() throws {
    let bare = try ProductSimulation(Orders.map())
    bare.take(DirectTests.order)
    #expect(bare.published[0].headers.isEmpty)
    let events = try ProductSimulation(Orders.map(envelope: .cloudevents))
    events.take(DirectTests.order, partition: 3)
    let record = events.published[0]
    #expect(record.headers.count == 6)
    #expect(record[header: "ce_specversion"] == "1.0")
    #expect(record[header: "ce_id"] == "orders-3-0")
    #expect(record[header: "ce_source"] == "claims/claims#mapped@1")
    #expect(record[header: "ce_type"] == "claims.claims.mapped.v1")
    #expect(record[header: "ce_recordedtime"] == "2024-06-01T00:00:00Z")
  }
}
