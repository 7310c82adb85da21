import Expressions
import Formats
import Product
import Records
import Testing

@testable import Engine

/// Tables of different keys: each has a journal of its own, written in the same turn.
@Suite struct SeveralKeysTests {
  static let event = EventType(
    name: "Sale", fields: [Make.text("id", required: true)] + FlowTests.event.fields)
  static let stock = EventType(
    name: "Stock",
    fields: [
      Make.text("id", required: true), Make.text("item", required: true),
      Make.field("pieces", .int, required: true),
    ])
  static let input = InputDefinition(
    name: "sales", topic: "sales", discriminator: nil, id: .init(path: ["id"], horizonMs: 1 << 40),
    time: nil, start: .earliest, events: [event])
  static let stocks = InputDefinition(
    name: "stocks", topic: "stocks", discriminator: nil,
    id: .init(path: ["id"], horizonMs: 1 << 40),
    time: nil, start: .earliest, events: [stock])
  static let columns: [TableDefinition.Column] = [
    .init(name: "sales", type: .int), .init(name: "pieces", type: .int),
  ]

  /// Sales by shop, and by item with what comes to stock.
  static func product(most: Int = 9) throws -> ProductDefinition {
    let sold: [(String, TableDefinition.Aggregate, String?, String?)] = [
      ("sales", .count, nil, nil), ("pieces", .sum, "event.pieces", nil),
    ]
    let shops = TableDefinition(
      name: "shops", journal: 0, keyTypes: [.string], columns: columns,
      clauses: [try Make.clause(input, 0, key: ["event.shop"], columns: columns, sold)])
    let arrived = try Make.clause(
      stocks, 0, key: ["event.item"], columns: columns,
      [("pieces", .sum, "-event.pieces", nil)])
    let items = TableDefinition(
      name: "items", journal: 1, keyTypes: [.string], columns: columns,
      clauses: [
        try Make.clause(input, 0, key: ["event.item"], columns: columns, sold),
        TableDefinition.Clause(
          branch: Branch(event: EventReference(input: 1, event: 0), steps: []), key: arrived.key,
          updates: arrived.updates),
      ])
    let sale = EventReference(input: 0, event: 0)
    let ofShop = try Make.expression("event.shop", Make.scope(event))
    let ofItem = try Make.expression("event.item", Make.scope(event))
    let ofStock = try Make.expression("event.item", Make.scope(stock))
    return Make.product(
      inputs: [input, stocks],
      journals: [
        JournalDefinition(
          name: "shop", topic: "journal.shop", partitions: 3, retentionMs: nil,
          keys: [sale: .parts([ofShop])]),
        JournalDefinition(
          name: "item", topic: "journal.item", partitions: 2, retentionMs: nil,
          keys: [
            sale: .parts([ofItem]), EventReference(input: 1, event: 0): .parts([ofStock]),
          ]),
      ], tables: [shops, items],
      outputs: [
        try FlowTests.rows(0, shops, keys: ["shop"]),
        try FlowTests.rows(1, items, keys: ["item"], most: most),
      ])
  }

  private static func feed(_ simulation: ProductSimulation, _ text: String, input: Int = 0) {
    simulation.feed(
      .init(
        input: input, key: nil, value: Array(text.utf8), timestampMs: simulation.recordedMs))
  }

  /// Sales and stock from a seed, some of them twice; `change` is asked every 20 events.
  private static func run(
    seed: UInt64, _ change: (ProductSimulation) -> Void = { _ in }
  ) throws -> (simulation: ProductSimulation, shops: [String: Int], items: [String: Int]) {
    let simulation = try ProductSimulation(product())
    var random = SplitMix(seed)
    var shops: [String: Int] = [:]
    var items: [String: Int] = [:]
    for number in 0..<300 {
      let (shop, item) = ("s\(random.next(5))", "i\(random.next(7))")
      let pieces = 1 + Int(random.next(8))
      let times = random.next(6) == 0 ? 2 : 1
      if random.next(4) == 0 {
        items[item, default: 0] -= pieces
        for _ in 0..<times {
          feed(
            simulation, "{\"id\":\"\(number)\",\"item\":\"\(item)\",\"pieces\":\(pieces)}", input: 1
          )
        }
      } else {
        shops[shop, default: 0] += pieces
        items[item, default: 0] += pieces
        let text = FlowTests.sale(shop, item, pieces, more: ",\"id\":\"\(number)\"")
        for _ in 0..<times { feed(simulation, text) }
      }
      if number % 20 == 19 {
        simulation.recordedMs += 50
        change(simulation)
        simulation.run()
      }
    }
    simulation.run()
    return (simulation, shops, items)
  }

  private func rows(_ simulation: ProductSimulation, _ port: Int) throws -> [String: Int] {
    var result: [String: Int] = [:]
    for record in simulation.published where record.port == port {
      let value = try JSONValue(parsing: String(decoding: record.value ?? [], as: UTF8.self))
      result[record.keyText ?? ""] = value["pieces"]?.int64.map { Int($0) }
    }
    return result
  }

  @Test(arguments: [1, 2])
  func `each table has all of its events once, by its own key, whatever happens to the worker`(
    seed: UInt64
  ) throws {
    let plain = try SeveralKeysTests.run(seed: seed)
    #expect(try rows(plain.simulation, 0) == plain.shops)
    #expect(try rows(plain.simulation, 1) == plain.items)
    #expect(plain.simulation.counts.redelivered > 10)
    #expect(plain.simulation.counts.applied == 300)
    let readBack = try SeveralKeysTests.run(seed: seed) { $0.readsBack = true }
    let crashed = try SeveralKeysTests.run(seed: seed) {
      $0.loseTurn(of: 7)
      $0.crash()
    }
    for other in [readBack.simulation, crashed.simulation] {
      #expect(other.journal == plain.simulation.journal)
      #expect(other.stateDigests == plain.simulation.stateDigests)
      #expect(other.counts == plain.simulation.counts)
      #expect(DeterminismTests.byPlace(other) == DeterminismTests.byPlace(plain.simulation))
    }
  }

  @Test func `an event that lacks one of the keys is in no journal`() throws {
    let simulation = try ProductSimulation(SeveralKeysTests.product())
    simulation.take("{\"id\":\"1\",\"shop\":\"s\",\"pieces\":1}")
    #expect(simulation.reasons == ["missing-key"])
    #expect(simulation.journal.joined().joined().isEmpty)
    #expect(simulation.published.count == 1)
  }

  @Test func `what each journal finds wrong with an event is quarantined once`() throws {
    let simulation = try ProductSimulation(SeveralKeysTests.product())
    simulation.take(
      "{\"id\":\"1\",\"shop\":\"s\",\"item\":\"i\",\"pieces\":\"many\"}")
    #expect(simulation.reasons == ["contract-input"])
    #expect(simulation.counts.quarantined == 1)
    // Its redelivery has no effect in either.
    simulation.take(FlowTests.sale("s", "i", 1, more: ",\"id\":\"1\""))
    #expect(simulation.counts.redelivered == 1)
    #expect(simulation.published.count == 1)
    let digests = simulation.stateDigests
    simulation.crash()
    #expect(simulation.stateDigests == digests)
  }

  @Test func `what one table cannot take is quarantined, and the other table has the event`() throws
  {
    let simulation = try ProductSimulation(SeveralKeysTests.product(most: 2))
    simulation.take(FlowTests.sale("s", "i", 500, more: ",\"id\":\"1\""))
    #expect(simulation.reasons == ["contract-output"])
    #expect(simulation.values(0) == ["{\"shop\":\"s\",\"sales\":1,\"pieces\":500}"])
    #expect(simulation.values(1).isEmpty)
  }
}
