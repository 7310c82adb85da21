import Diagnostics
import Expressions

extension TransformReader {
  /// Inputs in the order of their names: an input's ordinal stands in the journal, and the order of
  /// a map's keys means nothing.
  mutating func readInputs() {
    let ports = around.descriptor.inputPorts
    let entries = (record["inputs"]?.entries ?? []).sorted {
      ($0.key.text ?? "") < ($1.key.text ?? "")
    }
    // Fields that were broken have been told of; their inputs count as broken, not as unknown.
    let given = record.keys["inputs"] == nil ? [] : inputNames()
    brokenNames.formUnion(given)
    for (key, value) in entries {
      guard let name = key.text, let fields = value.record else { continue }
      guard let port = ports.first(where: { $0.name == name }) else {
        report(
          .unknownReference, "`\(name)` is no input port of product.odps.yaml", key.span,
          notes: ports.isEmpty ? [] : ["input ports: \(Self.names(ports.map(\.name)))"],
          help: closest(to: name, among: ports.map(\.name)).map { "did you mean `\($0)`?" })
        continue
      }
      if !FieldReader.isName(name) {
        report(.badValue, "`\(name)` is not \(Shape.name.text)", key.span)
        continue
      }
      if let input = input(name, fields, port) {
        inputs.append(input)
        brokenNames.remove(name)
      }
    }
    for port in ports where !given.contains(port.name) && record["inputs"] != nil {
      report(
        .unfulfilled, "input port `\(port.name)` is not taken in by transform.yaml", port.nameSpan,
        help: "add it under `inputs`, or remove it here")
    }
  }

  private func inputNames() -> Set<String> {
    Set((record.node["inputs"]?.entries ?? []).compactMap(\.key.text))
  }

  private mutating func input(_ name: String, _ fields: FileRecord, _ port: ProductDescriptor.Port)
    -> InputDefinition?
  {
    if fields.isBroken("port") { return nil }
    if let reference = fields["port"] { return input(name, fields, from: reference, port) }
    checkDeletions(fields, isState: false)
    // Only without a contract are the types unknown that all else depends on.
    let topic = needed("topic", of: fields) ?? ""
    guard let contract = contract(fields, port) else { return nil }
    inputContracts[name] = contract
    if !topic.isEmpty { checkTopic(topic, contract, fields) }
    let events = contract.objects.map { EventType(name: $0.name, fields: $0.fields) }
    let discriminator = fields.text("discriminator").map(Self.path)
    if let discriminator {
      checkPath(discriminator, fields["discriminator"], events, [.string])
    } else if events.count > 1, !fields.isBroken("discriminator") {
      report(
        .missingKey, "`discriminator` is missing: the contract has \(events.count) event types",
        fields.span("contract"),
        help: "name the field that tells them apart: `discriminator: type`")
    }
    let identity = identity(fields, events)
    let time = fields.text("time").map(Self.path)
    if let time {
      checkPath(time, fields["time"], events, [.timestamp, .date])
    }
    let corrects = contract.objects.contains(where: \.corrects)
    if corrects { refuseIdentity(fields) }
    return InputDefinition(
      name: name, topic: topic, discriminator: discriminator, id: corrects ? nil : identity,
      time: time, start: start(fields["start"]), events: events, corrects: corrects)
  }

  /// An input that is another product's output port: what comes there is that product's to say.
  private mutating func input(
    _ name: String, _ fields: FileRecord, from value: FileValue, _ port: ProductDescriptor.Port
  ) -> InputDefinition? {
    for other in ["topic", "format", "contract", "discriminator"] where fields[other] != nil {
      report(
        .misplaced, "`\(other)` is what the port says", fields.keySpan(other),
        help: "remove it, or `port`")
    }
    guard let found = self.port(value.text ?? "", value.span) else { return nil }
    if found.port.major != port.major {
      report(
        .unknownReference,
        "this is version \(found.port.major), and product.odps.yaml takes in \(port.version)",
        value.span)
    }
    let event = EventType(name: found.port.name, fields: found.port.fields)
    let time = fields.text("time").map(Self.path)
    if let time { checkPath(time, fields["time"], [event], [.timestamp, .date]) }
    checkDeletions(fields, isState: found.port.isState)
    let corrects = found.port.corrects
    if corrects { refuseIdentity(fields) }
    var input = InputDefinition(
      name: name, topic: found.port.topic, discriminator: nil,
      id: corrects ? nil : identity(fields, [event]), time: time, start: start(fields["start"]),
      events: [event], port: .init(found), corrects: corrects)
    input.undoesDeletions = found.port.isState && fields.text("deletions") != "ignore"
    return input
  }

  /// The port that a file names; nil when it cannot be had, and that has been said.
  mutating func port(_ text: String, _ span: SourceSpan) -> ForeignPort? {
    guard let reference = PortReference(text) else {
      report(
        .badValue, "`\(text)` names no output port", span,
        help: "write `product#port@1`, or `domain/product#port@1`")
      return nil
    }
    switch around.ports.find(reference) {
    case .found(let port): return port
    case .missing(let help):
      report(.unknownReference, "there is no output port `\(reference)`", span, help: help)
    case .several(let domains):
      report(
        .ambiguousName, "several domains have a product `\(reference.product)`", span,
        help: "name one: " + domains.map { "`\($0)/\(reference)`" }.joined(separator: ", "))
    case .unknown(let why):
      report(
        .unknownReference, "the output port `\(reference)` is not to be found", span, notes: [why])
    case .unpublished(let why):
      report(
        .unpublishedPort, "the output port `\(reference)` is not published yet", span, notes: [why],
        help: "`weft apply` of the domain that owns it publishes it; `weft run` waits for it")
    }
    return nil
  }

  /// A retraction has the content of what it takes back, and so its id as well.
  private mutating func refuseIdentity(_ fields: FileRecord) {
    if fields["id"] == nil { return }
    report(
      .corrections, "records that may be taken back are known by their `ce_id`",
      fields.keySpan("id"), notes: ["a retraction has the content of what it takes back"],
      help: "remove `id`: redeliveries are told without it")
  }

  static func path(_ text: String) -> [String] { text.split(separator: ".").map(String.init) }

  private mutating func needed(_ name: String, of fields: FileRecord) -> String? {
    if let text = fields.text(name) { return text }
    if fields.isBroken(name) { return nil }
    let first = fields.node.entries.first?.key.span ?? fields.node.span
    report(.missingKey, "`\(name)` is missing", first, label: "an input needs it")
    return nil
  }

  private mutating func contract(_ fields: FileRecord, _ port: ProductDescriptor.Port) -> Contract?
  {
    guard let path = needed("contract", of: fields) else { return nil }
    if around.contracts.brokenPaths.contains(path) { return nil }
    guard let contract = around.contracts.byPath[path] else {
      report(
        .missingFile, "there is no contract `\(path)`", fields.span("contract"),
        help: closest(to: path, among: around.contracts.byPath.keys.sorted())
          .map { "did you mean `\($0)`?" } ?? Self.beginContract(port, at: path))
      return nil
    }
    if contract.id != port.contractId {
      report(
        .unknownReference, "`\(path)` is contract `\(contract.id)`, not `\(port.contractId)`",
        fields.span("contract"),
        notes: ["product.odps.yaml names `\(port.contractId)` for this input port"])
    }
    return contract
  }

  /// A contract may be kept in more topics than the one it names, so this is a warning.
  private mutating func checkTopic(_ topic: String, _ contract: Contract, _ fields: FileRecord) {
    for object in contract.objects {
      guard let promised = object.topic, promised != topic else { continue }
      diagnostics.append(
        Diagnostic(
          .wrongTopic, "the contract says that `\(object.name)` comes in topic `\(promised)`",
          at: fields.span("topic"), help: "correct `topic` here or `physicalName` there",
          severity: .warning))
      return
    }
  }

  /// Tells when the field is not there, always, and of one of the types, in every event type.
  private mutating func checkPath(
    _ path: [String], _ value: FileValue?, _ events: [EventType], _ types: [ValueType]
  ) {
    guard let value else { return }
    for event in events {
      guard let (field, isAlways) = Self.field(path, in: event.fields) else {
        report(
          .unknownReference, "`\(path.joined(separator: "."))` is not a field of `\(event.name)`",
          value.span,
          help: closest(to: path.last ?? "", among: event.fields.map(\.name))
            .map { "did you mean `\($0)`?" })
        return
      }
      if !types.contains(field.type) || !isAlways {
        let wanted = types.map(\.description).joined(separator: " or ")
        let found = "\(isAlways ? "" : "optional ")\(field.type)"
        report(
          .breaksContract,
          "a required \(wanted) is needed here, and `\(field.name)` of "
            + "`\(event.name)` is \(found)", value.span)
        return
      }
    }
  }

  private static func field(_ path: [String], in fields: [ContractField]) -> (ContractField, Bool)?
  {
    var fields = fields
    var isAlways = true
    for (index, name) in path.enumerated() {
      guard let field = fields.first(where: { $0.name == name }) else { return nil }
      isAlways = isAlways && field.isRequired
      if index == path.count - 1 { return (field, isAlways) }
      guard case .object = field.type else { return nil }
      fields = field.fields
    }
    return nil
  }

  private static let horizonDefaultMs: Int64 = 7 * 86_400_000

  private mutating func identity(_ fields: FileRecord, _ events: [EventType])
    -> InputDefinition.Identity?
  {
    guard let id = fields["id"] else { return nil }
    let field = id.record?["field"] ?? id
    guard let text = field.text else { return nil }
    let path = Self.path(text)
    checkPath(path, field, events, [.string, .int])
    let horizon = id.record?["horizon"]?.durationMs ?? Self.horizonDefaultMs
    return InputDefinition.Identity(path: path, horizonMs: horizon)
  }

  private func start(_ value: FileValue?) -> InputDefinition.Start {
    switch value?.content {
    case .timestamp(let milliseconds): .timestamp(milliseconds)
    case .text("latest"): .latest
    default: .earliest
    }
  }
}
