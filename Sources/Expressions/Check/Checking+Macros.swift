import Diagnostics

/// What goes over lists and maps.
struct Macro {
  let name: String
  let kind: TypedNode.Loop.Kind
  /// How many variables stand before the expressions: one, or two for place and element or key and
  /// value.
  let variables: Int
  /// Whether what follows them is one expression, as it should be, or with a filter before it two.
  let hasFilter: Bool
  let isWhole: Bool

  static let names = ["map", "filter", "all", "exists", "exists_one", "existsOne", "transformList"]

  /// Nil when `name` is none.
  init?(_ name: String, _ arguments: Int) {
    self.name = name
    switch name {
    case "map", "transformList": kind = .map
    case "filter": kind = .filter
    case "all": kind = .all
    case "exists": kind = .exists
    case "exists_one", "existsOne": kind = .existsOne
    default: return nil
    }
    let takesFilter = kind == .map
    let most = name == "transformList" ? 2 : takesFilter || kind == .filter ? 1 : 2
    let least = name == "transformList" ? 2 : 1
    let last = takesFilter ? 2 : 1
    isWhole = arguments >= least + 1 && arguments <= most + last
    hasFilter = takesFilter && arguments == most + 2
    variables = takesFilter ? most : max(least, min(arguments - 1, most))
  }

  var example: String {
    switch kind {
    case .map where variables == 2: "items.transformList(place, item, item.price)"
    case .map: "items.map(item, item.price)"
    case .filter: "items.filter(item, item.price > decimal(\"0\"))"
    default: "items.\(name)(item, item.price > decimal(\"0\"))"
    }
  }
}

extension Checking {
  mutating func loop(
    _ syntax: SyntaxNode, _ macro: Macro, _ range: SyntaxNode, _ arguments: [SyntaxNode]
  ) -> Finding? {
    let names = arguments.prefix(macro.variables).compactMap { argument -> String? in
      if case .name(let name) = argument.kind { name } else { nil }
    }
    guard macro.isWhole, names.count == macro.variables, Set(names).count == names.count else {
      report(
        .macroForm, "`\(macro.name)` takes a name for the element and an expression",
        syntax.range, help: "write it as `\(macro.example)`")
      return nil
    }
    guard let list = self.range(range, macro) else { return nil }
    let outer = locals.count
    declare(names, list)
    defer { locals.removeLast(locals.count - outer) }
    let expressions = Array(arguments.dropFirst(names.count))
    let filter = macro.hasFilter ? condition(expressions[0]) : nil
    let facts = filter?.whenTrue ?? []
    let body = knowing(facts) { checking in
      macro.kind == .map
        ? checking.operand(expressions.last ?? syntax)
        : checking.condition(expressions[0])
    }
    guard let body, !macro.hasFilter || filter != nil else { return nil }
    // A list whose elements are not looked into is still read: how many there are. One that is
    // passed on, as `filter` does, is read as a whole.
    if !looksInto(list) || macro.kind == .filter { note(list) }
    if body.type.isOptional {
      reportAbsent(body, expressions.last ?? syntax)
      return nil
    }
    let loop = TypedNode.Loop(
      kind: macro.kind, range: list.node, locals: locals[outer...].map(\.id), filter: filter?.node,
      body: body.node)
    let type: ValueType =
      switch macro.kind {
      case .filter where list.type == .list(.nothing): list.type
      case .map: .list(body.type)
      case .filter: .list(locals[outer].type)
      default: .bool
      }
    return Finding(node: TypedNode(kind: .loop(loop), type: type, range: syntax.range))
  }

  /// What a macro goes over.
  private mutating func range(_ syntax: SyntaxNode, _ macro: Macro) -> Finding? {
    let found: Finding? =
      if case .map(let entries) = syntax.kind { map(syntax, entries) } else { find(syntax) }
    guard let found else { return nil }
    if found.mayBeAbsent || found.type.isOptional { reportAbsent(found, syntax) }
    switch found.type.unwrapped {
    case .list, .map: return found
    case .dyn:
      note(found)
      return cast(found, macro.variables == 1 ? .elements : .entries)
    default:
      report(
        .operandTypes, "`\(macro.name)` goes over a list or a map", syntax.range,
        label: "this is \(found.type)")
      return nil
    }
  }

  /// Whether something of the list's elements is read.
  private func looksInto(_ list: Finding) -> Bool {
    guard let element = list.use?.appending(FieldPath.element).parts else { return false }
    return uses.contains { $0.parts.starts(with: element) }
  }

  private mutating func declare(_ names: [String], _ range: Finding) {
    let types: [ValueType]
    var element: FieldPath?
    switch range.type.unwrapped {
    case .map(let key, let value): types = names.count == 1 ? [key] : [key, value]
    case .list(let given):
      let type = given == .nothing ? .dyn : given
      types = names.count == 1 ? [type] : [.int, type]
      element = range.use?.appending(FieldPath.element)
    default: return
    }
    for (index, (name, type)) in zip(names, types).enumerated() {
      localCount += 1
      let isElement = index == names.count - 1
      locals.append(
        Local(name: name, id: localCount, type: type, use: isElement ? element : nil))
    }
    if element == nil { note(range) }
  }
}
