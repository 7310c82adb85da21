import Records
import State

/// What is made of rows that the event at hand has changed. One change a row and event: from what
/// it was before the event to what all of the event has made of it.
extension Apply {
  /// Runs the changes of rows through the clauses of tables that are made of them. A table's own
  /// changes come when all that it is made of has come; false: one failed.
  func follow(_ time: Timestamp, _ staged: inout StagedRows) -> Bool {
    let change = RowChange(time: time)
    let only = bench.goThroughAll()
    defer { bench.onlyIdentity = only }
    for index in changes.indices {
      let isGood = changes.lend(index) { plan in
        if plan.clauses.isEmpty { return true }
        // Tables made of it are others: none of its own rows is added meanwhile.
        for row in 0..<staged.count where loadChange(staged[row], plan) {
          for clause in plan.clauses.indices {
            if !plan.clauses.lend(clause, { run($0, change, &staged) }) { return false }
          }
        }
        return true
      }
      if !isGood { return false }
    }
    return true
  }

  /// Publishes the changes of rows at the event ports that are made of them.
  func publishChanges(_ staged: StagedRows, _ emission: Emission, _ batch: OutputBatch)
    -> Workbench.Emitted
  {
    let only = bench.goThroughAll()
    defer { bench.onlyIdentity = only }
    var emission = emission
    // A change is no record that was published before, though a retraction may bring it about.
    emission.correction = .none
    var result = Workbench.Emitted.nothing
    for index in changes.indices {
      let emitted = changes.lend(index) { plan -> Workbench.Emitted in
        if plan.ports.isEmpty { return .nothing }
        var result = Workbench.Emitted.nothing
        for row in 0..<staged.count where loadChange(staged[row], plan) {
          emission.isTrial = plan.table.isFinal
          if !result.add(bench.emit(plan.ports, emission, to: batch)) { return .failed }
        }
        return result
      }
      if !result.add(emitted) { return .failed }
    }
    return result
  }

  /// Brings a change to its slots; false: the row is of another table, or shows what it did before.
  private func loadChange(_ row: StagedRows.Row, _ plan: ChangePlan) -> Bool {
    let table = plan.table
    if row.table != table.ordinal || !row.isChanged { return false }
    if table.isFinal {
      // It is what a window would be that is closed now.
      if row.isDeleted { return false }
      setWindow(of: rows[row.bytes], table, row.startMs)
      loadClosing(table, plan, variable(rows[row.bytes], row, table).run)
      return true
    }
    let old = state.get(Spaces.table(table.ordinal), keys[row.key])
    if row.isDeleted && old == nil { return false }
    bench.slots[plan.slots.key] = .object(row.parts)
    bench.slots[plan.slots.old] = old.map { variable($0, row, table) } ?? .absent
    bench.slots[plan.slots.row] =
      row.isDeleted ? .absent : variable(rows[row.bytes], row, table)
    return true
  }

  /// A row as a variable, which lives as long as the event.
  private func variable(_ bytes: ByteView, _ row: StagedRows.Row, _ table: TablePlan) -> Value {
    let values = arena.values(table.wholeCount)
    for part in 0..<row.parts.count { values[part] = row.parts[part] }
    return .object(bench.read(arena.copy(bytes), of: table, into: values))
  }
}

extension Workbench {
  /// While an event is released only its own branches are gone through, but of the rows that it
  /// changes all of them; gives what ``onlyIdentity`` was.
  fileprivate func goThroughAll() -> Int {
    defer { onlyIdentity = -1 }
    return onlyIdentity
  }
}
