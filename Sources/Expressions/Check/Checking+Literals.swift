import Diagnostics

extension Checking {
  mutating func list(_ syntax: SyntaxNode, _ items: [SyntaxNode.Item], expecting: ValueType?)
    -> Finding?
  {
    var wanted: ValueType?
    switch expecting {
    case .list(let element): wanted = element
    case .dyn: wanted = .dyn
    default: break
    }
    if let item = items.first(where: \.isOptional) {
      report(.notYet, "`[?…]` in a list literal is not in Weft yet", item.value.range)
      return nil
    }
    let found = items.map { item in
      let value = operand(item.value, expecting: wanted)
      return wanted == .dyn ? value.flatMap { mixed($0, item.value) } : value
    }
    var type: ValueType?
    for (finding, item) in zip(found, items) {
      guard let finding else { continue }
      guard let common = ValueType.common(type ?? finding.type, finding.type) else {
        let known = type ?? finding.type
        report(
          .operandTypes, "the elements of a list have one type", item.value.range,
          label: "\(finding.type), but \(known) before",
          help: literalHelp(item.value, wanted: known))
        return nil
      }
      type = common
    }
    let nodes = found.compactMap { $0?.node }
    if nodes.count < items.count { return nil }
    return Finding(
      node: TypedNode(
        kind: .list(nodes), type: .list(type ?? wanted ?? .nothing), range: syntax.range))
  }

  /// A map literal whose keys are constant strings: an object. With other keys it is a map.
  mutating func object(_ syntax: SyntaxNode, _ entries: [SyntaxNode.Entry], expecting: ValueType?)
    -> Finding?
  {
    var wanted: ObjectType?
    if case .object(let object) = expecting { wanted = object }
    let isObject = entries.allSatisfy { entry in
      if case .literal(.string) = entry.key.kind { true } else { false }
    }
    switch expecting {
    case .map, .dyn: return map(syntax, entries, expecting: expecting)
    default: break
    }
    if !isObject { return map(syntax, entries) }
    var fields: [ObjectType.Field] = []
    var nodes: [TypedNode?] = []
    var isWhole = true
    for entry in entries {
      guard case .literal(.string(let bytes)) = entry.key.kind else { continue }
      let name = String(decoding: bytes, as: UTF8.self)
      if fields.contains(where: { $0.name == name }) {
        report(.repeatedAssignment, "`\(name)` is set twice in this object", entry.key.range)
        isWhole = false
        continue
      }
      let hint = wanted?.fields.first { $0.name == name }?.type
      guard let value = value(of: entry, expecting: hint) else {
        isWhole = false
        continue
      }
      fields.append(.init(name, value.type.unwrapped, isRequired: !entry.isOptional))
      nodes.append(value.node)
    }
    if !isWhole { return nil }
    let type = ObjectType(name: "", fields: fields)
    return Finding(
      node: TypedNode(kind: .object(nodes), type: .object(type), range: syntax.range))
  }

  private mutating func value(of entry: SyntaxNode.Entry, expecting: ValueType?) -> Finding? {
    if !entry.isOptional {
      guard let value = operand(entry.value, expecting: expecting) else { return nil }
      if value.type.isOptional {
        reportAbsent(
          value, entry.value, help: "write `?` before the key: the field is then optional")
        return nil
      }
      return value
    }
    guard let value = find(entry.value, expecting: expecting) else { return nil }
    note(value)
    if value.type.isOptional { return value }
    report(
      .operandTypes, "the value of an optional entry is an optional", entry.value.range,
      label: value.mayBeAbsent ? "\(value.type) that may be absent" : "\(value.type)",
      help: value.mayBeAbsent ? optionalText(of: entry.value).map { "write `\($0)`" } : nil)
    return nil
  }
}
