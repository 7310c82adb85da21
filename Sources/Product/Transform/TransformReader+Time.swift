import Diagnostics

// What goes by the clock of a journal's partitions.
extension TransformReader {
  /// Reads when rows of a table go.
  mutating func readTime(_ fields: FileRecord, _ draft: inout TableDraft) {
    if let window = fields["window"]?.record { readWindow(window, fields, &draft) }
    guard let after = fields["expire"]?.record?["after"], let span = after.durationMs else {
      return
    }
    draft.expireAfterMs = span
    draft.logic.append("expire = after \(span) ms")
    if span == 0 { report(.badValue, "rows expire after some time", after.span) }
  }

  /// An event is in so many windows at most: it changes a row in each.
  private static let windowsMax: Int64 = 1000

  private mutating func readWindow(
    _ window: FileRecord, _ fields: FileRecord, _ draft: inout TableDraft
  ) {
    let hopping = window["hopping"]?.record
    let size = window["tumbling"] ?? hopping?["size"]
    let every = window["tumbling"] ?? hopping?["every"]
    guard window["tumbling"] == nil || hopping == nil, let size, let every,
      let sizeMs = size.durationMs, let everyMs = every.durationMs
    else {
      if window.isWhole {
        report(
          .badValue, "a window is one of `tumbling` and `hopping`", fields.keySpan("window"),
          help: "write `window: {tumbling: 1h}`, or `{hopping: {size: 1h, every: 10m}}`")
      }
      return
    }
    if sizeMs == 0 || everyMs == 0 || everyMs > sizeMs || sizeMs > everyMs * Self.windowsMax {
      report(
        .badValue, "windows of this size cannot begin that often", every.span,
        notes: ["one begins before the last has ended, and not more than 1000 within its size"])
    }
    if let expire = fields["expire"] {
      report(
        .misplaced, "rows of windows go when their window is closed", expire.span,
        help: "remove `expire`; how long a window takes events says `grace`")
    }
    let graceMs = window["grace"]?.durationMs ?? 0
    let emit = window.text("emit").flatMap(TableDefinition.Window.Emit.init) ?? .changes
    draft.window = TableDefinition.Window(
      sizeMs: sizeMs, everyMs: everyMs, graceMs: graceMs, emit: emit)
    draft.logic.append("window = \(sizeMs) ms every \(everyMs) ms, grace \(graceMs) ms")
    if emit == .final { draft.logic.append("emit = final") }
  }

  /// Tells what would need a clock that is not there.
  mutating func checkClocks() {
    for table in tables where table.expireAfterMs != nil || table.window != nil {
      if journals.indices.contains(table.journal), journals[table.journal].handovers.isEmpty {
        continue
      }
      report(
        .notThereYet, "rows of `\(table.name)` cannot go by a clock in this version of Weft",
        table.nameSpan,
        notes: ["its events come by way of another journal, and such a one has no clock yet"],
        help: "make the table in a product that takes in a port of this one")
    }
  }

  /// Tells what cannot go by itself.
  mutating func checkTime(_ fields: FileRecord, _ draft: TableDraft) {
    guard draft.clauses.contains(where: \.corrects) else { return }
    if draft.window != nil {
      report(
        .corrections, "values of windows are not taken back in this version of Weft",
        fields.keySpan("window"))
    }
    if draft.expireAfterMs == nil { return }
    report(
      .corrections, "a row whose values may be taken back does not expire",
      fields.keySpan("expire"),
      help: "remove it: the row goes by itself when nothing that made it is left")
  }
}
