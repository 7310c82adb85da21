import Diagnostics
import Expressions

/// A stream on its way to being branches.
struct StreamDraft {
  enum State { case unread, reading, read([Flow]), broken }
  let name: String
  let nameSpan: SourceSpan
  let fields: FileRecord
  var state = State.unread
}

extension TransformReader {
  mutating func readStreams() {
    for (key, value) in record["streams"]?.entries ?? [] {
      guard let name = key.text, let fields = value.record else { continue }
      if isTaken(name, key) { continue }
      streams[name] = StreamDraft(name: name, nameSpan: key.span, fields: fields)
    }
    brokenNames.formUnion(
      (record.node["streams"]?.entries ?? []).compactMap(\.key.text).filter { streams[$0] == nil })
  }

  /// Has every stream read, in the order of their names but for those that others are made of.
  mutating func resolveStreams() {
    for name in streams.keys.sorted() { _ = flows(ofStream: name) }
  }

  var tableNames: [String] { (record.node["tables"]?.entries ?? []).compactMap(\.key.text) }

  /// Whether the name is no name or one that something else has; then that is told.
  mutating func isTaken(_ name: String, _ key: YAMLNode) -> Bool {
    if !FieldReader.isName(name) {
      report(.badValue, "`\(name)` is not \(Shape.name.text)", key.span)
      return true
    }
    let isInput = record.node["inputs"]?[name] != nil
    if isInput || streams[name] != nil {
      report(
        .ambiguousName, "`\(name)` is \(isInput ? "an input" : "a stream") already", key.span,
        help: "give one of them another name: `from` could mean both")
      return true
    }
    return false
  }

  /// The ways of a stream's events; nil when it is broken, and that has been said.
  private mutating func flows(ofStream name: String) -> [Flow]? {
    guard let draft = streams[name] else { return nil }
    switch draft.state {
    case .read(let flows): return flows
    case .broken: return nil
    case .reading:
      reportCircle("stream `\(name)`", draft.nameSpan)
      return nil
    case .unread: break
    }
    streams[name]?.state = .reading
    making.append("stream `\(name)`")
    let flows = resolved(draft)
    making.removeLast()
    streams[name]?.state = flows.map { .read($0) } ?? .broken
    return flows
  }

  /// Says that something is made of itself; `making` has the way.
  mutating func reportCircle(_ what: String, _ span: SourceSpan) {
    let way = making.drop { $0 != what }.dropFirst()
    report(
      .circle, "\(what) is made of itself", span,
      notes: way.isEmpty ? [] : ["by way of " + way.joined(separator: ", ")],
      help: "a stream begins at an input, and looks up rows of tables that are not made of it")
  }

  private mutating func resolved(_ draft: StreamDraft) -> [Flow]? {
    guard var (flows, isWhole) = beginning(draft) else { return nil }
    let explosion = explosion(draft.fields)
    if draft.fields["explode"] != nil, explosion == nil { isWhole = false }
    let lookups = lookups(draft.fields)
    if lookups == nil { isWhole = false }
    let condition = draft.fields["where"].flatMap { parsed($0) }
    let block = draft.fields["let"].map { assignments($0) } ?? AssignmentBlock()
    let names = block.assignments
    let found = identifications(draft.fields)
    if found == nil { isWhole = false }
    if draft.fields["where"] != nil, condition == nil { isWhole = false }
    if !block.isWhole || !checkLet(names) { isWhole = false }
    for index in flows.indices {
      flows[index].names.insert(draft.name)
      if !closesWell(flows[index], draft.fields) { isWhole = false }
      if let explosion, !explode(explosion, &flows[index]) { isWhole = false }
      if let lookups, !lookUp(lookups, &flows[index]) { isWhole = false }
      if !apply(condition, names, to: &flows[index]) { isWhole = false }
      for one in found ?? [] where !identify(one, &flows[index]) { isWhole = false }
    }
    if !mask(masks(draft.fields), &flows) || draft.fields.isBroken("mask") { isWhole = false }
    return isWhole ? flows : nil
  }

  /// The ways that a stream begins with, and whether these are all; nil when there are none, and
  /// that has been said.
  private mutating func beginning(_ draft: StreamDraft) -> (flows: [Flow], isWhole: Bool)? {
    let fields = draft.fields
    if let join = fields["join"]?.record { return pairs(draft, join).map { ([$0], true) } }
    guard let from = fields["from"] else {
      if !fields.isBroken("from") && !fields.isBroken("join") {
        report(
          .missingKey, "`from` is missing", draft.nameSpan, label: "a stream needs it, or `join`",
          help: "add `from: …`, an input, event type, stream or table")
      }
      return nil
    }
    let found = from.items.map { flows(from: $0) }
    let isWhole = !fields.isBroken("from") && !found.contains { $0 == nil }
    return (found.compactMap(\.self).flatMap(\.self), isWhole)
  }

  private mutating func checkLet(_ names: [Assignment]) -> Bool {
    var isGood = true
    for item in names {
      if !item.isPlain {
        report(.misplaced, "`let` takes lines `name = expression`", item.nameSpan)
        isGood = false
      } else if isReserved(item.name, item.nameSpan) {
        isGood = false
      }
    }
    return isGood
  }

  /// Whether a name is one that Weft gives; then that is told.
  mutating func isReserved(_ name: String, _ span: SourceSpan) -> Bool {
    if !Flow.reserved.contains(name) { return false }
    report(.ambiguousName, "`\(name)` is a variable of Weft's own", span)
    return true
  }

  private mutating func apply(
    _ condition: ParsedExpression?, _ names: [Assignment], to flow: inout Flow
  ) -> Bool {
    var isGood = true
    if let condition {
      if let checked = check(condition, flow.scope, expecting: .bool) {
        flow.branch.steps.append(.filter(checked))
        flow.known.formUnion(checked.factsWhenTrue)
      } else {
        isGood = false
      }
    }
    for item in names {
      if isNamed(item.name, item.nameSpan, flow) {
        isGood = false
      } else if let checked = check(item.value, flow.scope, allowsOptional: true) {
        flow.branch.steps.append(.bind(name: item.name, checked))
        flow.variables.append(
          Scope.Variable(item.name, checked.type, isRequired: !checked.isOptional))
      } else {
        isGood = false
      }
    }
    return isGood
  }

  /// Whether a name is given already on the way; then that is told.
  mutating func isNamed(_ name: String, _ span: SourceSpan, _ flow: Flow) -> Bool {
    if !flow.variables.contains(where: { $0.name == name }) { return false }
    report(.ambiguousName, "`\(name)` is named before", span)
    return true
  }

  /// The ways that a name in `from` or `on` stands for; nil when there are none, and that was said.
  mutating func flows(from reference: FileValue) -> [Flow]? {
    reference.text.flatMap { flows(named: $0, reference.span) }
  }

  mutating func flows(named name: String, _ span: SourceSpan) -> [Flow]? {
    if streams[name] != nil { return flows(ofStream: name) }
    if tableNames.contains(name) { return changes(of: name, span).map { [$0] } }
    if brokenNames.contains(name) { return nil }
    if let input = inputs.firstIndex(where: { $0.name == name }) {
      return inputs[input].events.indices.map { flow(input, $0) }
    }
    if let dot = name.firstIndex(of: ".") {
      let inputName = String(name[..<dot])
      let eventName = String(name[name.index(after: dot)...])
      if brokenNames.contains(inputName) { return nil }
      if let input = inputs.firstIndex(where: { $0.name == inputName }) {
        return flows(input, eventName, span)
      }
    }
    reportUnknown(
      name, span, "`\(name)` is no input, event type, stream or table", also: tableNames)
    return nil
  }

  /// Whether a name in the `from` of an output stands for anything, broken or not; else that is
  /// told.
  mutating func isKnown(_ reference: FileValue, amongTables tables: [String]) -> Bool {
    guard let name = reference.text else { return true }
    let first = String(name.prefix { $0 != "." })
    if [name, first].contains(where: { name in
      streams[name] != nil || brokenNames.contains(name) || inputs.contains { $0.name == name }
    }) || tables.contains(name) {
      return true
    }
    reportUnknown(
      name, reference.span, "there is no table, stream or input `\(name)`", also: tables)
    return false
  }

  private mutating func reportUnknown(
    _ name: String, _ span: SourceSpan, _ message: String, also tables: [String] = []
  ) {
    let known =
      inputs.map(\.name) + streams.keys.sorted() + tables
      + inputs.flatMap { input in input.events.map { "\(input.name).\($0.name)" } }
    report(
      .unknownReference, message, span,
      help: (event(named: name, isExact: true) ?? closest(to: name, among: known)
        ?? event(named: name, isExact: false)).map { "did you mean `\($0)`?" })
  }

  /// `input.Event` of an event type that was written without its input.
  private func event(named name: String, isExact: Bool) -> String? {
    let all = inputs.flatMap { input in input.events.map { (input: input.name, event: $0.name) } }
    let wanted = isExact ? name : closest(to: name, among: all.map(\.event))
    return all.first { $0.event == wanted }.map { "\($0.input).\($0.event)" }
  }

  private mutating func flows(_ input: Int, _ eventName: String, _ span: SourceSpan) -> [Flow]? {
    let events = inputs[input].events
    if let event = events.firstIndex(where: { $0.name == eventName }) {
      return [flow(input, event)]
    }
    report(
      .unknownReference, "input `\(inputs[input].name)` has no event type `\(eventName)`", span,
      notes: ["event types: \(Self.names(events.map(\.name)))"],
      help: closest(to: eventName, among: events.map(\.name))
        .map { "did you mean `\(inputs[input].name).\($0)`?" })
    return nil
  }

  private func flow(_ input: Int, _ event: Int) -> Flow {
    let type = inputs[input].events[event]
    return Flow(
      branch: Branch(event: EventReference(input: input, event: event), steps: []),
      name: type.name, base: Flow.base(type),
      names: [inputs[input].name, "\(inputs[input].name).\(type.name)"])
  }
}
