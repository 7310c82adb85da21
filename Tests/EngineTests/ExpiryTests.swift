import Expressions
import Formats
import Product
import Testing

@testable import Engine

/// Rows that nobody updates any more.
@Suite struct ExpiryTests {
  private static let hourMs: Int64 = 3_600_000

  private func simulation(_ clauses: [TableDefinition.Clause]? = nil) throws -> ProductSimulation {
    var product = try DeletionTests.product(
      clauses ?? [DeletionTests.clause(DeletionTests.counted)])
    product.inputs[0].id = InputDefinition.Identity(path: ["id"], horizonMs: 1_000_000_000)
    product.tables[0].expireAfterMs = 2 * Self.hourMs
    return try ProductSimulation(product)
  }

  private func reading(_ id: Int, _ place: String, hour: Int, _ more: String = "") -> String {
    let hour = hour < 10 ? "0\(hour)" : "\(hour)"
    return DeletionTests.reading(id, place, more)
      .replacing("2024-01-01T00", with: "2024-01-01T\(hour)")
  }

  @Test func `a row goes by a tombstone when nothing has updated it for so long`() throws {
    let simulation = try simulation()
    simulation.take(reading(1, "p", hour: 1))
    simulation.take(reading(2, "q", hour: 2))
    // The clock stands at two, and moves with the recorded time from here.
    simulation.recordedMs += 2 * Self.hourMs - 1
    simulation.run()
    #expect(simulation.published.filter { $0.value == nil }.map(\.keyText) == ["p"])
    simulation.recordedMs += 1
    simulation.run()
    #expect(simulation.published.filter { $0.value == nil }.map(\.keyText) == ["p", "q"])
    #expect(simulation.values(1) == [])
    let digests = simulation.stateDigests
    simulation.crash()
    #expect(simulation.stateDigests == digests)
    simulation.take(reading(3, "p", hour: 9))
    #expect(simulation.values(0).last == "{\"place\":\"p\",\"count\":1}")
  }

  @Test func `an update keeps it, also one that changes nothing; a redelivery does not`() throws {
    let simulation = try simulation([
      DeletionTests.clause([
        ("count", .count, nil, "event.?whole.orValue(0) > 5"), ("total", .max, "event.whole", nil),
      ])
    ])
    for place in ["p", "q"] { simulation.take(reading(1, place, hour: 1, ",\"whole\":9")) }
    simulation.recordedMs += Self.hourMs + Self.hourMs / 2
    simulation.run()
    simulation.take(reading(2, "p", hour: 2, ",\"whole\":3"))
    simulation.take(reading(1, "q", hour: 1, ",\"whole\":9"))
    simulation.recordedMs += Self.hourMs
    simulation.run()
    let gone = simulation.published.filter { $0.value == nil }.map(\.keyText)
    #expect(Set(gone) == ["q"])
  }

  @Test func `a row that is deleted and made anew has one entry, and goes once`() throws {
    let simulation = try simulation([
      DeletionTests.clause(DeletionTests.counted, deleteIf: "has(event.ok) && event.ok")
    ])
    for number in 0..<20 {
      simulation.take(reading(2 * number, "p", hour: 1))
      simulation.take(reading(2 * number + 1, "p", hour: 1, ",\"ok\":true"))
    }
    simulation.take(reading(99, "p", hour: 1))
    simulation.recordedMs += 3 * Self.hourMs
    simulation.run()
    #expect(simulation.values(0).count == 2 * 21)
    simulation.take(reading(100, "p", hour: 2))
    #expect(simulation.values(0).last == "{\"place\":\"p\",\"count\":1}")
  }

  @Test func `a row that is made anew with an older time goes by that one`() throws {
    let simulation = try simulation([
      DeletionTests.clause(DeletionTests.counted, deleteIf: "has(event.ok) && event.ok")
    ])
    let readings = [
      reading(1, "p", hour: 5), reading(2, "p", hour: 5, ",\"ok\":true"), reading(3, "p", hour: 1),
    ]
    for reading in readings {
      simulation.feed(
        .init(
          input: 0, key: nil, value: Array(reading.utf8), timestampMs: simulation.recordedMs))
    }
    // All three are applied before the clock shows five, at which the row has been gone for long.
    simulation.run()
    #expect(simulation.published.map { $0.value == nil } == [false, true, false, true])
    simulation.take(reading(4, "p", hour: 5))
    simulation.recordedMs += 3 * Self.hourMs
    simulation.run()
    #expect(simulation.published.map { $0.value == nil }.suffix(2) == [false, true])
  }

  @Test func `a tombstone has its own id and the time at which the row went`() throws {
    var product = try DeletionTests.product([DeletionTests.clause(DeletionTests.counted)])
    product.tables[0].expireAfterMs = 2 * Self.hourMs
    for number in product.outputs.indices { product.outputs[number].envelope = .cloudevents }
    let simulation = try ProductSimulation(product)
    for place in ["p", "q", "r"] { simulation.take(reading(1, place, hour: 3, ",\"whole\":1")) }
    simulation.recordedMs += 3 * Self.hourMs
    simulation.run()
    let gone = simulation.published.filter { $0.value == nil }
    #expect(gone.count == 6)
    #expect(Set(gone.map { "\($0.port) \($0[header: "ce_id"] ?? "")" }).count == 6)
    #expect(Set(gone.map { $0[header: "ce_time"] }) == ["2024-01-01T05:00:00Z"])
  }

  @Test func `records that come in any turns and are read back give the same`() throws {
    let runs = try [(1, false), (1, true), (7, true), (1000, false)].map { size, readsBack in
      let simulation = try simulation()
      simulation.recordsPerTurn = size
      simulation.readsBack = readsBack
      var random = SplitMix(5)
      for step in 0..<12 {
        for number in 0..<30 {
          simulation.feed(
            .init(
              input: 0, key: nil,
              value: Array(
                reading(step * 100 + number, "p\(random.next(9))", hour: step).utf8),
              timestampMs: simulation.recordedMs))
        }
        simulation.run()
        simulation.recordedMs += Int64(random.next(4)) * Self.hourMs / 2
        simulation.run()
      }
      let records = Dictionary(grouping: simulation.published) { $0.keyText ?? "" }
      return records.mapValues { $0.map { $0.value.map { String(decoding: $0, as: UTF8.self) } } }
    }
    #expect(runs[0].values.contains { $0.contains(nil) })
    for run in runs { #expect(run == runs[0]) }
  }
}
