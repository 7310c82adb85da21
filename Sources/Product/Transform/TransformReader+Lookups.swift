import Diagnostics
import Expressions

/// A line of `lookup`, before it is known in which scope.
struct LookupDraft {
  let name: String
  let nameSpan: SourceSpan
  let table: TableDraft
  let key: [ParsedExpression]
  let span: SourceSpan
}

// Rows that streams look up.
extension TransformReader {
  /// What a stream looks up; nil when something is wrong, and that has been said.
  mutating func lookups(_ fields: FileRecord) -> [LookupDraft]? {
    var found: [LookupDraft] = []
    var isWhole = !fields.isBroken("lookup")
    for (key, value) in fields["lookup"]?.entries ?? [] {
      if let name = key.text, isVariable(name, key.span), let row = parsed(value),
        let draft = lookup(name, key.span, row)
      {
        found.append(draft)
      } else {
        isWhole = false
      }
    }
    return isWhole ? found.sorted { $0.name < $1.name } : nil
  }

  private mutating func lookup(
    _ name: String, _ nameSpan: SourceSpan, _ expression: ParsedExpression
  ) -> LookupDraft? {
    guard let element = expression.element else {
      report(
        .misplaced, "`lookup` takes a row of a table", expression.span,
        help: "write `TABLE[key]`, or `TABLE[[part, part]]` for a key of several parts")
      return nil
    }
    let names = tableNames
    guard names.contains(element.name) else {
      report(
        .unknownReference, "there is no table `\(element.name)`", element.nameSpan,
        help: closest(to: element.name, among: names).map { "did you mean `\($0)`?" })
      return nil
    }
    guard let table = table(named: element.name) else { return nil }
    if table.window != nil {
      report(
        .notThereYet, "rows of windows, as those of `\(table.name)`, are not looked up yet",
        element.nameSpan)
      return nil
    }
    if element.index.count != table.key.count {
      report(
        .badKey,
        "the key of table `\(table.name)` has \(table.key.count) parts, and this has "
          + "\(element.index.count)", expression.span,
        help: "a key of several parts is a list: `\(table.name)[[part, part]]`")
      return nil
    }
    return LookupDraft(
      name: name, nameSpan: nameSpan, table: table, key: element.index, span: expression.span)
  }

  /// Adds the steps to one event type's way, none of which sees what another names; false when one
  /// does not fit, and that was said.
  mutating func lookUp(_ drafts: [LookupDraft], _ flow: inout Flow) -> Bool {
    let scope = flow.scope
    var isGood = true
    for draft in drafts {
      if isNamed(draft.name, draft.nameSpan, flow) {
        isGood = false
        continue
      }
      let key = zip(draft.key, draft.table.keyTypes).compactMap { part, type in
        check(part, scope, expecting: type).flatMap {
          usesMasked($0, flow, "what is looked up") ? nil : $0
        }
      }
      if key.count != draft.key.count {
        isGood = false
        continue
      }
      let row = row(of: draft.table)
      flow.branch.steps.append(
        .lookup(
          Lookup(
            name: draft.name, table: draft.table.name, key: key,
            keyTexts: draft.key.map { keyPart($0, of: flow).text }, row: row, span: draft.span)))
      flow.variables.append(Scope.Variable(draft.name, .object(row), isRequired: false))
    }
    return isGood
  }

  /// A row as streams see it: the parts of its key, each by the name of the last field that it is,
  /// or `keyN` where it has no name of its own; then the columns.
  func row(of table: TableDraft) -> ObjectType {
    let names = keyNames(table.key, besides: table.columns.map(\.name))
    let key = zip(names, table.keyTypes).map { ObjectType.Field($0, $1, isRequired: true) }
    let columns = table.columns.map {
      ObjectType.Field($0.name, $0.type, isRequired: $0.isRequired)
    }
    return ObjectType(name: table.name, fields: key + columns)
  }

  /// Names of a key's parts.
  func keyNames(_ key: [ParsedExpression], besides others: [String]) -> [String] {
    var names: [String] = []
    for (index, part) in key.enumerated() {
      let own = part.path?.parts.last
      let isFree = own.map { !names.contains($0) && !others.contains($0) } ?? false
      names.append(isFree ? own ?? "" : "key\(index + 1)")
    }
    return names
  }

  /// Whether the rows that ways begin with or look up are in the journal that they are in, those
  /// that are looked up under its key; else that is told.
  mutating func checkRows(
    of branches: [Branch], in journal: Int, _ what: String, _ span: SourceSpan
  ) {
    let wanted = journals[journal].keyTexts
    for join in branches.compactMap(\.joined) {
      guard let draft = joins.first(where: { $0.stream == join }), draft.journal != journal
      else { continue }
      report(
        .badKey,
        "pairs of `\(join)` are in the journal by \(Self.names(journals[draft.journal].keyTexts)), "
          + "and \(what) is made by \(Self.names(wanted))", span,
        help: "both have to be made by one key")
    }
    for row in branches.flatMap(\.rows) {
      guard let table = tables.first(where: { $0.name == row.table }) else { continue }
      let own = journals[table.journal].keyTexts
      if table.journal != journal {
        report(
          .badKey,
          "rows of `\(table.name)` are in the journal by \(Self.names(own)), and \(what) is made "
            + "by \(wanted.isEmpty ? "the input's own key" : Self.names(wanted))",
          row.lookup?.span ?? span, help: "both have to be made by one key")
        continue
      }
      if let lookup = row.lookup { checkKey(of: lookup, table, own) }
    }
  }

  private mutating func checkKey(of lookup: Lookup, _ table: TableDraft, _ own: [String]) {
    if lookup.keyTexts.starts(with: own) { return }
    report(
      .badKey,
      "rows of `\(table.name)` are in the journal by \(Self.names(own)), and this asks for one of "
        + Self.names(lookup.keyTexts), lookup.span,
      notes: ["a row of another key is in another order of events"],
      help: "begin its key with \(Self.names(own))")
  }
}

extension Branch {
  /// The tables whose rows it begins with or looks up.
  var rows: [(table: String, lookup: Lookup?)] {
    let looked = lookups.map { (table: $0.table, lookup: Optional($0)) }
    return changed.map { [(table: $0, lookup: nil)] + looked } ?? looked
  }
}
