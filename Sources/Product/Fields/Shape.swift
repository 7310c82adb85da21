/// What may stand at a place in a file. One table of these drives reading, the messages, the
/// reference pages and the JSON Schemas.
package indirect enum Shape: Sendable {
  /// A text that nothing else looks like: a number must be quoted.
  case text
  /// A text of lower-case letters, digits and `-`, as goes into a topic's name.
  case wireName
  /// A name that expressions and references use: letters, digits, `_` and `-`, a letter first.
  case name
  /// A quoted version such as `"1.2.0"`.
  case version
  /// Any scalar but null, as it is written.
  case scalar
  case bool
  case integer(ClosedRange<Int>)
  /// Any number.
  case number
  /// A time span such as `100ms`, `30s`, `15m`, `1h`, `7d`.
  case duration
  /// A number of bytes such as `64MiB`, `2GiB`, within a range.
  case size(ClosedRange<Int>)
  /// A time of RFC 3339.
  case timestamp
  /// One of these words. Of `notYet` we know what they will mean; they are refused for now.
  case choice([String], notYet: [String] = [])
  /// A CEL expression.
  case expression
  /// A block of lines `name = expression`.
  case assignments
  /// Anything.
  case any
  case list(Shape)
  /// One, or a list of them.
  case oneOrMany(Shape)
  /// Keys of the user's own; `key` says what they are.
  case map(key: String, Shape)
  case record(RecordSpec)
  /// The first that fits.
  case either([Shape])

  /// What messages call it, with its article.
  package var text: String {
    switch self {
    case .text: "a text"
    case .wireName: "a name of lower-case letters, digits and `-`"
    case .name: "a name of letters, digits, `_` and `-`"
    case .version: "a quoted version such as `\"1.0.0\"`"
    case .scalar: "one value"
    case .bool: "`true` or `false`"
    case .integer(let range):
      range.upperBound == Int.max
        ? "a whole number from \(range.lowerBound)"
        : "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .number: "a number"
    case .duration: "a time span such as `100ms`, `15m` or `7d`"
    case .size(let range):
      "a size such as `512MiB` or `2GiB`, from \(FieldReader.sizeText(range.lowerBound))"
    case .timestamp: "a time such as `2024-01-01T00:00:00Z`"
    case .choice(let words, let notYet): Shape.text(ofWords: words.isEmpty ? notYet : words)
    case .expression: "an expression"
    case .assignments: "a block of lines `name = expression`"
    case .any: "a value"
    case .list(let item): "a list, each item \(item.text)"
    case .oneOrMany(let item): "\(item.text), or a list of such"
    case .map(let key, _): "a map by \(key)"
    case .record(let spec): "a map of \(spec.title)"
    case .either(let shapes): shapes.map(\.text).joined(separator: ", or ")
    }
  }

  private static func text(ofWords words: [String]) -> String {
    let names = words.map { "`\($0)`" }
    return names.count > 2
      ? "one of " + names.joined(separator: ", ") : names.joined(separator: " or ")
  }
}

/// The fields of one kind of map in a file.
package struct RecordSpec: Sendable {
  /// What it is, for messages and pages: `an input`.
  package let title: String
  package let fields: [FieldSpec]
  /// Whether keys of other tools are welcome beside ours.
  package let isOpen: Bool

  package init(_ title: String, isOpen: Bool = false, _ fields: [FieldSpec]) {
    self.title = title
    self.isOpen = isOpen
    self.fields = fields
  }

  package subscript(name: String) -> FieldSpec? { fields.first { $0.name == name } }
}

/// One field of a file: how it is called, what may stand there, what it means.
package struct FieldSpec: Sendable {
  /// What Weft does with it.
  package enum Stage: Sendable, Hashable {
    case used
    /// Describes or operates; nothing acts on it yet. Said by `weft check`.
    case unused
    /// Changes what is published, and is not there yet: refused after its shape was checked.
    case notYet
  }

  package let name: String
  package let shape: Shape
  package let isRequired: Bool
  package let stage: Stage
  /// One sentence for the reference page.
  package let meaning: String

  package init(
    _ name: String, _ shape: Shape, required: Bool = false, _ meaning: String
  ) {
    self.name = name
    self.shape = shape
    self.isRequired = required
    stage = .used
    self.meaning = meaning
  }

  package init(_ name: String, _ shape: Shape, _ stage: Stage, _ meaning: String) {
    self.name = name
    self.shape = shape
    isRequired = false
    self.stage = stage
    self.meaning = meaning
  }
}
