import Diagnostics
import Expressions

extension TransformReader {
  static let partitionsDefault: Int32 = 12
  private static let futureDefaultMs: Int64 = 3_600_000

  private var partitions: Int32 {
    Int32(
      clamping: record["journal"]?.record?["partitions"]?.integer ?? Int(Self.partitionsDefault))
  }

  /// The product, when nothing is wrong.
  func definition() -> ProductDefinition {
    let descriptor = around.descriptor
    let names = WireNames(
      environment: around.environment, domain: descriptor.domain, product: descriptor.id)
    let logic = logicFiles()
    return ProductDefinition(
      mesh: around.mesh, domain: descriptor.domain, name: descriptor.id,
      version: descriptor.version, inputs: inputs.indices.map(input),
      journals: journals.map(journal), identifiers: identifiers,
      streams: streams.values.map(stream).sorted { $0.name < $1.name }, joins: joinDefinitions,
      tables: tables.map(table),
      outputs: outputs.enumerated().map { output($0.offset, $0.element) },
      onError: record.text("onError") == "stop" ? .stop : .quarantine,
      order: record.text("order").flatMap(KeyOrder.init) ?? .skip,
      futureMsMax: record["future"]?.durationMs ?? Self.futureDefaultMs, names: names,
      logicDigest: LogicText.digest(logic), logicFiles: logic)
  }

  /// The input; of a port's fields only those that are used. What its owner adds to it, in a
  /// version that breaks nobody, is then none of this product's logic.
  private func input(_ index: Int) -> InputDefinition {
    var input = inputs[index]
    if input.port == nil { return input }
    let used = usedFields(ofInput: index)
    if used.contains("") { return input }
    input.events = input.events.map { event in
      EventType(name: event.name, fields: event.fields.filter { used.contains($0.name) })
    }
    return input
  }

  /// Fields of an input's events by what is read of them; an empty name is all of an event.
  private func usedFields(ofInput index: Int) -> Set<String> {
    var all: [CheckedExpression] = []
    func add(_ branch: Branch, _ more: [CheckedExpression?]) {
      if branch.event?.input == index { all += branch.expressions + more.compactMap(\.self) }
    }
    eachUse(add)
    for side in joinDefinitions.flatMap(\.sides) { add(side.branch, side.key + side.fields) }
    for (event, key) in journals.flatMap(\.keys) where event.input == index {
      switch key {
      case .parts(let parts), .handed(let parts): all += parts
      case .source, .links: break
      }
    }
    for identifier in identifiers where identifier.links.input == index {
      all += [identifier.system, identifier.local, identifier.global]
    }
    let paths = all.flatMap(\.uses).filter { $0.parts.first == "event" }
      .map { Array($0.parts.dropFirst()) }
    return Set(
      (paths + [inputs[index].id?.path, inputs[index].time].compactMap(\.self)).map {
        $0.first ?? ""
      })
  }

  /// Each way, with what tables and ports read on it.
  func eachUse(_ body: (Branch, [CheckedExpression?]) -> Void) {
    for clause in tables.flatMap(\.clauses) {
      body(clause.branch, clause.key + [clause.delete])
      for update in clause.updates {
        body(clause.branch, [update.argument, update.condition, update.mapKey])
      }
    }
    for case .events(let branches) in outputs.map(\.content) {
      for branch in branches {
        body(branch.branch, branch.key + [branch.when])
        for case .expression(let expression) in branch.columns.map(\.source) {
          body(branch.branch, [expression])
        }
      }
    }
  }

  private var prefix: String { around.environment.isEmpty ? "" : around.environment + "." }

  private func journal(_ draft: JournalDraft) -> JournalDefinition {
    let descriptor = around.descriptor
    return JournalDefinition(
      name: draft.name,
      topic: "\(prefix)weft.\(descriptor.domain).\(descriptor.id).journal.\(draft.name)",
      partitions: partitions,
      retentionMs: record["journal"]?.record?["retention"]?.durationMs, keys: draft.keys,
      handovers: draft.handovers)
  }

  private func table(_ draft: TableDraft) -> TableDefinition {
    TableDefinition(
      name: draft.name, journal: draft.journal, keyTypes: draft.keyTypes,
      columns: draft.columns.map {
        .init(
          name: $0.name, type: $0.type, decimalPlaces: $0.decimalPlaces,
          quantileBillionths: $0.billionths)
      }, clauses: draft.clauses, expireAfterMs: draft.expireAfterMs,
      window: draft.window, deletions: draft.deletions)
  }

  private func output(_ index: Int, _ draft: OutputDraft) -> OutputDefinition {
    let count = draft.partitions.map { Int32(clamping: $0) } ?? partitions
    return OutputDefinition(
      port: draft.port, major: draft.major, topic: prefix + draft.topic, partitions: count,
      envelope: draft.envelope, content: draft.content, journal: outputJournals[index] ?? 0,
      fields: draft.object.fields, contractId: draft.contract.id, onViolation: draft.onViolation,
      corrects: draft.object.corrects)
  }

  /// All that can change what the product publishes, part by part, in a form that formatting,
  /// comments and the order of maps do not change.
  private func logicFiles() -> [LogicFile] {
    var files = [LogicFile(path: "product", content: productLogic())]
    for input in inputs.indices.map(input) {
      files.append(LogicFile(path: "input \(input.name)", content: LogicText.of(input)))
    }
    for draft in streams.values {
      files.append(LogicFile(path: "stream \(draft.name)", content: logic(of: stream(draft))))
    }
    for draft in tables {
      let lines =
        draft.logic.sorted() + draft.columns.map { "type \($0.name) = \($0.type)" }.sorted()
      files.append(LogicFile(path: "table \(draft.name)", content: LogicText.joined(lines)))
    }
    for (index, draft) in outputs.enumerated() {
      var lines = draft.logic.sorted()
      lines.append("partitions = \(output(index, draft).partitions)")
      if draft.object.corrects { lines.append("corrections = true") }
      lines += LogicText.lines(of: draft.object.fields, path: "")
      files.append(
        LogicFile(path: "output \(draft.port)@\(draft.major)", content: LogicText.joined(lines)))
    }
    if let key = around.pseudonymKey, files.contains(where: { $0.content.contains("pseudonym(") }) {
      files.append(
        LogicFile(
          path: "key pseudonym", content: LogicText.joined(["key = \(LogicText.fingerprint(key))"]))
      )
    }
    return files.sorted { $0.path < $1.path }
  }

  private func productLogic() -> String {
    var lines = [
      "semantics = \(LogicText.semanticsVersion)",
      "onError = \(record.text("onError") ?? "quarantine")",
      "future = \(record["future"]?.durationMs ?? Self.futureDefaultMs) ms",
    ]
    if let order = record.text("order").flatMap(KeyOrder.init), order != .skip {
      lines.append("order = \(order.rawValue)")
    }
    for (index, draft) in journals.enumerated() {
      let key = draft.keyTexts.isEmpty ? "source" : draft.keyTexts.joined(separator: ", ")
      let events = draft.keys.keys.map { event in
        "\(inputs[event.input].name).\(inputs[event.input].events[event.event].name)"
      }.sorted()
      let made = outputs.indices.filter { outputJournals[$0] == index }.map {
        "\(outputs[$0].port)@\(outputs[$0].major)"
      }
      lines.append("journal \(draft.name) = \(partitions) by \(key)")
      lines.append("journal \(draft.name) takes = \(events.joined(separator: ", "))")
      lines.append("journal \(draft.name) makes = \(made.sorted().joined(separator: ", "))")
      lines += Set(
        draft.handovers.compactMap { handover in
          guard let event = handover.branch.event else { return nil }
          return "journal \(draft.name) is handed = \(inputs[event.input].name)."
            + "\(inputs[event.input].events[event.event].name) by \(journals[handover.from].name)"
        }
      ).sorted()
    }
    for identifier in identifiers {
      let parts = [identifier.system, identifier.local, identifier.global]
      let texts = parts.map { CanonicalText.of($0.span) }.joined(separator: ", ")
      lines.append(
        "identifier \(identifier.name) = \(inputs[identifier.links.input].name): \(texts)")
    }
    if isDirect { lines.append("journal = none") }
    return LogicText.joined(lines)
  }

  private func flows(of draft: StreamDraft) -> [Flow] {
    if draft.fields["identify"] == nil { return [] }
    if case .read(let flows) = draft.state { return flows }
    return []
  }

  private func sources(of draft: StreamDraft) -> [String] {
    if let join = draft.fields["join"]?.record {
      return ["left", "right"].compactMap { join.text($0) }
    }
    return draft.fields["from"]?.items.compactMap(\.text) ?? []
  }

  private func stream(_ draft: StreamDraft) -> StreamDefinition {
    var unheard: [Diagnostic] = []
    let block = draft.fields["let"]?.node.textSpan
      .map { AssignmentBlock(parsing: $0, into: &unheard) }
    return StreamDefinition(
      name: draft.name, from: sources(of: draft),
      explosion: draft.fields["explode"]?.entries.first.flatMap { key, value in
        value.node.textSpan.map { .init(name: key.text ?? "", value: $0) }
      },
      lookups: (draft.fields["lookup"]?.entries ?? []).compactMap { key, value in
        value.node.textSpan.map { .init(name: key.text ?? "", value: $0) }
      }.sorted { $0.name < $1.name },
      condition: draft.fields["where"]?.node.textSpan,
      identifications: flows(of: draft).compactMap { $0.branch.identification },
      variables: block?.assignments.map { .init(name: $0.name, value: $0.value.span) } ?? [],
      masks: masks(draft.fields).map {
        ($0.path.parts.dropFirst().joined(separator: "."), $0.mask)
      }.sorted { $0.0 < $1.0 })
  }

  private func logic(of stream: StreamDefinition) -> String {
    var lines = ["from = " + stream.from.sorted().joined(separator: ", ")]
    if let join = joins.first(where: { $0.stream == stream.name }) {
      let key = join.keyParts.map { CanonicalText.of($0.expression.span) }
      // Which is which has a meaning.
      lines.append(
        "join = \(stream.from.joined(separator: " with ")) by \(key.joined(separator: ", ")), within "
          + "\(join.withinMs) ms, grace \(join.graceMs) ms")
    }
    if let list = stream.explosion {
      lines.append("explode \(list.name) = " + CanonicalText.of(list.value))
    }
    lines += stream.lookups.map { "lookup \($0.name) = " + CanonicalText.of($0.value) }
    if let condition = stream.condition { lines.append("where = " + CanonicalText.of(condition)) }
    lines += Set(
      stream.identifications.map { found in
        "identify \(found.name) = \(found.system), \(CanonicalText.of(found.local.span)), "
          + found.unmapped.rawValue
          + (found.repairableMs.map { ", repairable \($0) ms" } ?? "")
      }
    ).sorted()
    // Their order has a meaning.
    lines += stream.variables.map { "let \($0.name) = " + CanonicalText.of($0.value) }
    // As calls, so that the key of pseudonyms is part of the logic.
    lines += stream.masks.map { "mask \($0.field) = \($0.mask.rawValue)()" }
    return LogicText.joined(lines)
  }
}
