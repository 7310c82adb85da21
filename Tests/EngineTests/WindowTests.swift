import Expressions
import Formats
import Product
import Testing

@testable import Engine

/// Rows of windows.
@Suite struct WindowTests {
  private static let minuteMs: Int64 = 60_000
  private static let fields = [
    Make.text("place", required: true),
    Make.field("since", .timestamp, required: true), Make.field("count", .int, required: true),
    Make.field("total", .int),
  ]

  private static func product(
    size: Int64, every: Int64? = nil, grace: Int64 = 0, onError: ErrorReaction = .quarantine
  ) throws -> ProductDefinition {
    let clause = try DeletionTests.clause([
      ("count", .count, nil, nil), ("total", .sum, "event.whole", nil),
    ])
    var product = try DeletionTests.product([clause])
    product.onError = onError
    product.tables[0].keyTypes = [.string, .timestamp]
    product.tables[0].window = .init(
      .regular(sizeMs: size * minuteMs, everyMs: (every ?? size) * minuteMs),
      graceMs: grace * minuteMs)
    product.outputs = [
      Make.output(
        "places",
        try Make.state(
          table: 0, product.tables[0], keys: ["place", "since"], fields: fields), fields: fields)
    ]
    return product
  }

  private static func reading(_ id: Int, _ place: String, minute: Int, _ whole: Int = 1) -> String {
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return DeletionTests.reading(id, place, ",\"whole\":\(whole)")
      .replacing("T00:00:00", with: "T\(two(minute / 60)):\(two(minute % 60)):00")
  }

  /// The newest record of each key.
  private static func rows(_ simulation: ProductSimulation) -> [String: String] {
    Dictionary(
      simulation.published.filter { $0.port == 0 }.map { ($0.keyText ?? "", $0.text) }
    ) { $1 }
  }

  @Test func `each key has a row for each window, which is a part of its key`() throws {
    let simulation = try ProductSimulation(Self.product(size: 10))
    for (id, minute) in [0, 9, 10, 31].enumerated() {
      simulation.take(Self.reading(id, "p", minute: minute))
    }
    #expect(
      Self.rows(simulation) == [
        "[\"p\",\"2024-01-01T00:00:00Z\"]":
          "{\"place\":\"p\",\"since\":\"2024-01-01T00:00:00Z\",\"count\":2,\"total\":2}",
        "[\"p\",\"2024-01-01T00:10:00Z\"]":
          "{\"place\":\"p\",\"since\":\"2024-01-01T00:10:00Z\",\"count\":1,\"total\":1}",
        "[\"p\",\"2024-01-01T00:30:00Z\"]":
          "{\"place\":\"p\",\"since\":\"2024-01-01T00:30:00Z\",\"count\":1,\"total\":1}",
      ])
    #expect(simulation.quarantined.isEmpty)
  }

  @Test func `what comes behind end and grace is late, and nothing of it is left`() throws {
    let simulation = try ProductSimulation(Self.product(size: 10, grace: 5))
    simulation.take(Self.reading(1, "p", minute: 1))
    simulation.take(Self.reading(2, "p", minute: 14))
    simulation.take(Self.reading(3, "p", minute: 2))
    #expect(simulation.quarantined.isEmpty)
    simulation.take(Self.reading(4, "p", minute: 15))
    let digests = simulation.stateDigests
    simulation.take(Self.reading(5, "p", minute: 3))
    #expect(simulation.reasons == ["late"])
    #expect(simulation.stateDigests == digests)
    #expect(
      Self.rows(simulation)["[\"p\",\"2024-01-01T00:00:00Z\"]"]?.contains("\"count\":2") == true)
  }

  @Test func `a product that stops at errors goes on after what is late`() throws {
    let simulation = try ProductSimulation(Self.product(size: 10, onError: .stop))
    simulation.take(Self.reading(1, "p", minute: 30))
    simulation.take(Self.reading(2, "p", minute: 3))
    #expect(simulation.stop == nil)
    #expect(simulation.reasons == ["late"])
  }

  @Test
  func `a window that is closed leaves the state, without traffic as well, and ports keep it`()
    throws
  {
    let simulation = try ProductSimulation(Self.product(size: 10, grace: 5))
    let empty = simulation.stateDigests
    simulation.take(Self.reading(1, "p", minute: 1))
    let shown = Self.rows(simulation)
    simulation.recordedMs += 13 * Self.minuteMs
    simulation.run()
    let open = simulation.stateDigests
    simulation.recordedMs += Self.minuteMs
    simulation.run()
    #expect(simulation.stateDigests != open)
    #expect(simulation.stateDigests != empty, "clocks stay")
    #expect(Self.rows(simulation) == shown)
    simulation.take(Self.reading(2, "p", minute: 2))
    #expect(simulation.reasons == ["late"])
  }

  @Test func `windows that overlap count an event each, those that are closed aside`() throws {
    let simulation = try ProductSimulation(Self.product(size: 10, every: 5))
    simulation.take(Self.reading(1, "p", minute: 7))
    simulation.take(Self.reading(2, "p", minute: 12))
    // The window from 0 on is closed.
    simulation.take(Self.reading(3, "p", minute: 8))
    let rows = Self.rows(simulation)
    #expect(rows.count == 3)
    for (start, count) in [("00:00", 1), ("05:00", 3), ("10:00", 1)] {
      let row = rows["[\"p\",\"2024-01-01T00:\(start)Z\"]"]
      #expect(row?.contains("\"count\":\(count),") == true)
    }
    #expect(simulation.quarantined.isEmpty)
  }

  @Test(
    arguments: [(-1, 10, 5), (0, 10, 5), (7, 10, 5), (7, 10, 3), (12, 7, 7)]
      as [(Int64, Int64, Int64)])
  func `the windows of a time are all that begin before it and end behind it`(
    _ time: Int64, _ size: Int64, _ every: Int64
  ) {
    let window = WindowPlan(.init(.regular(sizeMs: size, everyMs: every), graceMs: 0))
    let found = Array(stride(from: window.first(of: time), through: time, by: Int(every)))
    let should = (-100...100).map { Int64($0) * every }.filter { $0 <= time && time < $0 + size }
    #expect(found == should)
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `any order within grace, any turns and a crash end in the same rows`(seed: UInt64) throws {
    var random = SplitMix(seed)
    let readings = (0..<300).map { number in
      (
        minute: number / 3,
        text: Self.reading(number, "p\(random.next(5))", minute: number / 3, number)
      )
    }
    func run(_ all: [String], _ turn: Int, readsBack: Bool, crashes: Bool) throws -> [String:
      String]
    {
      let simulation = try ProductSimulation(Self.product(size: 10, every: 5, grace: 30))
      simulation.recordsPerTurn = turn
      simulation.readsBack = readsBack
      for (number, text) in all.enumerated() {
        simulation.feed(
          .init(input: 0, key: nil, value: Array(text.utf8), timestampMs: simulation.recordedMs))
        if number % 17 == 0 { simulation.run() }
        if crashes && number % 50 == 0 { simulation.crash() }
      }
      simulation.run()
      #expect(simulation.quarantined.isEmpty)
      return Self.rows(simulation)
    }
    let inOrder = try run(readings.map(\.text), 1000, readsBack: false, crashes: false)
    let late = readings.map { (at: $0.minute + Int(random.next(25)), text: $0.text) }
    let disordered = late.enumerated().sorted {
      ($0.element.at, $0.offset) < ($1.element.at, $1.offset)
    }
    .map(\.element.text)
    #expect(disordered != readings.map(\.text))
    #expect(try run(disordered, 3, readsBack: true, crashes: true) == inOrder)
    #expect(inOrder.count > 50)
  }
}
