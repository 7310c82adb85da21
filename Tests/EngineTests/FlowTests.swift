import Expressions
import Product
import Records
import Testing

@testable import Engine

/// Streams, several tables and journals, and what binds a writer.
@Suite struct FlowTests {
  static let event = EventType(
    name: "Sale",
    fields: [
      Make.text("shop", required: true), Make.text("item", required: true),
      Make.field("pieces", .int, required: true), Make.money("price"),
      Make.field("parts", .list(.object(ContractField.object(named: "Part", part))), fields: part),
      Make.field("extra", .dyn),
    ])
  static let part = [Make.text("name", required: true), Make.field("weight", .double)]
  static let input = InputDefinition(
    name: "sales", topic: "sales", discriminator: nil, id: nil, time: nil, start: .earliest,
    events: [event])

  static func sale(_ shop: String, _ item: String, _ pieces: Int, more: String = "") -> String {
    "{\"shop\":\"\(shop)\",\"item\":\"\(item)\",\"pieces\":\(pieces)\(more)}"
  }

  static func key(_ text: String) throws -> CheckedExpression {
    try Make.expression(text, Make.scope(event))
  }

  static func journal(_ name: String, _ text: String) throws -> JournalDefinition {
    JournalDefinition(
      name: name, topic: "journal.\(name)", partitions: 3, retentionMs: nil,
      keys: [EventReference(input: 0, event: 0): .parts([try key(text)])])
  }

  static func table(_ name: String, journal: Int = 0, key: [String], _ argument: String) throws
    -> TableDefinition
  {
    let columns: [TableDefinition.Column] = [
      .init(name: "sales", type: .int), .init(name: "pieces", type: .int),
    ]
    return TableDefinition(
      name: name, journal: journal, keyTypes: key.map { _ in .string }, columns: columns,
      clauses: [
        try Make.clause(
          input, 0, key: key, columns: columns,
          [("sales", .count, nil, nil), ("pieces", .sum, argument, nil)])
      ])
  }

  static func rows(_ table: Int, _ definition: TableDefinition, keys: [String], most: Int = 9)
    throws -> OutputDefinition
  {
    let fields =
      keys.map { Make.text($0, required: true) } + [
        Make.field("sales", .int, required: true),
        Make.field("pieces", .decimal, decimal: (most, 0)),
      ]
    return Make.output(
      definition.name, partitions: 3,
      try Make.state(table: table, definition, keys: keys, fields: fields),
      journal: definition.journal, fields: fields)
  }

  @Test func `tables whose keys begin alike share a journal, and a key of two parts is an array`()
    throws
  {
    let shops = try FlowTests.table("shops", key: ["event.shop"], "event.pieces")
    let items = try FlowTests.table("items", key: ["event.shop", "event.item"], "event.pieces")
    let simulation = try ProductSimulation(
      Make.product(
        inputs: [FlowTests.input], journals: [try FlowTests.journal("shop", "event.shop")],
        tables: [shops, items],
        outputs: [
          try FlowTests.rows(0, shops, keys: ["shop"]),
          try FlowTests.rows(1, items, keys: ["shop", "item"]),
        ]))
    simulation.take(FlowTests.sale("s\\\"1", "i1", 2))
    simulation.take(FlowTests.sale("s\\\"1", "i2", 3))
    #expect(
      simulation.values(0) == [
        #"{"shop":"s\"1","sales":1,"pieces":2}"#, #"{"shop":"s\"1","sales":2,"pieces":5}"#,
      ])
    #expect(
      simulation.values(1) == [
        #"{"shop":"s\"1","item":"i1","sales":1,"pieces":2}"#,
        #"{"shop":"s\"1","item":"i2","sales":1,"pieces":3}"#,
      ])
    let keys = simulation.published.map(\.keyText)
    #expect(keys == ["s\"1", #"["s\"1","i1"]"#, "s\"1", #"["s\"1","i2"]"#])
    #expect(Set(simulation.published.map(\.partition)).count == 1)
  }

  @Test func `an event that fails in a later table leaves the first as it was`() throws {
    let shops = try FlowTests.table("shops", key: ["event.shop"], "event.pieces")
    let items = try FlowTests.table("items", key: ["event.shop", "event.item"], "event.pieces")
    let simulation = try ProductSimulation(
      Make.product(
        inputs: [FlowTests.input], journals: [try FlowTests.journal("shop", "event.shop")],
        tables: [shops, items],
        outputs: [
          try FlowTests.rows(0, shops, keys: ["shop"], most: 9),
          try FlowTests.rows(1, items, keys: ["shop", "item"], most: 2),
        ]))
    simulation.take(FlowTests.sale("s1", "i1", 60))
    simulation.take(FlowTests.sale("s1", "i1", 60))
    simulation.take(FlowTests.sale("s1", "i2", 1))
    #expect(simulation.reasons == ["contract-output"])
    #expect(simulation.quarantined[0][header: "weft_place"] == "claims/items")
    #expect(simulation.values(0).last == #"{"shop":"s1","sales":2,"pieces":61}"#)
    #expect(simulation.values(0).count == 2)
    #expect(simulation.values(1).count == 2)
  }

  @Test func `two journals each have what their tables need, and the first one counts`() throws {
    let shops = try FlowTests.table("shops", key: ["event.shop"], "event.pieces")
    let items = try FlowTests.table("items", journal: 1, key: ["event.item"], "event.pieces")
    let simulation = try ProductSimulation(
      Make.product(
        inputs: [FlowTests.input],
        journals: [
          try FlowTests.journal("shop", "event.shop"), try FlowTests.journal("item", "event.item"),
        ], tables: [shops, items],
        outputs: [
          try FlowTests.rows(0, shops, keys: ["shop"]),
          try FlowTests.rows(1, items, keys: ["item"]),
        ]))
    for number in 0..<20 { simulation.take(FlowTests.sale("s\(number % 3)", "i\(number % 7)", 1)) }
    // What is wrong with an event is wrong in every journal, and told once.
    simulation.take(FlowTests.sale("s1", "i1", 1, more: ",\"price\":\"much\""))
    #expect(simulation.journal[0].joined().count == 21)
    #expect(simulation.journal[1].joined().count == 21)
    #expect(simulation.counts.read == 21)
    #expect(simulation.counts.applied == 20)
    #expect(simulation.counts.quarantined == 1)
    #expect(simulation.quarantined.count == 1)
    #expect(simulation.values(0).count == 20)
    #expect(simulation.values(1).count == 20)
  }

  @Test func `two clauses of one event change a row once, and make one record`() throws {
    var table = try FlowTests.table("shops", key: ["event.shop"], "event.pieces")
    table.clauses += try FlowTests.table("shops", key: ["event.item"], "event.pieces").clauses
    let simulation = try ProductSimulation(
      Make.product(
        inputs: [FlowTests.input], journals: [try FlowTests.journal("shop", "event.shop")],
        tables: [table], outputs: [try FlowTests.rows(0, table, keys: ["shop"])]))
    simulation.take(FlowTests.sale("a", "a", 2))
    #expect(simulation.values(0) == [#"{"shop":"a","sales":2,"pieces":4}"#])
    simulation.take(FlowTests.sale("a", "b", 1))
    #expect(
      simulation.values(0).suffix(2) == [
        #"{"shop":"a","sales":3,"pieces":5}"#, #"{"shop":"b","sales":1,"pieces":1}"#,
      ])
    let ids = simulation.published.suffix(2).map { $0[header: "ce_id"] ?? "" }
    #expect(ids[1] == ids[0] + "-1")
  }

  static func ported(
    _ fields: [ContractField], _ select: [(String, String)], where condition: String? = nil,
    onViolation: ErrorReaction = .quarantine
  ) throws -> ProductDefinition {
    let branch = try Make.port(
      input, 0, where: condition, key: ["event.shop"], fields: fields, select: select)
    return Make.product(
      inputs: [input], journals: [], tables: [],
      outputs: [
        Make.output("port", .events([branch]), fields: fields, onViolation: onViolation)
      ])
  }

  @Test func `lists of objects and mixed fields pass through whole`() throws {
    let fields = [
      Make.field(
        "parts", .list(.object(ContractField.object(named: "Part", FlowTests.part))),
        fields: FlowTests.part),
      Make.field("extra", .dyn),
    ]
    let simulation = try ProductSimulation(
      FlowTests.ported(fields, [("parts", "event.parts"), ("extra", "event.extra")]))
    let more =
      #","parts":[{"weight":1.5,"name":"a"},{"x":0,"name":"b\n"}],"extra":{ "k":[1, null]}"#
    simulation.take(FlowTests.sale("s", "i", 1, more: more))
    #expect(
      simulation.values(0) == [
        #"{"parts":[{"name":"a","weight":1.5},{"name":"b\n"}],"extra":{ "k":[1, null]}}"#
      ])
    simulation.take(FlowTests.sale("s", "i", 1, more: #","parts":[null]"#))
    simulation.take(FlowTests.sale("s", "i", 1, more: #","parts":[{"weight":2}]"#))
    #expect(simulation.reasons == ["contract-input", "contract-input"])
    #expect(simulation.quarantined[1][header: "weft_place"] == "$.parts[].name")
  }

  @Test func `a required output field without a value breaks the contract`() throws {
    let fields = [Make.money("price", required: true)]
    let simulation = try ProductSimulation(FlowTests.ported(fields, [("price", "event.price")]))
    simulation.take(FlowTests.sale("s", "i", 1, more: ",\"price\":2.5"))
    simulation.take(FlowTests.sale("s", "i", 1))
    #expect(simulation.values(0) == [#"{"price":2.50}"#])
    #expect(simulation.reasons == ["contract-output"])
    let stopping = try ProductSimulation(
      FlowTests.ported(fields, [("price", "event.price")], onViolation: .stop))
    stopping.take(FlowTests.sale("s", "i", 1))
    #expect(stopping.stop?.reason == "contract-output")
    #expect(stopping.published.isEmpty)
  }

  @Test func `a decimal is rescaled when it fits exactly, and never rounded`() throws {
    let fields = [Make.field("price", .decimal, decimal: (5, 1))]
    let simulation = try ProductSimulation(
      FlowTests.ported(fields, [("price", "event.price")]))
    for price in ["2", "2.50", "2.25", "12345", "9999.9"] {
      simulation.take(FlowTests.sale("s", "i", 1, more: ",\"price\":\(price)"))
    }
    #expect(
      simulation.values(0) == [#"{"price":2.0}"#, #"{"price":2.5}"#, #"{"price":9999.9}"#])
    #expect(simulation.reasons == ["contract-output", "contract-output"])
  }

  @Test func `an error of an expression names its place in the file`() throws {
    let fields = [Make.field("share", .int)]
    let simulation = try ProductSimulation(
      FlowTests.ported(fields, [("share", "100 / event.pieces")], where: "event.pieces >= 0"))
    simulation.take(FlowTests.sale("s", "i", 0))
    simulation.take(FlowTests.sale("s", "i", -1))
    simulation.take(FlowTests.sale("s", "i", 3))
    #expect(simulation.values(0) == [#"{"share":33}"#])
    #expect(simulation.reasons == ["expression"])
    let place = simulation.quarantined[0][header: "weft_place"] ?? ""
    #expect(place.hasPrefix("transform.yaml:1:"))
    #expect(simulation.counts.filtered == 1)
  }

  @Test func `a record too large for its topic breaks the contract`() throws {
    let fields = [Make.text("item")]
    let simulation = try ProductSimulation(FlowTests.ported(fields, [("item", "event.item")]))
    simulation.take(FlowTests.sale("s", String(repeating: "x", count: 999_000), 1))
    #expect(simulation.reasons == ["contract-output"])
  }

  @Test func `every one of many required fields is asked for`() throws {
    let names = (0..<70).map { "f\($0)" }
    let event = EventType(
      name: "Wide", fields: names.map { Make.field($0, .int, required: true) })
    let input = InputDefinition(
      name: "wide", topic: "wide", discriminator: nil, id: nil, time: nil, start: .earliest,
      events: [event])
    let fields = [Make.field("sum", .int)]
    let branch = try Make.port(
      input, 0, key: [], fields: fields, select: [("sum", "event.f0 + event.f69")])
    let simulation = try ProductSimulation(
      Make.product(
        inputs: [input], journals: [], tables: [],
        outputs: [Make.output("wide", .events([branch]), fields: fields)]))
    simulation.take("{\(names.map { "\"\($0)\":2" }.joined(separator: ","))}")
    for missing in [0, 63, 64, 69] {
      let others = names.filter { $0 != "f\(missing)" }
      simulation.take("{\(others.map { "\"\($0)\":2" }.joined(separator: ","))}")
      #expect(simulation.quarantined.last?[header: "weft_place"] == "$.f\(missing)")
    }
    #expect(simulation.values(0) == [#"{"sum":4}"#])
  }

  @Test func `members in any order, repeated or strange, give the same record`() throws {
    let fields = [Make.text("item"), Make.field("pieces", .int)]
    let simulation = try ProductSimulation(
      FlowTests.ported(fields, [("item", "event.item"), ("pieces", "event.pieces")]))
    let documents = [
      #"{"shop":"s","item":"i","pieces":1}"#, #"{"pieces":1,"x":{"item":9},"item":"i","shop":"s"}"#,
      #"{"item":"j","item":"i","shop":"s","pieces":7,"pieces":1}"#,
      #"{"\u0069tem":"i","sh\u006fp":"s","pieces":1.0}"#,
      #"{"shop":"s","item":null,"pieces":10e-1,"item":"\u0069"}"#,
    ]
    for document in documents + documents.reversed() { simulation.take(document) }
    #expect(simulation.values(0) == Array(repeating: #"{"item":"i","pieces":1}"#, count: 10))
    simulation.take(#"{"shop":"s","item":"i","item":null,"pieces":1}"#)
    #expect(simulation.reasons == ["contract-input"])
  }
}
