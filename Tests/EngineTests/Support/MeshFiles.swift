import Diagnostics
import Foundation
import Product
import Testing

/// Files of small meshes, as a user writes them.
enum MeshFiles {
  static func contract(
    _ id: String, _ topic: String, _ fields: [String], record: String = "Record",
    corrects: Bool = false
  ) -> String {
    """
    apiVersion: v3.2.0
    kind: DataContract
    id: \(id)
    version: "1.0.0"
    status: active
    \(corrects ? "customProperties: [{property: weft.corrections, value: true}]" : "")
    schema:
      - name: \(record)
        physicalName: \(topic)
        properties:
    \(fields.map { "      - {\($0)}" }.joined(separator: "\n"))

    """
  }

  static func descriptor(
    _ domain: String, _ product: String, inputs: [String], outputs: [String]
  ) -> String {
    func ports(_ names: [String], _ owner: String) -> String {
      names.map { "  - {name: \($0), version: \"1.0.0\", contractId: \(owner)/\($0)}" }
        .joined(separator: "\n")
    }
    return """
      apiVersion: v1.0.0
      kind: DataProduct
      id: \(product)
      version: "1.0.0"
      status: active
      domain: \(domain)
      inputPorts:
      \(ports(inputs, "ops"))
      outputPorts:
      \(ports(outputs, product))

      """
  }

  static func worker(_ domain: String) -> String {
    "kind: Worker\ndomain: \(domain)\nkafka: {bootstrap.servers: \"nowhere:1\"}\n"
  }

  /// Reads a domain from files, by path: one of a mesh, or the only one there is.
  static func load(_ files: [String: String], domain: String = "") throws -> LoadedDomain {
    let folder = FileManager.default.temporaryDirectory.appending(path: "weft-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    for (path, text) in files {
      let url = folder.appending(path: path)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
    return LoadedDomain.load(folder.appending(path: domain).path)
  }
}

extension LoadedDomain {
  /// The domain's first product, of files that are right.
  func product() throws -> ProductDefinition {
    try #require(definition?.products.first, "\(diagnostics.map(\.message))")
  }
}
