import Diagnostics
import Expressions
import Product
import Records

/// Where a branch's expressions find what it begins with, and the first slot behind that.
struct SourceSlots {
  let slot: (FieldPath) -> Int?
  let end: Int
}

extension DecodePlan {
  /// An event: its fields and the variables of its record.
  var source: SourceSlots {
    SourceSlots(
      slot: { [slots] path in
        path.parts.first == "event"
          ? slots[Array(path.parts.dropFirst())] : Variable.slot(path.parts)
      }, end: slotEnd)
  }
}

/// Compiles what a product does with one event type, or with the changes of a table's rows: gathers
/// which fields its expressions read, lays out the slots, then compiles the expressions over them.
struct EventCompiler {
  let definition: ProductDefinition
  private let origin: Branch.Origin
  let tables: ContiguousArray<TablePlan>
  let ports: ContiguousArray<PortPlan>
  /// Those of the product, where events may be on their sides, whose slots stand before an event's.
  let joins: [JoinPlan]
  private var slotEnd = 0

  private var reference: EventReference {
    guard case .event(let reference) = origin else { preconditionFailure("rows are no document") }
    return reference
  }
  private var input: InputDefinition { definition.inputs[reference.input] }
  private var event: EventType { input.events[reference.event] }

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
            columns: deletion.columns))
      }
      if !tables.isEmpty, let key = journal.keys[reference] {
        journals.append(.init(journal: ordinal, key: try compile(key, over: decode), link: nil))
      }
      work.append(.init(tables, counts: journals.count == 1))
    }
    return DeletionPlan(fields: fields, decode: decode, journals: journals, work: work)
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

  // MARK: What is read

  /// All expressions over this event type, apart from the journals' keys.
  private func expressions() -> [CheckedExpression] {
    var all: [CheckedExpression] = []
    for identifier in definition.identifiers where identifier.links == reference {
      all += [identifier.system, identifier.local, identifier.global]
    }
    for clause in definition.tables.flatMap(\.clauses) where clause.branch.origin == origin {
      all += clause.branch.expressions + clause.key
      for update in clause.updates {
        all += [update.argument, update.condition, update.mapKey].compactMap { $0 }
      }
      if let delete = clause.delete { all.append(delete) }
    }
    for (_, _, side) in joinSides {
      all += side.branch.expressions + side.key + side.fields.compactMap(\.self)
    }
    for case .handed(let parts)? in definition.journals.map({ $0.keys[reference] }) { all += parts }
    for output in definition.outputs {
      guard case .events(let branches) = output.content else { continue }
      for branch in branches where branch.branch.origin == origin {
        all += branch.branch.expressions + branch.key
        if let when = branch.when { all.append(when) }
        for column in branch.columns {
          if case .expression(let expression) = column.source { all.append(expression) }
        }
      }
    }
    return all
  }

  /// The fields that an expression reads, below `event`: down to the last one that the contract
  /// knows, and no further than a list.
  private func paths(in expression: CheckedExpression) -> Set<[String]> {
    var result: Set<[String]> = []
    for use in expression.uses where use.parts.first == "event" {
      var path: [String] = []
      var members: [ContractField]? = event.fields
      for part in use.parts.dropFirst() {
        guard let field = members?.first(where: { $0.name == part }) else { break }
        path.append(part)
        if case .object = field.type { members = field.fields } else { members = nil }
      }
      result.insert(path)
    }
    return result
  }

  // MARK: What is compiled

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

  /// - Parameter ids: slots of global ids by the identifier's name.
  private func resolver(_ source: SourceSlots, _ binds: [String: Int], _ ids: [String: Int])
    -> (FieldPath) -> Int?
  {
    { path in
      if path.parts.count == 2, path.parts[0] == "ids" { return ids[path.parts[1]] }
      if path.parts.count == 1, let slot = binds[path.parts[0]] { return slot }
      return source.slot(path)
    }
  }

  /// A branch, and where its expressions find what they name.
  private struct CompiledBranch {
    var plan: BranchPlan
    var slot: (FieldPath) -> Int?
    /// The first slot that is free.
    var next: Int
  }

  private mutating func branch(
    _ branch: Branch, _ source: SourceSlots, _ identities: inout Identities
  ) throws(PlanFailure) -> CompiledBranch {
    var binds: [String: Int] = [:]
    var ids: [String: Int] = [:]
    var identity = -1
    var next = identities.slotEnd
    var steps: ContiguousArray<BranchPlan.Step> = []
    var lookups: ContiguousArray<LookupPlan> = []
    for step in branch.steps {
      switch step {
      case .filter(let expression):
        let term = try Term(expression, slot: resolver(source, binds, ids))
        steps.append(.init(kind: .filter, term: term, slot: -1))
      case .bind(let name, let expression), .explode(let name, let expression):
        let term = try Term(expression, slot: resolver(source, binds, ids))
        let kind: BranchPlan.Step.Kind = if case .explode = step { .explode } else { .bind }
        steps.append(.init(kind: kind, term: term, slot: next, name: name))
        binds[name] = next
        next += 1
      case .lookup(let lookup):
        steps.append(
          .init(kind: .lookup, term: .none, slot: next, lookup: lookups.count, name: lookup.name))
        lookups.append(try self.lookup(lookup, slot: resolver(source, binds, ids)))
        binds[lookup.name] = next
        next += 1
      case .identify(let found):
        let term = try Term(found.local, slot: resolver(source, [:], [:]))
        let way = definition.identifications(of: reference).firstIndex { $0.isSame(as: found) }
        identity = identities.place(of: found, term, way: way ?? 0)
        ids[found.name] = identities.plans[identity].slot
        steps.append(.init(kind: .identify, term: .none, slot: -1))
      }
    }
    slotEnd = max(slotEnd, next)
    return CompiledBranch(
      plan: BranchPlan(
        steps: steps, lookups: lookups, identity: identity,
        identityPlan: identity < 0 ? nil : identities.plans[identity]),
      slot: resolver(source, binds, ids), next: next)
  }

  private func lookup(_ lookup: Lookup, slot: @escaping (FieldPath) -> Int?) throws(PlanFailure)
    -> LookupPlan
  {
    guard let table = definition.tables.firstIndex(where: { $0.name == lookup.table }) else {
      throw PlanFailure("there is no table `\(lookup.table)` to look up")
    }
    return LookupPlan(table: tables[table], key: try KeyPlan(lookup.key, slot: slot))
  }

  /// What the branches of one event type in one journal are identified by; each has a slot of its
  /// own, of as many as there may be.
  private struct Identities {
    var plans: ContiguousArray<IdentityPlan> = []
    let firstSlot: Int
    let slotEnd: Int

    /// - Parameter branches: all that will be compiled.
    init(_ branches: [Branch], firstSlot: Int) {
      let count = branches.count { $0.identification != nil }
      self.firstSlot = firstSlot
      slotEnd = firstSlot + count
    }

    /// - Parameter way: see ``ProductDefinition/identifications(of:)``.
    mutating func place(of found: Identification, _ local: Term, way: Int) -> Int {
      if let known = plans.firstIndex(where: { $0.way == way }) { return known }
      plans.append(
        IdentityPlan(
          identifier: found.identifier, system: found.system, local: local,
          slot: firstSlot + plans.count, rejects: found.unmapped == .reject, name: found.name,
          way: way))
      return plans.count - 1
    }
  }

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
    return WorkPlan(
      key: try compile(taken, over: plan), clauses: parts.clauses, ports: parts.ports,
      counts: counts, identities: identities.plans, links: link.map { [$0] } ?? [],
      handovers: handovers, globalKey: globalKey, joins: sides)
  }

  /// The sides of joins that begin here.
  private var joinSides: [(join: Int, number: Int, side: JoinDefinition.Side)] {
    definition.joins.enumerated().flatMap { join in
      join.element.sides.enumerated().filter { $0.element.branch.origin == origin }.map {
        (join.offset, $0.offset, $0.element)
      }
    }
  }

  private mutating func side(
    _ side: JoinDefinition.Side, _ number: Int, of join: JoinPlan, _ source: SourceSlots,
    _ identities: inout Identities
  ) throws(PlanFailure) -> JoinSidePlan {
    let compiled = try branch(side.branch, source, &identities)
    var fields: ContiguousArray<Term> = []
    for field in side.fields.compactMap(\.self) {
      fields.append(try Term(field, slot: compiled.slot))
    }
    return JoinSidePlan(
      join: join, side: number, branch: compiled.plan,
      key: try KeyPlan(side.key, slot: compiled.slot), fields: fields)
  }

  /// What is made of the pairs of a join.
  mutating func compilePairs(
    of join: Int, from first: Int, entriesMax: Int
  ) throws(PlanFailure) -> JoinPlan {
    let definition = definition.joins[join]
    let slots = JoinPlan.Slots(definition, first: first)
    slotEnd = slots.end
    let parts = try parts(JoinPlan.source(definition, slots)) { _ in true }
    return JoinPlan(
      definition, ordinal: join, slots: slots, clauses: parts.clauses, ports: parts.ports,
      slotEnd: slotEnd, entriesMax: entriesMax)
  }

  private mutating func handover(
    _ branch: Branch, to journal: Int, _ source: SourceSlots, _ identities: inout Identities
  ) throws(PlanFailure) -> HandoverPlan {
    guard case .handed(let parts)? = definition.journals[journal].keys[reference] else {
      throw PlanFailure("`\(event.name)` is handed on to a journal that does not take it so")
    }
    let compiled = try self.branch(branch, source, &identities)
    return HandoverPlan(
      journal: journal, branch: compiled.plan, key: try KeyPlan(parts, slot: compiled.slot))
  }

  private struct Parts {
    var clauses: ContiguousArray<ClausePlan> = []
    var ports: ContiguousArray<EventPortPlan> = []
    var identities: Identities
  }

  /// What begins here, in the tables and ports of the journals that `isIn` says.
  /// - Parameter others: what begins here beside them.
  private mutating func parts(
    _ source: SourceSlots, beside others: [Branch] = [], _ isIn: (Int) -> Bool
  ) throws(PlanFailure) -> Parts {
    let clausesOf = definition.tables.enumerated().filter { isIn($0.element.journal) }
      .flatMap { table in
        table.element.clauses.filter { $0.branch.origin == origin }.map {
          (table: table.offset, clause: $0)
        }
      }
    let portsOf = definition.outputs.enumerated().filter { isIn($0.element.journal) }
      .flatMap { output -> [(output: Int, branch: OutputDefinition.EventBranch)] in
        guard case .events(let all) = output.element.content else { return [] }
        return all.filter { $0.branch.origin == origin }.map { (output.offset, $0) }
      }
    let branches = clausesOf.map(\.clause.branch) + portsOf.map(\.branch.branch) + others
    var parts = Parts(identities: Identities(branches, firstSlot: source.end))
    slotEnd = max(slotEnd, parts.identities.slotEnd)
    for (table, clause) in clausesOf {
      parts.clauses.append(
        try self.clause(
          clause, definition.tables[table], tables[table], source, &parts.identities))
    }
    for (output, branch) in portsOf {
      parts.ports.append(
        try port(branch, definition.outputs[output], ports[output], source, &parts.identities))
    }
    return parts
  }

  /// What is made of the changes of a table's rows.
  mutating func compileChanges(of table: Int, from first: Int) throws(PlanFailure) -> ChangePlan {
    let target = tables[table]
    let plan = ChangePlan.Slots(first: first)
    slotEnd = plan.end
    let source = SourceSlots(
      slot: { path in
        switch path.parts {
        case ["row"]: plan.row
        case ["old"]: plan.old
        case ["key"]: plan.key
        default: path.parts.count == 1 ? Variable.slot(path.parts) : nil
        }
      }, end: plan.end)
    let parts = try parts(source) { _ in true }
    return ChangePlan(
      table: target, slots: plan, clauses: parts.clauses, ports: parts.ports, slotEnd: slotEnd)
  }

  private mutating func clause(
    _ clause: TableDefinition.Clause, _ table: TableDefinition, _ target: TablePlan,
    _ source: SourceSlots, _ identities: inout Identities
  ) throws(PlanFailure) -> ClausePlan {
    let compiled = try branch(clause.branch, source, &identities)
    let firstState = compiled.next
    let reads = stateReads(clause, table, from: firstState)
    if !reads.isEmpty { slotEnd = max(slotEnd, firstState + table.columns.count) }
    let ofEvent = compiled.slot
    let slot: (FieldPath) -> Int? = { path in
      if path.parts.first != "state" { return ofEvent(path) }
      if path.parts.count != 2 { return nil }
      return table.columns.firstIndex { $0.name == path.parts[1] }.map { firstState + $0 }
    }
    var updates: ContiguousArray<ClausePlan.Update> = []
    for update in clause.updates {
      let mapKey: Term? =
        if let expression = update.mapKey { try Term(expression, slot: slot) } else { nil }
      let argument: Term? =
        if let expression = update.argument { try Term(expression, slot: slot) } else { nil }
      let condition: Term? =
        if let expression = update.condition { try Term(expression, slot: slot) } else { nil }
      updates.append(
        .init(
          column: update.column, aggregate: update.aggregate, argument: argument,
          condition: condition, mapKey: mapKey, name: table.columns[update.column].name))
    }
    let delete: Term? =
      if let condition = clause.delete { try Term(condition, slot: slot) } else { nil }
    return ClausePlan(
      table: target, branch: compiled.plan,
      key: try KeyPlan(clause.key, isOfWindow: target.isWindowed, slot: slot),
      updates: updates, delete: delete, stateReads: reads)
  }

  /// The columns that a clause's expressions read: each with its slot of the event's frame, where
  /// they stand from `first` on.
  private func stateReads(
    _ clause: TableDefinition.Clause, _ table: TableDefinition, from first: Int
  ) -> ContiguousArray<ClausePlan.StateRead> {
    let expressions =
      clause.updates.flatMap { [$0.argument, $0.condition, $0.mapKey] } + [clause.delete]
    let names = Set(
      expressions.flatMap { expression in
        (expression?.uses ?? []).filter { $0.parts.count > 1 && $0.parts[0] == "state" }
          .map { $0.parts[1] }
      })
    return ContiguousArray(
      table.columns.indices.filter { names.contains(table.columns[$0].name) }.map {
        ClausePlan.StateRead(column: $0, slot: first + $0)
      })
  }

  private mutating func port(
    _ definition: OutputDefinition.EventBranch, _ output: OutputDefinition, _ port: PortPlan,
    _ source: SourceSlots, _ identities: inout Identities
  ) throws(PlanFailure) -> EventPortPlan {
    let compiled = try branch(definition.branch, source, &identities)
    let slot = compiled.slot
    var terms: ContiguousArray<Term> = []
    var types: [ValueType] = []
    let columns = definition.columns.sorted { $0.field < $1.field }
    for column in columns {
      guard case .expression(let expression) = column.source else {
        throw PlanFailure("the event port `\(output.port)` has no table to take a column from")
      }
      terms.append(try Term(expression, slot: slot))
      types.append(expression.type)
    }
    let when: Term? =
      if let expression = definition.when { try Term(expression, slot: slot) } else { nil }
    return EventPortPlan(
      port: port, branch: compiled.plan, when: when,
      key: try KeyPlan(definition.key, slot: slot),
      columns: terms,
      shape: try OutputShape(output.fields, columns: columns.map(\.field), types: types))
  }
}
