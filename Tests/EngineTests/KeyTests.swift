import Expressions
import Formats
import Product
import Records
import Testing

@testable import Engine

/// Rows by keys of several parts, and what their ports make of `row`.
@Suite struct KeyTests {
  static let event = AggregateTests.event
  static let input = DeletionTests.input
  static let columns: [TableDefinition.Column] = [
    .init(name: "count", type: .int), .init(name: "total", type: .decimal),
  ]
  static let fields = [
    Make.text("place", required: true), Make.field("whole", .int, required: true),
    Make.field("at", .timestamp, required: true), Make.field("price", .decimal, decimal: (18, 2)),
    Make.field("count", .int, required: true), Make.money("total"), Make.text("label"),
    Make.money("mean"),
  ]

  static func product() throws -> ProductDefinition {
    let key = ["event.place", "event.whole", "event.at", "event.price"]
    let table = TableDefinition(
      name: "series", journal: 0, keyTypes: [.string, .int, .timestamp, .decimal],
      columns: columns,
      clauses: [
        try Make.clause(
          input, 0, key: key, columns: columns,
          [("count", .count, nil, nil), ("total", .sum, "event.price", nil)])
      ])
    let place = try Make.expression("event.place", Make.scope(event))
    return Make.product(
      inputs: [input],
      journals: [
        JournalDefinition(
          name: "place", topic: "journal", partitions: 3, retentionMs: nil,
          keys: [EventReference(input: 0, event: 0): .parts([place])])
      ], tables: [table],
      outputs: [
        Make.output(
          "series",
          try Make.state(
            table: 0, table, keys: ["place", "whole", "at", "price"], fields: fields,
            derived: [
              ("label", "row.place + \"/\" + string(row.whole)"),
              ("mean", "has(row.total) && row.count == 1 ? row.total : row.price"),
            ]), fields: fields)
      ])
  }

  static func reading(_ place: String, _ whole: Int, _ second: Int, _ price: String) -> String {
    """
    {"id":"1","at":"2024-01-01T00:00:0\(second)Z","place":"\(place)","whole":\(whole),\
    "price":\(price)}
    """
  }

  @Test func `each combination of a key's parts is a row, its parts are columns of it`() throws {
    let simulation = try ProductSimulation(KeyTests.product())
    var random = SplitMix(5)
    var model: [String: (count: Int, cents: Int)] = [:]
    for _ in 0..<300 {
      // Parts that would run together without quotes around them.
      let place = ["a", "a,1", "a\\\"", "é"][Int(random.next(4))]
      let whole = Int(random.next(2)) + 1
      let second = Int(random.next(2))
      let price = ["1.5", "1.50", "2"][Int(random.next(3))]
      simulation.take(KeyTests.reading(place, whole, second, price))
      let text = price == "2" ? "2" : "1.5"
      let key = "[\"\(place)\",\(whole),\"2024-01-01T00:00:0\(second)Z\",\(text)]"
      var row = model[key] ?? (0, 0)
      row.count += 1
      row.cents += price == "2" ? 200 : 150
      model[key] = row
    }
    #expect(simulation.quarantined.isEmpty)
    var shown: [String: JSONValue] = [:]
    var partitions: [String: Set<Int32>] = [:]
    for record in simulation.published {
      let text = String(decoding: record.value ?? [], as: UTF8.self)
      let value = try JSONValue(parsing: text)
      shown[record.keyText ?? ""] = value
      partitions[value["place"]?.string ?? "", default: []].insert(record.partition)
    }
    #expect(Set(shown.keys) == Set(model.keys))
    #expect(partitions.values.allSatisfy { $0.count == 1 }, "a place is in one partition")
    for (key, row) in model {
      let value = try #require(shown[key])
      let parts = try #require(try JSONValue(parsing: key).array)
      #expect(value["place"] == parts[0])
      #expect(value["whole"] == parts[1])
      #expect(value["at"] == parts[2])
      #expect(value["price"]?.double == parts[3].double)
      #expect(value["count"]?.int64 == Int64(row.count))
      #expect(value["total"]?.double == Double(row.cents) / 100)
      #expect(value["label"]?.string == "\(parts[0].string ?? "")/\(parts[1].int64 ?? 0)")
      let mean = row.count == 1 ? value["total"] : value["price"]
      #expect(value["mean"] == mean)
    }
    let digests = simulation.stateDigests
    simulation.crash()
    #expect(simulation.stateDigests == digests)
  }

  @Test func `an event that lacks a part of the table's key is quarantined, with the part`() throws
  {
    let simulation = try ProductSimulation(KeyTests.product())
    simulation.take(KeyTests.reading("a", 1, 0, "null"))
    #expect(simulation.reasons == ["missing-key"])
    #expect(
      simulation.quarantined[0][header: "weft_message"]
        == "part 4 of the key, `event.price`, has no value")
    #expect(simulation.values(0).isEmpty)
  }
}
