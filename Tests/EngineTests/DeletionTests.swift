import Expressions
import Formats
import Product
import Testing

@testable import Engine

/// Rows that go, and rows that would be too large.
@Suite struct DeletionTests {
  static let event = AggregateTests.event
  static let input = InputDefinition(
    name: "readings", topic: "readings", discriminator: nil, id: nil, time: ["at"],
    start: .earliest, events: [event])
  static let columns: [TableDefinition.Column] = [
    .init(name: "count", type: .int), .init(name: "total", type: .int),
    .init(name: "note", type: .string),
  ]
  static let fields = [
    Make.text("place", required: true), Make.field("count", .int, required: true),
    Make.field("total", .int), Make.text("note"),
  ]

  /// A table by place with the clauses that `clauses` gives, published whole and, as port 1, where
  /// there is a total.
  static func product(_ clauses: [TableDefinition.Clause]) throws -> ProductDefinition {
    let table = TableDefinition(
      name: "places", journal: 0, keyTypes: [.string], columns: columns, clauses: clauses)
    let key = try Make.expression("event.place", Make.scope(event))
    return Make.product(
      inputs: [input],
      journals: [
        JournalDefinition(
          name: "place", topic: "journal", partitions: 2, retentionMs: nil,
          keys: [EventReference(input: 0, event: 0): .parts([key])])
      ], tables: [table],
      outputs: [
        Make.output(
          "places", try Make.state(table: 0, table, keys: ["place"], fields: fields),
          fields: fields),
        Make.output(
          "summed",
          try Make.state(
            table: 0, table, keys: ["place"], when: "has(row.total)", fields: fields),
          fields: fields),
      ])
  }

  static func clause(
    _ updates: [(String, TableDefinition.Aggregate, String?, String?)], deleteIf: String? = nil
  ) throws -> TableDefinition.Clause {
    try Make.clause(input, 0, key: ["event.place"], columns: columns, updates, deleteIf: deleteIf)
  }

  static let counted: [(String, TableDefinition.Aggregate, String?, String?)] = [
    ("count", .count, nil, nil), ("total", .sum, "event.whole", nil),
    ("note", .last, "event.note", nil),
  ]

  static func reading(_ id: Int, _ place: String, _ more: String) -> String {
    "{\"id\":\"\(id)\",\"at\":\"2024-01-01T00:00:00Z\",\"place\":\"\(place)\"\(more)}"
  }

  @Test(arguments: [1, 2, 3])
  func `a deleted row is gone from state and ports, and the next event makes it anew`(seed: UInt64)
    throws
  {
    let simulation = try ProductSimulation(
      DeletionTests.product([
        try DeletionTests.clause(DeletionTests.counted, deleteIf: "has(event.ok) && event.ok")
      ]))
    simulation.recordsPerTurn = Int(seed) * 3
    var random = SplitMix(seed)
    var model: [String: (count: Int, total: Int?)] = [:]
    for number in 0..<400 {
      let place = "p\(random.next(12))"
      let value = random.next(3) == 0 ? nil : Int(random.next(100))
      var more = value.map { ",\"whole\":\($0)" } ?? ""
      if random.next(5) == 0 {
        more += ",\"ok\":true"
        model[place] = nil
      } else {
        var row = model[place] ?? (0, nil)
        row.count += 1
        if let value { row.total = (row.total ?? 0) + value }
        model[place] = row
      }
      simulation.feed(
        .init(
          input: 0, key: nil, value: Array(DeletionTests.reading(number, place, more).utf8),
          timestampMs: simulation.recordedMs))
    }
    simulation.run()
    #expect(simulation.quarantined.isEmpty)
    var shown: [[String: String]] = [[:], [:]]
    for record in simulation.published {
      shown[record.port][record.keyText ?? ""] = record.value.map {
        String(decoding: $0, as: UTF8.self)
      }
    }
    #expect(Set(shown[0].keys) == Set(model.keys))
    #expect(Set(shown[1].keys) == Set(model.filter { $0.value.total != nil }.keys))
    for (place, row) in model {
      let total = row.total.map { ",\"total\":\($0)" } ?? ""
      #expect(shown[0][place] == "{\"place\":\"\(place)\",\"count\":\(row.count)\(total)}")
    }
    let digests = simulation.stateDigests
    simulation.crash()
    #expect(simulation.stateDigests == digests)
  }

  @Test func `what is not there is deleted without a trace, and no tombstone is sent twice`() throws
  {
    let simulation = try ProductSimulation(
      DeletionTests.product([
        try DeletionTests.clause(DeletionTests.counted, deleteIf: "has(event.ok) && event.ok")
      ]))
    let empty = simulation.stateDigests
    simulation.take(DeletionTests.reading(1, "p", ",\"ok\":true"))
    #expect(simulation.published.isEmpty)
    #expect(simulation.counts.filtered == 1)
    simulation.take(DeletionTests.reading(2, "p", ""))
    simulation.take(DeletionTests.reading(3, "p", ",\"ok\":true"))
    simulation.take(DeletionTests.reading(4, "p", ",\"ok\":true"))
    // Never shown at the second port, so there is nothing to take back.
    #expect(simulation.values(0) == ["{\"place\":\"p\",\"count\":1}", "null"])
    #expect(simulation.values(1).isEmpty)
    #expect(simulation.counts.applied == 2)
    #expect(simulation.stateDigests != empty, "the clock stays")
  }

  @Test func `clauses of one event see what those before them did, deletion too`() throws {
    let deletes = try DeletionTests.clause([], deleteIf: "has(event.ok) && event.ok")
    let counts = try DeletionTests.clause([("count", .count, nil, nil)])
    let sums = try DeletionTests.clause([("total", .sum, "event.whole", "has(event.whole)")])
    let anew = try ProductSimulation(DeletionTests.product([counts, deletes, sums]))
    anew.take(DeletionTests.reading(1, "p", ",\"whole\":5"))
    anew.take(DeletionTests.reading(2, "p", ",\"whole\":7"))
    anew.take(DeletionTests.reading(3, "p", ",\"whole\":9,\"ok\":true"))
    anew.take(DeletionTests.reading(4, "p", ",\"ok\":true"))
    anew.take(DeletionTests.reading(5, "q", ",\"ok\":true"))
    #expect(
      anew.values(0) == [
        "{\"place\":\"p\",\"count\":1,\"total\":5}", "{\"place\":\"p\",\"count\":2,\"total\":12}",
        "{\"place\":\"p\",\"count\":0,\"total\":9}", "null",
      ])
    #expect(anew.counts.filtered == 1)
    let digests = anew.stateDigests
    anew.crash()
    #expect(anew.stateDigests == digests)
  }

  @Test func `an event that would make a row too large is quarantined, and the row stays`() throws {
    let table = try DeletionTests.clause(DeletionTests.counted)
    let product = try DeletionTests.product([table])
    var unpublished = product
    // No port: the limit of a record would come first.
    unpublished.outputs = []
    let simulation = try ProductSimulation(unpublished)
    simulation.plan.limits.journalBytesMax = 4_000_000
    simulation.take(DeletionTests.reading(1, "p", ",\"note\":\"short\""))
    let digests = simulation.stateDigests
    let room = Limits.rowBytesMax - RowLayout(product.tables[0]).fixedBytes
    let large = String(repeating: "n", count: room + 1)
    simulation.take(DeletionTests.reading(2, "p", ",\"note\":\"\(large)\""))
    #expect(simulation.reasons == ["row-too-large"])
    #expect(simulation.quarantined.first?[header: "weft_place"] == "places")
    #expect(simulation.stateDigests == digests)
    simulation.take(DeletionTests.reading(3, "p", ",\"note\":\"\(large.dropLast())\""))
    #expect(simulation.reasons.count == 1)
    #expect(simulation.stateDigests != digests)
  }
}
