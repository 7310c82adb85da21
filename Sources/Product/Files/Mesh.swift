import Diagnostics
import Expressions

/// mesh.yaml, read: what the domains share.
package struct MeshDefinition: Sendable {
  /// A name that all products know a thing by, and the events that say so.
  package struct Identifier: Sendable {
    let name: String
    /// The port whose events are the links, as it is written.
    let links: FileValue
    /// Of such an event: whose local id it is, that id, and the global one.
    let system: ParsedExpression
    let local: ParsedExpression
    let global: ParsedExpression
  }

  package let name: String
  /// The file's path.
  package let path: String
  package let identifiers: [Identifier]
  /// By class: what may be let through of a field of it.
  let masks: [String: [String]]

  /// Nil without a name. Policies are parsed; nothing acts on them yet.
  static func read(_ record: FileRecord, path: String, into diagnostics: inout [Diagnostic])
    -> MeshDefinition?
  {
    var identifiers: [Identifier] = []
    for (key, value) in record["identifiers"]?.entries ?? [] {
      guard let name = key.text, let fields = value.record, let links = fields["links"],
        let link = fields["link"]?.record
      else { continue }
      func part(_ name: String) -> ParsedExpression? {
        guard let span = link[name]?.node.textSpan else { return nil }
        return ParsedExpression.parse(span, into: &diagnostics)
      }
      let parts = ["system", "local", "global"].map(part)
      if let system = parts[0], let local = parts[1], let global = parts[2] {
        identifiers.append(
          Identifier(name: name, links: links, system: system, local: local, global: global))
      }
    }
    for policy in record["policies"]?.items ?? [] {
      guard let span = policy.record?["check"]?.node.textSpan else { continue }
      _ = ParsedExpression.parse(span, into: &diagnostics)
    }
    guard let name = record.text("name") else { return nil }
    let masks = (record["masks"]?.entries ?? []).compactMap { key, value in
      key.text.map { ($0, value.items.compactMap(\.text)) }
    }
    return MeshDefinition(
      name: name, path: path, identifiers: identifiers,
      masks: Dictionary(masks) { first, _ in first })
  }
}
