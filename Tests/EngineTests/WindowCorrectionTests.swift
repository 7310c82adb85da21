import Diagnostics
import Product
import Records
import Testing

@testable import Engine

/// Windows whose values may be taken back.
@Suite struct WindowCorrectionTests {
  private static func files(_ window: String) -> [String: String] {
    let text = "logicalType: string, required: true"
    let whole = "logicalType: integer"
    return [
      "worker.yaml": MeshFiles.worker("shop"),
      "product.odps.yaml": MeshFiles.descriptor(
        "shop", "sales", inputs: ["sold"], outputs: ["hours"]),
      "contracts/sold.odcs.yaml": MeshFiles.contract(
        "ops/sold", "ops.sold",
        [
          "name: shop, \(text)", "name: amount, \(whole), required: true",
          "name: at, logicalType: timestamp, required: true",
        ], corrects: true),
      "contracts/hours.odcs.yaml": MeshFiles.contract(
        "sales/hours", "shop.sales.hours.v1",
        [
          "name: shop, \(text), primaryKey: true, primaryKeyPosition: 1",
          "name: since, logicalType: timestamp, required: true, primaryKey: true, "
            + "primaryKeyPosition: 2", "name: n, \(whole), required: true",
          "name: most, \(whole)",
        ]),
      "transform.yaml": """
      kind: Transform
      product: sales
      inputs:
        sold: {topic: ops.sold, contract: contracts/sold.odcs.yaml, time: at}
      journal: {partitions: 1}
      tables:
        hours:
          key: event.shop
          window: {\(window)}
          on:
            sold: |
              n    = count()
              most = max(event.amount)
      outputs:
        hours: {from: hours}

      """,
    ]
  }

  private static func simulation(_ window: String) throws -> ProductSimulation {
    try ProductSimulation(MeshFiles.load(files(window)).product())
  }

  private static func sold(
    _ run: ProductSimulation, _ id: String, _ minute: Int, _ amount: Int, back: Bool = false
  ) {
    let at = "2024-06-01T00:\(minute < 10 ? "0" : "")\(minute):00Z"
    let value = #"{"shop":"s","amount":\#(amount),"at":"\#(at)"}"#
    var input = ProductSimulation.Input(
      input: 0, key: nil, value: Array(value.utf8), timestampMs: run.recordedMs)
    input.id = Array((back ? "back of \(id)" : id).utf8)
    if back {
      input.operation = Array("retract".utf8)
      input.corrects = Array(id.utf8)
    }
    run.feed(input)
    run.run()
  }

  @Test func `a window is as if what was taken back had never come, and goes with the last of it`()
    throws
  {
    let run = try Self.simulation("hopping: {size: 10m, every: 5m}, grace: 5m")
    Self.sold(run, "a", 7, 3)
    Self.sold(run, "b", 8, 9)
    Self.sold(run, "b", 8, 9, back: true)
    let texts = run.port("hours").map(\.text)
    #expect(texts.suffix(2).allSatisfy { $0.contains(#""n":1,"most":3"#) })
    Self.sold(run, "a", 7, 3, back: true)
    #expect(run.port("hours").suffix(2).map(\.text) == ["null", "null"])
    Self.sold(run, "c", 7, 1)
    run.recordedMs += 60 * 60_000
    run.run()
    #expect(run.scheduledCount == 0)
    #expect(run.quarantined.isEmpty)
  }

  @Test func `what is taken back too late counts on, and what takes it back is late`() throws {
    let run = try Self.simulation("tumbling: 10m, emit: final")
    Self.sold(run, "a", 1, 3)
    Self.sold(run, "b", 2, 9)
    Self.sold(run, "b", 2, 9, back: true)
    Self.sold(run, "c", 30, 1)
    #expect(run.port("hours").map(\.text).first?.contains(#""n":1,"most":3"#) == true)
    Self.sold(run, "a", 1, 3, back: true)
    #expect(run.reasons == ["late"])
    #expect(run.port("hours").count == 1)
  }

  @Test(arguments: [
    ("session: 5m", ", time: at", "a session is not taken apart"),
    ("tumbling: 5m", "", "what takes a value back would not find its window"),
  ])
  func `windows that could not be undone are refused`(
    _ window: String, _ time: String, _ told: String
  ) throws {
    var files = Self.files(window)
    files["transform.yaml"] = files["transform.yaml"]?.replacing(", time: at", with: time)
    let found = try MeshFiles.load(files).diagnostics.map(\.message)
    #expect(found.contains(told), "\(found)")
  }
}
