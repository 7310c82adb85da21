import Product
import Records

/// What is made of the changes of a table's rows: tables and ports of the same journal.
final class ChangePlan {
  /// Where a change stands in the frame of events, behind all that these use.
  struct Slots {
    let row: Int
    let old: Int
    let key: Int
    let end: Int

    init(first: Int) {
      row = first
      old = first + 1
      key = first + 2
      end = first + 3
    }
  }

  let table: TablePlan
  let slots: Slots
  let clauses: Lent<ClausePlan>
  let ports: Lent<EventPortPlan>
  /// One behind the last slot that a program of it uses.
  let slotEnd: Int

  init(
    table: TablePlan, slots: Slots, clauses: ContiguousArray<ClausePlan>,
    ports: ContiguousArray<EventPortPlan>, slotEnd: Int
  ) {
    self.table = table
    self.slots = slots
    self.clauses = Lent(clauses)
    self.ports = Lent(ports)
    self.slotEnd = slotEnd
  }
}

extension ProductDefinition {
  /// The tables whose changes something is made of, those before that others of them are made of.
  var changedTables: [Int] {
    var result: [Int] = []
    var seen: Set<String> = []
    func add(_ name: String) {
      guard seen.insert(name).inserted, let table = tables.firstIndex(where: { $0.name == name })
      else { return }
      for source in tables[table].clauses.compactMap(\.branch.changed) { add(source) }
      result.append(table)
    }
    for table in tables { for clause in table.clauses { clause.branch.changed.map(add) } }
    for output in outputs {
      guard case .events(let branches) = output.content else { continue }
      for branch in branches { branch.branch.changed.map(add) }
    }
    return result.filter(isFollowed)
  }

  private func isFollowed(_ table: Int) -> Bool {
    let name = tables[table].name
    let branches =
      tables.flatMap { $0.clauses.map(\.branch) }
      + outputs.flatMap { output -> [Branch] in
        guard case .events(let branches) = output.content else { return [] }
        return branches.map(\.branch)
      }
    return branches.contains { $0.changed == name }
  }
}
