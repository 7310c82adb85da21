import Diagnostics
import Expressions

// Chained journals: apply of a journal by a local id hands on what it has identified, to where the
// key is that only then is known, or one that the local id does not lead to.
extension TransformReader {
  /// A way of one event type, with the key of what it leads to.
  private struct Way {
    let branch: Branch
    let key: [CheckedExpression]

    init(_ branch: Branch, _ key: [CheckedExpression]) {
      self.branch = branch
      self.key = key
    }

    /// Whether a part of the key takes nothing that a stream has named.
    func isKnown(_ part: Int) -> Bool {
      part < key.count && key[part].uses.allSatisfy { Flow.isOwn($0.parts.first ?? "") }
    }
  }

  /// Whether a table's events have to be handed on to it: they are identified, and its key does not
  /// begin with the local id.
  func isChained(_ table: TableDraft) -> Bool {
    let locals = localKeys(of: table.clauses.map(\.branch))
    return locals.count > 1 || locals.first.map { table.keyTexts.first != $0 } ?? false
  }

  /// Gives each table whose events are handed on the journal to which they are: a table whose key
  /// begins with that of another one shares that one's.
  mutating func chainTables() {
    let chained = tables.indices.filter { isChained(tables[$0]) }.sorted {
      (tables[$0].keyTexts.count, tables[$0].keyTexts.joined(separator: "\n"))
        < (tables[$1].keyTexts.count, tables[$1].keyTexts.joined(separator: "\n"))
    }
    for table in chained {
      let draft = tables[table]
      let ways = draft.clauses.map { Way($0.branch, $0.key) }
      // As many parts as are known before any stream; without any it is told which one is not.
      let known = draft.key.indices.prefix { part in ways.allSatisfy { $0.isKnown(part) } }.count
      let count = known == 0 ? draft.key.count : known
      tables[table].journal = chain(
        ways, Array(draft.keyTexts.prefix(count)), Array(draft.key.prefix(count)), draft.nameSpan)
    }
  }

  /// The same for an event port of streams that are identified by different local ids.
  mutating func chain(
    _ output: Int, _ branches: [OutputDefinition.EventBranch], _ locals: Set<String>
  ) {
    let draft = outputs[output]
    if draft.key.isEmpty {
      report(
        .badKey,
        "port `\(draft.port)` is made of streams that are identified by different local ids, and"
          + " needs a key", draft.nameSpan,
        notes: ["local ids: " + Self.names(locals.sorted())],
        help: "give it a `key`, such as the global id: its events come together by that")
      return
    }
    if branches.contains(where: { $0.branch.identification?.corrects ?? false }) {
      report(
        .notThereYet,
        "to correct what a port publishes of streams that are identified by different local ids is"
          + " not there yet", draft.nameSpan, notes: ["local ids: " + Self.names(locals.sorted())],
        help:
          "give each stream a port of its own, or identify without `provisional` and `repairable`")
      return
    }
    outputJournals[output] = chain(
      branches.map { Way($0.branch, $0.key) }, draft.keyTexts, draft.key, draft.nameSpan)
  }

  private mutating func chain(
    _ ways: [Way], _ texts: [String], _ key: [ParsedExpression], _ span: SourceSpan
  ) -> Int {
    let known = journals.firstIndex { $0.isChained && texts.starts(with: $0.keyTexts) }
    if known == nil {
      var made = JournalDraft(keyTexts: texts, key: key)
      made.isChained = true
      journals.append(made)
    }
    let journal = known ?? journals.count - 1
    for way in ways { hand(way, to: journal, span) }
    return journal
  }

  /// Has a chained journal take what comes a way: from the journal that identifies it, or, where
  /// nothing does, from ingest.
  private mutating func hand(_ way: Way, to journal: Int, _ span: SourceSpan) {
    // Rows are where their table is, which is looked at when all tables have their journals.
    guard let event = way.branch.event else { return }
    guard let local = way.branch.identification?.local,
      let first = firstJournal(by: CanonicalText.of(local.span))
    else {
      if case .handed? = journals[journal].keys[event] { return reportTwice(event, span) }
      return take(event, into: journal, span)
    }
    let parts = Array(way.key.prefix(journals[journal].keyTexts.count))
    if parts.count < journals[journal].keyTexts.count { return }
    switch journals[journal].keys[event] {
    case nil: journals[journal].keys[event] = .handed(parts)
    case .handed?: break
    case .source?, .parts?, .links?: return reportTwice(event, span)
    }
    for part in parts {
      guard let name = part.uses.compactMap(\.parts.first).first(where: { !Flow.isOwn($0) })
      else { continue }
      report(
        .badKey, "the key uses `\(name)`, and events come by it before any `let`", part.span,
        help: "write its expression here")
    }
    if let lookup = way.branch.toHandOn.lookups.first {
      report(
        .notThereYet, "rows that decide what goes on to a journal by a global id are not there yet",
        lookup.span, notes: ["journal by \(Self.names(journals[journal].keyTexts))"])
    }
    take(event, into: first, span)
    let handover = JournalDefinition.Handover(from: first, branch: way.branch.toHandOn)
    if !journals[journal].handovers.contains(where: { $0.isSame(as: handover) }) {
      journals[journal].handovers.append(handover)
    }
  }

  private mutating func reportTwice(_ event: EventReference, _ span: SourceSpan) {
    let name = inputs[event.input].events[event.event].name
    report(
      .notThereYet,
      "`\(name)` comes to one journal as it is and identified, which is not there yet", span,
      help: "make one of the two in a table or port with another key")
  }
}

extension Flow {
  /// Whether a variable is one of Weft's own.
  static func isOwn(_ name: String) -> Bool { reserved.contains(name) }
}

extension Branch {
  /// The steps that decide whether an event goes on: values that only its end asks for are computed
  /// there.
  fileprivate var toHandOn: Branch {
    var needed: Set<String> = []
    var kept: [Step] = []
    for step in steps.reversed() {
      if let name = step.valueName, !needed.contains(name) { continue }
      kept.append(step)
      switch step {
      case .filter(let expression), .bind(_, let expression), .explode(_, let expression):
        needed.formUnion(expression.uses.compactMap(\.parts.first))
      case .lookup(let lookup):
        needed.formUnion(lookup.key.flatMap(\.uses).compactMap(\.parts.first))
      case .identify: break
      }
    }
    var branch = Branch(origin: origin, steps: kept.reversed())
    branch.masks = masks
    return branch
  }
}

extension Branch.Step {
  /// The name that it gives a value, and does nothing else.
  fileprivate var valueName: String? {
    switch self {
    case .bind(let name, _): name
    case .lookup(let lookup): lookup.name
    case .filter, .explode, .identify: nil
    }
  }
}

extension JournalDefinition.Handover {
  /// Whether the two hand on the same events, with the same ids.
  func isSame(as other: Self) -> Bool {
    guard from == other.from, branch.origin == other.branch.origin,
      branch.masks == other.branch.masks,
      let own = branch.identification, let theirs = other.branch.identification
    else { return false }
    return own.isSame(as: theirs)
      && branch.expressions.map { CanonicalText.of($0.span) }
        == other.branch.expressions.map { CanonicalText.of($0.span) }
  }
}
