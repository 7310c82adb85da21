import Expressions
import Product
import Records

// What a product makes of what begins there: rows, records, sides of joins, and events for chained
// journals.
extension EventCompiler {
  /// The sides of joins that begin here.
  var joinSides: [(join: Int, number: Int, side: JoinDefinition.Side)] {
    definition.joins.enumerated().flatMap { join in
      join.element.sides.enumerated().filter { $0.element.branch.origin == origin }.map {
        (join.offset, $0.offset, $0.element)
      }
    }
  }

  mutating func side(
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

  mutating func handover(
    _ branch: Branch, to journal: Int, _ source: SourceSlots, _ identities: inout Identities
  ) throws(PlanFailure) -> HandoverPlan {
    guard case .handed(let parts)? = definition.journals[journal].keys[reference] else {
      throw PlanFailure("`\(event.name)` is handed on to a journal that does not take it so")
    }
    let compiled = try self.branch(branch, source, &identities)
    return HandoverPlan(
      journal: journal, branch: compiled.plan, key: try KeyPlan(parts, slot: compiled.slot))
  }

  struct Parts {
    var clauses: ContiguousArray<ClausePlan> = []
    var ports: ContiguousArray<EventPortPlan> = []
    var identities: Identities
  }

  /// What begins here, in the tables and ports of the journals that `isIn` says.
  /// - Parameter others: what begins here beside them.
  mutating func parts(
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
        default:
          path.parts.count == 1 || path.parts.first == "window" ? Variable.slot(path.parts) : nil
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
      updates.append(
        .init(
          column: update.column, aggregate: update.aggregate,
          argument: try Term(ifAny: update.argument, slot: slot),
          condition: try Term(ifAny: update.condition, slot: slot),
          mapKey: try Term(ifAny: update.mapKey, slot: slot),
          name: table.columns[update.column].name))
    }
    return ClausePlan(
      table: target, branch: compiled.plan,
      key: try KeyPlan(clause.key, isOfWindow: target.isWindowed, slot: slot),
      updates: updates, delete: try Term(ifAny: clause.delete, slot: slot), stateReads: reads,
      presence: try presence(in: table))
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
    return EventPortPlan(
      port: port, branch: compiled.plan, when: try Term(ifAny: definition.when, slot: slot),
      key: try KeyPlan(definition.key, slot: slot),
      columns: terms,
      shape: try OutputShape(output.fields, columns: columns.map(\.field), types: types))
  }
}
