import Formats

/// Tells events of a sample that are not like the others, so that a few malformed ones in a long
/// sample do not make every field optional: a real sample has some.
struct Outliers {
  /// No more than one in so many can be left out.
  static let oneIn = 50
  /// Of fewer events than this nobody can say what is usual.
  private static let eventsMin = 100
  /// A type of so few events, in a long sample, is one that somebody misspelt.
  private static let typeEventsMin = 3

  private(set) var usual: [Sample.Event] = []
  private(set) var unusual: [Sample.Event] = []

  init(_ events: [Sample.Event], _ discriminator: String?) {
    var groups: [String: [Int]] = [:]
    var isUnusual = [Bool](repeating: false, count: events.count)
    for (index, event) in events.enumerated() {
      let type = discriminator.map { event.value[$0]?.string.flatMap { isName($0) ? $0 : nil } }
      if let type = type ?? "" {
        groups[type, default: []].append(index)
      } else {
        isUnusual[index] = true
      }
    }
    for group in groups.values {
      if events.count >= Outliers.eventsMin, group.count < Outliers.typeEventsMin, groups.count > 1
      {
        for index in group { isUnusual[index] = true }
      } else if group.count >= Outliers.eventsMin {
        for index in Outliers.unlike(group, events) { isUnusual[index] = true }
      }
    }
    let count = isUnusual.count { $0 }
    // More than a few are no accident: then all of them say what the input is.
    let hasFew = count <= events.count / Outliers.oneIn
    for (index, event) in events.enumerated() {
      let isTyped =
        discriminator.map { event.value[$0]?.string.map(isName) ?? false } ?? true
      if (isUnusual[index] && hasFew) || !isTyped {
        unusual.append(event)
      } else {
        usual.append(event)
      }
    }
  }

  /// Members of a group that lack a field nearly all have, or have one of another kind.
  private static func unlike(_ group: [Int], _ events: [Sample.Event]) -> [Int] {
    var kinds: [String: [String: Int]] = [:]
    for index in group {
      for member in events[index].value.object ?? [] {
        kinds[member.name, default: [:]][kind(member.value), default: 0] += 1
      }
    }
    let most = group.count - group.count / oneIn
    return group.filter { index in
      let value = events[index].value
      let lacks = kinds.contains { name, counts in
        let present = counts.values.reduce(0, +) - (counts["null"] ?? 0)
        return present >= most && present < group.count
          && [nil, "null"].contains(value[name].map(kind))
      }
      if lacks { return true }
      return (value.object ?? []).contains { member in
        let counts = kinds[member.name] ?? [:]
        let kind = kind(member.value)
        let all = counts.values.reduce(0, +) - (counts["null"] ?? 0)
        let own = counts[kind] ?? 0
        return kind != "null" && all >= eventsMin && own <= all / oneIn
      }
    }
  }

  private static func kind(_ value: JSONValue) -> String {
    switch Shape(of: [value]) {
    case .nothing: "null"
    case .string: "string"
    case .timestamp: "timestamp"
    case .date: "date"
    case .boolean: "boolean"
    case .integer, .decimal, .double: "number"
    case .array: "array"
    case .object: "object"
    case .mixed: "mixed"
    }
  }
}
