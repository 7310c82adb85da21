import Product
import Records
import Testing

@testable import Engine

/// Rows of sessions: events of a key that follow each other within a gap.
@Suite struct SessionTests {
  private struct Column {
    let name, value, type: String
    init(_ name: String, _ value: String, _ type: String) {
      (self.name, self.value, self.type) = (name, value, type)
    }
  }
  private static let columns: [Column] = [
    .init("many", "count()", "logicalType: integer, required: true"),
    .init("paid", "sum(event.amount)", "logicalType: integer"),
    .init("least", "min(event.amount)", "logicalType: integer"),
    .init("most", "max(event.amount)", "logicalType: integer"),
    .init("mean", "avg(event.amount)", "logicalType: number"),
    .init("begun", "first(event.id)", "logicalType: string"),
    .init("ended", "last(event.id)", "logicalType: string"),
    .init("newest", "latest(event.id)", "logicalType: string"),
    .init("kinds", "countDistinct(event.amount)", "logicalType: integer, required: true"),
    .init("ids", "collect(event.id)", "logicalType: array, items: {logicalType: string}"),
    .init(
      "amounts", "collectSet(event.amount)", "logicalType: array, items: {logicalType: integer}"),
    .init("half", "quantile(event.amount, 0.5)", "logicalType: number"),
  ]
  private static let maps: [Column] = [
    .init("last", "last(event.id)", "logicalType: string"),
    .init("sums", "sum(event.amount)", "logicalType: integer"),
  ]

  /// Sessions of five minutes by customer, with all that can be merged.
  private static func shop(_ more: String = "grace: 10m") -> StreamShop {
    var shop = StreamShop()
    let lines =
      columns.map { "\($0.name) = \($0.value)" }
      + maps.map { "by\($0.name)[string(event.amount % 3)] = \($0.value)" }
    shop.tables = """
      visits:
        key: event.customer
        window: {session: 5m, \(more)}
        on:
          paid: |
            \(lines.joined(separator: "\n      "))
      """
    shop.outputs["visits"] = "from: visits\nselect: |\n  ...row\n  until = window.end"
    shop.contracts["visits"] =
      [
        "name: customer, \(StreamShop.text), primaryKey: true, primaryKeyPosition: 1",
        "name: since, logicalType: timestamp, required: true, primaryKey: true, "
          + "primaryKeyPosition: 2", "name: until, logicalType: timestamp",
      ] + columns.map { "name: \($0.name), \($0.type)" }
      + maps.map {
        "name: by\($0.name), logicalType: map, map: {key: {logicalType: string}, value: {\($0.type)}}, "
          + "required: true"
      }
    return shop
  }

  private static func paid(_ id: String, _ minute: Int, _ amount: Int = 1, _ customer: String = "c")
    -> String
  {
    let at = "2024-06-01T00:\(minute < 10 ? "0" : "")\(minute):00Z"
    return #"{"id":"\#(id)","customer":"\#(customer)","amount":\#(amount),"at":"\#(at)"}"#
  }

  /// The newest record of each session, by its start; those that went are left out.
  private static func rows(_ run: ProductSimulation) -> [String: String] {
    var rows: [String: String] = [:]
    for record in run.port("visits") {
      rows[record.keyText ?? ""] = record.value == nil ? nil : record.text
    }
    return rows
  }

  private static func take(_ run: ProductSimulation, _ documents: [String]) {
    for one in documents { run.take(one, input: 1) }
  }

  @Test func `events within the gap make one session, and later ones another`() throws {
    let run = try Self.shop().simulation()
    Self.take(run, [Self.paid("a", 1), Self.paid("b", 6), Self.paid("c", 12)])
    let rows = Self.rows(run)
    #expect(rows.count == 2)
    let first = rows[#"["c","2024-06-01T00:01:00Z"]"#]
    #expect(first?.contains(#""until":"2024-06-01T00:11:00Z""#) == true, "its end is one more gap")
    #expect(first?.contains(#""ids":["a","b"]"#) == true, "one just at the end joins it")
    #expect(rows[#"["c","2024-06-01T00:12:00Z"]"#]?.contains(#""many":1,"#) == true)
  }

  @Test func `an event between two sessions makes one of them, and the later row goes`() throws {
    let run = try Self.shop().simulation()
    Self.take(run, [Self.paid("a", 1, 4), Self.paid("b", 9, 7), Self.paid("c", 5, 1)])
    let texts = run.port("visits").suffix(2)
    #expect(Set(texts.map(\.text)).contains("null"))
    #expect(
      Self.rows(run) == [
        #"["c","2024-06-01T00:01:00Z"]"#:
          #"{"customer":"c","since":"2024-06-01T00:01:00Z","until":"2024-06-01T00:14:00Z","many":3,"#
          + #""paid":12,"least":1,"most":7,"mean":4.0,"begun":"a","ended":"c","newest":"b","kinds":3,"#
          + #""ids":["a","b","c"],"amounts":[1,4,7],"half":4.0,"bylast":{"1":"c"},"bysums":{"1":12}}"#
      ])
  }

  @Test func `an event before a session has it begin earlier, under another key`() throws {
    let run = try Self.shop().simulation()
    Self.take(run, [Self.paid("a", 9), Self.paid("b", 5)])
    #expect(
      run.port("visits").map(\.keyText) == [
        #"["c","2024-06-01T00:09:00Z"]"#, #"["c","2024-06-01T00:05:00Z"]"#,
        #"["c","2024-06-01T00:09:00Z"]"#,
      ])
    #expect(run.port("visits").map { $0.value == nil } == [false, false, true])
    #expect(Self.rows(run).values.first?.contains(#""begun":"a","ended":"b","newest":"a""#) == true)
  }

  @Test func `what could join no session that is open is late, and what joins one is not`() throws {
    let run = try Self.shop("grace: 0s").simulation()
    Self.take(run, [Self.paid("a", 10), Self.paid("b", 30, 1, "d")])
    Self.take(run, [Self.paid("c", 24)])
    #expect(run.reasons == ["late"])
    Self.take(run, [Self.paid("d", 26), Self.paid("e", 25)])
    #expect(run.reasons == ["late"])
    Self.take(run, [Self.paid("f", 21)])
    #expect(run.reasons == ["late"], "it joins one that is open, though it would be late alone")
    #expect(Self.rows(run).count == 3)
  }

  @Test func `a session is shown once, when the clock is beyond its end`() throws {
    let run = try Self.shop("grace: 1m, emit: final").simulation()
    Self.take(run, [Self.paid("a", 1), Self.paid("b", 4)])
    run.recordedMs += 6 * 60_000
    run.run()
    #expect(run.records.isEmpty)
    run.crash()
    run.recordedMs += 1
    run.run()
    #expect(run.records.map { $0[header: "ce_time"] } == ["2024-06-01T00:08:59.999Z"])
    #expect(run.scheduledCount == 0)
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `any order within grace, any turns and a crash end in the same rows`(_ seed: UInt64) throws {
    var random = SplitMix(seed)
    var minute = 0
    let readings = (0..<120).map { number in
      minute += 1 + Int(random.next(2))
      return (
        minute: minute,
        text: Self.paid("e\(number)", minute % 60, number, "p\(random.next(4))")
          .replacing("T00:", with: "T\(minute < 600 ? "0" : "")\(minute / 60):")
      )
    }
    func run(_ all: [String], _ turn: Int, readsBack: Bool, crashes: Bool) throws -> [String] {
      // By the order of arrival some columns show something else.
      var shop = Self.shop("grace: 30m")
      shop.contracts["visits"]?.removeAll { $0.contains("name: bylast") }
      let same = ["paid", "least", "most", "mean", "newest", "amounts", "half"].map {
        "  \($0) = row.?\($0)\n"
      }
      shop.outputs["visits"] =
        "from: visits\nselect: |\n" + same.joined()
        + ["customer", "since", "many", "kinds", "bysums"].map { "  \($0) = row.\($0)\n" }.joined()
        + "  until = window.end"
      let simulation = try shop.simulation()
      simulation.recordsPerTurn = turn
      simulation.readsBack = readsBack
      for (number, text) in all.enumerated() {
        simulation.recordedMs = 1_717_200_000_000 + 200 * 60_000
        simulation.feed(
          .init(input: 1, key: nil, value: Array(text.utf8), timestampMs: simulation.recordedMs))
        if number % 7 == 0 { simulation.run() }
        if crashes && number % 20 == 0 { simulation.crash() }
      }
      simulation.run()
      #expect(simulation.quarantined.isEmpty)
      return Self.rows(simulation).values.sorted()
    }
    let inOrder = try run(readings.map(\.text), 1000, readsBack: false, crashes: false)
    let late = readings.map { (at: $0.minute + Int(random.next(25)), text: $0.text) }
    let disordered = late.enumerated().sorted {
      ($0.element.at, $0.offset) < ($1.element.at, $1.offset)
    }.map(\.element.text)
    #expect(disordered != readings.map(\.text))
    #expect(try run(disordered, 3, readsBack: true, crashes: true) == inOrder)
    #expect(inOrder.count > 5)
  }

  @Test(arguments: [
    ("ended = last(event.id)", "delete if event.amount == 0", "rows of sessions are not deleted"),
    ("ended = last(event.id)", "ended = state.?ended", "cannot be merged"),
    (
      "ended = last(event.id)", "ended = last(event.id) if state.many > 2", "cannot be merged"
    ),
    (
      "ended = last(event.id)", "ended = last(string(window.start))",
      "there is no variable `window`"
    ),
  ])
  func `what cannot be merged is refused`(_ old: String, _ new: String, _ told: String) throws {
    var shop = Self.shop()
    shop.changes = [(old, new)]
    let found = try shop.problems()
    #expect(found.contains { $0.contains(told) }, "\(found)")
  }
}
