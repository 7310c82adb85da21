import Records
import State

// Rows of sessions: of each key, events that follow each other within a gap of actual time. An
// event makes a session, joins one, or joins two together.
extension Apply {
  /// Runs the event at hand through the row of its session; false: it failed. Where its session
  /// would be closed already that is noted.
  func updateSession(_ clause: ClausePlan, _ given: RowChange, _ staged: inout StagedRows) -> Bool {
    let table = clause.table
    let timeMs = given.time.milliseconds
    guard let key = key(of: clause, at: timeMs) else { return false }
    let found = sessions.find(around: timeMs, table: table.ordinal, key: keys[key])
    keys.truncate(to: key.lowerBound)
    var change = given
    change.order = found.updates + 1
    if let startMs = stagedSession(clause, staged) {
      bench.setWindowStart(startMs)
      return update(clause, change, &staged)
    }
    var joined = Joined(startMs: timeMs, lastMs: timeMs)
    if let before = found.before, let row = session(clause, before) {
      let lastMs = table.layout.touchedMs(row)
      if table.window.endMs(lastMs) >= timeMs { joined.take(before, lastMs) }
    }
    if let behind = found.behind, table.window.endMs(timeMs) >= behind,
      let row = session(clause, behind)
    {
      joined.behind = behind
      joined.take(behind, table.layout.touchedMs(row))
    }
    if let now = clock.nowMs, table.window.closesMs(joined.lastMs) <= now {
      bench.noteLate(table, change.time, now)
      return true
    }
    return update(clause, change, joined, &staged)
  }

  /// The session that an event and those that it joins make.
  private struct Joined {
    var startMs: Int64
    var lastMs: Int64
    /// When the one of them began that is known by another start from now on.
    var behind: Int64?

    mutating func take(_ first: Int64, _ last: Int64) {
      startMs = min(startMs, first)
      lastMs = max(lastMs, last)
    }
  }

  private func update(
    _ clause: ClausePlan, _ change: RowChange, _ joined: Joined, _ staged: inout StagedRows
  ) -> Bool {
    let table = clause.table
    let slots = bench.rowSlots
    guard let key = key(of: clause, at: joined.startMs) else { return false }
    var row = begin(table, clause.key, key, &staged)
    switch runUpdates(clause, change, &row) {
    case .failed: return false
    case .on: break
    case .out, .held:
      // No update's condition held: it has no part in any session.
      keys.truncate(to: key.lowerBound)
      return true
    }
    if let behind = joined.behind, !merge(behind, clause, into: &row) { return false }
    if slots[table.touchedSlot].isAbsent || slots[table.touchedSlot].int != joined.lastMs {
      slots[table.touchedSlot] = .int(joined.lastMs)
      row.isDirty = true
      if table.showsEnd { row.isChanged = true }
    }
    if !write(row, table, -1, &staged) { return false }
    guard let behind = joined.behind else { return true }
    return leave(behind, clause, &staged)
  }

  /// Adds what another session was given to the row of the row frame; false: that fails.
  private func merge(_ startMs: Int64, _ clause: ClausePlan, into row: inout StagedRows.Row) -> Bool
  {
    guard let bytes = session(clause, startMs) else { return true }
    let table = clause.table
    let other = arena.values(table.layout.slotCount)
    table.layout.read(bytes, into: other, from: 0, arena: arena)
    let failed = table.layout.merge(other, into: bench.rowSlots, from: table.columnSlot, arena)
    if let failed { bench.failMerge(table, failed.column, failed.effect) }
    (row.isDirty, row.isChanged) = (true, true)
    return failed == nil
  }

  /// Marks the row of a session as one that goes, as another has taken it in.
  private func leave(_ startMs: Int64, _ clause: ClausePlan, _ staged: inout StagedRows) -> Bool {
    let table = clause.table
    guard let key = key(of: clause, at: startMs),
      let old = state.get(Spaces.table(table.ordinal), keys[key])
    else { return false }
    let flags = rows.count
    rows.append(uint32: old.uint32(at: 0))
    bench.loadKey(clause.key, bench.rowSlots)
    delete(
      StagedRows.Row(
        table: table.ordinal, key: key, bytes: flags..<rows.count,
        parts: bench.keepKey(table, bench.rowSlots), isChanged: false, isDirty: false,
        isNew: false), -1, &staged)
    return true
  }

  /// The key of the event's session, were it to begin then; nil: it fails.
  private func key(of clause: ClausePlan, at startMs: Int64) -> Range<Int>? {
    bench.setWindowStart(startMs)
    let start = keys.count
    if !bench.appendKey(clause.key, to: keys) { return nil }
    return isShort(start..<keys.count, clause.table) ? start..<keys.count : nil
  }

  /// The row of a session, lent until one is written.
  private func session(_ clause: ClausePlan, _ startMs: Int64) -> ByteView? {
    guard let key = key(of: clause, at: startMs) else { return nil }
    defer { keys.truncate(to: key.lowerBound) }
    return state.get(Spaces.table(clause.table.ordinal), keys[key])
  }

  /// When the session began that the event has changed already.
  private func stagedSession(_ clause: ClausePlan, _ staged: StagedRows) -> Int64? {
    for index in 0..<staged.count {
      let row = staged[index]
      if row.table != clause.table.ordinal || row.isDeleted { continue }
      guard let key = key(of: clause, at: row.startMs) else { return nil }
      defer { keys.truncate(to: key.lowerBound) }
      if keys[key] == keys[row.key] { return row.startMs }
    }
    return nil
  }

  /// A session's row is about to be put into the state, or to be deleted.
  func note(_ table: TablePlan, _ row: StagedRows.Row) {
    let key = keys[row.key]
    if row.isDeleted {
      sessions.remove(row.startMs, table: table.ordinal, key: key)
      return
    }
    if row.isNew {
      schedule.append(endMs(of: row, rows[row.bytes], table), table: table.ordinal, key: key)
    }
    if row.isNew || table.layout.keepsOrder {
      sessions.update(table: table.ordinal, key: key, new: row.isNew ? row.startMs : nil)
    }
  }
}
