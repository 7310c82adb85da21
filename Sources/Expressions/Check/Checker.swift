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
    nil
  }
}
