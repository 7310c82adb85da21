import Diagnostics
import Expressions

extension TransformReader {
  mutating func readOutputs() {
    let entries = (record["outputs"]?.entries ?? []).sorted {
      ($0.key.text ?? "") < ($1.key.text ?? "")
    }
    for (key, value) in entries {
      guard let name = key.text, let fields = value.record else { continue }
      let before = diagnostics.count
      guard let draft = output(name, key, fields), diagnostics.count == before else { continue }
      outputs.append(draft)
    }
    checkPromises()
  }

  private mutating func output(_ name: String, _ key: YAMLNode, _ fields: FileRecord)
    -> OutputDraft?
  {
    guard let (port, major) = address(name, key) else { return nil }
    let ports = around.descriptor.outputPorts
    guard let promised = ports.first(where: { $0.name == port && $0.major == major }) else {
      unpromised(port, major, key)
      return nil
    }
    guard let contract = contract(promised) else { return nil }
    guard let object = contract.objects.first, contract.objects.count == 1 else {
      report(
        .breaksContract, "the contract of an output port describes one kind of record",
        contract.objects[1].nameSpan, help: "give each kind a port of its own")
      return nil
    }
    let descriptor = around.descriptor
    let topic = "\(descriptor.domain).\(descriptor.id).\(port).v\(major)"
    if let written = object.topic, written != topic, !descriptor.lacksName {
      report(
        .wrongTopic, "the topic of `\(port)@\(major)` is `\(topic)`, not `\(written)`",
        object.topicSpan, help: "write `physicalName: \(topic)`")
    }
    var draft = OutputDraft(
      port: port, major: major, nameSpan: key.span, topic: topic, contract: contract,
      object: object,
      envelope: fields.text("envelope") == "bare" ? .bare : .cloudevents,
      onViolation: fields.text("onViolation") == "stop" ? .stop : .quarantine,
      partitions: fields["partitions"]?.integer, content: .events([]), keyTexts: [], key: [],
      logic: [])
    guard let references = fields["from"]?.items, !references.isEmpty else { return nil }
    draft.logic = [
      "topic = \(topic)", "envelope = \(draft.envelope)", "onViolation = \(draft.onViolation)",
      "from = " + references.compactMap(\.text).sorted().joined(separator: ", "),
    ]
    if let condition = fields["when"]?.node.textSpan {
      draft.logic.append("when = " + CanonicalText.of(condition))
    }
    let tableNames = self.tableNames
    // Which kind of port it is depends on what the name stands for, and all else on the kind.
    let unknown = references.filter { !isKnown($0, amongTables: tableNames) }
    if !unknown.isEmpty { return nil }
    let isTable = references.contains { $0.text.map(tableNames.contains) ?? false }
    if !isTable { return events(references, fields, draft) }
    if references.count > 1 {
      report(
        .misplaced, "a state port is made of one table", fields.span("from"),
        help: "give each table a port of its own")
      return nil
    }
    checkNoCorrections(draft)
    return state(references[0], fields, draft)
  }

  /// `claim` or `claim@2`.
  private mutating func address(_ name: String, _ key: YAMLNode) -> (String, Int)? {
    let parts = name.split(separator: "@", omittingEmptySubsequences: false)
    let major = parts.count == 1 ? 1 : Int(parts[1])
    let port = parts.first.map(String.init) ?? ""
    guard parts.count <= 2, let major, major >= 0, FieldReader.isWireName(port) else {
      report(
        .badValue, "`\(name)` is no port", key.span,
        help: "write its name in lower case, or `name@major`")
      return nil
    }
    if parts.count == 2, major == 1, record.node["outputs"]?[port] != nil {
      report(.repeatedKey, "`\(port)` and `\(port)@1` are the same port", key.span)
      return nil
    }
    return (port, major)
  }

  private mutating func unpromised(_ port: String, _ major: Int, _ key: YAMLNode) {
    if around.descriptor.brokenPorts.contains(port) { return }
    let ports = around.descriptor.outputPorts
    let majors = ports.filter { $0.name == port }.map { "`\(port)@\($0.major)`" }
    let near = closest(to: port, among: ports.map(\.name))
    report(
      .unfulfilled, "`\(port)@\(major)` is no output port of product.odps.yaml", key.span,
      notes: majors.isEmpty ? [] : ["of `\(port)` it has \(majors.joined(separator: ", "))"],
      help: near.map { "did you mean `\($0)`?" }
        ?? "list it there: `{name: \(port), version: \"\(major).0.0\", contractId: …}`")
  }

  private mutating func contract(_ port: ProductDescriptor.Port) -> Contract? {
    let contracts = around.contracts
    if let found = contracts.contract(id: port.contractId, major: port.major) { return found }
    if contracts.hasBroken { return nil }
    let majors = contracts.all.filter { $0.id == port.contractId }.map { $0.version }
    report(
      .unknownReference,
      "there is no contract `\(port.contractId)` of version \(port.major) in `contracts`",
      port.contractSpan, notes: majors.isEmpty ? [] : ["versions there: \(Self.names(majors))"],
      help: majors.isEmpty
        ? closest(to: port.contractId, among: contracts.all.map(\.id))
          .map { "did you mean `\($0)`?" } ?? Self.beginContract(port)
        : Self.beginContract(port))
    return nil
  }

  /// The file of a contract that is not there, and what it begins with.
  static func beginContract(_ port: ProductDescriptor.Port, at path: String? = nil) -> String {
    let name = port.contractId.split(separator: "/").last.map(String.init) ?? port.name
    let suffix = port.major > 1 ? "-v\(port.major)" : ""
    return "write \(path ?? "contracts/\(name)\(suffix).odcs.yaml") with `apiVersion: v3.1.0`, "
      + "`kind: DataContract`, `id: \(port.contractId)`, `version: \"\(port.major).0.0\"`, "
      + "`status: draft`, and under `schema` the record's `name` and its `properties`"
  }

  private mutating func checkPromises() {
    guard record["outputs"] != nil else { return }
    let made = Set((record.node["outputs"]?.entries ?? []).compactMap(\.key.text))
    for port in around.descriptor.outputPorts {
      let isMade =
        made.contains("\(port.name)@\(port.major)")
        || (port.major == 1 && made.contains(port.name))
      if isMade { continue }
      report(
        .unfulfilled,
        "output port `\(port.name)@\(port.major)` is promised, and transform.yaml "
          + "does not make it", port.nameSpan,
        help: "add it under `outputs`, or remove it here")
    }
  }

  /// The parsed key of an event port, the same for all of its events.
  private mutating func events(
    _ references: [FileValue], _ fields: FileRecord, _ draft: OutputDraft
  ) -> OutputDraft? {
    var draft = draft
    guard let select = fields["select"] else {
      if !fields.isBroken("select") {
        report(
          .missingKey, "`select` is missing", draft.nameSpan, label: "an event port needs it",
          help: "add `select: |` and a line `name = expression` for each field of the contract")
      }
      return nil
    }
    let when = fields["when"].flatMap { parsed($0) }
    let keyValues = fields["key"]?.items ?? []
    draft.key = keyValues.compactMap { parsed($0) }
    draft.keyTexts = draft.key.map { CanonicalText.of($0.span) }
    draft.logic.append("key = " + draft.keyTexts.joined(separator: ", "))
    let blocks = SelectBlocks(select, &self)
    draft.logic += blocks.logic
    if draft.key.count != keyValues.count || (fields["when"] != nil && when == nil) { return nil }
    var branches: [OutputDefinition.EventBranch] = []
    var used: Set<String> = []
    var isWhole = true
    for reference in references {
      let flows = flows(from: reference)
      // Of what is broken it was told, and what would have come of it is not known.
      if flows == nil { isWhole = false }
      for flow in flows ?? [] {
        guard let block = blocks.block(for: flow, &self, &used, draft.nameSpan) else { continue }
        if let branch = branch(flow, when, block, draft) { branches.append(branch) }
      }
    }
    if isWhole { blocks.checkUsed(used, &self) }
    checkOnce(branches, draft)
    checkCorrections(draft, branches)
    draft.content = .events(branches)
    return draft
  }

  /// Two branches for one event type would publish it twice under one id.
  private mutating func checkOnce(
    _ branches: [OutputDefinition.EventBranch], _ draft: OutputDraft
  ) {
    var seen: Set<Branch.Origin> = []
    for branch in branches where !seen.insert(branch.branch.origin).inserted {
      let name =
        branch.branch.event.map { inputs[$0.input].events[$0.event].name }
        ?? branch.branch.changed ?? branch.branch.joined ?? ""
      report(
        .ambiguousName, "`\(name)` reaches this port in two ways", draft.nameSpan,
        help: "let one stream of `from` hold what both let through")
    }
  }

  private mutating func branch(
    _ flow: Flow, _ when: ParsedExpression?, _ block: AssignmentBlock, _ draft: OutputDraft
  ) -> OutputDefinition.EventBranch? {
    var flow = flow
    if !flow.branch.masks.isEmpty, draft.key.isEmpty {
      report(
        .badKey, "port `\(draft.port)` is made of a stream that masks fields, and needs a key",
        draft.nameSpan, notes: ["the key of the record that came in is not masked"],
        help: "add `key: …`")
      return nil
    }
    var condition: CheckedExpression?
    if let when {
      guard let checked = check(when, flow.scope, expecting: .bool) else { return nil }
      flow.known.formUnion(checked.factsWhenTrue)
      condition = checked
    }
    let before = diagnostics.count
    let key = draft.key.compactMap { keyPart($0, flow) }
    suggestWhen(from: before)
    var selection = Selection(draft, row: nil)
    selection.add(block, flow.scope, &self)
    let columns = selection.columns(&self)
    if key.count != draft.key.count { return nil }
    return OutputDefinition.EventBranch(
      branch: flow.branch, when: condition, key: key, columns: columns)
  }

  /// A part of a port's key that may be absent can also be asked for; a table's cannot, as the
  /// journal needs it before anything is asked.
  private mutating func suggestWhen(from first: Int) {
    for index in first..<diagnostics.count where diagnostics[index].code.text == "W0312" {
      guard let span = diagnostics[index].span, let help = diagnostics[index].help else { continue }
      let text = String(decoding: span.source.bytes[span.range], as: UTF8.self)
      diagnostics[index].help =
        help
        + ", or publish only events that have it: `when: has(\(text.replacing(".?", with: ".")))`"
    }
  }
}
