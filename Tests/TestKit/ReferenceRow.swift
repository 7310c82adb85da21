/// A row of a table, as the reference has it: all that its columns have ever been given. What they
/// show is worked out from the beginning each time.
struct ReferenceRow {
  struct Given {
    let value: Value
    /// Actual time.
    let atMs: Int64
    /// The event, or which one made of it.
    let by: String
    /// Its place in the journal.
    let order: Int
  }

  enum Value: Hashable {
    case number(Int)
    case text(String)
  }

  struct Column {
    /// In the order of the journal; of a map each with its key beside it in `keys`.
    var seen: [Given] = []
    var keys: [String] = []
    /// What a fold was set to last.
    var fold: Value?
  }

  var columns: [Column]
  var isPublished = false
  /// Events whose updates have touched it, as often as they did.
  var touches: [String] = []
  /// The journal partition that it is of, and when an event updated it last.
  var home = ""
  var touchedMs = Int64.min
  /// Of a window: when it begins, and when it takes no more.
  var window: (startMs: Int64, endMs: Int64, closesMs: Int64)?
  /// Of a session: its key without its start, and all that made it.
  var session: ReferenceSession?
  /// What has its key.
  var input = GeneratedInput.nothing
  var owner = ""

  init(_ table: Shape.Table) { columns = Array(repeating: Column(), count: table.columns.count) }

  // MARK: Updates

  /// Runs an event through a clause; whether the condition of an update held.
  mutating func update(
    _ clause: Shape.Clause, _ table: Shape.Table, _ shape: Shape, _ input: GeneratedInput
  ) throws(Reference.Refused) -> Bool {
    let old = self
    var isTouched = false
    defer { if isTouched { touch(clause, table, shape, input) } }
    for update in clause.updates where input.holds(update.condition) {
      let column = table.columns[update.column]
      if column.aggregate.needsN && input.n == nil { continue }
      isTouched = true
      if column.aggregate.isFold {
        columns[update.column].fold = try old.fold(update.column, table, input)
      } else {
        let keeps = shape.keeps(update.column, of: table)
        try give(update.column, column, keeps: keeps, shape, input)
      }
    }
    for (place, column) in table.columns.enumerated() where column.aggregate == .grown {
      if case .text(let text)? = columns[place].fold, text.utf8.count > Shape.grownMax {
        throw Reference.Refused("row-too-large")
      }
    }
    return isTouched
  }

  /// A row of the state port that takes back what it has given is behind it once, whatever it was.
  private mutating func touch(
    _ clause: Shape.Clause, _ table: Shape.Table, _ shape: Shape, _ input: GeneratedInput
  ) {
    if clause.kind == .Kept && shape.undoesDeletions && shape.corrects(table) {
      if touches.contains(Self.kept) { return }
      return touches.append(Self.kept)
    }
    touches.append(input.contribution)
  }

  private static let kept = "kept"

  /// As if an event had never come.
  mutating func takeBack(_ event: String) {
    touches.removeAll { $0 == event }
    for place in columns.indices {
      let column = columns[place]
      let left = column.seen.indices.filter { column.seen[$0].by != event }
      columns[place].seen = left.map { column.seen[$0] }
      if !column.keys.isEmpty { columns[place].keys = left.map { column.keys[$0] } }
    }
  }

  /// The row without what events of a kind have given; nil: nothing is left.
  func without(_ kind: Shape.Kind, _ table: Shape.Table, corrects: Bool) -> ReferenceRow? {
    var rest = self
    rest.touches.removeAll { $0 == Self.kept }
    for clause in table.clauses where clause.kind == kind {
      for update in clause.updates { rest.columns[update.column] = Column() }
    }
    if corrects { return rest.touches.isEmpty ? nil : rest }
    return rest.columns.allSatisfy { $0.seen.isEmpty && $0.fold == nil } ? nil : rest
  }

  private func fold(
    _ place: Int, _ table: Shape.Table, _ input: GeneratedInput
  ) throws(Reference.Refused) -> Value? {
    let old = columns[place].fold
    let n = input.n ?? 0
    switch table.columns[place].aggregate {
    case .before:
      let other = table.columns[place].other
      return columns[other].value(table.columns[other])
    case .divided:
      if n == 5 { throw Reference.Refused("expression") }
      guard case .number(let number)? = old else { return .number(100 / (n - 5)) }
      return .number((number + 100) / (n - 5))
    case .switched: return n > 6 ? input.note.map { .text($0) } : old
    case .grown:
      guard case .text(let text)? = old else {
        return .text(String(repeating: "x", count: Shape.growth))
      }
      return .text(String(repeating: text, count: Shape.growth))
    default:
      guard case .number(let number)? = old else { return .number((31 + n) % 1009) }
      return .number((number * 31 + n) % 1009)
    }
  }

  private mutating func give(
    _ place: Int, _ column: Shape.Column, keeps: Bool, _ shape: Shape, _ input: GeneratedInput
  ) throws(Reference.Refused) {
    let value: Value? =
      switch column.field {
      case .amount: input.amount.map { .number($0) }
      case .n: input.n.map { .number($0) }
      case .note: input.note.map { .text($0) }
      case .who: input.owner.isEmpty ? nil : .text(input.owner)
      case nil: .number(1)
      }
    guard let value else { return }
    let key = input.note ?? ""
    let before = column.isMap ? columns[place].entry(key) : columns[place].seen
    if let most = shape.entriesMax {
      let isKeyNew = column.isMap && before.isEmpty
      let isFull =
        isKeyNew && Set(columns[place].keys).count >= most
        || column.holds(before, value, keeps: keeps) >= most
          && !column.has(before, value, keeps: keeps)
      if isFull { throw Reference.Refused("too-many-entries") }
    }
    let time = shape.hasTime || input.kind == .Kept ? input.timeS * 1000 : input.atMs
    let given = Given(value: value, atMs: time, by: input.contribution, order: input.order)
    // What is made anew goes where it was.
    let last = columns[place].seen.lastIndex { !keeps || $0.order <= input.order }
    columns[place].seen.insert(given, at: last.map { $0 + 1 } ?? 0)
    if column.isMap { columns[place].keys.insert(key, at: last.map { $0 + 1 } ?? 0) }
  }

  // MARK: What it shows

  func isShown(_ table: Shape.Table) -> Bool {
    guard let when = table.when else { return true }
    guard case .number(let value)? = columns[when.column].value(table.columns[when.column])
    else { return false }
    return value > when.above
  }

  /// Whether it has an amount that a narrow contract does not take.
  func isTooWide(_ table: Shape.Table) -> Bool {
    zip(columns, table.columns).contains { column, definition in
      guard definition.isPlain, definition.field == .amount,
        case .number(let hundredths)? = column.value(definition)
      else { return false }
      return abs(hundredths) >= Shape.narrowEnd
    }
  }

  func number(_ column: Int, _ definition: Shape.Column) -> Int? {
    guard case .number(let number)? = columns[column].value(definition) else { return nil }
    return number
  }

  /// All that its port may show of it but the key.
  func shown(_ table: Shape.Table) -> [String: String] {
    var shown = fields(table)
    if table.showsEnd, let window { shown["until"] = "\(window.endMs)" }
    return shown
  }

  /// All but the key's.
  func fields(_ table: Shape.Table) -> [String: String] {
    var fields: [String: String] = [:]
    for (column, definition) in zip(columns, table.columns) {
      fields[definition.name] = column.text(definition)
    }
    return fields
  }
}

extension ReferenceRow.Column {
  func entry(_ key: String) -> [ReferenceRow.Given] {
    zip(keys, seen).filter { $0.0 == key }.map(\.1)
  }

  func text(_ column: Shape.Column) -> String? {
    if column.aggregate.isFold {
      switch fold {
      case .number(let number): return "\(number)"
      case .text(let text): return "\"\(text)\""
      case nil: return nil
      }
    }
    if !column.isMap { return column.text(seen) }
    let entries = Set(keys).sorted().map { "\"\($0)\":\(column.text(entry($0)) ?? "?")" }
    return "{\(entries.joined(separator: ","))}"
  }

  /// Of a column that shows one of its values, or their sum or number.
  func value(_ column: Shape.Column) -> ReferenceRow.Value? {
    column.aggregate.isFold ? fold : column.value(seen)
  }
}

extension Shape.Column {
  fileprivate typealias Given = ReferenceRow.Given
  fileprivate typealias Value = ReferenceRow.Value

  /// How many values it holds that count to its limit.
  /// - Parameter keeps: they may be taken back.
  fileprivate func holds(_ seen: [Given], _ value: Value, keeps: Bool) -> Int {
    switch aggregate {
    case .first, .last, .latest: keeps ? seen.count : 0
    case .min, .max: keeps ? Set(seen.map(\.value)).count : 0
    case .collect: seen.count
    case .collectSet, .countDistinct: Set(seen.map(\.value)).count
    case .quantile: Set(seen.map { cut($0.value) }).count
    default: 0
    }
  }

  /// Whether it has a value already, so that it needs no room.
  fileprivate func has(_ seen: [Given], _ value: Value, keeps: Bool) -> Bool {
    switch aggregate {
    case .collect: false
    case .first, .last, .latest: !keeps
    case .quantile: seen.contains { cut($0.value) == cut(value) }
    default: seen.contains { $0.value == value }
    }
  }

  fileprivate func value(_ seen: [Given]) -> Value? {
    guard let first = seen.first else { return aggregate == .count ? .number(0) : nil }
    let numbers = seen.map { given in
      if case .number(let number) = given.value { number } else { 0 }
    }
    switch aggregate {
    case .count: return .number(seen.count)
    case .sum: return .number(numbers.reduce(0, +))
    case .min: return numbers.min().map { .number($0) }
    case .max: return numbers.max().map { .number($0) }
    case .last: return seen.last?.value
    case .latest:
      let latest = seen.map(\.atMs).max()
      return seen.last { $0.atMs == latest }?.value
    default: return first.value
    }
  }

  /// What it shows of what it has seen, as it stands in JSON; nil: nothing.
  fileprivate func text(_ seen: [Given]) -> String? {
    switch aggregate {
    case .countDistinct: return "\(Set(seen.map(\.value)).count)"
    case .collect:
      return seen.isEmpty ? nil : "[\(seen.map { text($0.value) }.joined(separator: ","))]"
    case .collectSet:
      if seen.isEmpty { return nil }
      let values = Set(seen.map(\.value)).sorted { left, right in
        switch (left, right) {
        case (.number(let left), .number(let right)): left < right
        case (.text(let left), .text(let right)): left < right
        default: false
        }
      }
      return "[\(values.map { text($0) }.joined(separator: ","))]"
    case .avg: return average(seen)
    case .quantile:
      if seen.isEmpty { return nil }
      let sorted = seen.map { cut($0.value) }.sorted()
      // The smallest that at least so many in a hundred are not greater than.
      let rank = max(1, (percent * sorted.count + 99) / 100)
      return "\(sorted[rank - 1])"
    default:
      return value(seen).map { text($0) }
    }
  }

  private func average(_ seen: [Given]) -> String? {
    let count = seen.count
    if count == 0 { return nil }
    let sum = seen.reduce(0) { sum, given in
      if case .number(let number) = given.value { sum + number } else { sum }
    }
    if field != .amount { return "\(Double(sum) / Double(count))" }
    // Of hundredths the tenths, rounded half to even.
    let divisor = count * 10
    var tenths = sum / divisor
    var rest = sum % divisor
    if rest < 0 { (tenths, rest) = (tenths - 1, rest + divisor) }
    if 2 * rest > divisor || 2 * rest == divisor && tenths % 2 != 0 { tenths += 1 }
    return (tenths < 0 ? "-" : "") + "\(tenths.magnitude / 10).\(tenths.magnitude % 10)"
  }

  /// A number cut to its first 8 binary digits, as `quantile` takes it.
  private func cut(_ value: Value) -> Double {
    guard case .number(let number) = value, number != 0 else { return 0 }
    let exact = field == .amount ? Double(number) / 100 : Double(number)
    let unit = Double(sign: .plus, exponent: exact.exponent - 7, significand: 1)
    return (exact / unit).rounded(.towardZero) * unit
  }

  private func text(_ value: Value) -> String {
    switch value {
    case .number(let number):
      field == .amount && aggregate != .count ? Shape.decimal(number) : "\(number)"
    case .text(let text): "\"\(text)\""
    }
  }
}
