import Diagnostics
import Expressions

/// A line of `identify`, before it is known in which scope.
struct IdentificationDraft {
  let identifier: Int
  let name: String
  let nameSpan: SourceSpan
  let system: String
  let local: ParsedExpression
  let unmapped: Identification.Unmapped
  let repairableMs: Int64?
}

// Global identifiers: which of the mesh's are used, where their links come from, and how streams
// use them.
extension TransformReader {
  /// The identifiers that streams name, each with the input that brings its links: one that is
  /// there, or one more.
  mutating func readIdentifiers() {
    let lines = (record["streams"]?.entries ?? []).flatMap { stream in
      stream.value.record?["identify"]?.entries ?? []
    }
    let names = Set(lines.compactMap(\.key.text))
    for identifier in around.identifiers.sorted(by: { $0.name < $1.name })
    where names.contains(identifier.name) {
      guard let port = port(identifier.links.text ?? "", identifier.links.span) else { continue }
      linkInput(of: port, identifier.links.span)
    }
    // Ordinals are those of all inputs, in the order of their names.
    inputs.sort { $0.name < $1.name }
    for identifier in around.identifiers.sorted(by: { $0.name < $1.name })
    where names.contains(identifier.name) {
      guard let reference = PortReference(identifier.links.text ?? ""),
        case .found(let port) = around.ports.find(reference),
        let input = inputs.firstIndex(where: { $0.port?.address == port.address })
      else { continue }
      if inputs[input].corrects {
        report(
          .notThereYet, "links that may be taken back are not there yet", identifier.links.span)
        continue
      }
      let scope = Scope(Flow.base(inputs[input].events[0]).filter { $0.name == "event" })
      guard let system = check(identifier.system, scope, expecting: .string),
        let local = check(identifier.local, scope, expecting: .string),
        let global = check(identifier.global, scope, expecting: .string)
      else { continue }
      identifiers.append(
        IdentifierDefinition(
          name: identifier.name, links: EventReference(input: input, event: 0), system: system,
          local: local, global: global))
    }
  }

  /// Adds an input for a port that brings links, unless the product takes it in anyway.
  private mutating func linkInput(of port: ForeignPort, _ span: SourceSpan) {
    if let known = inputs.first(where: { $0.port?.address == port.address }) {
      if known.undoesDeletions { refuseStatePort(port, span, input: known.name) }
      return
    }
    if port.port.isState { return refuseStatePort(port, span, input: nil) }
    var name = port.port.name
    // No name in a file has such a one.
    while inputs.contains(where: { $0.name == name }) { name = "\(port.product)#\(name)" }
    inputs.append(
      InputDefinition(
        name: name, topic: port.port.topic, discriminator: nil, id: nil, time: nil,
        start: .earliest, events: [EventType(name: port.port.name, fields: port.port.fields)],
        port: .init(port), corrects: port.port.corrects))
  }

  private mutating func refuseStatePort(
    _ port: ForeignPort, _ span: SourceSpan, input: String?
  ) {
    report(
      .notThereYet,
      "links that are deleted are not there yet, and `\(port.address)` is a state port",
      span,
      help: "publish links at an event port, or take this one in and "
        + "write `deletions: ignore` at the input\(input.map { " `\($0)`" } ?? "")")
  }

  /// What a stream's `identify` asks for; nil when something is wrong, and that has been said.
  mutating func identifications(_ fields: FileRecord) -> [IdentificationDraft]? {
    var found: [IdentificationDraft] = []
    var isWhole = !fields.isBroken("identify")
    for (key, value) in fields["identify"]?.entries ?? [] {
      guard let name = key.text, let line = value.record, let system = line.text("system"),
        let local = line["local"].flatMap({ parsed($0) })
      else {
        isWhole = false
        continue
      }
      guard let identifier = identifiers.firstIndex(where: { $0.name == name }) else {
        isWhole = false
        let known = around.identifiers.map(\.name)
        // One that is there but broken has been told of.
        if known.contains(name) { continue }
        report(
          .unknownReference, "mesh.yaml has no identifier `\(name)`", key.span,
          notes: known.isEmpty ? [] : ["identifiers: \(Self.names(known))"],
          help: closest(to: name, among: known).map { "did you mean `\($0)`?" })
        continue
      }
      if !found.isEmpty {
        report(.notThereYet, "a stream that is identified twice is not there yet", key.span)
        isWhole = false
        continue
      }
      found.append(
        IdentificationDraft(
          identifier: identifier, name: name, nameSpan: key.span, system: system, local: local,
          unmapped: line.text("unmapped").flatMap(Identification.Unmapped.init) ?? .hold,
          repairableMs: line["repairable"]?.durationMs))
    }
    if isDirect, let first = found.first {
      report(
        .journal, "a product with `journal: none` cannot identify", first.nameSpan,
        help: "remove `journal: none`: events that wait for a link are kept in state")
      return nil
    }
    return isWhole ? found : nil
  }

  /// Adds the step to one event type's way; false when it does not fit, and that was said.
  mutating func identify(_ draft: IdentificationDraft, _ flow: inout Flow) -> Bool {
    guard let event = flow.branch.event else {
      report(
        .notThereYet, "changes of a table's rows that are identified are not there yet",
        draft.nameSpan, help: "identify the events that the table is made of")
      return false
    }
    if flow.branch.identification != nil {
      report(
        .notThereYet, "a stream that is identified twice is not there yet", draft.nameSpan)
      return false
    }
    if inputs[event.input].corrects {
      report(
        .notThereYet, "to identify what may be taken back is not there yet", draft.nameSpan,
        notes: ["records of `\(inputs[event.input].name)` may be taken back"])
      return false
    }
    guard let local = check(draft.local, flow.scope, expecting: .string),
      !usesMasked(local, flow, "`local`")
    else { return false }
    if let used = flow.variables.first(where: { variable in
      local.uses.contains { $0.parts.first == variable.name }
    }) {
      report(
        .badKey, "`local` uses `\(used.name)`, and is needed before any `let`", draft.local.span,
        help: "write its expression here")
      return false
    }
    let found = Identification(
      identifier: draft.identifier, name: draft.name, system: draft.system, local: local,
      unmapped: draft.unmapped, repairableMs: draft.repairableMs)
    flow.branch.steps.append(.identify(found))
    flow.ids.append(
      .init(draft.name, .string, isRequired: draft.unmapped != .provisional))
    return true
  }

  // MARK: Their journals

  /// The local ids by which streams are identified that reach a table or a port: their events, and
  /// the links that they need, have to be in one journal by each.
  var localKeys: [(text: String, key: ParsedExpression)] {
    var found: [(text: String, key: ParsedExpression)] = []
    for branch in identifiedBranches {
      guard let local = branch.identification?.local else { continue }
      let text = CanonicalText.of(local.span)
      if found.contains(where: { $0.text == text }) { continue }
      var unheard: [Diagnostic] = []
      if let parsed = ParsedExpression.parse(local.span, into: &unheard) {
        found.append((text, parsed))
      }
    }
    return found.sorted { $0.text < $1.text }
  }

  private var identifiedBranches: [Branch] {
    let ofTables = tables.flatMap(\.clauses).map(\.branch)
    let ofPorts = outputs.flatMap { output -> [Branch] in
      guard case .events(let branches) = output.content else { return [] }
      return branches.map(\.branch)
    }
    return (ofTables + ofPorts).filter { $0.identification != nil }
  }

  /// The local ids by which ways are identified.
  func localKeys(of branches: [Branch]) -> Set<String> {
    Set(branches.compactMap { $0.identification.map { CanonicalText.of($0.local.span) } })
  }

  /// The journal that ingest writes by a local id alone.
  func firstJournal(by local: String) -> Int? {
    journals.firstIndex { !$0.isChained && $0.keyTexts == [local] }
  }

  /// Has each journal take the links that its events need.
  mutating func takeLinks() {
    for journal in journals.indices {
      guard let text = journals[journal].keyTexts.first, journals[journal].keyTexts.count == 1,
        !journals[journal].isChained
      else { continue }
      for branch in identifiedBranches {
        guard let found = branch.identification, CanonicalText.of(found.local.span) == text,
          let event = branch.event, journals[journal].keys[event] != nil
        else { continue }
        let links = identifiers[found.identifier].links
        switch journals[journal].keys[links] {
        case nil:
          journals[journal].keys[links] = .links(
            identifier: found.identifier, systems: [found.system])
        case .links(found.identifier, let systems)?:
          journals[journal].keys[links] = .links(
            identifier: found.identifier, systems: systems.union([found.system]))
        case .links?, .parts?, .source?, .handed?:
          report(
            .notThereYet,
            "links that the same journal takes for something else are not there yet",
            found.local.span)
        }
      }
    }
  }
}
