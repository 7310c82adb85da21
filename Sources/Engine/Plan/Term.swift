import Diagnostics
import Expressions
import Records

/// A compiled expression: a slot to copy where it is nothing but a path, else a program.
struct Term {
  /// −1: run the program.
  let slot: Int
  private let program: Program?

  init(_ expression: CheckedExpression, slot: (FieldPath) -> Int?) throws(PlanFailure) {
    if let path = expression.path, let place = slot(path) {
      self.slot = place
      program = nil
      return
    }
    self.slot = -1
    do {
      program = try Program.compile(expression, slot: slot)
    } catch {
      throw PlanFailure("\(place(of: error.span)): \(error.message)")
    }
  }

  /// No expression at all: absent. Stands where an optional would have to be copied, with its
  /// references, to be looked at.
  static let none = Term(slot: -1)

  /// A term that copies a slot.
  /// Nil where nothing is said.
  init?(ifAny expression: CheckedExpression?, slot: (FieldPath) -> Int?) throws(PlanFailure) {
    guard let expression else { return nil }
    try self.init(expression, slot: slot)
  }

  init(slot: Int) {
    self.slot = slot
    program = nil
  }

  @inline(__always)
  func evaluate(_ frame: Frame) -> Value {
    if slot >= 0 { return frame.slots.run[slot] }
    return program?.evaluate(frame) ?? .absent
  }

  /// What ``evaluate(_:)``'s error says, for people. Off the hot path.
  func fault(_ error: Value) -> RunFault {
    guard let failure = program?.describe(error) else {
      return RunFault(reason: "expression", message: "an expression failed", place: "")
    }
    return RunFault(
      reason: "expression", message: "\(failure.message) (\(failure.code))",
      place: place(of: failure.span))
  }
}

/// Why a record cannot go on, for its quarantine record or the product's stop. Made only then.
struct RunFault {
  let reason: String
  let message: String
  let place: String
  /// The output contract that was broken says `onViolation: stop`.
  var stops = false
}

/// `file:line:column`.
private func place(of span: Diagnostics.SourceSpan) -> String {
  let (line, column) = span.source.place(of: span.range.lowerBound)
  return "\(span.source.name):\(line):\(column)"
}
