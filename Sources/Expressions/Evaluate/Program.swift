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
  let code: [Instruction]
  let constants: ConstantPool
  let registerCount: Int
  /// The type of what it gives.
  let type: ValueType
  private let ranges: [Range<Int>]
  private let source: SourceText

  /// Compiles `expression`. `slot` says where a path's value will stand in the frame's slots: it is
  /// asked for the longest path first, then for shorter ones that hold it as an object.
  package static func compile(
    _ expression: CheckedExpression, slot: (FieldPath) -> Int?
  ) throws(CompileFailure) -> Program {
    let source = expression.span.source
    var slots: [FieldPath: (slot: Int, steps: Int)] = [:]
    try expression.root.findPaths { (node, path) throws(CompileFailure) in
      var prefix = path
      while slots[path] == nil {
        if let found = slot(prefix) {
          slots[path] = (found, prefix.parts.count - 1)
        } else if prefix.parts.count > 1 {
          prefix = FieldPath(prefix.parts.dropLast())
        } else {
          throw CompileFailure(
            message: "no slot for `\(path.parts.joined(separator: "."))`",
            span: SourceSpan(source, node.range))
        }
      }
    }
    var compiler = Compiler(source: source, slots: slots)
    try compiler.program(expression.root)
    return Program(
      code: compiler.code, constants: ConstantPool(compiler.entries),
      registerCount: compiler.registerCount, type: expression.root.type, ranges: compiler.ranges,
      source: source)
  }

  /// Why an evaluation failed, for people and for quarantine.
  package struct Failure: Sendable {
    /// Permanent, such as `division-by-zero`.
    package let code: String
    package let message: String
    /// The part of the expression that failed.
    package let span: SourceSpan
  }

  /// Tells an error value that ``evaluate(_:)`` of this program gave; nil for any other value.
  package func describe(_ failure: Value) -> Failure? {
    guard failure.isError, let reason = FailureReason(rawValue: failure.failure.code),
      ranges.indices.contains(Int(failure.failure.place))
    else { return nil }
    return Failure(
      code: reason.code, message: reason.message,
      span: SourceSpan(source, ranges[Int(failure.failure.place)]))
  }
}

extension TypedNode {
  /// Calls `visit` for every path below and including this node.
  fileprivate func findPaths(
    _ visit: (TypedNode, FieldPath) throws(CompileFailure) -> Void
  ) throws(CompileFailure) {
    switch kind {
    case .path(let root, let steps): try visit(self, FieldPath([root] + steps.map(\.name)))
    case .constant, .local: break
    case .field(let base, _), .has(let base): try base.findPaths(visit)
    case .map(let entries):
      for entry in entries {
        try entry.key.findPaths(visit)
        try entry.value.findPaths(visit)
      }
    case .loop(let loop): for part in loop.parts { try part.findPaths(visit) }
    case .and(let left, let right), .or(let left, let right):
      try left.findPaths(visit)
      try right.findPaths(visit)
    case .conditional(let test, let first, let second):
      for part in [test, first, second] { try part.findPaths(visit) }
    case .call(_, let parts), .list(let parts): for part in parts { try part.findPaths(visit) }
    case .object(let fields): for field in fields { try field?.findPaths(visit) }
    }
  }
}
