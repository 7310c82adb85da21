import Formats

/// What a sample says about a stream of events: its types, id, time and key. All of it is a guess
/// that its reader may correct in the files.
struct Guess {
  struct EventType {
    /// The discriminator's value, or the product's name where there is one type.
    var name: String
    var fields: [Shape.Field]
    func field(_ name: String) -> Shape.Field? { fields.first { $0.name == name } }
  }

  private static let typeNames = ["type", "eventType", "event_type", "kind", "event", "action"]
  private static let idNames = ["eventId", "event_id", "messageId", "message_id", "id", "uuid"]
  private static let timeNames = [
    "occurredAt", "occurred_at", "time", "timestamp", "eventTime", "event_time", "at", "createdAt",
    "created_at", "updatedAt", "updated_at",
  ]
  static let typesMax = 12

  /// Those that are like the others.
  let events: [Sample.Event]
  /// Lines of the sample that were left out, from 1.
  let leftOut: [Int]
  let discriminator: String?
  let types: [EventType]
  private(set) var id: String?
  private(set) var time: String?
  private(set) var key: String?

  init(_ sample: Sample, named name: String) {
    discriminator = Guess.discriminator(sample.events)
    let sorted = Outliers(sample.events, discriminator)
    events = sorted.usual
    leftOut = (sorted.unusual.map(\.line) + sample.broken).sorted()
    if let discriminator {
      var names: [String] = []
      for event in events {
        if let name = event.text(discriminator), !names.contains(name) { names.append(name) }
      }
      let events = events
      types = names.map { name in
        let values = events.filter { $0.text(discriminator) == name }.map(\.value)
        return EventType(name: name, fields: Shape.fields(of: values))
      }
    } else {
      let fields = Shape.fields(of: events.map(\.value))
      types = [EventType(name: pascal(name), fields: fields)]
    }
    id = firstShared(Guess.idNames) { $0 == .string && isUnique($1) }
    time =
      firstShared(Guess.timeNames) { shape, _ in shape == .timestamp }
      ?? shared.first { $0.shape == .timestamp }?.name
    key = guessedKey()
  }

  /// Fields that every event has, with one shape.
  var shared: [Shape.Field] {
    (types.first?.fields ?? []).filter { field in
      field.isRequired && isName(field.name)
        && types.allSatisfy { $0.field(field.name).map { $0 == field } ?? false }
    }
  }

  private func firstShared(
    _ names: [String], where test: (Shape, String) -> Bool
  ) -> String? {
    names.first { name in
      shared.contains { $0.name == name && test($0.shape, name) }
    }
  }

  /// Whether each value stands for one event; the same event may have been delivered again.
  private func isUnique(_ field: String) -> Bool {
    var seen: [String: JSONValue] = [:]
    for event in events {
      guard let text = event.text(field) else { return false }
      if let before = seen[text], before != event.value { return false }
      seen[text] = event.value
    }
    return true
  }

  /// A field of which each type has its own value, and that other fields depend on. A few events
  /// may be without it, or with a value that is no name: they are not like the others.
  private static func discriminator(_ events: [Sample.Event]) -> String? {
    typeNames.first { name in
      var fields: [String: Set<String>] = [:]
      var without = 0
      for event in events {
        if let value = event.value[name]?.string, isName(value), value.count <= 60 {
          fields[value, default: []].formUnion((event.value.object ?? []).map(\.name))
        } else {
          without += 1
        }
      }
      return without <= events.count / Outliers.oneIn && fields.count <= typesMax
        && Set(fields.values).count > 1
    }
  }

  /// What the events are about: the field that is the Kafka key, or one that is called like an id
  /// and comes back.
  private func guessedKey() -> String? {
    let candidates = shared.filter {
      ($0.shape == .string || $0.shape == .integer) && $0.name != discriminator && $0.name != id
    }
    if let found = candidates.first(where: { field in
      events.allSatisfy { $0.key != nil && $0.key == $0.text(field.name) }
    }) {
      return found.name
    }
    let ids = candidates.filter { field in
      ["Id", "_id", "ID", "No", "_no", "Number", "Key"].contains(where: field.name.hasSuffix)
        || field.name == "id"
    }
    func distinct(_ field: Shape.Field) -> Int { Set(events.map { $0.text(field.name) }).count }
    // The id that tells the most apart, as an order's does and its customer's does not.
    let best = ids.max { distinct($0) < distinct($1) }
    return (best ?? candidates.first { $0.shape == .string })?.name ?? id
  }
}

/// Whether an expression and a reference can name it as it is.
func isName(_ text: String) -> Bool {
  let reserved: Set<String> = [
    "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function",
    "if", "import", "let", "loop", "package", "namespace", "return", "var", "void", "while",
  ]
  guard let first = text.utf8.first, !reserved.contains(text) else { return false }
  return !(0x30...0x39).contains(first)
    && text.utf8.allSatisfy {
      (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || $0 == 0x5F
    }
}

/// `order-placed` as `OrderPlaced`.
func pascal(_ text: String) -> String {
  text.split { !$0.isLetter && !$0.isNumber }
    .map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
}

/// `OrderPlaced` and `order_placed` as `order-placed`.
func kebab(_ text: String) -> String {
  var result = ""
  for character in text {
    if character.isUppercase, let last = result.last, last != "-" { result += "-" }
    result += character.isLetter || character.isNumber ? character.lowercased() : "-"
  }
  return result.split(separator: "-").joined(separator: "-")
}
