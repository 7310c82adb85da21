import Diagnostics
import Foundation
import Product
import Records
import Testing

@testable import Engine

/// A small product, from files: orders with items, and what a test writes of streams, tables and
/// outputs.
struct StreamShop {
  static let text = "logicalType: string, required: true"
  /// Of the event ports whose contract a test does not write.
  private static let line = fields([
    "name: id, \(text)", "name: what, logicalType: string", "name: many, logicalType: integer",
  ])
  private static let items =
    "logicalType: array, items: {logicalType: object, properties: [{name: sku, \(text)}, "
    + "{name: qty, logicalType: integer, required: true}, "
    + "{name: parts, logicalType: array, items: {logicalType: string}}]}"

  /// As they stand in transform.yaml, but for the indentation.
  var streams = ""
  var tables = ""
  /// By port.
  var outputs: [String: String] = [:]
  /// `properties` by port.
  var contracts: [String: String] = [:]
  /// Other files than what the parts above make: lines of transform.yaml to be replaced.
  var changes: [(String, String)] = []

  private static func indented(_ text: String, _ count: Int) -> String {
    text.split(separator: "\n").map { String(repeating: " ", count: count) + $0 + "\n" }.joined()
  }

  static func fields(_ fields: [String]) -> String {
    fields.map { "          - {\($0)}\n" }.joined()
  }

  private static func contract(_ id: String, _ topic: String, _ fields: String) -> String {
    """
    apiVersion: v3.1.0
    kind: DataContract
    id: \(id)
    version: "1.0.0"
    status: active
    schema:
      - name: \(topic.split(separator: ".").last ?? "record")
        physicalName: \(topic)
        properties:

    """ + fields
  }

  private var ports: [String] { outputs.keys.sorted() }

  private var transform: String {
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
    for (old, new) in changes { text = text.replacing(old, with: new) }
    return text
  }

  private var files: [String: String] {
    var files = [
      "worker.yaml": "kind: Worker\ndomain: ops\nkafka: {bootstrap.servers: \"nowhere:1\"}\n",
      "product.odps.yaml": """
      apiVersion: v1.0.0
      kind: DataProduct
      id: shop
      version: "1.0.0"
      status: active
      domain: ops
      inputPorts:
        - {name: orders, version: "1.0.0", contractId: ops/orders}
        - {name: paid, version: "1.0.0", contractId: ops/paid}
      outputPorts:
      \(ports.map { "  - {name: \($0), version: \"1.0.0\", contractId: shop/\($0)}" }
        .joined(separator: "\n"))

      """,
      "transform.yaml": transform,
      "contracts/orders.odcs.yaml": StreamShop.contract(
        "ops/orders", "ops.orders",
        StreamShop.fields([
          "name: id, \(StreamShop.text)", "name: customer, \(StreamShop.text)",
          "name: items, \(StreamShop.items)",
        ])),
      "contracts/paid.odcs.yaml": StreamShop.contract(
        "ops/paid", "ops.paid",
        StreamShop.fields([
          "name: id, \(StreamShop.text)", "name: customer, \(StreamShop.text)",
          "name: amount, logicalType: integer, required: true",
          "name: at, logicalType: timestamp, required: true",
        ])),
    ]
    for port in ports {
      files["contracts/\(port).odcs.yaml"] = StreamShop.contract(
        "shop/\(port)", "ops.shop.\(port).v1", contracts[port] ?? StreamShop.line)
    }
    return files
  }

  func load() throws -> LoadedDomain {
    let folder = FileManager.default.temporaryDirectory.appending(path: "weft-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    for (path, text) in files {
      let url = folder.appending(path: path)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
    return LoadedDomain.load(folder.path)
  }

  /// What is wrong with it: codes and messages.
  func problems() throws -> [String] {
    try load().diagnostics.map { "\($0.code.text) \($0.message)" }
  }

  func simulation() throws -> ProductSimulation {
    let loaded = try load()
    let product = try #require(
      loaded.definition?.products.first, "\(loaded.diagnostics.map(\.message))")
    return try ProductSimulation(product)
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

extension SimulatedRecord {
  var text: String { value.map { String(decoding: $0, as: UTF8.self) } ?? "null" }
}
