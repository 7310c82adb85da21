extension Checking {
  mutating func logic(_ syntax: SyntaxNode, _ left: SyntaxNode, _ right: SyntaxNode, isAnd: Bool)
    -> Finding?
  {
    let first = condition(left)
    let facts = isAnd ? first?.whenTrue : first?.whenFalse
    let second = knowing(facts ?? []) { $0.condition(right) }
    guard let first, let second else { return nil }
    var result = Finding(
      node: TypedNode(
        kind: isAnd ? .and(first.node, second.node) : .or(first.node, second.node), type: .bool,
        range: syntax.range))
    // The right side is only reached with what the left side showed.
    if isAnd {
      result.whenTrue = first.whenTrue.union(second.whenTrue)
      result.whenFalse = first.whenFalse.intersection(second.whenFalse.union(first.whenTrue))
    } else {
      result.whenTrue = first.whenTrue.intersection(second.whenTrue.union(first.whenFalse))
      result.whenFalse = first.whenFalse.union(second.whenFalse)
    }
    return result
  }

  /// A bool operand.
  mutating func condition(_ syntax: SyntaxNode) -> Finding? {
    guard let finding = operand(syntax) else { return nil }
    if finding.type == .bool { return finding }
    if finding.type == .dyn { return cast(finding, .bool) }
    if finding.type == .optional(.bool) {
      reportAbsent(finding, syntax)
    } else {
      report(
        .operandTypes, "`\(text(syntax.range))` is no condition", syntax.range,
        label: "\(finding.type), not bool")
    }
    return nil
  }

  mutating func conditional(
    _ syntax: SyntaxNode, _ condition: SyntaxNode, _ first: SyntaxNode, _ second: SyntaxNode,
    expecting: ValueType?
  ) -> Finding? {
    let test = self.condition(condition)
    let left = knowing(test?.whenTrue ?? []) { $0.operand(first, expecting: expecting) }
    let right = knowing(test?.whenFalse ?? []) { $0.operand(second, expecting: expecting) }
    guard let test, let left, let right else { return nil }
    guard let type = ValueType.common(left.type, right.type) else {
      reportBranches(left, first, right, second)
      return nil
    }
    var result = Finding(
      node: TypedNode(
        kind: .conditional(test.node, left.node, right.node),
        type: type,
        range: syntax.range))
    let viaFirst = test.whenTrue.union(left.whenTrue)
    let viaSecond = test.whenFalse.union(right.whenTrue)
    switch (left.node.kind, right.node.kind) {
    case (_, .constant(.bool(false))): result.whenTrue = viaFirst
    case (.constant(.bool(false)), _): result.whenTrue = viaSecond
    default: result.whenTrue = viaFirst.intersection(viaSecond)
    }
    return result
  }

  private mutating func reportBranches(
    _ left: Finding, _ first: SyntaxNode, _ right: Finding, _ second: SyntaxNode
  ) {
    var help: String?
    if right.type == .null || left.type == .null {
      let (other, syntax) = right.type == .null ? (left, first) : (right, second)
      help =
        other.type.isOptional
        ? "`optional.none()` is an optional without a value"
        : "write `optional.of(\(text(syntax.range)))` and `optional.none()`"
    } else if right.type.unwrapped.agrees(with: left.type.unwrapped) {
      let syntax = left.type.isOptional ? second : first
      help = "write `optional.of(\(text(syntax.range)))`"
    } else {
      help = literalHelp(second, wanted: left.type) ?? literalHelp(first, wanted: right.type)
    }
    report(
      .operandTypes, "the two sides of `:` have different types",
      first.range.lowerBound..<second.range.upperBound, label: "\(left.type) and \(right.type)",
      help: help)
  }
}
