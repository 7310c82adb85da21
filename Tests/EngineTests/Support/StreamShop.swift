import Diagnostics
import Product
import Records
import Testing

@testable import Engine

/// A small product, from files: orders with items, and what a test writes of streams, tables and
/// outputs.
struct StreamShop {
  static let text = "logicalType: string, required: true"
  /// Of the event ports whose contract a test does not write.
  private static let line = [
    "name: id, \(text)", "name: what, logicalType: string", "name: many, logicalType: integer",
  ]
  static let mixed = "customProperties: [{property: weft.type, value: dyn}]"
  private static let items =
    "logicalType: array, items: {logicalType: object, properties: [{name: sku, \(text)}, "
    + "{name: qty, logicalType: integer, required: true}, "
    + "{name: parts, logicalType: array, items: {logicalType: string}}]}"

  /// As they stand in transform.yaml, but for the indentation.
  var streams = ""
  var tables = ""
  /// By port.
  var outputs: [String: String] = [:]
  /// Fields by port.
  var contracts: [String: [String]] = [:]
  /// Texts of transform.yaml to be replaced, which are there.
  var changes: [(String, String)] = []

  private static func indented(_ text: String, _ count: Int) -> String {
    text.split(separator: "\n").map { String(repeating: " ", count: count) + $0 + "\n" }.joined()
  }

  private var ports: [String] { outputs.keys.sorted() }

  private func transform() throws -> String {
    var text = """
      kind: Transform
      product: shop
      inputs:
        orders: {topic: ops.orders, contract: contracts/orders.odcs.yaml, id: id}
        paid: {topic: ops.paid, contract: contracts/paid.odcs.yaml, id: id, time: at}
      journal: {partitions: 2}

      """
    if !streams.isEmpty { text += "streams:\n" + StreamShop.indented(streams, 2) }
    if !tables.isEmpty { text += "tables:\n" + StreamShop.indented(tables, 2) }
    text += "outputs:\n"
    for port in ports { text += "  \(port):\n" + StreamShop.indented(outputs[port] ?? "", 4) }
    for (old, new) in changes {
      try #require(text.contains(old), "\(old) is there")
      text = text.replacing(old, with: new)
    }
    return text
  }

  func load() throws -> LoadedDomain {
    var files = [
      "worker.yaml": MeshFiles.worker("ops"),
      "product.odps.yaml": MeshFiles.descriptor(
        "ops", "shop", inputs: ["orders", "paid"], outputs: ports),
      "transform.yaml": try transform(),
      "contracts/orders.odcs.yaml": MeshFiles.contract(
        "ops/orders", "ops.orders",
        [
          "name: id, \(StreamShop.text)", "name: customer, \(StreamShop.text)",
          "name: items, \(StreamShop.items)", "name: extra, \(StreamShop.mixed)",
        ], record: "orders"),
      "contracts/paid.odcs.yaml": MeshFiles.contract(
        "ops/paid", "ops.paid",
        [
          "name: id, \(StreamShop.text)", "name: customer, \(StreamShop.text)",
          "name: amount, logicalType: integer, required: true",
          "name: at, logicalType: timestamp, required: true",
        ], record: "paid"),
    ]
    for port in ports {
      files["contracts/\(port).odcs.yaml"] = MeshFiles.contract(
        "shop/\(port)", "ops.shop.\(port).v1", contracts[port] ?? StreamShop.line)
    }
    return try MeshFiles.load(files)
  }

  /// What is wrong with it once a text of transform.yaml is replaced: codes and messages.
  func problems(_ old: String, _ new: String) throws -> [String] {
    var shop = self
    shop.changes.append((old, new))
    return try shop.problems()
  }

  /// What is wrong with it.
  func problems() throws -> [String] {
    try load().diagnostics.map { "\($0.code.text) \($0.message)" }
  }

  func simulation() throws -> ProductSimulation {
    try ProductSimulation(load().product())
  }

  /// Runs documents, each in a turn of its own: orders, and those with an amount as payments.
  func run(_ documents: [String]) throws -> ProductSimulation {
    let simulation = try simulation()
    for document in documents {
      simulation.take(document, input: document.contains("\"amount\"") ? 1 : 0)
      simulation.recordedMs += 1000
    }
    return simulation
  }
}

extension ProductSimulation {
  /// What was published, without the quarantine.
  var records: [SimulatedRecord] { published.filter { $0.port >= 0 } }

  /// What was published at a port.
  func port(_ name: String) -> [SimulatedRecord] {
    let ordinal = plan.ports.first { $0.name == name }?.ordinal
    return published.filter { $0.port == ordinal }
  }
}
