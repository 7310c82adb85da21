import Diagnostics
import Expressions

/// mesh.yaml, read: what the domains share.
package struct MeshDefinition: Sendable {
  package let name: String
  /// The file's path.
  package let path: String

  /// Nil without a name. Expressions in it are parsed; nothing acts on them yet.
  static func read(_ record: FileRecord, path: String, into diagnostics: inout [Diagnostic])
    -> MeshDefinition?
  {
    let links = (record["identifiers"]?.entries ?? []).compactMap {
      $0.value.record?["link"]?.record
    }
    let expressions =
      links.flatMap { link in ["system", "local", "global"].map { link[$0] } }
      + (record["policies"]?.items ?? []).map { $0.record?["check"] }
    for value in expressions {
      guard let span = value?.node.textSpan else { continue }
      _ = ParsedExpression.parse(span, into: &diagnostics)
    }
    guard let name = record.text("name") else { return nil }
    return MeshDefinition(name: name, path: path)
  }
}
