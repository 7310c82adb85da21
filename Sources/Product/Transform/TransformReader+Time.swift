import Diagnostics

// What goes by the clock of a journal's partitions.
extension TransformReader {
  /// Reads when rows of a table go.
  mutating func readTime(_ fields: FileRecord, _ draft: inout TableDraft) {
    guard let after = fields["expire"]?.record?["after"], let span = after.durationMs else {
      return
    }
    draft.expireAfterMs = span
    draft.logic.append("expire = after \(span) ms")
    if span == 0 { report(.badValue, "rows expire after some time", after.span) }
  }

  /// Tells what would need a clock that is not there.
  mutating func checkClocks() {
    for table in tables where table.expireAfterMs != nil {
      if journals.indices.contains(table.journal), journals[table.journal].handovers.isEmpty {
        continue
      }
      report(
        .notThereYet, "rows of `\(table.name)` do not expire in this version of Weft",
        table.nameSpan,
        notes: ["its events come by way of another journal, and such a one has no clock yet"],
        help: "make the table in a product that takes in a port of this one")
    }
  }

  /// Tells what cannot go by itself.
  mutating func checkTime(_ fields: FileRecord, _ draft: TableDraft) {
    guard draft.expireAfterMs != nil, draft.clauses.contains(where: \.corrects) else { return }
    report(
      .corrections, "a row whose values may be taken back does not expire",
      fields.keySpan("expire"),
      help: "remove it: the row goes by itself when nothing that made it is left")
  }
}
