import Diagnostics

/// Mixed values (`dyn`): where one stands for a value of some type, and the other way round.
extension Checking {
  /// A mixed value as what the place asks for: it fails at run time where it is something else.
  func cast(_ finding: Finding, _ cast: Cast) -> Finding {
    let overload = Overload("dyn", [.dyn], .exactly(cast.type), .cast(cast))
    return finding.replaced(
      TypedNode(kind: .call(overload, [finding.node]), type: cast.type, range: finding.node.range))
  }

  /// The same value as one of `type`, which is mixed or has mixed parts.
  func asMixed(_ finding: Finding, _ type: ValueType, _ range: Range<Int>? = nil) -> Finding {
    let overload = Overload("dyn", [.any], .exactly(type), .identity)
    return finding.replaced(
      TypedNode(
        kind: .call(overload, [finding.node]), type: type, range: range ?? finding.node.range))
  }

  /// The same value as a mixed one; nil, and reported, where it does not say itself what it is.
  /// `whole`: what says that it is to be one.
  mutating func mixed(_ finding: Finding, _ syntax: SyntaxNode, _ whole: SyntaxNode? = nil)
    -> Finding?
  {
    if finding.type == .dyn { return finding }
    if finding.type.isMixable { return asMixed(finding, .dyn, whole?.range) }
    reportExpected(.dyn, finding, syntax)
    return nil
  }

  /// Of several signatures the one that a call with mixed arguments means: what only asks takes
  /// them as they come; else the one that takes one type is meant, if there is only one.
  func mixedOverload(_ candidates: [Overload], _ given: [Finding]) -> (Overload, ValueType?)? {
    guard given.contains(where: \.type.hasMixed) else { return nil }
    var fitting: [(overload: Overload, bound: ValueType?)] = []
    for candidate in candidates where candidate.parameters.count == given.count {
      var bound: ValueType?
      let fits = zip(candidate.parameters, given).allSatisfy { $0.acceptsMixed($1.type, &bound) }
      if fits { fitting.append((candidate, bound)) }
    }
    // The operands that are not mixed have to be of types that are taken.
    let typed = fitting.filter { !$0.overload.isMixed }
    if typed.isEmpty { return nil }
    if let asking = fitting.first(where: { $0.overload.takesAnything }) { return asking }
    return typed.count == 1 ? typed[0] : fitting.first { $0.overload.isMixed }
  }

  /// The arguments of a call as its signature asks for them.
  func cast(_ given: [Finding], for overload: Overload) -> [Finding] {
    zip(overload.parameters, given).map { parameter, finding in
      guard finding.type == .dyn else { return finding }
      switch parameter {
      case .exactly(let type): return Cast(type).map { cast(finding, $0) } ?? finding
      case .list: return cast(finding, overload.name == "@in" ? .elements : .list)
      default: return finding
      }
    }
  }

  /// The name of a type as a value.
  func typeName(_ name: String, _ syntax: SyntaxNode) -> Finding? {
    guard TypeName.all.contains(name) else { return nil }
    let node = TypedNode(
      kind: .constant(.string(Array(name.utf8))), type: .type, range: syntax.range)
    return Finding(node: node)
  }
}

extension Finding {
  /// The same, with another node for it.
  fileprivate func replaced(_ node: TypedNode) -> Finding {
    var result = self
    result.node = node
    return result
  }
}

extension TypedNode {
  /// The same way into a mixed value, absent where it ends early.
  var tried: TypedNode {
    guard case .call(let overload, let parts) = kind, case .compute(.indexMixed) = overload.emission
    else { return self }
    let trying = Overload("_[_]", [.any, .any], .any, .compute(.tryIndexMixed))
    return TypedNode(
      kind: .call(trying, [parts[0].tried, parts[1]]), type: .optional(.dyn), range: range)
  }
}

extension Overload {
  /// Whether it compares values of any types, which no value fails.
  fileprivate var takesAnything: Bool {
    switch emission {
    case .condition(.equalAny, _), .order: true
    default: false
    }
  }
}

extension ValueType {
  /// The type of what is of the one or the other: mixed when one of them is. Nil: there is none.
  static func common(_ left: ValueType, _ right: ValueType) -> ValueType? {
    if left.agrees(with: right) { return left.joined(with: right) }
    switch (left, right) {
    case (.list(let left), .list(let right)): return common(left, right).map { .list($0) }
    case (.optional(let left), .optional(let right)):
      return common(left, right).map { .optional($0) }
    default: break
    }
    let isMixed = left == .dyn || right == .dyn
    return isMixed && left.isMixable && right.isMixable ? .dyn : nil
  }
}
