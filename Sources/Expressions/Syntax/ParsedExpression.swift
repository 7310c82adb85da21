import Diagnostics

/// An expression read from a file: its syntax tree and where it stands. Types are not known yet.
package struct ParsedExpression: Sendable {
  package let span: SourceSpan
  let root: SyntaxNode

  init(_ root: SyntaxNode, in source: SourceText) {
    span = SourceSpan(source, root.range)
    self.root = root
  }

  /// Parses the bytes of `span` where they stand, so that every position is one of the file:
  /// indentation and line breaks are white space, `//` begins a comment.
  /// Nil when the text is no expression; then `diagnostics` has been given the reason.
  package static func parse(_ span: SourceSpan, into diagnostics: inout [Diagnostic])
    -> ParsedExpression?
  {
    var parser = Parser(span)
    let root = parser.whole()
    diagnostics += parser.diagnostics
    guard let root, parser.diagnostics.isEmpty else { return nil }
    return ParsedExpression(root, in: span.source)
  }

  /// A call of a function, taken apart.
  package struct Call: Sendable {
    package let name: String
    package let nameSpan: SourceSpan
    package let arguments: [ParsedExpression]
  }

  /// What it calls, when the whole expression is `name(…)` without a receiver.
  package var call: Call? {
    guard case .call(let name, nil, let arguments) = root.kind, !name.isOperator else { return nil }
    return Call(
      name: name.text, nameSpan: SourceSpan(span.source, name.range),
      arguments: arguments.map { ParsedExpression($0, in: span.source) })
  }

  /// The way that the whole expression is, such as `event.claimId`, when it is nothing but names
  /// and dots; nil for anything else, `.?` too.
  package var path: FieldPath? {
    var parts: [String] = []
    var node = root
    while case .select(let base, let name, isOptional: false) = node.kind {
      parts.append(name.text)
      node = base
    }
    guard case .name(let name) = node.kind else { return nil }
    parts.append(name)
    return FieldPath(parts.reversed())
  }

  /// What it takes an element of, and which, when the whole expression is `name[…]`; of
  /// `name[[a, b]]` the two.
  package var element: (name: String, nameSpan: SourceSpan, index: [ParsedExpression])? {
    guard case .index(let base, let index, isOptional: false) = root.kind,
      case .name(let name) = base.kind
    else { return nil }
    var parts = [index]
    if case .list(let items) = index.kind, !items.contains(where: \.isOptional) {
      parts = items.map(\.value)
    }
    return (
      name, SourceSpan(span.source, base.range), parts.map { ParsedExpression($0, in: span.source) }
    )
  }

  /// Whether a name that may be the variable's stands anywhere in it.
  package func mentions(_ variable: String) -> Bool { root.mentions(variable) }

  /// The text of a plain string literal.
  package var stringLiteral: String? {
    if case .literal(let value) = root.kind { value.text } else { nil }
  }
}
