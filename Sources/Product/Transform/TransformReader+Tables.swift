import Diagnostics
import Expressions

/// A table on its way to its definition.
struct TableDraft {
  struct ColumnDraft {
    let name: String
    let type: ValueType
    let aggregate: TableDefinition.Aggregate
    let span: SourceSpan
    /// `count` starts at 0; all others may still be null.
    var isRequired: Bool { aggregate == .count }
  }

  let name: String
  let nameSpan: SourceSpan
  let key: [ParsedExpression]
  /// The key's parts in canonical form: what journals are told apart by.
  let keyTexts: [String]
  var keyTypes: [ValueType] = []
  var columns: [ColumnDraft] = []
  var clauses: [TableDefinition.Clause] = []
  /// Canonical lines for the logic digest.
  var logic: [String] = []
  var journal = 0
  /// Something it is updated by is broken, and that has been said there.
  var isBroken = false
}

extension TransformReader {
  /// Tables in the order of their names.
  mutating func readTables() {
    let entries = (record["tables"]?.entries ?? []).sorted {
      ($0.key.text ?? "") < ($1.key.text ?? "")
    }
    brokenNames.formUnion((record.node["tables"]?.entries ?? []).compactMap(\.key.text))
    if record["journal"]?.text == "none", let first = record.node["tables"]?.entries.first {
      report(
        .journal, "a product with `journal: none` has no tables", first.key.span,
        help: "remove `journal: none`, or the table")
    }
    for (key, value) in entries {
      guard let name = key.text, let fields = value.record else { continue }
      let before = diagnostics.count
      if isTaken(name, key) { continue }
      guard let table = table(name, key.span, fields), diagnostics.count == before,
        !table.isBroken
      else { continue }
      tables.append(table)
      brokenNames.remove(name)
    }
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
      name: name, nameSpan: span, key: key, keyTexts: key.map { CanonicalText.of($0.span) })
    draft.logic = ["key = " + draft.keyTexts.joined(separator: ", ")]
    if clauses.entries.isEmpty, !fields.isBroken("on") {
      report(.missingKey, "table `\(name)` is updated by nothing", fields.span("on"))
    }
    for (clauseKey, block) in clauses.entries {
      clause(clauseKey, block, key.count == keys.count, &draft)
    }
    return draft
  }

  private mutating func clause(
    _ key: YAMLNode, _ block: FileValue, _ isKeyGood: Bool, _ draft: inout TableDraft
  ) {
    if refusesDelete(block) { return }
    let lines = assignments(block).assignments
    guard let reference = key.text, let flows = flows(named: reference, key.span) else {
      draft.isBroken = true
      return
    }
    for line in lines {
      let condition = line.condition.map { " if " + CanonicalText.of($0.span) } ?? ""
      draft.logic.append(
        "column \(line.name) = \(reference): \(CanonicalText.of(line.value.span))\(condition)")
    }
    for flow in flows {
      var parts: [CheckedExpression] = []
      if isKeyGood { parts = draft.key.compactMap { keyPart($0, flow) } }
      if isKeyGood, parts.count == draft.key.count { agree(parts, flow, &draft) }
      let updates = lines.compactMap { update($0, flow, &draft) }
      draft.clauses.append(
        TableDefinition.Clause(branch: flow.branch, key: parts, updates: updates))
    }
  }

  /// `delete if …` is no assignment, so it is found before the block is parsed.
  private mutating func refusesDelete(_ block: FileValue) -> Bool {
    guard let span = block.node.textSpan else { return false }
    let source = span.source
    for line in source.line(of: span.range.lowerBound)...source.line(of: span.range.upperBound) {
      let text = source.text(ofLine: line)
      let words = text.split(separator: " ").prefix(2)
      guard words.first == "delete", words.last == "if" else { continue }
      let start = source.lineStarts[line] + text.prefix { $0 == " " }.utf8.count
      report(
        .notThereYet, "`delete if` is not there yet in this version of Weft",
        SourceSpan(source, start..<(start + "delete".utf8.count)))
      return true
    }
    return false
  }

  static let keyTypes: [ValueType] = [.string, .int, .uint, .bool, .date, .timestamp, .decimal]

  /// A part of a key, in the scope of one event type.
  mutating func keyPart(_ expression: ParsedExpression, _ flow: Flow) -> CheckedExpression? {
    guard let checked = check(expression, flow.scope) else { return nil }
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
        .badKey, "this part of the key is \(new) in `\(flow.eventType.name)` and \(old) elsewhere",
        draft.key[index].span)
    }
  }

  private mutating func update(_ line: Assignment, _ flow: Flow, _ draft: inout TableDraft)
    -> TableDefinition.Update?
  {
    if line.isSpread {
      report(.misplaced, "`...` does not set columns of a table", line.nameSpan)
      return nil
    }
    if line.mapKey != nil {
      report(
        .notThereYet, "map columns are not there yet in this version of Weft", line.nameSpan)
      return nil
    }
    guard let aggregate = aggregate(line) else { return nil }
    var scope = flow.scope
    var condition: CheckedExpression?
    if let text = line.condition {
      guard let checked = check(text, scope, expecting: .bool) else { return nil }
      scope.known.formUnion(checked.factsWhenTrue)
      condition = checked
    }
    guard let type = type(of: aggregate, line, scope),
      let column = column(line, aggregate.kind, type.type, &draft)
    else { return nil }
    return TableDefinition.Update(
      column: column, aggregate: aggregate.kind, argument: type.argument, condition: condition)
  }

  private struct AggregateCall {
    let kind: TableDefinition.Aggregate
    let argument: ParsedExpression?
    let span: SourceSpan
  }

  private static let laterAggregates = [
    "avg", "countDistinct", "collect", "collectSet", "quantile",
  ]

  private mutating func aggregate(_ line: Assignment) -> AggregateCall? {
    let known = TableDefinition.Aggregate.allCases.map(\.rawValue)
    guard let call = line.value.call else {
      report(
        .aggregate, "a column is set by an aggregate", line.value.span,
        notes: ["aggregates: \(Self.names(known))"],
        help: "write `\(line.name) = last(…)` to keep the newest to arrive")
      return nil
    }
    if Self.laterAggregates.contains(call.name) {
      report(
        .notThereYet, "`\(call.name)` is not there yet in this version of Weft", call.nameSpan)
      return nil
    }
    guard let kind = TableDefinition.Aggregate(rawValue: call.name) else {
      report(
        .aggregate, "`\(call.name)` is no aggregate", call.nameSpan,
        notes: ["aggregates: \(Self.names(known))"],
        help: closest(to: call.name, among: known).map { "did you mean `\($0)`?" })
      return nil
    }
    let wanted = kind == .count ? 0 : 1
    if call.arguments.count != wanted {
      report(
        .aggregate, kind == .count ? "`count` takes nothing" : "`\(call.name)` takes one value",
        line.value.span,
        help: kind == .count ? "write `count()`, and what to count behind `if`" : nil)
      return nil
    }
    return AggregateCall(kind: kind, argument: call.arguments.first, span: line.value.span)
  }

  private static let sums: [ValueType] = [.int, .double, .decimal]
  private static let ordered: [ValueType] = sums + [.string, .timestamp, .date, .bool]
  /// What no column can be, as no field of a contract can; inside a list or an object they may.
  private static let noColumns: [ValueType] = [.uint, .duration, .bytes]

  /// The column's type and the argument; an argument may be absent, then it is ignored.
  private mutating func type(of call: AggregateCall, _ line: Assignment, _ scope: Scope)
    -> (type: ValueType, argument: CheckedExpression?)?
  {
    guard let argument = call.argument else { return (.int, nil) }
    guard let checked = check(argument, scope, allowsOptional: true) else { return nil }
    let allowed: [ValueType]?
    switch call.kind {
    case .sum: allowed = Self.sums
    case .min, .max: allowed = Self.ordered
    default: allowed = nil
    }
    if let allowed, !allowed.contains(checked.type) {
      report(
        .aggregate, "`\(call.kind.rawValue)` does not take \(checked.type)", argument.span,
        notes: ["it takes \(allowed.map(\.description).joined(separator: ", "))"])
      return nil
    }
    if Self.noColumns.contains(checked.type) {
      report(
        .aggregate, "a column cannot be \(checked.type)", argument.span,
        help: checked.type == .bytes
          ? "`string(…)` makes a text of it" : "`int(…)` makes a number of it")
      return nil
    }
    return (checked.type, checked)
  }

  private mutating func column(
    _ line: Assignment, _ aggregate: TableDefinition.Aggregate, _ type: ValueType,
    _ draft: inout TableDraft
  ) -> Int? {
    guard let index = draft.columns.firstIndex(where: { $0.name == line.name }) else {
      draft.columns.append(
        TableDraft.ColumnDraft(
          name: line.name, type: type, aggregate: aggregate, span: line.nameSpan))
      return draft.columns.count - 1
    }
    let first = draft.columns[index]
    let place = first.span.source.place(of: first.span.range.lowerBound).line
    if first.type != type {
      report(
        .aggregate, "column `\(line.name)` is \(type) here and \(first.type) in line \(place)",
        line.value.span)
      return nil
    }
    if first.aggregate != aggregate {
      report(
        .aggregate,
        "column `\(line.name)` is `\(aggregate.rawValue)` here and "
          + "`\(first.aggregate.rawValue)` in line \(place)", line.value.span,
        help: "one column has one aggregate; give this another name")
      return nil
    }
    return index
  }
}
