import Diagnostics

/// One line of a block: `name = expression`, perhaps with `if condition` behind it.
package struct Assignment: Sendable {
  /// What is set; of `...row` the name behind the dots.
  package let name: String
  package let nameSpan: SourceSpan
  /// `...row`: every field of the named variable. Then ``value`` is that variable.
  package let isSpread: Bool
  /// The key in `name[key] = …`.
  package let mapKey: ParsedExpression?
  package let value: ParsedExpression
  /// Behind a trailing `if`.
  package let condition: ParsedExpression?
}

/// A block of lines `name = expression`. An expression goes on over line breaks until a line
/// begins the next assignment.
package enum AssignmentBlock {
  /// The assignments of `span` that could be read; all problems go to `diagnostics`. A name that
  /// is set twice is one of them (`name[key]` may repeat).
  package static func parse(_ span: SourceSpan, into diagnostics: inout [Diagnostic])
    -> [Assignment]
  {
    []
  }
}
