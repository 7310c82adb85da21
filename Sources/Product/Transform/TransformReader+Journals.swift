import Diagnostics
import Expressions

/// A journal on its way to its definition.
struct JournalDraft {
  /// The key's parts in canonical form; empty for `source`.
  let keyTexts: [String]
  let key: [ParsedExpression]
  var keys: [EventReference: JournalDefinition.Key] = [:]
  /// Whether it is there for what others hand on.
  var isChained = false
  var handovers: [JournalDefinition.Handover] = []
  var name = ""

  var span: SourceSpan? { key.first?.span }
}

extension TransformReader {
  var isDirect: Bool { record["journal"]?.text == "none" }

  /// Events of a key that wait are kept in state, where the key is that of what is in quarantine.
  mutating func checkOrder() {
    guard record.text("order") == KeyOrder.holdKey.rawValue, let order = record["order"] else {
      return
    }
    if isDirect {
      report(
        .journal, "a product with `journal: none` cannot have the events of a key wait", order.span,
        help: "remove `journal: none`: events that wait are kept in state")
    } else if journals.contains(where: \.isChained) {
      report(
        .journal, "events that are handed on to a chained journal cannot wait by their key yet",
        order.span,
        help: "use `order: skip`, or key what is identified by its local id: `weft explain` shows"
          + " which journals are chained")
    } else if tables.contains(where: { !$0.deletions.isEmpty }) {
      report(
        .journal, "rows of a state port that are deleted cannot wait by their key yet", order.span,
        help: "use `order: skip`, or write `deletions: ignore` at the input")
    }
  }

  /// Decides which journals there are, what goes into each, and which of them each table and port
  /// is made from: tables first, those of chained journals behind the others, then event ports.
  mutating func planJournals() {
    if isDirect || record.isBroken("journal") { return }
    if outputs.isEmpty && tables.isEmpty { return }
    let locals = localKeys.map { (texts: [$0.text], key: [$0.key]) }
    let own = tables.filter { !isChained($0) && !followsChained($0) }
    let keys = (own.compactMap(journalKey) + joins.map(journalKey) + locals).sorted {
      ($0.texts.count, $0.texts.joined(separator: "\n"))
        < ($1.texts.count, $1.texts.joined(separator: "\n"))
    }
    for key in keys where !journals.contains(where: { key.texts.starts(with: $0.keyTexts) }) {
      journals.append(JournalDraft(keyTexts: key.texts, key: key.key))
    }
    for table in tables.indices
    where !isChained(tables[table]) && tables[table].source == nil {
      guard
        let journal = journals.firstIndex(where: {
          tables[table].keyTexts.starts(with: $0.keyTexts)
        })
      else { continue }
      tables[table].journal = journal
      for event in tables[table].clauses.compactMap(\.branch.event) {
        take(event, into: journal, tables[table].nameSpan)
      }
    }
    placeJoins()
    chainTables()
    followJournals()
    for table in tables {
      checkRows(
        of: table.clauses.map(\.branch), in: table.journal, "table `\(table.name)`", table.nameSpan)
    }
    checkClocks()
    for output in outputs.indices { place(output) }
    takeLinks()
    nameJournals()
  }

  /// Whether a table is made of rows whose journal is a chained one: it asks for none of its own.
  private func followsChained(_ table: TableDraft) -> Bool {
    guard let name = table.source?.rows.first?.table,
      let followed = tables.first(where: { $0.name == name })
    else { return false }
    return isChained(followed) || followsChained(followed)
  }

  /// Lets a journal hold an event type, if its key can be computed from the event alone.
  mutating func take(_ event: EventReference, into journal: Int, _ span: SourceSpan) {
    if journals[journal].keys[event] != nil { return }
    guard let key = key(of: journals[journal], event) else {
      let name = inputs[event.input].events[event.event].name
      report(
        .badKey, "the key of `\(name)` cannot be computed from every event of that type",
        journals[journal].span ?? span,
        notes: ["the journal needs it before any `where` or `let`, and before `recorded` is known"],
        help: "make the fields of the key required in the input's contract")
      return
    }
    journals[journal].keys[event] = key
  }

  private func key(of journal: JournalDraft, _ event: EventReference) -> JournalDefinition.Key? {
    if journal.keyTexts.isEmpty { return .source }
    let parts = journal.key.compactMap { journalPart($0, event) }
    return parts.count == journal.key.count ? .parts(parts) : nil
  }

  /// A part of a key, if it can be computed from the event alone.
  func journalPart(_ part: ParsedExpression, _ event: EventReference) -> CheckedExpression? {
    // Ingest computes it before the record is taken: there is no recorded time yet.
    let all = Flow.base(inputs[event.input].events[event.event])
    let scope = Scope(all.filter { !Flow.recordedNames.contains($0.name) })
    return fits(part, scope).flatMap { Self.keyTypes.contains($0.type) ? $0 : nil }
  }

  /// The key of the journal that a table asks for: the parts that its own begins with and that can
  /// be computed from the event alone, as all of its rows with these are then in one partition.
  private func journalKey(of table: TableDraft) -> (texts: [String], key: [ParsedExpression])? {
    var parts = Array(table.keyParts.prefix { $0.isFixed })
    if parts.isEmpty {
      // One made of rows has the journal of these.
      if table.source != nil { return nil }
      // It is told why the event has no such key.
      parts = table.keyParts
    }
    return (parts.map(\.text), parts.map(\.expression))
  }

  private func journalKey(of join: JoinDraft) -> (texts: [String], key: [ParsedExpression]) {
    let fixed = join.keyParts.prefix { $0.isFixed }
    let parts = fixed.isEmpty ? join.keyParts[...] : fixed
    return (parts.map(\.text), parts.map(\.expression))
  }

  /// An event port is made from the journal with its own key, else the first that holds its events
  /// or can, else one more journal keyed as the input is.
  private mutating func place(_ output: Int) {
    let draft = outputs[output]
    if case .state(let table, _, _, _) = draft.content {
      outputJournals[output] = tables[table].journal
      return
    }
    if case .events(let branches) = draft.content, placeByRows(output, branches) { return }
    let own = journals.indices.filter { !journals[$0].isChained }
    let same = own.filter { journals[$0].keyTexts == draft.keyTexts }
    let order = same + own.filter { !same.contains($0) }
    let holding = order.first { journal in
      draft.events.allSatisfy { journals[journal].keys[$0] != nil }
    }
    let able = order.first { journal in
      draft.events.allSatisfy { key(of: journals[journal], $0) != nil }
    }
    let journal: Int
    if let first = same.first, same.contains(where: { $0 == able }) {
      journal = first
    } else if let found = holding ?? able {
      journal = found
    } else {
      journals.append(JournalDraft(keyTexts: [], key: []))
      journal = journals.count - 1
    }
    for event in draft.events { take(event, into: journal, draft.nameSpan) }
    outputJournals[output] = journal
  }

  /// Where an event port is made whose events are identified, or begin with rows or look them up.
  private mutating func placeByRows(_ output: Int, _ branches: [OutputDefinition.EventBranch])
    -> Bool
  {
    let draft = outputs[output]
    let ways = branches.map(\.branch)
    let locals = localKeys(of: ways)
    if locals.count > 1 {
      chain(output, branches, locals)
    } else {
      guard
        let journal = locals.first.flatMap({ firstJournal(by: $0) })
          ?? ways.compactMap({ self.journal(of: $0) }).first
      else { return false }
      for event in draft.events { take(event, into: journal, draft.nameSpan) }
      outputJournals[output] = journal
    }
    if let journal = outputJournals[output] {
      checkRows(of: ways, in: journal, "port `\(draft.port)`", draft.nameSpan)
    }
    return true
  }

  private mutating func nameJournals() {
    let given = record["journal"]?.record?.text("name")
    var unnamed: [Int] = []
    var names: [String: Int] = [:]
    for index in journals.indices {
      let parts = journals[index].key.map { $0.path?.parts.last }
      if journals[index].keyTexts.isEmpty {
        journals[index].name = "source"
      } else if parts.contains(nil) {
        unnamed.append(index)
        continue
      } else {
        journals[index].name = parts.compactMap(\.self).joined(separator: "-")
      }
      if !Self.isTopicPart(journals[index].name) || names[journals[index].name] != nil {
        unnamed.append(index)
      } else {
        names[journals[index].name] = index
      }
    }
    if unnamed.isEmpty, journals.count == 1, given != nil { unnamed = [0] }
    name(unnamed, given)
  }

  private mutating func name(_ unnamed: [Int], _ given: String?) {
    if let given, unnamed.count == 1 {
      journals[unnamed[0]].name = given
      return
    }
    if unnamed.isEmpty {
      if given != nil {
        report(
          .journal, "each of the \(journals.count) journals has a name of its own from its key",
          record["journal"]?.record?.span("name") ?? record.node.span, help: "remove `name`")
      }
      return
    }
    for (ordinal, index) in unnamed.enumerated() where ordinal > 0 || given == nil {
      guard let span = journals[index].span else { continue }
      report(
        .journal, "this key gives its journal no name of its own", span,
        notes: ["a journal's name is made of the last field of each part of its key"],
        help: ordinal == 0
          ? namingHelp(index)
          : "only one journal can be given a name: make this key of plain fields, or of other ones")
    }
  }

  /// Where a journal's name is written. What it makes can lend its name, if no journal has it.
  private func namingHelp(_ journal: Int) -> String {
    let table = tables.first { $0.journal == journal }?.name
    let output = outputs.indices.first { outputJournals[$0] == journal }.map { outputs[$0].port }
    let lent = (table ?? output).flatMap { name in
      journals.contains { $0.name == name } ? nil : name
    }
    let name = lent ?? "NAME"
    guard let key = record.node.entries.first(where: { $0.key.text == "journal" })?.key.span else {
      return "add a line `journal: {name: \(name)}` at the top level of transform.yaml"
    }
    let line = key.source.place(of: key.range.lowerBound).line
    return "add `name: \(name)` to the top-level `journal` of transform.yaml, in line \(line)"
  }

  private static func isTopicPart(_ text: String) -> Bool {
    text.utf8.count <= 120
      && text.utf8.allSatisfy { byte in
        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == 0x5F
          || byte == 0x2D
      }
  }
}
