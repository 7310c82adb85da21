import Diagnostics
import Expressions

/// One event type, or a table's changes, on the way through streams: what has been done and what is
/// known.
struct Flow {
  var branch: Branch
  /// The event type's or the table's.
  let name: String
  /// What is there from the beginning.
  let base: [Scope.Variable]
  /// Of a table's changes: the parts of its key by the names that they have in it.
  var keyParts: [String: KeyPart] = [:]
  /// What this way may be called by: its input, event type and each stream it came through.
  var names: Set<String>
  /// What `let` has named.
  var variables: [Scope.Variable] = []
  var known: Set<FieldPath> = []
  /// What `identify` has found.
  var ids: [ObjectType.Field] = []

  /// What an expression may use here.
  var scope: Scope {
    var all = base + variables
    if !ids.isEmpty {
      all.append(Scope.Variable("ids", .object(ObjectType(name: "ids", fields: ids))))
    }
    var scope = Scope(all, known: known)
    scope.masks = branch.masks
    return scope
  }

  /// The scope before any stream: what ingest has.
  static func base(_ event: EventType) -> [Scope.Variable] {
    [Scope.Variable("event", .object(event.object))] + common
  }

  /// What is there for events and rows alike.
  static let common: [Scope.Variable] = [
    Scope.Variable("time", .timestamp), Scope.Variable("recorded", .timestamp),
    Scope.Variable("now", .timestamp), Scope.Variable("source", .object(source)),
  ]

  /// Of tables with windows, and what is made of them.
  static let window = Scope.Variable(
    "window",
    .object(
      ObjectType(
        name: "window",
        fields: [
          .init("start", .timestamp, isRequired: true), .init("end", .timestamp, isRequired: true),
        ])))

  /// What is known only when the journal has taken the event.
  static let recordedNames: Set<String> = ["recorded", "now"]

  /// Where a record came from.
  static let source = ObjectType(
    name: "source",
    fields: [
      .init("topic", .string, isRequired: true), .init("partition", .int, isRequired: true),
      .init("offset", .int, isRequired: true),
    ])

  /// Names that a `let` may not take.
  static let reserved: Set<String> = [
    "event", "key", "time", "recorded", "now", "ids", "headers", "source", "state", "window", "row",
  ]

  /// Variables that later versions have.
  static let notYet: Set<String> = ["key", "headers"]
}

/// A part of a table's key, or of what is made of its rows, as its journal sees it.
struct KeyPart {
  /// In canonical form: what journals are told apart by.
  let text: String
  let expression: ParsedExpression
  /// Whether it can be computed from the event alone.
  var isFixed: Bool
}
