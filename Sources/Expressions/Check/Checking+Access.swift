import Diagnostics

/// Variables, fields, elements and `has`.
extension Checking {
  mutating func variable(_ name: String, _ syntax: SyntaxNode) -> Finding? {
    if let local = locals.last(where: { $0.name == name }) {
      return Finding(
        node: TypedNode(kind: .local(local.id), type: local.type, range: syntax.range),
        use: local.use, fact: FieldPath(["\(local.id) \(name)"]))
    }
    guard let variable = scope.variables.first(where: { $0.name == name }) else {
      if let type = typeName(name, syntax) { return type }
      reportUnknown(variable: name, syntax)
      return nil
    }
    let path = FieldPath([name])
    let isThere = variable.isRequired || isKnown(path)
    var node = TypedNode(
      kind: .path(root: name, []), type: isThere ? variable.type : .optional(variable.type),
      range: syntax.range)
    node.isAssumedPresent = isThere && !variable.isRequired && !scope.known.contains(path)
    return Finding(node: node, use: path, fact: path)
  }

  mutating func select(
    _ syntax: SyntaxNode, _ base: SyntaxNode, _ name: SyntaxNode.Name, isOptional: Bool
  ) -> Finding? {
    guard let from = find(base) else { return nil }
    switch from.type.unwrapped {
    case .object(let object):
      if from.mayBeAbsent {
        reportAbsent(from, base)
        return nil
      }
      guard let index = object.index(of: name.text) else {
        reportUnknown(field: name, of: object, base, syntax)
        return nil
      }
      let found = field(syntax, from, object.fields[index], index, isOptional: isOptional)
      return masked(found, syntax)
    case .map(key: .string, value: let value):
      if from.mayBeAbsent {
        reportAbsent(from, base)
        return nil
      }
      note(from)
      let isOptional = isOptional || from.type.isOptional
      let key = TypedNode(
        kind: .constant(.string(Array(name.text.utf8))), type: .string, range: name.range)
      return element(
        syntax, isOptional ? .tryIndexMap : .indexMap, from.node, key,
        isOptional ? .optional(value) : value)
    case .dyn:
      if from.mayBeAbsent {
        reportAbsent(from, base)
        return nil
      }
      return member(syntax, from, name, isOptional: isOptional)
    default:
      report(
        .unknownField, "`\(text(base.range))` has no fields", syntax.range,
        label: "it is \(from.type)")
      return nil
    }
  }

  private func field(
    _ syntax: SyntaxNode, _ from: Finding, _ field: ObjectType.Field, _ index: Int, isOptional: Bool
  ) -> Finding {
    let fact = from.fact?.appending(field.name)
    let isKnown = fact.map(isKnown) ?? false
    let settles = isOptional || from.type.isOptional
    let type = settles ? ValueType.optional(field.type.unwrapped) : field.type
    var node: TypedNode
    if case .path(let root, let steps) = from.node.kind {
      node = TypedNode(
        kind: .path(root: root, steps + [.init(name: field.name, index: index)]), type: type,
        range: syntax.range)
    } else {
      node = TypedNode(kind: .field(from.node, index), type: type, range: syntax.range)
    }
    let isPlain = !settles && !field.isRequired
    node.isAssumedPresent =
      isPlain && isKnown && !(fact.map(scope.known.contains) ?? false)
      || !settles && from.node.isAssumedPresent
    return Finding(
      node: node, use: from.use?.appending(field.name), fact: fact,
      mayBeAbsent: isPlain && !isKnown)
  }

  /// What a mixed value has under a name. Whether it has it, is known when it is there.
  private mutating func member(
    _ syntax: SyntaxNode, _ from: Finding, _ name: SyntaxNode.Name, isOptional: Bool
  ) -> Finding {
    note(from)
    let settles = isOptional || from.type.isOptional
    let key = TypedNode(
      kind: .constant(.string(Array(name.text.utf8))), type: .string, range: name.range)
    return element(
      syntax, settles ? .tryIndexMixed : .indexMixed, from.node, key,
      settles ? .optional(.dyn) : .dyn)
  }

  private func element(
    _ syntax: SyntaxNode, _ opcode: Opcode, _ base: TypedNode, _ index: TypedNode, _ type: ValueType
  ) -> Finding {
    let overload = Overload("_[_]", [.any, .any], .any, .compute(opcode))
    return Finding(
      node: TypedNode(kind: .call(overload, [base, index]), type: type, range: syntax.range))
  }

  mutating func index(
    _ syntax: SyntaxNode, _ base: SyntaxNode, _ index: SyntaxNode, isOptional: Bool
  ) -> Finding? {
    guard let from = find(base) else { return nil }
    let isConstant = if case .literal = index.kind { true } else { false }
    if case .map(let entries) = base.kind, case .object = from.type, !isConstant {
      // A literal of constant keys that is asked for one not known before is a map.
      guard let map = map(base, entries), let at = operand(index) else { return nil }
      return element(map, at, base, index, syntax, isOptional: isOptional)
    }
    if case .object = from.type.unwrapped, case .literal(.string(let bytes)) = index.kind {
      // An object's field by its constant name.
      let name = SyntaxNode.Name(text: String(decoding: bytes, as: UTF8.self), range: index.range)
      return select(syntax, base, name, isOptional: isOptional)
    }
    guard let list = operand(base), let at = operand(index) else { return nil }
    return element(list, at, base, index, syntax, isOptional: isOptional)
  }

  private mutating func element(
    _ list: Finding, _ at: Finding, _ base: SyntaxNode, _ index: SyntaxNode, _ syntax: SyntaxNode,
    isOptional: Bool
  ) -> Finding? {
    let settles = isOptional || list.type.isOptional
    switch (list.type.unwrapped, at.type) {
    case (.dyn, let key) where key == .dyn || key == .double || ValueType.mapKeys.contains(key):
      return self.element(
        syntax, settles ? .tryIndexMixed : .indexMixed, list.node, at.node,
        settles ? .optional(.dyn) : .dyn)
    case (.list(let value), .dyn), (.map(_, let value), .dyn):
      return self.element(
        syntax, settles ? .tryIndexMixed : .indexMixed, list.node, at.node,
        settles ? .optional(value) : value)
    case (.list(let given), .int):
      let element = given == .nothing ? .dyn : given
      return self.element(
        syntax, settles ? .tryIndexList : .indexList, list.node, at.node,
        settles ? .optional(element) : element)
    case (.map(let key, let value), let given) where key == given:
      return self.element(
        syntax, settles ? .tryIndexMap : .indexMap, list.node, at.node,
        settles ? .optional(value) : value)
    case (.list, _):
      report(
        .operandTypes, "a list is indexed by int", index.range, label: "this is \(at.type)")
    case (.map(let key, _), _):
      report(
        .operandTypes, "this map has keys of type \(key)", index.range, label: "this is \(at.type)")
    case (.object, _):
      report(
        .operandTypes, "a field of an object is named by a constant string", index.range,
        label: "this is not known before the event is there")
    default:
      report(
        .operandTypes, "`\(text(base.range))` has no elements", base.range,
        label: "it is \(list.type)")
    }
    return nil
  }

  /// `has(base.field)`: whether the field is there. False, not an error, when the base is not
  /// there.
  mutating func has(_ syntax: SyntaxNode, _ arguments: [SyntaxNode]) -> Finding? {
    guard arguments.count == 1, case .select(let base, let name, false) = arguments[0].kind else {
      report(
        .macroForm, "`has` takes one field, such as `has(event.name)`",
        arguments.first?.range ?? syntax.range)
      return nil
    }
    guard var from = find(base) else { return nil }
    var baseFacts: Set<FieldPath> = []
    if from.type.isOptional, let fact = from.fact { baseFacts.insert(fact) }
    if from.mayBeAbsent {
      if let fact = from.fact { baseFacts.insert(fact) }
      from.mayBeAbsent = false
      from.node = TypedNode(
        kind: from.node.kind, type: .optional(from.type), range: from.node.range)
    }
    let target: Finding
    switch from.type.unwrapped {
    case .object(let object):
      guard let index = object.index(of: name.text) else {
        reportUnknown(field: name, of: object, base, arguments[0])
        return nil
      }
      target = field(arguments[0], from, object.fields[index], index, isOptional: true)
      if let use = target.use {
        uses.insert(use)
        if scope.masks[use] == .drop {
          reportDropped(arguments[0])
          return nil
        }
      }
    case .map(key: .string, value: let value):
      note(from)
      let key = TypedNode(
        kind: .constant(.string(Array(name.text.utf8))), type: .string, range: name.range)
      target = element(arguments[0], .tryIndexMap, from.node, key, .optional(value))
    case .dyn:
      from.node = from.node.tried
      target = member(arguments[0], from, name, isOptional: true)
    default:
      _ = select(arguments[0], base, name, isOptional: false)
      return nil
    }
    var result = Finding(
      node: TypedNode(kind: .has(target.node), type: .bool, range: syntax.range))
    result.whenTrue = baseFacts.union(target.fact.map { [$0] } ?? [])
    return result
  }
}
