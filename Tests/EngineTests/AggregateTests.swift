import Expressions
import Formats
import Product
import Records
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
      Make.field("moment", .timestamp), Make.field("tags", .list(.string)),
      Make.field("any", .dyn),
    ])
  static let kinds: [(String, ValueType)] = [
    ("whole", .int), ("half", .double), ("price", .decimal), ("note", .string), ("day", .date),
    ("moment", .timestamp), ("ok", .bool), ("tags", .list(.string)), ("any", .dyn),
  ]

  /// A product with one column for each aggregate over `name`, by place.
  static func product(
    _ name: String, _ type: ValueType, _ only: [TableDefinition.Aggregate]? = nil
  ) throws -> ProductDefinition {
    let input = InputDefinition(
      name: "readings", topic: "readings", discriminator: nil, id: nil, time: ["at"],
      start: .earliest, events: [event])
    var aggregates: [TableDefinition.Aggregate] = [.count, .first, .last, .latest, .collect]
    if ["whole", "half", "price"].contains(name) { aggregates += [.sum, .avg, .quantile] }
    if !["tags", "any"].contains(name) {
      aggregates += [.min, .max, .countDistinct, .collectSet]
    }
    if let only { aggregates = only }
    let columns = aggregates.map { column($0, type) }
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
        let isMoney = column.type == .decimal || column.type == .list(.decimal)
        return Make.field(column.name, column.type, decimal: isMoney ? (18, 2) : nil)
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

  private static func column(_ aggregate: TableDefinition.Aggregate, _ type: ValueType)
    -> TableDefinition.Column
  {
    let result: ValueType =
      switch aggregate {
      case .count, .countDistinct: .int
      case .collect, .collectSet: .list(type)
      case .quantile: .double
      case .avg: type == .decimal ? .decimal : .double
      default: type
      }
    return TableDefinition.Column(
      name: aggregate.rawValue, type: result, decimalPlaces: result == .decimal ? 2 : nil,
      quantileBillionths: aggregate == .quantile ? 700_000_000 : nil)
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
    case "moment":
      let second = 10 + Int(random.next(50))
      return ("\"2024-02-29T23:59:\(second)Z\"", second)
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
      has("collect", "[" + seen.map(\.text).joined(separator: ",") + "]")
      if type == .dyn || name == "tags" { continue }
      has("countDistinct", "\(Set(seen.map(\.text)).count)")
      var distinct: [String] = []
      for value in seen.sorted(by: { $0.order < $1.order }) where value.text != distinct.last {
        distinct.append(value.text)
      }
      has("collectSet", "[" + distinct.joined(separator: ",") + "]")
      if ["whole", "half", "price"].contains(name) {
        try AggregateTests.checkNumbers(name, seen.map(\.text), row)
      }
    }
    #expect(simulation.quarantined.isEmpty)
    let digests = simulation.stateDigests
    simulation.crash()
    #expect(simulation.stateDigests == digests)
  }

  /// Average and quantile, computed from all that was seen.
  private static func checkNumbers(_ name: String, _ texts: [String], _ row: String) throws {
    let shown = try JSONValue(parsing: row)
    let values = texts.compactMap { Double($0) }
    let average = try #require(shown["avg"]?.double)
    let sum = values.reduce(0, +)
    if name == "price" {
      // In hundredths, which are whole: the remainder tells how to round.
      let cents = values.reduce(0) { $0 + Int($1 * 100) }
      let count = values.count
      var floor = cents / count
      var rest = cents % count
      if rest < 0 { (floor, rest) = (floor - 1, rest + count) }
      let isUp = 2 * rest > count || (2 * rest == count && floor % 2 != 0)
      #expect(Int((average * 100).rounded()) == floor + (isUp ? 1 : 0), "\(texts)")
    } else {
      #expect(average == sum / Double(values.count))
    }
    let cut = values.map { value in
      if value == 0 { return 0.0 }
      let unit = Double(sign: .plus, exponent: value.exponent - 7, significand: 1)
      return (value / unit).rounded(.towardZero) * unit
    }.sorted()
    let rank = (7 * values.count + 9) / 10
    #expect(shown["quantile"]?.double == cut[rank - 1])
    let exact = values.sorted()[rank - 1]
    #expect(abs(cut[rank - 1] - exact) <= abs(exact) / 128)
  }

  @Test(arguments: [("whole", ValueType.int, "0"), ("price", .decimal, "0.00")])
  func `a sum to which nothing is added publishes nothing`(
    name: String, type: ValueType, zero: String
  ) throws {
    let simulation = try ProductSimulation(AggregateTests.product(name, type, [.sum]))
    for (number, value) in [zero, "5.00", zero, zero, "-5.00"].enumerated() {
      let amount = type == .int ? String(value.prefix { $0 != "." }) : value
      simulation.take(
        """
        {"id":"\(number)","at":"2024-01-01T00:00:00Z","place":"p","\(name)":\(amount)}
        """)
    }
    #expect(simulation.values(0).count == 3)
    #expect(simulation.quarantined.isEmpty)
  }

  @Test func `a column that would hold too much refuses the event, and keeps what it has`() throws {
    let simulation = try ProductSimulation(
      AggregateTests.product("whole", .int, [.count, .countDistinct]))
    simulation.recordsPerTurn = 20_000
    for number in 0...RowLayout.entriesMax + 1 {
      // The last one was seen before: it needs no room.
      let value = number > RowLayout.entriesMax ? 7 : number
      let text = """
        {"id":"\(number)","at":"2024-01-01T00:00:00Z","place":"p","whole":\(value)}
        """
      simulation.feed(
        .init(input: 0, key: nil, value: Array(text.utf8), timestampMs: simulation.recordedMs))
    }
    simulation.run()
    #expect(simulation.reasons == ["too-many-entries"])
    #expect(simulation.quarantined.first?[header: "weft_place"] == "places.countDistinct")
    let row = try JSONValue(parsing: simulation.values(0).last ?? "")
    #expect(row["count"]?.int64 == Int64(RowLayout.entriesMax) + 1)
    #expect(row["countDistinct"]?.int64 == Int64(RowLayout.entriesMax))
  }

  @Test(arguments: [TableDefinition.Aggregate.collect, .collectSet])
  func `a list grows to its limit and no further`(aggregate: TableDefinition.Aggregate) throws {
    let product = try AggregateTests.product("whole", .int, [aggregate])
    let layout = RowLayout(product.tables[0])
    let arena = Arena()
    let owner = Slots(count: 1)
    let slots = owner.run
    let full = arena.values(RowLayout.entriesMax - 1)
    for index in 0..<full.count { full[index] = .int(Int64(index)) }
    slots[0] = .list(full)
    let last = Value.int(Int64(RowLayout.entriesMax))
    let change = RowChange(time: Timestamp(milliseconds: 0))
    guard case .value = layout.update(aggregate, 0, last, of: change, slots, from: 0, arena) else {
      Issue.record("there is room for one more")
      return
    }
    guard case .tooMany = layout.update(aggregate, 0, .int(-1), of: change, slots, from: 0, arena)
    else {
      Issue.record("there is no room")
      return
    }
    #expect(owner[0].run.count == RowLayout.entriesMax)
    #expect(owner[0].run[RowLayout.entriesMax - 1].int == last.int)
  }

  @Test func `long values are told apart by their hash, equal numbers are one`() throws {
    let texts = try ProductSimulation(AggregateTests.product("note", .string))
    let long = String(repeating: "x", count: 40)
    for note in ["a", "", long + "1", long + "2", "", long + "1", "0123456789abcde"] {
      texts.take(
        "{\"id\":\"1\",\"at\":\"2024-01-01T00:00:00Z\",\"place\":\"p\",\"note\":\"\(note)\"}")
    }
    #expect(texts.values(0).last?.contains("\"countDistinct\":5") == true)
    let prices = try ProductSimulation(AggregateTests.product("price", .decimal))
    for price in ["1.5", "1.50", "-0.00", "0", "9999999999999.99"] {
      prices.take(
        "{\"id\":\"1\",\"at\":\"2024-01-01T00:00:00Z\",\"place\":\"p\",\"price\":\(price)}")
    }
    #expect(prices.quarantined.isEmpty)
    #expect(prices.values(0).last?.contains("\"countDistinct\":3") == true)
    #expect(prices.values(0).last?.contains("\"collectSet\":[0.00,1.50,9999") == true)
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

  @Test(arguments: [TableDefinition.Aggregate.sum, .avg, .min, .max])
  func `what is no number spoils no column`(aggregate: TableDefinition.Aggregate) throws {
    let layout = RowLayout(try AggregateTests.product("half", .double, [aggregate]).tables[0])
    let (arena, owner) = (Arena(), Slots(count: 8))
    let change = RowChange(time: Timestamp(milliseconds: 0))
    func update(_ number: Double) -> AggregateEffect {
      layout.update(aggregate, 0, .double(number), of: change, owner.run, from: 0, arena)
    }
    for number in [Double.nan, .infinity, -.infinity] {
      guard case .notFinite = update(number) else {
        Issue.record("\(number) is taken")
        return
      }
    }
    #expect(owner[0].isAbsent)
    guard case .value = update(2.5), case .notFinite = update(.nan) else {
      Issue.record("what is right is not taken, or NaN is after it")
      return
    }
    #expect(owner[0].double == 2.5)
    if aggregate == .sum {
      _ = update(.greatestFiniteMagnitude)
      guard case .overflow = update(.greatestFiniteMagnitude) else {
        Issue.record("a sum that is infinite is kept")
        return
      }
    }
  }
}
