import Records
import State

/// Rows that the record at hand looks up. What it changes itself is put into the state when all of
/// it has succeeded, so a row is as it was before.
extension Workbench {
  /// Brings the row that a step names to its slot, absent where there is none; false: it failed.
  @inline(never)
  func lookUp(_ branch: BranchPlan, _ index: Int) -> Bool {
    let slot = branch.steps[index].slot
    return branch.lookups.lend(branch.steps[index].lookup) { lookUp($0, slot) }
  }

  private func lookUp(_ lookup: LookupPlan, _ slot: Int) -> Bool {
    let start = keys.count
    if !appendKey(lookup.key, to: keys) { return false }
    slots[slot] = .absent
    if let row = state?.get(Spaces.table(lookup.table.ordinal), keys[start..<keys.count]) {
      let values = arena.values(lookup.table.wholeCount)
      for part in lookup.key.parts.indices {
        values[part] = lookup.key.parts[part].evaluate(frame)
      }
      slots[slot] = .object(read(arena.copy(row), of: lookup.table, into: values))
    }
    keys.truncate(to: start)
    return true
  }

  /// Reads the columns of a row, which the arena lends, behind its key parts: the row as a
  /// variable.
  func read(_ row: ByteView, of table: TablePlan, into values: ValueRun) -> ValueRun {
    table.layout.read(row, into: values, from: table.keyCount, arena: arena)
    return values[0..<table.rowCount]
  }
}
