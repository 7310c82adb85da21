import Records
import State

// Windows that ports show once, when they take no more events. No event is at hand then that could
// go to quarantine. So each event that changes such a row has to leave it as one that could be
// shown, which is tried out; and what is shown depends on the row and its window alone.
extension Apply {
  /// Makes the records of the row of the row frame, as if its window were closed now, and drops
  /// them; whether they can be made.
  func tryOut(
    _ table: TablePlan, _ key: Range<Int>, _ emission: Emission, _ batch: OutputBatch
  ) -> Workbench.Emitted {
    var emission = emission
    emission.isTrial = true
    var flags: UInt32 = 0
    bench.setRowVariables()
    return emit(table, key, flags: &flags, emission, batch)
  }

  /// Publishes the row of a window that is closed; false: it failed, which was tried out before.
  func show(
    _ row: ByteView, of table: TablePlan, _ key: Range<Int>, _ emission: Emission,
    _ batch: OutputBatch
  ) -> Bool {
    let slots = bench.rowSlots
    table.layout.read(row, into: slots, from: table.columnSlot, arena: arena)
    bench.recallKey(table, slots)
    let parts = bench.keepKey(table, slots)
    setWindow(of: row, table, parts[table.keyCount - 1].timestamp.milliseconds)
    let end = bench.slots[Variable.windowEnd].timestamp
    bench.setRow(table, slots)
    bench.setRowVariables()
    // Its last moment, as what is windowed again by it has to come into the windows around it.
    let emission = emission.at(Timestamp(milliseconds: end.milliseconds - 1))
    var flags: UInt32 = 0
    if case .failed = emit(table, key, flags: &flags, emission, batch) { return false }
    for index in changes.indices {
      let emitted = changes.lend(index) { plan -> Workbench.Emitted in
        if plan.table !== table || plan.ports.isEmpty { return .nothing }
        loadClosing(table, plan, slots[TablePlan.rowSlot].run)
        return bench.emit(plan.ports, emission, to: batch)
      }
      if case .failed = emitted { return false }
    }
    return true
  }

  /// Brings the row of a window that is closed, or is as if it were, to the slots of a change:
  /// `key` and `row` without the window's start, which is in `window`.
  func loadClosing(_ table: TablePlan, _ plan: ChangePlan, _ row: ValueRun) {
    let start = table.keyCount - 1
    bench.slots[plan.slots.key] = .object(row[0..<start])
    bench.slots[plan.slots.old] = .absent
    bench.slots[plan.slots.row] = .object(arena.closed(row[0..<table.rowCount], at: start, by: 1))
  }
}
