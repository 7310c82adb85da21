import Diagnostics
import Expressions

/// A line of `mask`, before it is known which event types have the field.
struct MaskDraft {
  let path: FieldPath
  let mask: FieldMask
  let span: SourceSpan
}

// Streams that let only a part of some fields be seen: what comes after them is given that instead
// of the field, wherever it names it.
extension TransformReader {
  func masks(_ fields: FileRecord) -> [MaskDraft] {
    (fields["mask"]?.entries ?? []).compactMap { key, value in
      guard let name = key.text, let mask = value.text.flatMap(FieldMask.init) else { return nil }
      let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
      return MaskDraft(path: FieldPath(["event"] + parts), mask: mask, span: key.span)
    }
  }

  /// Has the ways go on with their fields masked; false when something does not fit, and that was
  /// said.
  mutating func mask(_ drafts: [MaskDraft], _ flows: inout [Flow]) -> Bool {
    let before = diagnostics.count
    for draft in drafts {
      var isThere = flows.isEmpty
      for index in flows.indices {
        guard let event = flows[index].branch.event else {
          report(
            .notThereYet, "to mask what is made of rows or pairs is not there yet", draft.span,
            help: "mask the events that these are made of")
          return false
        }
        let fields = inputs[event.input].events[event.event].fields
        guard let field = field(draft.path.parts.dropFirst(), of: fields) else { continue }
        isThere = true
        // What is wrong with it is told once, and not of each event type.
        if !mask(draft, field.type, field.classification, &flows[index]) { break }
      }
      if !isThere { reportUnknown(draft, flows) }
    }
    return diagnostics.count == before
  }

  /// A field, and the class that it has or what it is in.
  private func field(_ path: ArraySlice<String>, of fields: [ContractField])
    -> (type: ValueType, classification: String?)?
  {
    guard let name = path.first, let field = fields.first(where: { $0.name == name }) else {
      return nil
    }
    if path.count == 1 { return (field.type, field.classification) }
    guard case .object = field.type, let inner = self.field(path.dropFirst(), of: field.fields)
    else { return nil }
    return (inner.type, inner.classification ?? field.classification)
  }

  private mutating func mask(
    _ draft: MaskDraft, _ type: ValueType, _ classification: String?, _ flow: inout Flow
  ) -> Bool {
    let name = draft.path.parts.joined(separator: ".")
    if flow.branch.masks[draft.path] != nil {
      report(.ambiguousName, "`\(name)` is masked before", draft.span)
      return false
    }
    if draft.mask != .drop, type != .string {
      report(
        .badValue, "`\(draft.mask.rawValue)` takes text, and `\(name)` is \(type)", draft.span,
        help: "write `drop`")
      return false
    }
    if let classification, let allowed = around.masks[classification],
      !allowed.contains(draft.mask.rawValue)
    {
      report(
        .badValue, "`\(draft.mask.rawValue)` is no mask of `\(name)`, which is \(classification)",
        draft.span, notes: ["mesh.yaml has for \(classification): \(Self.names(allowed))"])
      return false
    }
    for step in flow.branch.steps {
      guard case .bind(let value, let expression) = step,
        expression.uses.contains(where: { $0.overlaps(draft.path) })
      else { continue }
      report(
        .badValue, "`\(value)` was made of `\(name)` before it is masked", draft.span,
        help: "give `\(value)` its value in a stream behind this one")
      return false
    }
    flow.branch.masks[draft.path] = draft.mask
    return true
  }

  private mutating func reportUnknown(_ draft: MaskDraft, _ flows: [Flow]) {
    let name = draft.path.parts.dropFirst().joined(separator: ".")
    let events = flows.compactMap(\.branch.event).map { inputs[$0.input].events[$0.event] }
    let known = Set(events.flatMap { $0.fields.map(\.name) })
    report(
      .unknownReference, "`\(name)` is no field of the stream's events", draft.span,
      help: closest(to: name, among: known.sorted()).map { "did you mean `\($0)`?" })
  }

  /// Tells when something is computed of a masked field that has to be the same before and behind
  /// the mask; whether it was told.
  mutating func usesMasked(_ expression: CheckedExpression, _ flow: Flow, _ what: String) -> Bool {
    guard
      let path = flow.branch.masks.keys.filter({ mask in
        expression.uses.contains { $0.overlaps(mask) }
      }).map({ $0.parts.joined(separator: ".") }).min()
    else { return false }
    report(
      .badKey, "\(what) cannot use `\(path)`, which a stream on the way has masked",
      expression.span, help: "do it in a stream that is not masked, or by another field")
    return true
  }
}

extension FieldPath {
  /// Whether one is the other or in it.
  fileprivate func overlaps(_ other: FieldPath) -> Bool {
    zip(parts, other.parts).allSatisfy { $0 == $1 }
  }
}
