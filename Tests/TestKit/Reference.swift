/// What a product must publish, by a plain reading of its shape: no engine, no state rows, no
/// programs, no bytes. It is told the order in which the product took its events, and nothing else.
package struct Reference {
  /// An event at its place in a journal partition.
  package struct Taken {
    package let input: GeneratedInput
    /// Topic, partition and offset that it came from.
    package let source: String
    /// Of its block.
    package let recordedMs: Int64
    package init(_ input: GeneratedInput, from source: String, recordedMs: Int64) {
      self.input = input
      self.source = source
      self.recordedMs = recordedMs
    }
  }

  /// A published value: fields as they stand in JSON; nil is a tombstone.
  package typealias Published = [String: String]?

  /// By port and key, in order. At event ports of a journaled product a key is followed by `@` and
  /// the partition of the journal, since its events need not all be in one.
  package private(set) var published: [String: [String: [Published]]] = [:]
  /// Source and reason of what goes to quarantine.
  package private(set) var quarantined: [String] = []

  private let shape: Shape
  /// By table and key.
  private var rows: [[String: Row]]

  private struct Row {
    var columns: [Int: Cell] = [:]
    var times: [Int: Int64] = [:]
    var isPublished = false
  }

  private enum Cell: Equatable {
    case number(Int)
    case text(String)
  }

  package init(_ shape: Shape) {
    self.shape = shape
    rows = Array(repeating: [:], count: shape.tables.count)
  }

  // MARK: Journaled

  /// Reads a partition of the journal of a key, in order.
  /// - Parameter ports: whether this journal's events go to the event port of that place.
  package mutating func read(
    _ events: [Taken], of key: Shape.Key, _ partition: Int, ports isPublisher: (Int) -> Bool
  ) {
    var clock: Int64 = .min
    // By input: ids with the time when they were first seen, oldest first.
    var seen: [[(id: String, at: Int64)]] = [[], []]
    for event in events {
      let input = event.input
      clock = max(clock, event.recordedMs)
      if let horizon = shape.horizonS, input.flaw != .noId {
        for number in seen.indices {
          while let oldest = seen[number].first, oldest.at < clock - Int64(horizon) * 1000 {
            seen[number].removeFirst()
          }
        }
        let id = (key == .account ? input.account : input.branch) + "|" + input.id
        let number = shape.input(of: input.kind)
        if seen[number].contains(where: { $0.id == id }) { continue }
        seen[number].append((id, clock))
      }
      if input.breaksContract {
        // Wrong in each of its journals, and told by one.
        let told = "\(event.source) contract-input"
        if !quarantined.contains(told) { quarantined.append(told) }
        continue
      }
      for place in shape.tables.indices where shape.tables[place].key == key {
        update(place, input)
      }
      for place in shape.ports.indices where isPublisher(place) {
        publish(shape.ports[place], input, "\(input.account)@\(partition)")
      }
    }
  }

  private func holds(_ condition: Shape.Condition?, _ input: GeneratedInput) -> Bool {
    guard let condition else { return true }
    guard let value = condition.field == .amount ? input.amount : input.n else { return false }
    return value > condition.above
  }

  private func argument(_ field: Shape.Field, _ input: GeneratedInput) -> Cell? {
    switch field {
    case .amount: input.amount.map { .number($0) }
    case .n: input.n.map { .number($0) }
    case .note: input.note.map { .text($0) }
    }
  }

  private mutating func update(_ place: Int, _ input: GeneratedInput) {
    let table = shape.tables[place]
    let key = table.key == .account ? input.account : input.branch
    guard let clause = table.clauses.first(where: { $0.kind == input.kind }),
      holds(clause.filter, input)
    else { return }
    let old = rows[place][key]
    var row = old ?? Row()
    var isTouched = old != nil
    for update in clause.updates where holds(update.condition, input) {
      isTouched = true
      apply(table.columns[update.column], update.column, input, &row)
    }
    if !isTouched { return }
    rows[place][key] = row
    if let old, old.columns == row.columns { return }
    let isShown = isShown(row, table)
    if !isShown && !row.isPublished { return }
    rows[place][key]?.isPublished = isShown
    published[table.name, default: [:]][key, default: []].append(
      isShown ? fields(row, table, key) : nil)
  }

  private func apply(
    _ column: Shape.Column, _ number: Int, _ input: GeneratedInput, _ row: inout Row
  ) {
    guard let field = column.field else {
      guard case .number(let count) = row.columns[number] ?? .number(0) else { return }
      row.columns[number] = .number(count + 1)
      return
    }
    guard let value = argument(field, input) else { return }
    switch (column.aggregate, row.columns[number], value) {
    case (.sum, .number(let old)?, .number(let new)): row.columns[number] = .number(old + new)
    case (.min, .number(let old)?, .number(let new)): row.columns[number] = .number(min(old, new))
    case (.max, .number(let old)?, .number(let new)): row.columns[number] = .number(max(old, new))
    case (.first, _?, _): break
    case (.latest, _, _):
      let time = shape.hasTime ? input.timeS * 1000 : input.atMs
      if let known = row.times[number], time < known { return }
      row.times[number] = time
      row.columns[number] = value
    default: row.columns[number] = value
    }
  }

  private func isShown(_ row: Row, _ table: Shape.Table) -> Bool {
    guard let when = table.when else { return true }
    let isCount = table.columns[when.column].aggregate == .count
    guard case .number(let value)? = row.columns[when.column] ?? (isCount ? .number(0) : nil)
    else { return false }
    return value > when.above
  }

  private func fields(_ row: Row, _ table: Shape.Table, _ key: String) -> [String: String] {
    var fields = [table.key.rawValue: "\"\(key)\""]
    for (number, column) in table.columns.enumerated() {
      if let cell = row.columns[number] {
        fields[column.name] = text(cell, column.field)
      } else if column.aggregate == .count {
        fields[column.name] = "0"
      }
    }
    return fields
  }

  private func text(_ cell: Cell, _ field: Shape.Field?) -> String {
    switch cell {
    case .number(let number): field == .amount ? Shape.decimal(number) : "\(number)"
    case .text(let text): "\"\(text)\""
    }
  }

  private mutating func publish(
    _ port: Shape.EventPort, _ input: GeneratedInput, _ key: String
  ) {
    guard port.kind == input.kind, holds(port.filter, input), holds(port.when, input)
    else { return }
    var fields = ["id": "\"\(input.id)\"", "account": "\"\(input.account)\""]
    if let amount = input.amount { fields["amount"] = Shape.decimal(amount) }
    if let n = input.n { fields["n"] = "\(n)" }
    if let note = input.note { fields["note"] = "\"\(note)\"" }
    published[port.name, default: [:]][key, default: []].append(fields)
  }

  // MARK: Taken in

  /// What is refused before it gets to a journal.
  package mutating func refuse(_ source: String, _ reason: String) {
    quarantined.append("\(source) \(reason)")
  }

  /// One input of a direct product.
  package mutating func take(_ input: GeneratedInput, from source: String) {
    // What no output reads is not even checked.
    let isRead = shape.ports.contains { $0.kind == input.kind }
    if let reason = input.intakeReason(shape) {
      let isContract = reason == "contract-input"
      if !isContract || isRead { refuse(source, reason) }
      return
    }
    for port in shape.ports { publish(port, input, input.account) }
  }
}
