import Diagnostics
import Product
import Records
import Testing

@testable import Engine

/// Records that take others back: every aggregate is then as if those had never come.
@Suite struct CorrectionTests {
  private static let text = "logicalType: string, required: true"
  private static let aggregates = [
    "n = count()", "total = sum(event.amount)", "low = min(event.amount)",
    "high = max(event.amount)", "mean = avg(event.amount)", "one = first(event.note)",
    "end = last(event.note)", "late = latest(event.note)", "kinds = countDistinct(event.note)",
    "all = collect(event.note)", "set = collectSet(event.note)",
    "half = quantile(event.amount, 0.5)", "halves = sum(event.half)",
    "by[event.note] = count()", "most[event.note] = max(event.amount)",
  ]

  private static var files: [String: String] {
    let whole = "logicalType: integer"
    return [
      "worker.yaml": MeshFiles.worker("shop"),
      "product.odps.yaml": MeshFiles.descriptor(
        "shop", "sales", inputs: ["sold"], outputs: ["day", "large"]),
      "contracts/sold.odcs.yaml": MeshFiles.contract(
        "ops/sold", "ops.sold",
        [
          "name: day, \(text)", "name: note, \(text)", "name: amount, \(whole), required: true",
          "name: half, logicalType: number, required: true",
        ], corrects: true),
      "contracts/day.odcs.yaml": MeshFiles.contract(
        "sales/day", "shop.sales.day.v1",
        [
          "name: day, \(text), primaryKey: true", "name: n, \(whole)", "name: total, \(whole)",
          "name: low, \(whole)", "name: high, \(whole)", "name: mean, logicalType: number",
          "name: one, logicalType: string", "name: end, logicalType: string",
          "name: late, logicalType: string", "name: kinds, \(whole)",
          "name: all, logicalType: array, items: {logicalType: string}",
          "name: set, logicalType: array, items: {logicalType: string}",
          "name: half, logicalType: number", "name: halves, logicalType: number",
          "name: by, logicalType: map, map: {key: {logicalType: string}, value: {\(whole)}}",
          "name: most, logicalType: map, map: {key: {logicalType: string}, value: {\(whole)}}",
        ]),
      "contracts/large.odcs.yaml": MeshFiles.contract(
        "sales/large", "shop.sales.large.v1",
        ["name: note, \(text)", "name: amount, \(whole)"], corrects: true),
      "transform.yaml": """
      kind: Transform
      product: sales
      inputs:
        sold: {topic: ops.sold, contract: contracts/sold.odcs.yaml}
      journal: {partitions: 1}
      tables:
        day:
          key: event.day
          on:
            sold: |
      \(aggregates.map { "          " + $0 }.joined(separator: "\n"))
      outputs:
        day: {from: day}
        large:
          from: sold
          when: event.amount > 50
          key: event.day
          select: |
            note   = event.note
            amount = event.amount

      """,
    ]
  }

  private static func product() throws -> ProductDefinition {
    try MeshFiles.load(files).product()
  }

  /// A sale, by its number, or what takes it back.
  private enum Step: Hashable {
    case sale(Int)
    case back(Int)

    var number: Int {
      switch self {
      case .sale(let number), .back(let number): number
      }
    }
  }

  private static func feed(_ simulation: ProductSimulation, _ step: Step, id: String) {
    let number = step.number
    let value = """
      {"day":"d\(number % 2)","note":"n\(number % 3)","amount":\(number * 37 % 100),\
      "half":\(Double(number) * 0.1)}
      """
    var input = ProductSimulation.Input(
      input: 0, key: [1], value: Array(value.utf8), timestampMs: 5000,
      time: Timestamp(milliseconds: Int64(number * 7919 % 1000)))
    switch step {
    case .sale: input.id = Array("s\(number)".utf8)
    case .back:
      input.id = Array(id.utf8)
      input.operation = Array("retract".utf8)
      input.corrects = Array("s\(number)".utf8)
    }
    simulation.feed(input)
  }

  private static func run(_ steps: [Step], _ product: ProductDefinition) throws
    -> ProductSimulation
  {
    let simulation = try ProductSimulation(product, recordedMs: 1_700_000_000_000)
    for (place, step) in steps.enumerated() {
      feed(simulation, step, id: "b\(place)")
      if place % 5 == 4 { simulation.run() }
    }
    simulation.run()
    return simulation
  }

  /// The rows as they stand; a tombstone takes one away.
  private static func rows(_ simulation: ProductSimulation) -> [String: String] {
    var rows: [String: String] = [:]
    for record in simulation.published where record.port == 0 {
      rows[record.keyText ?? ""] = record.value == nil ? nil : record.text
    }
    return rows
  }

  @Test func `rows are as if what was taken back had never come, in any order and repeated`() throws
  {
    let product = try Self.product()
    var random = StateRandom(7)
    for _ in 0..<40 {
      var sales: [Step] = (0..<30).map { .sale($0) }
      let back = (0..<30).filter { _ in random.next(below: 3) == 0 }
      // Those that stay come in one order, as `first`, `last` and `collect` follow the journal.
      for number in back {
        for _ in 0..<1 + random.next(below: 3) {
          sales.insert(.back(number), at: random.next(below: sales.count))
        }
      }
      // A sale comes again.
      sales.append(.sale(random.next(below: 30)))
      let found = try Self.run(sales, product)
      let kept = (0..<30).filter { !back.contains($0) }.map { Step.sale($0) }
      let should = try Self.run(kept, product)
      #expect(Self.rows(found) == Self.rows(should), "taken back: \(back), in \(sales)")
    }
  }

  @Test func `a row of which nothing is left goes, and comes anew`() throws {
    let simulation = try Self.run([.sale(1), .back(1), .sale(3)], Self.product())
    let values = simulation.published.filter { $0.port == 0 }.map { $0.value == nil }
    #expect(values == [false, true, false])
    #expect(Self.rows(simulation)["d1"]?.contains("\"n\":1,\"total\":11") == true)
  }

  @Test func `a port passes on what takes back with the id of what it had published`() throws {
    let simulation = try Self.run(
      [.sale(2), .sale(5), .back(2), .back(2), .back(5)], Self.product())
    let large = simulation.published.filter { $0.port == 1 }
    #expect(large.map { $0[header: "ce_op"] } == [nil, nil, "retract", "retract"])
    #expect(large[2].value == large[0].value && large[3].value == large[1].value)
    #expect(large[2].key == large[0].key)
    #expect(large[2][header: "ce_corrects"] == large[0][header: "ce_id"])
    #expect(large[3][header: "ce_corrects"] == large[1][header: "ce_id"])
    #expect(Set(large.map { $0[header: "ce_id"] }).count == 4)
    #expect(large[2][header: "ce_time"] == large[0][header: "ce_time"])
  }

  @Test func `what was taken back before it came is never published`() throws {
    let simulation = try Self.run([.back(2), .sale(2), .sale(2), .back(2)], Self.product())
    #expect(simulation.published.isEmpty)
    #expect(simulation.counts.redelivered == 3 && simulation.counts.filtered == 1)
  }

  @Test func `a crash forgets nothing of what may be taken back`() throws {
    let product = try Self.product()
    let simulation = try Self.run([.sale(1), .sale(3), .sale(5)], product)
    simulation.crash()
    Self.feed(simulation, .back(3), id: "b")
    simulation.run()
    simulation.crash()
    Self.feed(simulation, .back(3), id: "c")
    simulation.run()
    #expect(try Self.rows(simulation) == Self.rows(Self.run([.sale(1), .sale(5)], product)))
  }

  @Test(arguments: [
    ("undo", "s1", "`ce_op` is `undo`"), ("retract", "", "does not say which in `ce_corrects`"),
  ])
  func `a correction that says nothing of use goes to quarantine`(
    _ operation: String, _ corrects: String, _ message: String
  ) throws {
    let simulation = try Self.run([.sale(1)], Self.product())
    var input = ProductSimulation.Input(
      input: 0, key: [1],
      value: Array("{\"day\":\"d1\",\"note\":\"\",\"amount\":1,\"half\":1}".utf8),
      timestampMs: 5000)
    input.operation = Array(operation.utf8)
    input.corrects = Array(corrects.utf8)
    simulation.feed(input)
    simulation.run()
    let quarantined = simulation.published.filter { $0.port < 0 }
    #expect(quarantined.map { $0[header: "weft_reason"] } == ["bad-correction"])
    #expect(quarantined.first?[header: "weft_message"]?.contains(message) == true)
  }
}
