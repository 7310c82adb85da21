import Diagnostics

/// Checks nodes against their specification: unknown and missing keys, wrong types, all at once.
package struct FieldReader {
  package private(set) var diagnostics: [Diagnostic] = []
  /// What is accepted and named as not acted on yet.
  package private(set) var notActedOn: [Diagnostic] = []

  package init() {}

  /// The map at a file's root; nil when it is none.
  package mutating func read(_ node: YAMLNode, as spec: RecordSpec) -> FileRecord? {
    value(node, .record(spec))?.record
  }

  mutating func report(
    _ code: DiagnosticCode, _ message: String, _ node: YAMLNode, label: String? = nil,
    notes: [String] = [], help: String? = nil
  ) {
    diagnostics.append(
      Diagnostic(code, message, at: node.span, label: label, notes: notes, help: help))
  }

  /// The value at a node; nil when it has not this shape, and that has been said.
  mutating func value(_ node: YAMLNode, _ shape: Shape) -> FileValue? {
    switch shape {
    case .any: return FileValue(node: node, content: .any)
    case .list(let item): return list(node, item)
    case .oneOrMany(let item):
      if case .sequence = node.content { return list(node, item) }
      guard let one = value(node, item) else { return nil }
      return FileValue(node: node, content: .list([one]))
    case .map(_, let item): return map(node, item, shape)
    case .record(let spec): return record(node, spec)
    case .either(let shapes): return either(node, shapes)
    default: return scalar(node, shape)
    }
  }

  private mutating func list(_ node: YAMLNode, _ item: Shape) -> FileValue? {
    guard case .sequence(let nodes) = node.content else { return wrong(node, .list(item)) }
    let items = nodes.map { value($0, item) }
    if items.contains(where: { $0 == nil }) { return nil }
    return FileValue(node: node, content: .list(items.compactMap(\.self)))
  }

  private mutating func map(_ node: YAMLNode, _ item: Shape, _ shape: Shape) -> FileValue? {
    if node.scalar == .null { return FileValue(node: node, content: .map([])) }
    guard case .mapping(let entries) = node.content else { return wrong(node, shape) }
    var result: [(key: YAMLNode, value: FileValue)] = []
    for entry in entries {
      if let value = value(entry.value, item) { result.append((entry.key, value)) }
    }
    return FileValue(node: node, content: .map(result))
  }

  private mutating func record(_ node: YAMLNode, _ spec: RecordSpec) -> FileValue? {
    guard case .mapping(let entries) = node.content else { return wrong(node, .record(spec)) }
    var fields: [String: FileValue] = [:]
    var keys: [String: YAMLNode] = [:]
    var broken: Set<String> = []
    for entry in entries {
      guard let name = entry.key.text else { continue }
      keys[name] = entry.key
      guard let field = spec[name] ?? meant(by: entry.key, name, spec, node) else { continue }
      keys[field.name] = entry.key
      if let value = value(entry.value, field.shape) {
        fields[field.name] = value
        note(field, entry.key)
      } else {
        broken.insert(field.name)
      }
    }
    for field in spec.fields where field.isRequired && keys[field.name] == nil {
      broken.insert(field.name)
      report(
        .missingKey, "`\(field.name)` is missing", place(of: node, entries),
        label: "\(spec.title) needs it", help: "add `\(field.name): …`, \(field.shape.text)")
    }
    let record = FileRecord(node: node, fields: fields, keys: keys, broken: broken)
    return FileValue(node: node, content: .record(record))
  }

  /// A map is long; its first key is enough to point at.
  private func place(of node: YAMLNode, _ entries: [YAMLNode.Entry]) -> YAMLNode {
    entries.first?.key ?? node
  }

  /// Tells of a key that is none, and gives the field that was most likely meant: read as that, it
  /// hides none of the other problems.
  private mutating func meant(
    by key: YAMLNode, _ name: String, _ spec: RecordSpec, _ node: YAMLNode
  ) -> FieldSpec? {
    if spec.isOpen { return nil }
    let names = spec.fields.map(\.name)
    let near = closest(to: name, among: names)
    let all = names.map { "`\($0)`" }.joined(separator: ", ")
    report(
      .unknownKey, "`\(name)` is not a key of \(spec.title)", key,
      notes: near == nil ? ["keys here: \(all)"] : [],
      help: near.map { "did you mean `\($0)`?" })
    return near.flatMap { node[$0] == nil ? spec[$0] : nil }
  }

  private mutating func note(_ field: FieldSpec, _ key: YAMLNode) {
    switch field.stage {
    case .used: break
    case .unused:
      notActedOn.append(
        Diagnostic(
          .notActedOn, "`\(field.name)` is read and checked, but nothing acts on it yet",
          at: key.span, severity: .warning))
    case .notYet: notThere("`\(field.name)`", key)
    }
  }

  mutating func notThere(_ what: String, _ node: YAMLNode) {
    report(.notThereYet, "\(what) is not there yet in this version of Weft", node)
  }

  private mutating func either(_ node: YAMLNode, _ shapes: [Shape]) -> FileValue? {
    var failures: [FieldReader] = []
    for shape in shapes {
      var attempt = FieldReader()
      let value = attempt.value(node, shape)
      if let value, attempt.diagnostics.isEmpty {
        notActedOn += attempt.notActedOn
        return value
      }
      if accepts(node, shape) { failures.append(attempt) }
    }
    // One alternative of the node's kind: its messages are the ones that help.
    if failures.count == 1, let only = failures.first {
      diagnostics += only.diagnostics
      return nil
    }
    if let text = node.text, failures.allSatisfy({ $0.diagnostics.last?.code == .badValue }),
      !failures.isEmpty
    {
      report(
        .badValue, "`\(text)` is not \(Shape.either(shapes).text)", node,
        help: failures.lazy.compactMap { $0.diagnostics.last?.help }.first)
      return nil
    }
    return wrong(node, .either(shapes))
  }

  private func accepts(_ node: YAMLNode, _ shape: Shape) -> Bool {
    switch (shape, node.content) {
    case (.any, _): true
    case (.list, .sequence), (.oneOrMany, .sequence), (.map, .mapping), (.record, .mapping): true
    case (.oneOrMany(let item), _): accepts(node, item)
    case (.list, _), (.map, _), (.record, _): false
    case (.either(let shapes), _): shapes.contains { accepts(node, $0) }
    case (_, .scalar): true
    default: false
    }
  }

  mutating func wrong(_ node: YAMLNode, _ shape: Shape, help: String? = nil) -> FileValue? {
    report(
      .wrongType, "expected \(shape.text), found \(node.kindText)", node, help: help)
    return nil
  }
}
