import Diagnostics
import Expressions

extension TransformReader {
  /// A state port: one record for every change of a table's row.
  mutating func state(_ reference: FileValue, _ fields: FileRecord, _ draft: OutputDraft)
    -> OutputDraft?
  {
    var draft = draft
    if let key = fields["key"] {
      report(
        .misplaced, "a state port's key is its table's", key.span, help: "remove `key`")
    }
    if let partitions = fields["partitions"] {
      report(
        .misplaced, "a state port has its journal's partitions", partitions.span,
        help: "remove `partitions`, or set `journal: {partitions: …}`")
    }
    guard let index = tables.firstIndex(where: { $0.name == reference.text }) else { return nil }
    let table = tables[index]
    guard let row = row(of: table, draft) else { return nil }
    draft.keyTexts = table.keyTexts
    var scope = Scope([Scope.Variable("row", .object(row.type))])
    // A row that is shown once shows no event.
    if !table.isFinal { scope.variables += Self.rowCommon }
    if table.window != nil { scope.variables.append(Flow.window) }
    var condition: CheckedExpression?
    if let when = fields["when"] {
      guard let text = parsed(when), let checked = check(text, scope, expecting: .bool) else {
        return nil
      }
      scope.known.formUnion(checked.factsWhenTrue)
      condition = checked
    }
    var selection = Selection(draft, row: row)
    if let select = fields["select"] {
      guard select.text != nil else {
        report(
          .misplaced, "a state port has one `select`, as it is made of one table", select.span)
        return nil
      }
      let lines = assignments(select)
      draft.logic += SelectBlocks.canonical(lines.assignments, prefix: "")
      selection.add(lines, scope, &self)
    } else {
      if fields.isBroken("select") { return nil }
      draft.logic.append("column ...row = row")
      selection.every(row, &self)
    }
    draft.content = .state(
      table: index, row: row.type, when: condition, columns: selection.columns(&self))
    return draft
  }

  /// A row changes because of an event, whose times it has; it comes from no one place.
  static let rowCommon: [Scope.Variable] = Flow.common.filter { $0.name != "source" }

  /// The table's row: the parts of its key, named by the contract's primary key, then its columns.
  private mutating func row(of table: TableDraft, _ draft: OutputDraft) -> Selection.Row? {
    let keys = ContractField.primaryKey(draft.object.fields)
    if keys.count != table.keyTypes.count {
      report(
        .breaksContract,
        "table `\(table.name)` has a key of \(table.keyTypes.count), and the contract's primary "
          + "key has \(keys.count)", draft.nameSpan,
        notes: ["contract `\(draft.contract.source.name)`"]
          + (table.window == nil ? [] : ["the start of the window is the last part of the key"]),
        help: "mark the fields that hold the key: `primaryKey: true, primaryKeyPosition: 1`")
      return nil
    }
    var fields: [ObjectType.Field] = []
    var sources: [OutputDefinition.Source] = []
    var spans: [SourceSpan] = []
    for (index, (key, type)) in zip(keys, table.keyTypes).enumerated() {
      let span = draft.object.places[key.name] ?? draft.nameSpan
      if key.type != type {
        report(
          .breaksContract,
          "part \(index + 1) of the key of table `\(table.name)` is \(type), and the contract "
            + "says \(key.type) for `\(key.name)`", span)
        return nil
      }
      if let column = table.columns.first(where: { $0.name == key.name }) {
        report(
          .ambiguousName, "`\(key.name)` is a column of `\(table.name)` and a part of its key",
          column.span, help: "the key's parts are columns too: remove this one")
        return nil
      }
      fields.append(.init(key.name, type, isRequired: true))
      sources.append(.keyPart(index))
      spans.append(draft.nameSpan)
    }
    for (index, column) in table.columns.enumerated() {
      fields.append(.init(column.name, column.type, isRequired: column.isRequired))
      sources.append(.column(index))
      spans.append(column.span)
    }
    return Selection.Row(
      type: ObjectType(name: table.name, fields: fields), sources: sources, spans: spans)
  }
}
