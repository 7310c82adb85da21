import Expressions
import Formats
import Product
import Records
import Testing

@testable import Engine

/// Columns that hold an aggregate for each key, and columns that are set from the row as it was.
@Suite struct MapAndFoldTests {
  static let event = AggregateTests.event
  static let input = DeletionTests.input
  static let aggregates: [TableDefinition.Aggregate] = [
    .count, .sum, .min, .avg, .first, .latest, .countDistinct, .collect, .collectSet, .quantile,
  ]

  static func type(_ aggregate: TableDefinition.Aggregate) -> ValueType {
    switch aggregate {
    case .avg, .quantile: .double
    case .collect, .collectSet: .list(.int)
    default: .int
    }
  }

  /// A product whose table by place has a map column for each aggregate over `whole`, by `note`.
  static func maps() throws -> ProductDefinition {
    let columns = aggregates.map {
      TableDefinition.Column(
        name: $0.rawValue, type: .map(key: .string, value: type($0)),
        quantileBillionths: $0 == .quantile ? 500_000_000 : nil)
    }
    return try product(
      columns,
      aggregates.map {
        ("\($0.rawValue)[event.note]", $0, $0 == .count ? nil : "event.whole", "has(event.note)")
      })
  }

  static func product(
    _ columns: [TableDefinition.Column],
    _ updates: [(String, TableDefinition.Aggregate, String?, String?)], deleteIf: String? = nil,
    derived: [(String, String)] = [], more: [ContractField] = []
  ) throws -> ProductDefinition {
    let table = TableDefinition(
      name: "places", journal: 0, keyTypes: [.string], columns: columns,
      clauses: [
        try Make.clause(
          input, 0, key: ["event.place"], columns: columns, updates.map(known), deleteIf: deleteIf)
      ])
    let fields =
      [Make.text("place", required: true)] + columns.map { Make.field($0.name, $0.type) } + more
    let key = try Make.expression("event.place", Make.scope(event))
    return Make.product(
      inputs: [input],
      journals: [
        JournalDefinition(
          name: "place", topic: "journal", partitions: 1, retentionMs: nil,
          keys: [EventReference(input: 0, event: 0): .parts([key])])
      ], tables: [table],
      outputs: [
        Make.output(
          "places",
          try Make.state(table: 0, table, keys: ["place"], fields: fields, derived: derived),
          fields: fields)
      ])
  }

  /// A key that may be absent is made one that is there.
  private static func known(_ update: (String, TableDefinition.Aggregate, String?, String?))
    -> (String, TableDefinition.Aggregate, String?, String?)
  {
    (
      update.0.replacing("[event.note]", with: "[event.?note.orValue(\"\")]"), update.1, update.2,
      update.3
    )
  }

  static func reading(_ second: Int, note: String?, whole: Int?) -> String {
    let first = note.map { ",\"note\":\"\($0)\"" } ?? ""
    let rest = whole.map { ",\"whole\":\($0)" } ?? ""
    let stamp = "2024-01-01T00:00:\(second < 10 ? "0" : "")\(second)Z"
    return "{\"id\":\"1\",\"at\":\"\(stamp)\",\"place\":\"p\"\(first)\(rest)}"
  }

  struct Seen {
    let second: Int
    let whole: Int?
  }

  /// What a column shows of all that was seen of its key, computed from the beginning.
  static func model(_ aggregate: TableDefinition.Aggregate, _ seen: [Seen]) -> String? {
    let values = seen.compactMap(\.whole)
    if aggregate == .count { return "\(seen.count)" }
    guard let first = values.first else { return nil }
    switch aggregate {
    case .sum: return "\(values.reduce(0, +))"
    case .min: return "\(values.min() ?? 0)"
    case .avg: return "\(Double(values.reduce(0, +)) / Double(values.count))"
    case .first: return "\(first)"
    case .latest:
      let there = seen.filter { $0.whole != nil }
      return (there.reduce(there[0]) { $1.second >= $0.second ? $1 : $0 }).whole.map { "\($0)" }
    case .countDistinct: return "\(Set(values).count)"
    case .collect: return "\(values)".replacing(" ", with: "")
    case .collectSet: return "\(Set(values).sorted())".replacing(" ", with: "")
    case .quantile: return "\(Double(values.sorted()[(values.count + 1) / 2 - 1]))"
    default: return nil
    }
  }

  @Test(arguments: [1, 2])
  func `each entry of a map column is what its aggregate says of its key`(seed: UInt64) throws {
    let simulation = try ProductSimulation(MapAndFoldTests.maps())
    simulation.recordsPerTurn = 7
    var random = SplitMix(seed)
    var seen: [String: [Seen]] = [:]
    let notes = ["b", "a", "", "é", "long enough to be told apart by its hash", "c"]
    for _ in 0..<250 {
      let note = random.next(6) == 0 ? nil : notes[Int(random.next(6))]
      let value = Seen(
        second: Int(random.next(60)), whole: random.next(5) == 0 ? nil : Int(random.next(200)) - 50)
      simulation.take(
        MapAndFoldTests.reading(value.second, note: note, whole: value.whole))
      if let note { seen[note, default: []].append(value) }
      let row = try JSONValue(parsing: simulation.values(0).last ?? "{}")
      for aggregate in MapAndFoldTests.aggregates {
        let members = row[aggregate.rawValue]?.object ?? []
        let wanted = seen.compactMapValues { MapAndFoldTests.model(aggregate, $0) }
        #expect(
          members.map(\.name)
            == wanted.keys.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) })
        for member in members {
          if let number = member.value.double {
            #expect(wanted[member.name].flatMap { Double($0) } == number)
          } else {
            #expect(wanted[member.name] == "\(member.value)")
          }
        }
      }
    }
    #expect(simulation.quarantined.isEmpty)
    let digests = simulation.stateDigests
    simulation.crash()
    #expect(simulation.stateDigests == digests)
  }

  @Test func `a map takes as many keys as a column may hold entries`() throws {
    let product = try MapAndFoldTests.maps()
    let layout = RowLayout(product.tables[0])
    let plan = try ProductPlan(product).tables[0]
    let arena = Arena()
    let owner = Slots(count: plan.slotEnd)
    let full = arena.values(2 * RowLayout.entriesMax)
    for index in 0..<RowLayout.entriesMax {
      let text = ByteBuffer(capacity: 8)
      text.append(decimal: Int64(100_000 + index))
      full[2 * index] = .string(arena.copy(text.view))
      full[2 * index + 1] = .int(1)
    }
    owner[plan.columnSlot] = .map(full)
    func count(_ key: StaticString) -> AggregateEffect {
      layout.updateEntry(
        .count, 0, key: .string(key.view), .absent, of: RowChange(time: Timestamp(milliseconds: 0)),
        owner.run,
        from: plan.columnSlot, arena)
    }
    guard case .value = count("100007") else {
      Issue.record("an entry that is there needs no room")
      return
    }
    guard case .tooMany = count("99") else {
      Issue.record("there is no room for another key")
      return
    }
    #expect(owner[plan.columnSlot].run[15].int == 2)
  }

  @Test func `objects in a map are written in the contract's order, without what they lack`() throws
  {
    let simulation = try ProductSimulation(DeterminismTests.product())
    simulation.take(Claims.charge("c1", id: "e1", "1.5"))
    simulation.take(Claims.charge("c1", id: "e2", "null"))
    let rows = simulation.values(2)
    #expect(
      rows.first?.contains("\"lastOf\":{\"CHARGE\":{\"id\":\"e1\",\"amount\":1.500}}") == true)
    #expect(rows.last?.contains("\"lastOf\":{\"CHARGE\":{\"id\":\"e2\"}}") == true)
    #expect(rows.last?.contains("\"means\":{\"CHARGE\":1.5}") == true)
  }

  @Test func `columns of a port read a map by its keys, and its size`() throws {
    let columns: [TableDefinition.Column] = [
      .init(name: "last", type: .map(key: .string, value: .int))
    ]
    let simulation = try ProductSimulation(
      MapAndFoldTests.product(
        columns, [("last[event.note]", .last, "event.whole", "has(event.note)")],
        derived: [("size", "row.last.size()"), ("ofA", "row.last[?\"a\"]")],
        more: [Make.field("size", .int, required: true), Make.field("ofA", .int)]))
    simulation.take(MapAndFoldTests.reading(1, note: "b", whole: 2))
    simulation.take(MapAndFoldTests.reading(1, note: "a", whole: 3))
    #expect(
      simulation.values(0) == [
        "{\"place\":\"p\",\"last\":{\"b\":2},\"size\":1}",
        "{\"place\":\"p\",\"last\":{\"a\":3,\"b\":2},\"size\":2,\"ofA\":3}",
      ])
  }

  @Test func `a fold sees a map as the clause found it, also where an entry changes in place`()
    throws
  {
    let columns: [TableDefinition.Column] = [
      .init(name: "count", type: .map(key: .string, value: .int)), .init(name: "seen", type: .int),
    ]
    let simulation = try ProductSimulation(
      MapAndFoldTests.product(
        columns,
        [
          ("count[event.note]", .count, nil, "has(event.note)"),
          ("seen", .fold, "state.count[?event.?note.orValue(\"\")].orValue(0)", nil),
        ]))
    for number in 0..<4 {
      simulation.take(MapAndFoldTests.reading(1, note: "a", whole: nil))
      let row = try #require(simulation.values(0).last)
      #expect(row.contains("\"count\":{\"a\":\(number + 1)}"), "\(row)")
      #expect(row.contains("\"seen\":\(number)"), "\(row)")
    }
  }

  @Test(arguments: [1, 2])
  func `a fold sees the row as the clause found it`(seed: UInt64) throws {
    let columns: [TableDefinition.Column] = [
      .init(name: "count", type: .int), .init(name: "balance", type: .int),
      .init(name: "before", type: .int), .init(name: "trail", type: .list(.int)),
      .init(name: "note", type: .string),
    ]
    let simulation = try ProductSimulation(
      MapAndFoldTests.product(
        columns,
        [
          ("count", .count, nil, nil),
          ("balance", .fold, "state.?balance.orValue(100) - event.whole", "has(event.whole)"),
          ("before", .fold, "state.?balance", nil),
          ("trail", .fold, "state.?trail.orValue([]) + [state.count]", "state.count < 5"),
          ("note", .fold, "state.count % 3 == 2 ? event.?note : state.?note", nil),
        ], deleteIf: "state.count == 11 || (has(state.balance) && state.balance < 0)"))
    var random = SplitMix(seed)
    var row: (count: Int, balance: Int?, before: Int?, trail: [Int], note: String?)?
    for number in 0..<120 {
      let whole = random.next(4) == 0 ? nil : Int(random.next(40))
      let note = random.next(2) == 0 ? nil : "n\(number)"
      simulation.take(MapAndFoldTests.reading(1, note: note, whole: whole))
      let old = row ?? (0, nil, nil, [], nil)
      if old.count == 11 || old.balance.map({ $0 < 0 }) ?? false {
        row = nil
        #expect(simulation.values(0).last == "null")
        continue
      }
      var new = old
      new.count += 1
      if let whole { new.balance = (old.balance ?? 100) - whole }
      new.before = old.balance
      if old.count < 5 { new.trail = old.trail + [old.count] }
      new.note = old.count % 3 == 2 ? note : old.note
      row = new
      let shown = try JSONValue(parsing: simulation.values(0).last ?? "{}")
      #expect(shown["count"]?.int64 == Int64(new.count))
      #expect(shown["balance"]?.int64 == new.balance.map { Int64($0) })
      #expect(shown["before"]?.int64 == new.before.map { Int64($0) })
      #expect(shown["trail"]?.array?.compactMap(\.int64) == new.trail.map { Int64($0) })
      #expect(shown["note"]?.string == new.note)
    }
    #expect(simulation.quarantined.isEmpty)
    let digests = simulation.stateDigests
    simulation.crash()
    #expect(simulation.stateDigests == digests)
  }
}
