import Diagnostics

/// Map literals where a map is wanted.
extension Checking {
  /// Keys of one type, values of one type; of any types where the map is to be a mixed value.
  mutating func map(
    _ syntax: SyntaxNode, _ entries: [SyntaxNode.Entry], expecting: ValueType? = nil
  ) -> Finding? {
    let isMixed = expecting == .dyn
    var wanted = isMixed ? ValueType.dyn : nil
    if case .map(_, let value) = expecting { wanted = value }
    var types: (key: ValueType, value: ValueType)?
    var nodes: [(key: TypedNode, value: TypedNode)] = []
    for entry in entries {
      guard let key = key(of: entry), let value = value(under: entry, expecting: wanted) else {
        return nil
      }
      let known = types ?? (key.type, value.type)
      guard known.key == key.type || isMixed else {
        reportTypes("keys", known.key, key, entry.key)
        return nil
      }
      guard let common = ValueType.common(known.value, value.type) else {
        reportTypes("values", known.value, value, entry.value)
        return nil
      }
      types = (known.key, common)
      nodes.append((key.node, value.node))
    }
    let type = ValueType.map(
      key: types?.key ?? .string, value: types?.value ?? wanted ?? .nothing)
    return Finding(node: TypedNode(kind: .map(nodes), type: type, range: syntax.range))
  }

  private mutating func key(of entry: SyntaxNode.Entry) -> Finding? {
    if entry.isOptional {
      report(.notYet, "`?` in a map literal is not in Weft yet", entry.key.range)
      return nil
    }
    guard let key = operand(entry.key) else { return nil }
    if ValueType.mapKeys.contains(key.type) { return key }
    report(
      .operandTypes, "a key of a map is int, uint, bool or string", entry.key.range,
      label: "this is \(key.type)", help: conversionHelp(entry.key, key.type, wanted: .string))
    return nil
  }

  private mutating func value(under entry: SyntaxNode.Entry, expecting: ValueType?) -> Finding? {
    guard let value = operand(entry.value, expecting: expecting) else { return nil }
    if value.type.isOptional {
      reportAbsent(value, entry.value)
      return nil
    }
    return expecting == .dyn ? mixed(value, entry.value) : value
  }

  private mutating func reportTypes(
    _ what: String, _ known: ValueType, _ found: Finding, _ syntax: SyntaxNode
  ) {
    report(
      .operandTypes, "the \(what) of a map have one type", syntax.range,
      label: "\(found.type), but \(known) before")
  }
}

extension ValueType {
  /// What a map may have as keys.
  static let mapKeys: [ValueType] = [.string, .int, .uint, .bool]
}
