import Diagnostics
import Expressions

// Streams that begin with the changes of a table's rows.
extension TransformReader {
  /// The way of a table's changes; nil when the table is broken, and that has been said.
  mutating func changes(of name: String, _ span: SourceSpan) -> Flow? {
    guard let table = table(named: name) else { return nil }
    if table.expireAfterMs != nil {
      report(
        .notThereYet, "changes of rows that expire, as those of `\(name)`, are not there yet", span)
      return nil
    }
    if table.window != nil, !table.isFinal {
      report(
        .notThereYet, "changes of rows of windows, as those of `\(name)`, are not there yet", span,
        help: "with `emit: final` there is one for each window, when it is closed")
      return nil
    }
    if table.clauses.contains(where: { $0.branch.identification?.corrects ?? false }) {
      report(
        .notThereYet,
        "changes of rows that links correct, as those of `\(name)`, are not there yet",
        span)
      return nil
    }
    let row = row(of: table)
    let key = Array(row.fields.prefix(table.key.count))
    let mayGo = table.clauses.contains { $0.delete != nil || $0.corrects }
    var base = [
      Scope.Variable("row", .object(row), isRequired: table.isFinal || !mayGo),
      Scope.Variable("key", .object(ObjectType(name: "key", fields: key))),
    ]
    if table.isFinal {
      base.append(Flow.window)
    } else {
      base += [Scope.Variable("old", .object(row), isRequired: false)] + Self.rowCommon
    }
    return Flow(
      branch: Branch(origin: .changes(table: name), steps: []), name: name, base: base,
      keyParts: Dictionary(uniqueKeysWithValues: zip(key.map(\.name), table.keyParts)),
      names: [name])
  }

  /// Whether a way begins with windows that are closed. Nothing that comes of these may fail: no
  /// event is at hand that could go to quarantine.
  func isOfClosings(_ flow: Flow) -> Bool {
    tables.first { $0.name == flow.branch.changed }?.isFinal ?? false
  }

  /// Whether a table may be updated by a way; else that is told.
  mutating func mayUpdate(_ flow: Flow, _ span: SourceSpan) -> Bool {
    if !isOfClosings(flow) { return true }
    report(
      .notThereYet, "tables of windows that are closed, as of `\(flow.name)`, are not there yet",
      span, help: "make the table in a product that takes in a port of this one")
    return false
  }

  /// Whether a stream of closed windows has no step that may fail when one is closed, though it did
  /// not before; else that is told.
  mutating func closesWell(_ flow: Flow, _ fields: FileRecord) -> Bool {
    guard isOfClosings(flow), let step = ["explode", "lookup"].first(where: { fields[$0] != nil })
    else { return true }
    report(
      .notThereYet,
      "`\(step)` in a stream of windows that are closed, as of `\(flow.name)`, is not there yet",
      fields.keySpan(step), help: "do it in a product that takes in a port of this one")
    return false
  }

  /// A part of a key as a journal sees it: what is the row's key is what that is made of.
  func keyPart(_ part: ParsedExpression, of flow: Flow) -> KeyPart {
    let path = part.path?.parts ?? []
    if path.count == 2, ["key", "row"].contains(path[0]), let own = flow.keyParts[path[1]] {
      return own
    }
    let isFixed = flow.branch.event.map { journalPart(part, $0) != nil } ?? false
    return KeyPart(text: CanonicalText.of(part.span), expression: part, isFixed: isFixed)
  }

  /// Gives tables that are made of others' rows, or of pairs, the journal of these.
  mutating func followJournals() {
    for table in tables.indices where tables[table].source != nil {
      guard let journal = journal(of: tables[table]) else { continue }
      tables[table].journal = journal
      if tables[table].keyTexts.starts(with: journals[journal].keyTexts) { continue }
      report(
        .badKey,
        "the key of table `\(tables[table].name)` does not begin with that of what it is made of",
        tables[table].key[0].span,
        notes: ["their journal is by \(Self.names(journals[journal].keyTexts))"],
        help: "begin it with the parts of `key`, in their order")
    }
  }

  /// The journal of what a table is made of first.
  private func journal(of table: TableDraft) -> Int? {
    table.source.map(journal) ?? table.journal
  }

  /// The journal that a way has to be in, as it begins with rows or pairs, or looks rows up.
  func journal(of branch: Branch) -> Int? {
    if let stream = branch.joined { return joins.first { $0.stream == stream }?.journal }
    let name = branch.rows.first?.table
    return tables.first { $0.name == name }.flatMap(journal)
  }
}

extension TableDraft {
  /// Where it comes from first that is no event.
  var source: Branch? {
    clauses.lazy.map(\.branch).first { $0.event == nil }
  }
}
