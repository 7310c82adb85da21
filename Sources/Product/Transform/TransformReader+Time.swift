import Diagnostics
import Expressions

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
    let kinds = ["tumbling", "hopping", "session"].filter { window[$0] != nil }
    guard let kind = windowKind(window), kinds.count == 1 else {
      if window.isWhole {
        report(
          .badValue, "a window is one of `tumbling`, `hopping` and `session`",
          fields.keySpan("window"),
          help: "write `window: {tumbling: 1h}`, `{hopping: {size: 1h, every: 10m}}` or "
            + "`{session: 30m}`")
      }
      return
    }
    if let expire = fields["expire"] {
      report(
        .misplaced, "rows of windows go when their window is closed", expire.span,
        help: "remove `expire`; how long a window takes events says `grace`")
    }
    let graceMs = window["grace"]?.durationMs ?? 0
    let emit = window.text("emit").flatMap(TableDefinition.Window.Emit.init) ?? .changes
    draft.window = TableDefinition.Window(kind, graceMs: graceMs, emit: emit)
    switch kind {
    case .regular(let sizeMs, let everyMs):
      draft.logic.append("window = \(sizeMs) ms every \(everyMs) ms, grace \(graceMs) ms")
    case .session(let gapMs):
      draft.logic.append("window = session by \(gapMs) ms, grace \(graceMs) ms")
    }
    if emit == .final { draft.logic.append("emit = final") }
  }

  /// Nil: it says none.
  private mutating func windowKind(_ window: FileRecord) -> TableDefinition.Window.Kind? {
    if let gap = window["session"], let gapMs = gap.durationMs {
      if gapMs == 0 {
        report(.badValue, "a session ends when nothing has come for some time", gap.span)
      }
      return .session(gapMs: gapMs)
    }
    let hopping = window["hopping"]?.record
    guard let size = window["tumbling"] ?? hopping?["size"],
      let every = window["tumbling"] ?? hopping?["every"], let sizeMs = size.durationMs,
      let everyMs = every.durationMs
    else { return nil }
    if sizeMs == 0 || everyMs == 0 || everyMs > sizeMs || sizeMs > everyMs * Self.windowsMax {
      report(
        .badValue, "windows of this size cannot begin that often", every.span,
        notes: ["one begins before the last has ended, and not more than 1000 within its size"])
    }
    return .regular(sizeMs: sizeMs, everyMs: everyMs)
  }

  /// Tells what cannot be done to rows that become one when their sessions do.
  mutating func checkSessions(_ draft: TableDraft) {
    guard draft.window?.isSession ?? false else { return }
    let note = "an event between two sessions makes one of them, and one row of their rows"
    for clause in draft.clauses {
      if let delete = clause.delete {
        report(
          .aggregate, "rows of sessions are not deleted", delete.span, notes: [note],
          help: "leave rows out at the port, by `when`")
      }
      for update in clause.updates {
        let expressions = [update.argument, update.condition, update.mapKey].compactMap(\.self)
        guard
          let reads = expressions.first(where: { $0.uses.contains { $0.parts.first == "state" } })
            ?? (update.aggregate == .fold ? update.argument : nil)
        else { continue }
        report(
          .aggregate, "what is made by `state` cannot be merged", reads.span, notes: [note],
          help: "use aggregates alone")
      }
    }
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

  /// The name of a clause's input, if its records do not say their actual time.
  private func inputWithoutTime(_ clause: TableDefinition.Clause) -> String? {
    guard let event = clause.branch.event else { return nil }
    let input = inputs[event.input]
    return input.time == nil && input.port == nil ? input.name : nil
  }

  /// Tells what cannot go by itself.
  mutating func checkTime(_ fields: FileRecord, _ draft: TableDraft) {
    let correcting = draft.clauses.filter(\.corrects)
    if correcting.isEmpty { return }
    if draft.window?.isSession ?? false {
      report(
        .corrections, "a session is not taken apart", fields.keySpan("window"),
        notes: ["an event that is taken back may have made one of two"],
        help: "use windows that are `tumbling` or `hopping`")
    } else if draft.window != nil,
      correcting.contains(where: { $0.branch.identification?.corrects ?? false })
    {
      report(
        .corrections, "values of windows are not corrected by links in this version of Weft",
        fields.keySpan("window"),
        help: "make the table in a product that takes in a port of this one")
    } else if draft.window != nil, let input = correcting.compactMap({ inputWithoutTime($0) }).first
    {
      report(
        .corrections, "what takes a value back would not find its window",
        fields.keySpan("window"),
        notes: [
          "records of `\(input)` have Kafka's time, which is another one when they are taken back"
        ], help: "say at the input which field is its `time`")
    }
    if draft.expireAfterMs == nil { return }
    report(
      .corrections, "a row whose values may be taken back does not expire",
      fields.keySpan("expire"),
      help: "remove it: the row goes by itself when nothing that made it is left")
  }
}
