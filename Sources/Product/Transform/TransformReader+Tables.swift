import Diagnostics
import Expressions

/// A table on its way to its definition.
struct TableDraft {
  struct ColumnDraft {
    let name: String
    let type: ValueType
    let aggregate: TableDefinition.Aggregate
    /// Of what the aggregate takes; nil: it takes nothing.
    let argument: ValueType?
    /// Of a quantile.
    let billionths: Int64?
    let isMap: Bool
    let span: SourceSpan
    /// Of an average of decimals, once the ports are read.
    var decimalPlaces: UInt8?
    /// Some start at 0 or empty; all others may still be null.
    var isRequired: Bool { isMap || aggregate.startsAtZero }
    var isDecimalAverage: Bool { aggregate == .avg && argument == .decimal }
  }

  let name: String
  let nameSpan: SourceSpan
  let key: [ParsedExpression]
  /// The key's parts as its journal sees them; as they are written, until its events are known.
  var keyParts: [KeyPart]
  var keyTexts: [String] { keyParts.map(\.text) }
  /// Whether ports show its rows once, when their windows are closed.
  var isFinal: Bool { window?.emit == .final }
  var keyTypes: [ValueType] = []
  var columns: [ColumnDraft] = []
  /// The type of `state`.
  var state: ObjectType?
  var clauses: [TableDefinition.Clause] = []
  var deletions: [TableDefinition.Deletion] = []
  /// Canonical lines for the logic digest.
  var logic: [String] = []
  var expireAfterMs: Int64?
  var window: TableDefinition.Window?
  var journal = 0
  /// Something it is updated by is broken, and that has been said there.
  var isBroken = false
}

extension TransformReader {
  /// Tables in the order of their names, but for those whose rows others' streams look up.
  mutating func readTables() {
    if record["journal"]?.text == "none", let first = record.node["tables"]?.entries.first {
      report(
        .journal, "a product with `journal: none` has no tables", first.key.span,
        help: "remove `journal: none`, or the table")
    }
    for name in tableNames.sorted() { _ = table(named: name) }
    tables.sort { $0.name < $1.name }
  }

  /// A table, read now if it was not before; nil: it is broken, and that has been said.
  mutating func table(named name: String) -> TableDraft? {
    if let table = tables.first(where: { $0.name == name }) { return table }
    let entry = record["tables"]?.entries.first { $0.key.text == name }
    if !begunTables.insert(name).inserted {
      if let entry, making.contains("table `\(name)`") {
        reportCircle("table `\(name)`", entry.key.span)
      }
      return nil
    }
    brokenNames.insert(name)
    guard let (key, value) = entry, let fields = value.record, !isTaken(name, key) else {
      return nil
    }
    let before = diagnostics.count
    making.append("table `\(name)`")
    let draft = table(name, key.span, fields)
    making.removeLast()
    guard let draft, diagnostics.count == before, !draft.isBroken else { return nil }
    tables.append(draft)
    brokenNames.remove(name)
    return draft
  }

  private mutating func table(_ name: String, _ span: SourceSpan, _ fields: FileRecord)
    -> TableDraft?
  {
    guard let keys = fields["key"]?.items, let clauses = fields["on"] else { return nil }
    let key = keys.compactMap { parsed($0) }
    if key.isEmpty, keys.isEmpty {
      report(.badKey, "a key has at least one part", fields.span("key"))
    }
    var draft = TableDraft(
      name: name, nameSpan: span, key: key,
      keyParts: key.map { KeyPart(text: CanonicalText.of($0.span), expression: $0, isFixed: true) })
    draft.logic = ["key = " + draft.keyTexts.joined(separator: ", ")]
    readTime(fields, &draft)
    if clauses.entries.isEmpty, !fields.isBroken("on") {
      report(.missingKey, "table `\(name)` is updated by nothing", fields.span("on"))
    }
    let blocks = clauses.entries.map { (key: $0.key, lines: assignments($0.value).assignments) }
    draft.state = state(of: name, blocks.flatMap(\.lines))
    for block in blocks { clause(block.key, block.lines, key.count == keys.count, &draft) }
    checkState(draft, blocks.flatMap(\.lines))
    checkCorrections(draft)
    checkTime(fields, draft)
    checkSessions(draft)
    // Its start is one part more of the row's key.
    if draft.window != nil { draft.keyTypes.append(.timestamp) }
    return draft
  }

  private mutating func clause(
    _ key: YAMLNode, _ lines: [Assignment], _ isKeyGood: Bool, _ draft: inout TableDraft
  ) {
    guard let reference = key.text, let flows = flows(named: reference, key.span) else {
      draft.isBroken = true
      return
    }
    for line in lines {
      let condition = line.condition.map { " if " + CanonicalText.of($0.span) } ?? ""
      let entry = line.mapKey.map { "[" + CanonicalText.of($0.span) + "]" } ?? ""
      let what = line.isDelete ? "delete" : "column \(line.name)\(entry)"
      draft.logic.append(
        "\(what) = \(reference): \(CanonicalText.of(line.value.span))\(condition)")
    }
    for flow in flows {
      if !mayUpdate(flow, key.span) {
        draft.isBroken = true
        continue
      }
      var parts: [CheckedExpression] = []
      if isKeyGood { parts = draft.key.compactMap { keyPart($0, flow) } }
      if isKeyGood, parts.count == draft.key.count {
        agree(parts, flow, &draft)
        settleKey(flow, &draft)
      }
      let updates = lines.filter { !$0.isDelete }.compactMap { update($0, flow, &draft) }
      let delete = lines.first(where: \.isDelete).flatMap {
        check($0.value, scope(flow, draft), expecting: .bool)
      }
      let expressions = updates.flatMap { [$0.argument, $0.condition, $0.mapKey] } + [delete]
      for expression in expressions.compactMap(\.self) { checkColumns(expression) }
      draft.clauses.append(
        TableDefinition.Clause(
          branch: flow.branch, key: parts, updates: updates, delete: delete,
          corrects: corrects(flow.branch)))
    }
  }

  static let keyTypes: [ValueType] = [.string, .int, .uint, .bool, .date, .timestamp, .decimal]

  /// A part of a key, in the scope of one event type.
  mutating func keyPart(_ expression: ParsedExpression, _ flow: Flow) -> CheckedExpression? {
    guard let checked = check(expression, flow.scope), !usesMasked(checked, flow, "a key") else {
      return nil
    }
    if Self.keyTypes.contains(checked.type) { return checked }
    report(.badKey, "\(checked.type) cannot be part of a key", expression.span)
    return nil
  }

  private mutating func agree(
    _ parts: [CheckedExpression], _ flow: Flow, _ draft: inout TableDraft
  ) {
    let types = parts.map(\.type)
    if draft.keyTypes.isEmpty {
      draft.keyTypes = types
      return
    }
    for (index, (old, new)) in zip(draft.keyTypes, types).enumerated() where old != new {
      report(
        .badKey, "this part of the key is \(new) in `\(flow.name)` and \(old) elsewhere",
        draft.key[index].span)
    }
  }

  /// Finds out what the key's parts are to the journal; all events have to agree on that.
  private mutating func settleKey(_ flow: Flow, _ draft: inout TableDraft) {
    for (index, part) in draft.key.enumerated() {
      let found = keyPart(part, of: flow)
      let old = draft.keyParts[index]
      if draft.clauses.isEmpty {
        draft.keyParts[index] = found
      } else if old.text == found.text {
        draft.keyParts[index].isFixed = old.isFixed && found.isFixed
      } else {
        report(
          .badKey,
          "this part of the key is `\(found.text)` in `\(flow.name)` and `\(old.text)` elsewhere",
          part.span)
      }
    }
  }

  private mutating func update(_ line: Assignment, _ flow: Flow, _ draft: inout TableDraft)
    -> TableDefinition.Update?
  {
    if line.isSpread {
      report(.misplaced, "`...` does not set columns of a table", line.nameSpan)
      return nil
    }
    guard let aggregate = aggregate(line, draft.state) else { return nil }
    var scope = scope(flow, draft)
    var condition: CheckedExpression?
    if let text = line.condition {
      guard let checked = check(text, scope, expecting: .bool) else { return nil }
      scope.known.formUnion(checked.factsWhenTrue)
      condition = checked
    }
    var mapKey: CheckedExpression?
    if let text = line.mapKey {
      guard let checked = check(text, scope, expecting: .string) else { return nil }
      mapKey = checked
    }
    guard let found = types(of: aggregate, scope), let column = column(line, found, &draft)
    else { return nil }
    return TableDefinition.Update(
      column: column, aggregate: aggregate.kind, argument: found.argument, condition: condition,
      mapKey: mapKey)
  }
}
