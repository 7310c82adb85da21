import Diagnostics

/// mesh.yaml, read: what the domains share.
package struct MeshDefinition: Sendable {
  package let name: String
  /// Classes of fields, in rising order.
  package let classifications: [String]
  /// The file's path.
  package let path: String

  static func read(_ record: FileRecord, path: String) -> MeshDefinition? {
    guard let name = record.text("name") else { return nil }
    let classes = record["classifications"]?.items.compactMap(\.text) ?? []
    return MeshDefinition(name: name, classifications: classes, path: path)
  }
}
