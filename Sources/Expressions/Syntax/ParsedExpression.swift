import Diagnostics

/// An expression read from a file: its syntax tree and where it stands. Types are not known yet.
package struct ParsedExpression: Sendable {
  package let span: SourceSpan
  let root: SyntaxNode

  /// Parses the bytes of `span` where they stand, so that every position is one of the file:
  /// indentation and line breaks are white space, `//` begins a comment.
  /// Nil when the text is no expression; then `diagnostics` has been given the reason.
  package static func parse(_ span: SourceSpan, into diagnostics: inout [Diagnostic])
    -> ParsedExpression?
  {
    nil
  }

  /// A call of a function, taken apart.
  package struct Call: Sendable {
    package let name: String
    package let nameSpan: SourceSpan
    package let arguments: [ParsedExpression]
  }

  /// What it calls, when the whole expression is `name(…)` without a receiver.
  package var call: Call? { nil }

  /// The way that the whole expression is, such as `event.claimId`, when it is nothing but names
  /// and dots; nil for anything else, `.?` too.
  package var path: FieldPath? { nil }

  /// The text of a plain string literal.
  package var stringLiteral: String? { nil }
}
