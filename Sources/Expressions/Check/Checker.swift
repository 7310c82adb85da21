import Diagnostics

/// Finds the type of every part of an expression, and what is wrong with it.
package enum Checker {
  /// Checks `expression` against what `scope` has.
  ///
  /// `expecting`: the type it must have, such as a contract's column. `allowsOptional`: whether the
  /// whole value may be absent (the right side of a `select` line, the argument of an aggregate).
  /// Nil when something is wrong; then `diagnostics` has been given all independent problems.
  package static func check(
    _ expression: ParsedExpression, in scope: Scope, expecting: ValueType? = nil,
    allowsOptional: Bool, into diagnostics: inout [Diagnostic]
  ) -> CheckedExpression? {
    var checking = Checking(source: expression.span.source, scope: scope)
    let finding = checking.whole(
      expression.root, expecting: expecting, allowsOptional: allowsOptional)
    diagnostics += checking.diagnostics
    guard let finding, checking.diagnostics.isEmpty else { return nil }
    return CheckedExpression(
      span: expression.span, type: finding.type.unwrapped,
      isOptional: finding.mayBeAbsent || finding.type.isOptional || finding.type == .null,
      uses: checking.uses, factsWhenTrue: finding.whenTrue,
      path: finding.node.isPath ? finding.use : nil, root: finding.node)
  }
}

/// One run of the checker over one expression.
struct Checking {
  struct Local {
    let name: String
    let id: Int
    let type: ValueType
    let use: FieldPath?
  }

  let source: SourceText
  let scope: Scope
  var diagnostics: [Diagnostic] = []
  var uses: Set<FieldPath> = []
  /// What the tests to the left have shown to be there.
  var flow: Set<FieldPath> = []
  var locals: [Local] = []
  var localCount = 0
  /// Whether the whole is to be true or false, so that a test may stand before it.
  private(set) var isCondition = false

  init(source: SourceText, scope: Scope) {
    self.source = source
    self.scope = scope
  }

  mutating func whole(_ syntax: SyntaxNode, expecting: ValueType?, allowsOptional: Bool) -> Finding?
  {
    isCondition = expecting == .bool || (expecting == nil && syntax.isTest)
    guard var finding = find(syntax, expecting: expecting) else { return nil }
    note(finding)
    if finding.type == .null, allowsOptional, let expecting {
      // A literal null is a column without a value.
      finding.node = TypedNode(
        kind: finding.node.kind, type: .optional(expecting), range: syntax.range)
      return finding
    }
    if !allowsOptional && (finding.mayBeAbsent || finding.type.isOptional) {
      reportAbsent(finding, syntax)
      return nil
    }
    if let expecting, expecting.hasMixed, finding.type != expecting,
      finding.type.isMixable, finding.type.satisfies(expecting)
    {
      return asMixed(finding, expecting)
    }
    if let expecting, !finding.type.unwrapped.satisfies(expecting) {
      reportExpected(expecting, finding, syntax)
      return nil
    }
    return finding
  }

  /// Notes that the value of `finding` is read.
  mutating func note(_ finding: Finding) {
    guard let use = finding.use else { return }
    uses.insert(use)
    checkWhole(use, finding.node.range)
  }

  /// A value that something is done with: it must be there.
  mutating func operand(_ syntax: SyntaxNode, expecting: ValueType? = nil) -> Finding? {
    guard let finding = find(syntax, expecting: expecting) else { return nil }
    note(finding)
    if finding.mayBeAbsent {
      // Its type is known all the same: what is around it can still be checked.
      reportAbsent(finding, syntax)
    }
    return finding
  }

  /// What `syntax` is. Nil when that is not known; then it was reported.
  mutating func find(_ syntax: SyntaxNode, expecting: ValueType? = nil) -> Finding? {
    switch syntax.kind {
    case .literal(let value):
      return Finding(node: TypedNode(kind: .constant(value), type: value.type, range: syntax.range))
    case .name(let name): return variable(name, syntax)
    case .select(let base, let name, let isOptional):
      return select(syntax, base, name, isOptional: isOptional)
    case .call(let name, let receiver, let arguments):
      return call(syntax, name, receiver, arguments, expecting: expecting)
    case .index(let base, let index, let isOptional):
      return self.index(syntax, base, index, isOptional: isOptional)
    case .and(let left, let right): return logic(syntax, left, right, isAnd: true)
    case .or(let left, let right): return logic(syntax, left, right, isAnd: false)
    case .conditional(let condition, let first, let second):
      return conditional(syntax, condition, first, second, expecting: expecting)
    case .list(let items): return list(syntax, items, expecting: expecting)
    case .map(let entries): return object(syntax, entries, expecting: expecting)
    }
  }

  func isKnown(_ fact: FieldPath) -> Bool { flow.contains(fact) || scope.known.contains(fact) }

  /// Runs `body` with more facts than here.
  mutating func knowing<Result>(
    _ facts: Set<FieldPath>, _ body: (inout Checking) -> Result
  ) -> Result {
    let before = flow
    flow.formUnion(facts)
    defer { flow = before }
    return body(&self)
  }
}
