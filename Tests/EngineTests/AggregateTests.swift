import Expressions
import Product
import Testing

@testable import Engine

/// Every aggregate over every type of column, against a model in plain Swift.
@Suite struct AggregateTests {
  static let event = EventType(
    name: "Reading",
    fields: [
      Make.text("id", required: true), Make.field("at", .timestamp, required: true),
      Make.text("place", required: true), Make.field("whole", .int), Make.field("half", .double),
      Make.money("price"), Make.text("note"), Make.field("day", .date), Make.field("ok", .bool),
      Make.field("tags", .list(.string)), Make.field("any", .dyn),
    ])
  static let kinds: [(String, ValueType)] = [
    ("whole", .int), ("half", .double), ("price", .decimal), ("note", .string), ("day", .date),
    ("ok", .bool), ("tags", .list(.string)), ("any", .dyn),
  ]

  /// A product with one column for each aggregate over `name`, by place.
  static func product(_ name: String, _ type: ValueType) throws -> ProductDefinition {
    let input = InputDefinition(
      name: "readings", topic: "readings", discriminator: nil, id: nil, time: ["at"],
      start: .earliest, events: [event])
    var aggregates: [TableDefinition.Aggregate] = [.count, .first, .last, .latest]
    if ["whole", "half", "price"].contains(name) { aggregates.append(.sum) }
    if !["tags", "any"].contains(name) { aggregates += [.min, .max] }
    let columns = aggregates.map {
      TableDefinition.Column(name: $0.rawValue, type: $0 == .count ? .int : type)
    }
    let table = TableDefinition(
      name: "places", journal: 0, keyTypes: [.string], columns: columns,
      clauses: [
        try Make.clause(
          input, 0, key: ["event.place"], columns: columns,
          aggregates.map { ($0.rawValue, $0, $0 == .count ? nil : "event.\(name)", nil) })
      ])
    let fields =
      [Make.text("place", required: true)]
      + columns.map { column in
        column.type == .decimal ? Make.money(column.name) : Make.field(column.name, column.type)
      }
    return Make.product(
      inputs: [input],
      journals: [
        JournalDefinition(
          name: "place", topic: "journal", partitions: 1, retentionMs: nil,
          keys: [
            EventReference(input: 0, event: 0): .parts([
              try Make.expression("event.place", Make.scope(event))
            ])
          ])
      ], tables: [table],
      outputs: [
        Make.output(
          "places", try Make.state(table: 0, table, keys: ["place"], fields: fields),
          fields: fields)
      ])
  }

  /// A random value of a field as JSON, and a number by which such values are ordered.
  static func value(_ name: String, _ random: inout SplitMix) -> (text: String, order: Int)? {
    if random.next(5) == 0 { return nil }
    let number = Int(random.next(2000)) - 1000
    switch name {
    case "whole": return ("\(number)", number)
    case "half": return ("\(number).5", number)
    case "price": return ("\(number < 0 ? "-" : "")\(abs(number)).25", number)
    case "note":
      let digits = String(number + 2000)
      return ("\"n\\u00e9\(digits)\"", number)
    case "day":
      let day = 10 + Int(random.next(18))
      return ("\"2024-02-\(day)\"", day)
    case "ok": return number > 0 ? ("true", 1) : ("false", 0)
    case "tags": return ("[\"a\(number)\",\"b\"]", number)
    default: return ("{\"x\":[\(number),null]}", number)
    }
  }

  @Test(arguments: kinds.map(\.0))
  func `each aggregate is what its name says`(name: String) throws {
    let type = try #require(AggregateTests.kinds.first { $0.0 == name }).1
    let simulation = try ProductSimulation(AggregateTests.product(name, type))
    var random = SplitMix(UInt64(name.utf8.count))
    var seen: [(text: String, order: Int, time: Int)] = []
    var count = 0
    for number in 0..<200 {
      let time = Int(random.next(50))
      let value = AggregateTests.value(name, &random)
      let field =
        value.map { ",\"\(name)\":\($0.text)" } ?? (number % 2 == 0 ? "" : ",\"\(name)\":null")
      let stamp = "2024-01-01T00:00:\(time < 10 ? "0" : "")\(time)Z"
      simulation.take("{\"id\":\"\(number)\",\"at\":\"\(stamp)\",\"place\":\"p\"\(field)}")
      count += 1
      if let value { seen.append((value.text, value.order, time)) }
      guard let first = seen.first, let last = seen.last else { continue }
      let row = simulation.values(0).last ?? ""
      let latest = seen.reduce(first) { $1.time >= $0.time ? $1 : $0 }
      func has(_ column: String, _ text: String) {
        // Escapes are resolved on the way in and written as they are.
        let plain = text.replacing("\\u00e9", with: "é")
        #expect(row.contains("\"\(column)\":\(plain)"), "\(column) of \(row)")
      }
      has("count", "\(count)")
      has("first", first.text)
      has("last", last.text)
      has("latest", latest.text)
      if let least = seen.min(by: { $0.order < $1.order }), type != .dyn, name != "tags" {
        has("min", least.text)
        has("max", (seen.max { $0.order < $1.order } ?? least).text)
      }
      let total = seen.reduce(0) { $0 + $1.order }
      if name == "whole" { has("sum", "\(total)") }
    }
    #expect(simulation.quarantined.isEmpty)
    let digests = simulation.stateDigests
    simulation.crash()
    #expect(simulation.stateDigests == digests)
  }

  @Test func `a sum that leaves its type is an error of the event, with its place`() throws {
    let simulation = try ProductSimulation(AggregateTests.product("whole", .int))
    let most = "9223372036854775807"
    for number in 0..<2 {
      simulation.take(
        "{\"id\":\"\(number)\",\"at\":\"2024-01-01T00:00:00Z\",\"place\":\"p\",\"whole\":\(most)}")
    }
    #expect(simulation.reasons == ["expression"])
    #expect(simulation.quarantined[0][header: "weft_place"] == "places.sum")
    #expect(simulation.values(0).count == 1)
  }
}
