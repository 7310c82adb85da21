import Diagnostics
import Engine
import Formats
import Product
import Records

/// What came out of a test beside what it expects; each difference is a diagnostic at its place.
struct Comparison {
  let product: ProductDefinition
  var problems: [Diagnostic] = []

  /// No more records than this are shown in a message.
  static let shownMax = 5

  init(product: ProductDefinition) { self.product = product }

  func name(_ output: Int) -> String {
    let port = product.outputs[output]
    return port.major == 1 ? port.port : "\(port.port)@\(port.major)"
  }

  private mutating func fail(
    _ message: String, at span: SourceSpan, label: String? = nil, notes: [String] = []
  ) {
    problems.append(Diagnostic(.testFailed, message, at: span, label: label, notes: notes))
  }

  // MARK: Lists of records

  mutating func compare(
    _ expected: [ExpectedValue], _ records: [SimulatedRecord], of output: Int,
    at span: SourceSpan
  ) {
    let corrects = product.outputs[output].corrects
    let values = records.map { corrects ? correctable($0) : value($0) }
    compare(
      expected, values, keys: records.map(\.key), what: "record", of: "`\(name(output))`", at: span)
  }

  /// A record that may be taken back, or takes one back: its fields, and the headers that say so.
  private func correctable(_ record: SimulatedRecord) -> JSONValue {
    guard case .object(var members) = value(record) else { return value(record) }
    for name in ProductTest.correctionHeaders {
      if let header = record[header: name] { members.append(.init(name, .string(header))) }
    }
    return .object(members)
  }

  mutating func compareQuarantine(
    _ expected: [ExpectedValue], _ records: [SimulatedRecord], at span: SourceSpan
  ) {
    let values = records.map { record -> JSONValue in
      var members = record.headers.map { header -> JSONValue.Member in
        let name = header.name.hasPrefix("weft_") ? header.name.dropFirst(5) : header.name[...]
        return .init(String(name), .string(String(decoding: header.value, as: UTF8.self)))
      }
      if let value = record.value {
        members.append(.init("value", .string(String(decoding: value, as: UTF8.self))))
      }
      return .object(members)
    }
    // Each input's order is kept there, but they are of many keys.
    compare(
      expected, values, keys: records.map { _ in nil }, what: "record", of: "quarantine", at: span)
  }

  /// Where something is wrong and the test says nothing of quarantine, what is there may be why.
  mutating func noteQuarantine(_ records: [SimulatedRecord]) {
    guard let last = problems.indices.last, let first = records.first else { return }
    func header(_ name: String) -> String {
      first.headers.first { $0.name == name }.map { String(decoding: $0.value, as: UTF8.self) }
        ?? ""
    }
    let more = records.count > 1 ? ", and \(records.count - 1) more" : ""
    problems[last].notes.append(
      "in quarantine: \(header("weft_reason")), \(header("weft_message"))\(more)")
  }

  /// Each expected value must be met by one of its own; those of one key in their order.
  private mutating func compare(
    _ expected: [ExpectedValue], _ values: [JSONValue], keys: [[UInt8]?], what: String,
    of port: String, at span: SourceSpan
  ) {
    var isTaken = [Bool](repeating: false, count: values.count)
    var lastOfKey: [[UInt8]: Int] = [:]
    for wanted in expected {
      let found = values.indices.first { !isTaken[$0] && ValueMatch.matches(wanted, values[$0]) }
      guard let found else {
        missing(wanted, values.indices.filter { !isTaken[$0] }.map { values[$0] }, of: port)
        continue
      }
      isTaken[found] = true
      guard let key = keys[found] else { continue }
      if let before = lastOfKey[key], before > found {
        fail(
          "this record came out of \(port) before the one above it", at: wanted.span,
          notes: ["both have the key `\(String(decoding: key, as: UTF8.self))`"])
      }
      lastOfKey[key] = found
    }
    // Where as many are missing, what is left over was shown with them.
    let left = values.indices.filter { !isTaken[$0] }
    if values.count > expected.count {
      let count = values.count - expected.count
      fail(
        "\(count) \(what)\(count == 1 ? "" : "s") more than expected came out of \(port)",
        at: span, notes: shown(left.map { values[$0] }))
    }
  }

  private mutating func missing(_ wanted: ExpectedValue, _ left: [JSONValue], of port: String) {
    // The one that fits best says what differs.
    let best = left.max { ValueMatch.fit(wanted, $0) < ValueMatch.fit(wanted, $1) }
    if let best, ValueMatch.fit(wanted, best) > 0,
      let difference = ValueMatch.difference(wanted, best)
    {
      fail(
        "no record of \(port) is like this: \(difference.what)", at: difference.span,
        label: difference.label, notes: ["the nearest one is \(best)"])
    } else {
      fail("no record like this came out of \(port)", at: wanted.span, notes: shown(left))
    }
  }

  private func shown(_ values: [JSONValue]) -> [String] {
    if values.isEmpty { return ["nothing else came out of it"] }
    let more =
      values.count > Comparison.shownMax ? ["and \(values.count - Comparison.shownMax) more"] : []
    let lines = values.prefix(Comparison.shownMax).map(\.description) + more
    return [lines.joined(separator: "\n")]
  }

  // MARK: Rows

  mutating func compare(
    _ row: (key: String, value: ExpectedValue?, span: SourceSpan), _ records: [SimulatedRecord],
    port: String
  ) {
    let found = records.last { $0.key == Array(row.key.utf8) }
    let newest = found.flatMap { $0.value == nil ? nil : value($0) }
    switch (row.value, newest) {
    case (nil, nil): return
    case (nil, let newest?):
      fail("`\(port)` has a row `\(row.key)`", at: row.span, notes: ["it is \(newest)"])
    case (_?, nil):
      var keys: [String] = []
      for record in records {
        let key = record.key.map { String(decoding: $0, as: UTF8.self) } ?? "(none)"
        if !keys.contains(key) { keys.append(key) }
      }
      fail(
        "`\(port)` has no row `\(row.key)`", at: row.span,
        notes: [
          keys.isEmpty
            ? "it has no rows" : "its rows are " + keys.prefix(8).joined(separator: ", ")
        ])
    case (let wanted?, let newest?):
      if let difference = ValueMatch.difference(wanted, newest) {
        fail(
          "`\(port)`, row `\(row.key)`: \(difference.what)", at: difference.span,
          label: difference.label, notes: ["the row is \(newest)"])
      }
    }
  }

  private func value(_ record: SimulatedRecord) -> JSONValue {
    guard let bytes = record.value else { return .null }
    return ByteView.lending(bytes) { try? JSONValue(parsing: $0) }
      ?? .string(String(decoding: bytes, as: UTF8.self))
  }
}
