import Diagnostics
import Expressions

// Rows of other products' state ports that are deleted: what a tombstone takes back.
extension TransformReader {
  /// Only rows can be deleted.
  mutating func checkDeletions(_ fields: FileRecord, isState: Bool) {
    if isState || fields["deletions"] == nil { return }
    report(
      .misplaced, "`deletions` is for a state port, whose records are rows",
      fields.keySpan("deletions"), help: "remove it")
  }

  /// Finds for each table which of its columns a state port's records set, so that a tombstone can
  /// take them back; tells where that cannot be known.
  mutating func planDeletions() {
    for table in tables.indices {
      let events = Set(tables[table].clauses.compactMap(\.branch.event)).filter {
        inputs[$0.input].undoesDeletions
      }
      for event in events.sorted(by: { $0.input < $1.input }) {
        if let deletion = deletion(of: event, in: tables[table]) {
          tables[table].deletions.append(deletion)
        }
      }
    }
  }

  private mutating func deletion(of event: EventReference, in table: TableDraft)
    -> TableDefinition.Deletion?
  {
    let clauses = table.clauses.filter { $0.branch.event == event }
    guard let port = inputs[event.input].port, let key = clauses.first?.key else { return nil }
    let input = inputs[event.input].name
    let ignoring = "or write `deletions: ignore` at the input `\(input)`"
    let fields = key.map { plainField($0) }
    if fields.count != port.key.count || Set(fields) != Set(port.key) {
      report(
        .badKey, "a row of `\(table.name)` is made of several rows of `\(input)`",
        table.key.first?.span ?? table.nameSpan,
        notes: [
          "the key of the state port \(port.address) is \(Self.names(port.key))",
          "when a row is deleted there, it could not be told what goes here",
        ], help: "make the key of just these fields, \(ignoring)")
      return nil
    }
    if clauses.contains(where: { $0.branch.identification != nil }) {
      report(
        .notThereYet, "deleted rows of `\(input)` do not wait for links yet", table.nameSpan,
        help: "leave out `identify`, \(ignoring)")
      return nil
    }
    if table.window != nil {
      report(
        .notThereYet, "rows that are deleted take nothing back from windows yet", table.nameSpan,
        help: "leave out `window`, \(ignoring)")
      return nil
    }
    let columns = Set(clauses.flatMap { $0.updates.map(\.column) })
    let others = table.clauses.filter { $0.branch.event != event }
    for column in columns.sorted() where others.contains(where: { sets(column, $0) }) {
      report(
        .aggregate,
        "column `\(table.columns[column].name)` is set by rows of `\(input)`, and not by these alone",
        table.columns[column].span,
        notes: ["when a row is deleted there, it could not be told what of it goes"],
        help: "give each a column of its own, \(ignoring)")
      return nil
    }
    return TableDefinition.Deletion(event: event, key: key, columns: columns.sorted())
  }

  private func sets(_ column: Int, _ clause: TableDefinition.Clause) -> Bool {
    clause.updates.contains { $0.column == column }
  }

  /// The name of the event's field that an expression is; nil when it is anything else.
  private func plainField(_ expression: CheckedExpression) -> String? {
    guard let parts = expression.path?.parts, parts.count == 2, parts[0] == "event" else {
      return nil
    }
    return parts[1]
  }
}
