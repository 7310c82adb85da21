import Diagnostics
import Expressions

/// A join on its way to its definition.
struct JoinDraft {
  struct Side {
    let flow: Flow
    let key: [CheckedExpression]
    let object: ObjectType
    let fields: [CheckedExpression]
  }

  let stream: String
  let nameSpan: SourceSpan
  let left: Side
  let right: Side
  let key: ObjectType
  let keyParts: [KeyPart]
  let withinMs: Int64
  let graceMs: Int64
  var journal = 0

  var sides: [Side] { [left, right] }
  var keyTexts: [String] { keyParts.map(\.text) }
}

// Streams of pairs.
extension TransformReader {
  /// The way of a stream's pairs; nil when something is wrong, and that has been said.
  mutating func pairs(_ draft: StreamDraft, _ join: FileRecord) -> Flow? {
    if let from = draft.fields["from"] {
      report(
        .misplaced, "a stream has `from` or `join`, and not both", from.span,
        help: "make this stream of the joined one")
      return nil
    }
    if isDirect {
      report(
        .journal, "a product with `journal: none` cannot join", draft.fields.keySpan("join"),
        help: "remove `journal: none`: events that wait for others are kept in state")
      return nil
    }
    let key = (join["key"]?.items ?? []).compactMap { parsed($0) }
    guard let left = side("left", join), let right = side("right", join),
      let within = join["within"]?.durationMs, !key.isEmpty,
      key.count == join["key"]?.items.count
    else { return nil }
    if left.branch.event == right.branch.event {
      report(
        .misplaced, "both sides of the join are made of `\(left.name)`", join.span("right"),
        notes: ["an event would be paired with itself"])
      return nil
    }
    let parts = keyParts(key, left, right)
    guard let first = joinSide(left, key),
      let second = joinSide(right, key), agree(first, second, key)
    else { return nil }
    let names = keyNames(key, besides: [])
    let fields = zip(names, first.key).map {
      ObjectType.Field($0, $1.type, isRequired: true)
    }
    let made = JoinDraft(
      stream: draft.name, nameSpan: draft.nameSpan, left: first, right: second,
      key: ObjectType(name: "key", fields: fields), keyParts: parts,
      withinMs: within, graceMs: join["grace"]?.durationMs ?? within)
    joins.append(made)
    return Flow(
      branch: Branch(origin: .pairs(stream: draft.name), steps: []), name: draft.name,
      base: [
        Scope.Variable("left", .object(first.object)),
        Scope.Variable("right", .object(second.object)), Scope.Variable("key", .object(made.key)),
      ] + Self.rowCommon,
      keyParts: Dictionary(uniqueKeysWithValues: zip(names, parts)), names: [])
  }

  /// The one way that a side of a join stands for.
  private mutating func side(_ name: String, _ join: FileRecord) -> Flow? {
    guard let value = join[name], let flows = flows(from: value) else { return nil }
    guard let flow = flows.first, flows.count == 1 else {
      report(
        .misplaced, "a side of a join is one event type, and this stands for \(flows.count)",
        value.span, notes: ["they are " + Self.names(flows.map(\.name))],
        help: "name one of them, or make a stream of it")
      return nil
    }
    if flow.branch.event == nil {
      report(
        .notThereYet, "joins of what is made of rows or pairs are not there yet", value.span)
      return nil
    }
    if flow.branch.identification != nil {
      report(
        .notThereYet, "joins of streams that are identified are not there yet", value.span,
        help: "join them in a product that takes in a port of this one")
      return nil
    }
    if !flow.branch.masks.isEmpty {
      report(
        .notThereYet, "joins of streams that mask fields are not there yet", value.span,
        help: "join the streams before, and publish what may be seen")
      return nil
    }
    if corrects(flow.branch) {
      report(
        .corrections, "what may be taken back cannot be joined", value.span)
      return nil
    }
    return flow
  }

  /// What the key's parts are to the journal, the same for both sides.
  private func keyParts(_ key: [ParsedExpression], _ left: Flow, _ right: Flow)
    -> [KeyPart]
  {
    key.map { part in
      var found = keyPart(part, of: left)
      found.isFixed = found.isFixed && keyPart(part, of: right).isFixed
      return found
    }
  }

  /// What is kept of a side: the fields of its event, and what streams have named.
  private mutating func joinSide(_ flow: Flow, _ key: [ParsedExpression]) -> JoinDraft.Side? {
    let parts = key.compactMap { keyPart($0, flow) }
    if parts.count != key.count { return nil }
    var fields: [ObjectType.Field] = []
    var values: [CheckedExpression] = []
    let named = Set(flow.variables.map(\.name))
    func add(_ name: String, _ text: String) {
      let source = SourceText(name: flow.name, bytes: Array(text.utf8))
      var unheard: [Diagnostic] = []
      guard
        let parsed = ParsedExpression.parse(
          SourceSpan(source, 0..<source.bytes.count), into: &unheard),
        let value = Checker.check(
          parsed, in: flow.scope, allowsOptional: true, into: &unheard)
      else { return }
      fields.append(.init(name, value.type, isRequired: !value.isOptional))
      values.append(value)
    }
    if case .object(let event)? = flow.base.first(where: { $0.name == "event" })?.type {
      for field in event.fields where !named.contains(field.name) {
        add(field.name, "event.`\(field.name)`")
      }
    }
    for variable in flow.variables { add(variable.name, variable.name) }
    return JoinDraft.Side(
      flow: flow, key: parts, object: ObjectType(name: flow.name, fields: fields), fields: values)
  }

  private mutating func agree(
    _ left: JoinDraft.Side, _ right: JoinDraft.Side, _ key: [ParsedExpression]
  ) -> Bool {
    for (index, part) in key.enumerated() where left.key[index].type != right.key[index].type {
      report(
        .badKey,
        "this part of the key is \(left.key[index].type) on the left and "
          + "\(right.key[index].type) on the right", part.span)
      return false
    }
    return true
  }

  // MARK: Journals

  /// Gives each join the journal that both of its sides are in.
  mutating func placeJoins() {
    for index in joins.indices {
      guard
        let journal = journals.firstIndex(where: {
          !$0.isChained && joins[index].keyTexts.starts(with: $0.keyTexts)
        })
      else { continue }
      joins[index].journal = journal
      let join = joins[index]
      for side in join.sides {
        if let event = side.flow.branch.event { take(event, into: journal, join.nameSpan) }
      }
      checkRows(
        of: join.sides.map(\.flow.branch), in: journal, "stream `\(join.stream)`", join.nameSpan)
    }
  }

  /// The join, with what of its sides anything reads.
  func definition(_ draft: JoinDraft, read: Set<FieldPath>) -> JoinDefinition {
    func side(_ side: JoinDraft.Side, _ name: String) -> JoinDefinition.Side {
      let own = read.filter { $0.parts.first == name }
      let isWhole = own.contains { $0.parts.count == 1 }
      let names = Set(own.compactMap { $0.parts.dropFirst().first })
      return JoinDefinition.Side(
        branch: side.flow.branch, key: side.key, object: side.object,
        fields: zip(side.object.fields, side.fields).map {
          isWhole || names.contains($0.name) ? $1 : nil
        })
    }
    return JoinDefinition(
      name: draft.stream, journal: draft.journal, left: side(draft.left, "left"),
      right: side(draft.right, "right"), key: draft.key, withinMs: draft.withinMs,
      graceMs: draft.graceMs)
  }

  var joinDefinitions: [JoinDefinition] {
    joins.sorted { $0.stream < $1.stream }.map { draft in
      var read: Set<FieldPath> = []
      func add(_ branch: Branch, _ more: [CheckedExpression?]) {
        if branch.joined != draft.stream { return }
        for expression in branch.expressions + more.compactMap(\.self) {
          read.formUnion(expression.uses)
        }
      }
      eachUse(add)
      return definition(draft, read: read)
    }
  }
}
