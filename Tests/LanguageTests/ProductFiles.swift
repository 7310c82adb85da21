import Diagnostics
import Foundation
import Product

/// Product files for tests, made in a folder of their own and removed with this object.
final class ProductFiles {
  let directory: String

  init(_ files: [String: String]) throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "weft-product-\(UUID().uuidString)")
    directory = folder.path
    for (path, text) in files {
      let url = folder.appending(path: path)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  /// The folder of the example mesh in this repository.
  static var health: String { repository + "/Config/health" }

  /// This repository.
  static var repository: String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().path
  }
}

/// `code file:line:column message` of each, the directory left out.
func told(_ diagnostics: [Diagnostic]) -> [String] {
  diagnostics.map { diagnostic in
    guard let span = diagnostic.span else { return "\(diagnostic.code.text) \(diagnostic.message)" }
    let place = span.source.place(of: span.range.lowerBound)
    let file = span.source.name.split(separator: "/").suffix(1).joined()
    return "\(diagnostic.code.text) \(file):\(place.line):\(place.column) \(diagnostic.message)"
  }
}

extension ProductFiles {
  /// A small product that is right: each test changes what it is about.
  static let shop: [String: String] = [
    "worker.yaml": """
    kind: Worker
    domain: shop
    kafka: {bootstrap.servers: "localhost:1"}
    state: {directory: state}

    """,
    "product.odps.yaml": """
    apiVersion: v1.0.0
    kind: DataProduct
    id: sales
    version: "1.0.0"
    status: active
    domain: shop
    inputPorts:
      - {name: orders, version: "1.0.0", contractId: shop/orders}
    outputPorts:
      - {name: placed, version: "1.0.0", contractId: shop/placed}
      - {name: customer, version: "1.0.0", contractId: shop/customer}

    """,
    "contracts/orders.odcs.yaml": """
    apiVersion: v3.1.0
    kind: DataContract
    id: shop/orders
    version: "1.0.0"
    status: active
    schema:
      - name: Placed
        physicalName: ops.orders
        properties:
          - {name: id, logicalType: string, required: true}
          - {name: type, logicalType: string, required: true}
          - {name: at, logicalType: timestamp, required: true}
          - {name: customer, logicalType: string, required: true}
          - {name: total, logicalType: number, physicalType: "decimal(12,2)"}
          - {name: count, logicalType: integer, required: true}
          - {name: weight, logicalType: number}
      - name: Cancelled
        physicalName: ops.orders
        properties:
          - {name: id, logicalType: string, required: true}
          - {name: type, logicalType: string, required: true}
          - {name: at, logicalType: timestamp, required: true}
          - {name: customer, logicalType: string, required: true}
          - {name: reason, logicalType: string}

    """,
    "contracts/placed.odcs.yaml": """
    apiVersion: v3.1.0
    kind: DataContract
    id: shop/placed
    version: "1.0.0"
    status: active
    schema:
      - name: Order
        physicalName: shop.sales.placed.v1
        properties:
          - {name: id, logicalType: string, required: true, primaryKey: true}
          - {name: total, logicalType: number, physicalType: "decimal(12,2)"}
          - {name: count, logicalType: integer, required: true}

    """,
    "contracts/customer.odcs.yaml": """
    apiVersion: v3.1.0
    kind: DataContract
    id: shop/customer
    version: "1.0.0"
    status: active
    schema:
      - name: Customer
        physicalName: shop.sales.customer.v1
        properties:
          - {name: customer, logicalType: string, required: true, primaryKey: true}
          - {name: orders, logicalType: integer, required: true}
          - {name: spent, logicalType: number, physicalType: "decimal(18,2)"}
          - {name: last, logicalType: timestamp}

    """,
    "transform.yaml": """
    kind: Transform
    product: sales
    inputs:
      orders:
        topic: ops.orders
        contract: contracts/orders.odcs.yaml
        discriminator: type
        id: id
        time: at
    streams:
      paid:
        from: orders.Placed
        where: has(event.total) && event.total > decimal("0")
    tables:
      customer:
        key: event.customer
        on:
          orders.Placed: |
            orders = count()
            spent  = sum(event.total) if has(event.total)
            last   = max(event.at)
    outputs:
      placed:
        from: paid
        key: event.customer
        select: |
          id    = event.id
          total = event.total
          count = event.count
      customer:
        from: customer

    """,
  ]

  /// The shop with texts replaced: (file, old, new). Each old text must be there once.
  static func shop(_ changes: (file: String, old: String, new: String)...) throws -> ProductFiles {
    try ProductFiles(changed(shop, changes))
  }

  /// Files with texts replaced. Each old text must be there once.
  static func changed(
    _ files: [String: String], _ changes: [(file: String, old: String, new: String)]
  ) throws -> [String: String] {
    var files = files
    for change in changes {
      let parts = (files[change.file] ?? "").components(separatedBy: change.old)
      guard parts.count == 2 else { throw UnknownText(text: change.old) }
      files[change.file] = parts.joined(separator: change.new)
    }
    return files
  }

  struct UnknownText: Error { let text: String }
}
