import Diagnostics

/// Fields of a test's document that its contract does not have, beside a contract's field of nearly
/// the same name that the document leaves out. Any other field more than the contract's is no
/// mistake: a producer may send what this product does not read.
struct MisspeltFields {
  private(set) var diagnostics: [Diagnostic] = []

  /// What is misspelt in a document of the input; nothing where its event type is not told.
  static func warnings(_ document: ExpectedValue, of input: InputDefinition) -> [Diagnostic] {
    var search = MisspeltFields()
    if let event = eventType(document, input) { search.compare(document, event.fields) }
    return search.diagnostics
  }

  private static func eventType(_ document: ExpectedValue, _ input: InputDefinition) -> EventType? {
    guard let discriminator = input.discriminator else { return input.events.first }
    var value = document
    for name in discriminator {
      guard case .object(let members) = value.content,
        let member = members.first(where: { $0.name == name })
      else { return nil }
      value = member.value
    }
    guard case .string(let name) = value.content else { return nil }
    return input.events.first { $0.name == name }
  }

  private mutating func compare(_ value: ExpectedValue, _ fields: [ContractField]) {
    if fields.isEmpty { return }
    switch value.content {
    case .list(let items):
      for item in items { compare(item, fields) }
    case .object(let members):
      let given = Set(members.map(\.name))
      let absent = fields.map(\.name).filter { !given.contains($0) }
      for member in members {
        if let field = fields.first(where: { $0.name == member.name }) {
          compare(member.value, field.fields)
        } else if let near = closest(to: member.name, among: absent) {
          diagnostics.append(
            Diagnostic(
              .unknownReference, "`\(member.name)` is no field of the input's contract",
              at: member.value.span, help: "did you mean `\(near)`?", severity: .warning))
        }
      }
    case .null, .bool, .number, .string: break
    }
  }
}
