import Diagnostics
import Expressions
import Product
import Records

/// Compiles what a product does with one event type, or with the changes of a table's rows: gathers
/// which fields its expressions read, lays out the slots, then compiles the expressions over them.
struct EventCompiler {
  let definition: ProductDefinition
  let origin: Branch.Origin
  let tables: ContiguousArray<TablePlan>
  let ports: ContiguousArray<PortPlan>
  /// Those of the product, where events may be on their sides, whose slots stand before an event's.
  let joins: [JoinPlan]
  var slotEnd = 0

  var reference: EventReference {
    guard case .event(let reference) = origin else { preconditionFailure("rows are no document") }
    return reference
  }
  var input: InputDefinition { definition.inputs[reference.input] }
  var event: EventType { input.events[reference.event] }

  init(
    _ definition: ProductDefinition, _ origin: Branch.Origin,
    tables: ContiguousArray<TablePlan>, ports: ContiguousArray<PortPlan>, joins: [JoinPlan] = []
  ) {
    self.joins = joins
    self.definition = definition
    self.origin = origin
    self.tables = tables
    self.ports = ports
  }

  mutating func compile() throws(PlanFailure) -> EventPlan {
    let keys = definition.journals.map { $0.keys[reference] }
    var intakePaths: Set<[String]> = []
    for key in keys {
      switch key {
      case .parts(let parts)?: parts.forEach { intakePaths.formUnion(paths(in: $0)) }
      case .links(let identifier, _)?:
        let identifier = definition.identifiers[identifier]
        intakePaths.formUnion(paths(in: identifier.system))
        intakePaths.formUnion(paths(in: identifier.local))
      case .source?, .handed?, nil: break
      }
    }
    if let path = input.id?.path { intakePaths.insert(path) }
    if let path = input.time { intakePaths.insert(path) }
    var decodePaths = intakePaths
    for expression in expressions() { decodePaths.formUnion(paths(in: expression)) }
    let first = joins.map(\.slotEnd).max() ?? Variable.end
    let decode = try DecodePlan(
      event, reading: decodePaths, firstSlot: first, checksAll: true)
    let intake = try DecodePlan(
      event, reading: intakePaths, firstSlot: first, checksAll: false)
    let deletion = try deletion()
    slotEnd = max(decode.slotEnd, intake.slotEnd, deletion?.decode.slotEnd ?? 0)

    var journals: ContiguousArray<EventPlan.JournalKey> = []
    var work: ContiguousArray<WorkPlan?> = []
    for (ordinal, key) in keys.enumerated() {
      guard let key else {
        work.append(nil)
        continue
      }
      if case .handed(let parts) = key {
        work.append(try self.work(ofJournal: ordinal, key, counts: false, decode, global(parts)))
        continue
      }
      journals.append(
        .init(
          journal: ordinal, key: try compile(key, over: intake), link: try link(key, over: intake)))
      work.append(
        try self.work(ofJournal: ordinal, key, counts: journals.count == 1, decode))
    }
    if definition.journals.isEmpty {
      work.append(try self.work(ofJournal: 0, .source, counts: true, decode))
    }
    return EventPlan(
      name: event.name, decode: decode, intake: intake, journals: journals, work: work,
      id: (slot(input.id?.path, decode), slot(input.id?.path, intake)),
      time: (slot(input.time, decode), slot(input.time, intake)),
      keysReadVariables: keysReadVariables(keys), slotEnd: slotEnd, deletion: deletion)
  }

  // MARK: Deletions

  /// What a tombstone of the event's input does; nil: it means nothing to the product.
  private func deletion() throws(PlanFailure) -> DeletionPlan? {
    let undone = definition.tables.enumerated().compactMap { number, table in
      table.deletions.first { $0.event == reference }.map { (number: number, deletion: $0) }
    }
    guard let key = input.port?.key, !undone.isEmpty else { return nil }
    let fields = key.compactMap { name in event.fields.first { $0.name == name } }
    let decode = try DecodePlan(
      EventType(name: event.name, fields: fields), reading: Set(key.map { [$0] }),
      firstSlot: Variable.end, checksAll: true)
    var journals: ContiguousArray<EventPlan.JournalKey> = []
    var work: ContiguousArray<DeletionPlan.Work> = []
    for (ordinal, journal) in definition.journals.enumerated() {
      var tables: ContiguousArray<DeletionPlan.Undoing> = []
      for (number, deletion) in undone where definition.tables[number].journal == ordinal {
        tables.append(
          .init(
            table: self.tables[number], key: try KeyPlan(deletion.key, slot: fixedSlot(decode)),
            columns: deletion.columns, presence: try presence(in: definition.tables[number])))
      }
      if !tables.isEmpty, let key = journal.keys[reference] {
        journals.append(.init(journal: ordinal, key: try compile(key, over: decode), link: nil))
      }
      work.append(.init(tables, counts: journals.count == 1))
    }
    return DeletionPlan(fields: fields, decode: decode, journals: journals, work: work)
  }

  /// What says in the row of a table that there is a row of the event's state port behind it, which
  /// would take back what it has given; 0: there is no such thing.
  func presence(in table: TableDefinition) throws(PlanFailure) -> Int64 {
    guard case .event = origin,
      let place = table.deletions.firstIndex(where: { $0.event == reference })
    else { return 0 }
    // Fewer than 2⁴⁸ events touch a row.
    if place >= 14 { throw PlanFailure("`\(table.name)` takes rows of more than 14 state ports") }
    return 1 << Int64(48 + place)
  }

  /// The text of a key that is a global id alone.
  private func global(_ parts: [CheckedExpression]) -> [String] {
    guard parts.count == 1, let path = parts[0].uses.first, path.parts.first == "ids",
      parts[0].uses.count == 1
    else { return [] }
    let span = parts[0].span
    let text = String(decoding: span.source.bytes[span.range], as: UTF8.self)
    return text == path.parts.joined(separator: ".") ? [text] : []
  }

  private func keysReadVariables(_ keys: [JournalDefinition.Key?]) -> Bool {
    keys.contains { key in
      guard case .parts(let parts)? = key else { return false }
      return parts.contains { $0.uses.contains { $0.parts.first != "event" } }
    }
  }

  private func slot(_ path: [String]?, _ plan: DecodePlan) -> Int {
    path.flatMap { plan.slots[$0] } ?? -1
  }

  // MARK: One journal

  private mutating func work(
    ofJournal journal: Int, _ taken: JournalDefinition.Key, counts: Bool, _ plan: DecodePlan,
    _ globalKey: [String] = []
  ) throws(PlanFailure) -> WorkPlan {
    let handoversOf = definition.journals.enumerated().flatMap { target in
      target.element.handovers.filter { $0.from == journal && $0.branch.origin == origin }.map {
        (journal: target.offset, branch: $0.branch)
      }
    }
    var parts = try parts(plan.source, beside: handoversOf.map(\.branch)) { $0 == journal }
    var sides: ContiguousArray<JoinSidePlan> = []
    for (join, number, side) in joinSides where definition.joins[join].journal == journal {
      sides.append(try self.side(side, number, of: joins[join], plan.source, &parts.identities))
    }
    var handovers: ContiguousArray<HandoverPlan> = []
    for (target, branch) in handoversOf {
      handovers.append(try handover(branch, to: target, plan.source, &parts.identities))
    }
    let identities = parts.identities
    if identities.plans.count > Workbench.identitiesMax {
      throw PlanFailure(
        "`\(event.name)` is identified in more than \(Workbench.identitiesMax) ways by one journal")
    }
    let link = try self.link(taken, over: plan)
    let isHanded = if case .handed = taken { true } else { false }
    return WorkPlan(
      key: try compile(taken, over: plan), clauses: parts.clauses, ports: parts.ports,
      counts: counts, identities: identities.plans, links: link.map { [$0] } ?? [],
      handovers: handovers, globalKey: globalKey, joins: sides, isHanded: isHanded)
  }

  private func compile(_ key: JournalDefinition.Key, over plan: DecodePlan) throws(PlanFailure)
    -> KeyPlan
  {
    let parts: [CheckedExpression]
    switch key {
    case .source: return .source
    case .parts(let given): parts = given
    case .links(let identifier, _): parts = [definition.identifiers[identifier].local]
    // Whoever hands it on finds the key.
    case .handed: return .source
    }
    return try KeyPlan(parts, slot: fixedSlot(plan))
  }

  /// Of what ingest and apply see alike.
  private func fixedSlot(_ plan: DecodePlan) -> (FieldPath) -> Int? {
    { path in
      if path.parts.first == "event" { return plan.slots[Array(path.parts.dropFirst())] }
      return Variable.slot(path.parts).flatMap { Variable.isFixed($0) ? $0 : nil }
    }
  }

  /// The link that a journal takes; nil when it takes the event for something else.
  private func link(_ key: JournalDefinition.Key, over plan: DecodePlan) throws(PlanFailure)
    -> LinkPlan?
  {
    guard case .links(let number, let systems) = key else { return nil }
    let identifier = definition.identifiers[number]
    let slot = fixedSlot(plan)
    // Ingest does not read the global id.
    let global: Term =
      plan.checksAll ? try Term(identifier.global, slot: slot) : .none
    return LinkPlan(
      identifier: number, system: try Term(identifier.system, slot: slot), systems: systems,
      local: try Term(identifier.local, slot: slot), global: global, name: identifier.name)
  }
}
