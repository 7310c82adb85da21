import Diagnostics
import Expressions

/// A line of `explode`, before it is known in which scope.
struct ExplosionDraft {
  let name: String
  let nameSpan: SourceSpan
  let list: ParsedExpression
}

// Streams that make many events of one.
extension TransformReader {
  /// What a stream's `explode` says; nil when there is none, or it is wrong and that has been said.
  mutating func explosion(_ fields: FileRecord) -> ExplosionDraft? {
    let entries = fields["explode"]?.entries ?? []
    guard let (key, value) = entries.first, let name = key.text else {
      if let explode = fields["explode"], entries.isEmpty {
        report(
          .missingKey, "`explode` names no list", explode.span,
          help: "write `explode: {item: event.items}`")
      }
      return nil
    }
    if entries.count > 1 {
      report(
        .misplaced, "`explode` takes one list", entries[1].key.span,
        help: "explode the second list in a stream that is made of this one")
      return nil
    }
    guard isVariable(name, key.span), let list = parsed(value) else { return nil }
    return ExplosionDraft(name: name, nameSpan: key.span, list: list)
  }

  /// Whether a key of a map may name a variable; else that is told.
  mutating func isVariable(_ name: String, _ span: SourceSpan) -> Bool {
    if !FieldReader.isName(name) || name.contains("-") {
      report(
        .badValue, "expressions cannot use a variable called `\(name)`", span,
        help: "use letters, digits and `_`, a letter first")
      return false
    }
    return !isReserved(name, span)
  }

  /// Adds the step to one event type's way; false when it does not fit, and that was said.
  mutating func explode(_ draft: ExplosionDraft, _ flow: inout Flow) -> Bool {
    if isNamed(draft.name, draft.nameSpan, flow) { return false }
    guard let list = check(draft.list, flow.scope, allowsOptional: true) else { return false }
    guard case .list(let element) = list.type else {
      report(
        .badValue, "`explode` takes a list, and this is \(list.type)", draft.list.span,
        help: list.type == .dyn ? "make a list of it, such as with `.map(x, x)`" : nil)
      return false
    }
    flow.branch.steps.append(.explode(name: draft.name, list))
    // Where an element goes on, its list is there.
    if let path = list.path { flow.known.insert(path) }
    flow.variables.append(Scope.Variable(draft.name, element))
    return true
  }
}
