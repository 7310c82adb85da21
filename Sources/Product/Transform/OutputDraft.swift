import Diagnostics
import Expressions

/// An output on its way to its definition: all but its journal.
struct OutputDraft {
  let port: String
  let major: Int
  let nameSpan: SourceSpan
  let topic: String
  let contract: Contract
  let object: Contract.Object
  var envelope: OutputDefinition.Envelope
  var onViolation: ErrorReaction
  var partitions: Int?
  var content: OutputDefinition.Content
  /// The parts of the record's key in canonical form; of a state port, the table's.
  var keyTexts: [String]
  /// Of an event port, the key's parts for another event's scope.
  var key: [ParsedExpression]
  /// Canonical lines for the logic digest.
  var logic: [String]

  /// The event types that reach it; none of a state port, whose table has them.
  var events: [EventReference] {
    guard case .events(let branches) = content else { return [] }
    return branches.compactMap(\.branch.event)
  }
}
