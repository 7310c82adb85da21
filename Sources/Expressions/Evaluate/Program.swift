import Diagnostics
import Records

/// Why a checked expression could not be compiled: a path without a slot, or a limit passed.
package struct CompileFailure: Error, Sendable {
  package let message: String
  package let span: SourceSpan
}

/// A compiled expression: a flat list of instructions over typed slots. Immutable; any number of
/// threads may evaluate it, each with a frame of its own.
package struct Program: Sendable {
  /// Compiles `expression`. `slot` says where a path's value will stand in the frame's slots: it is
  /// asked for the longest path first, then for shorter ones that hold it as an object.
  package static func compile(
    _ expression: CheckedExpression, slot: (FieldPath) -> Int?
  ) throws(CompileFailure) -> Program {
    throw CompileFailure(message: "not compiled", span: expression.span)
  }

  /// The value over the frame's slots: absent, an error, or a value of the expression's type. Text
  /// and lists in it live as long as the slots' values and the frame's arena.
  package func evaluate(_ frame: Frame) -> Value { .absent }

  /// Why an evaluation failed, for people and for quarantine.
  package struct Failure: Sendable {
    /// Permanent, such as `division-by-zero`.
    package let code: String
    package let message: String
    /// The part of the expression that failed.
    package let span: SourceSpan
  }

  /// Tells an error value that ``evaluate(_:)`` of this program gave.
  package func describe(_ failure: Value) -> Failure? { nil }
}
