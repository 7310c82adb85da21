import Formats
import Records
import State

// What the partition's clock brings about: it moves by blocks of ticks alone, and then what has
// fallen due is looked at.
extension Apply {
  /// Applies a block of ticks. After `.full` it goes on from as many rows as it names.
  func tick(
    _ block: JournalBlock, at offset: Offset, _ batch: OutputBatch, isSilent: Bool,
    from first: UInt32
  ) -> Applied {
    if !isClocked { return .unreadable("the product has no clock, and the block is one of ticks") }
    if first == 0 {
      do {
        try clock.take(block.ticks, recordedMs: recordedClockMs, in: state)
      } catch {
        return .unreadable("\(error.message) (at byte \(error.offset))")
      }
    }
    guard let now = clock.nowMs else { return .applied }
    var index = first
    while true {
      if index > first && batch.isFull {
        if !isSilent { return .full(next: index) }
        batch.clear()
      }
      bench.begin()
      guard let due = schedule.next(by: now) else { return .applied }
      keys.append(due.key)
      let emission = Emission(
        sourceKey: nil, partition: partition, recordedMs: block.recordedMs,
        time: Timestamp(milliseconds: due.dueMs),
        identity: .position(Position(block: offset, index: index)))
      if due.table < tables.count {
        let isGood = tables.lend(due.table) {
          look(at: $0, 0..<keys.count, dueMs: due.dueMs, emission, batch)
        }
        if !isGood {
          return .unreadable("a closed window cannot be shown: \(bench.takeFault().message)")
        }
      } else {
        clearSide(due.table - tables.count, 0..<keys.count)
      }
      index += 1
    }
  }

  /// Looks at a row that was to be looked at now; false: it could not be shown. One that has been
  /// updated since is put back, also where its new time has come: so all go in the order of theirs.
  private func look(
    at table: TablePlan, _ key: Range<Int>, dueMs: Int64, _ emission: Emission,
    _ batch: OutputBatch
  ) -> Bool {
    let space = Spaces.table(table.ordinal)
    guard let row = state.get(space, keys[key]) else {
      if table.isDeletable { state.delete(Spaces.ghosts, rows[ghost(table, key)]) }
      return true
    }
    if table.isWindowed {
      if table.isOfSessions {
        let closesMs = table.window.closesMs(table.layout.touchedMs(row))
        if closesMs > dueMs {
          schedule.append(closesMs, table: table.ordinal, key: keys[key])
          return true
        }
      }
      // Its window is closed: what ports show of it stays.
      if table.isFinal, !show(row, of: table, key, emission, batch) { return false }
      if table.isOfSessions {
        sessions.remove(table.layout.startMs(row), table: table.ordinal, key: keys[key])
      }
      state.delete(space, keys[key])
      return true
    }
    let expiry = table.expiry(of: table.layout.touchedMs(row))
    if expiry > dueMs {
      schedule.append(expiry, table: table.ordinal, key: keys[key])
      return true
    }
    withdraw(flags: row.uint32(at: 0), key, table, emission, batch)
    state.delete(space, keys[key])
    return true
  }

  // MARK: Rows that come and go

  /// A row that was not there, or that the event at hand has deleted and made anew, is about to be
  /// put into the state. It has an entry in the schedule that is not later than its end.
  func enter(_ table: TablePlan, _ row: StagedRows.Row) {
    let end = endMs(of: row, rows[row.bytes], table)
    // What was there before has left an entry. It may be a later one, as the row is as old as what
    // made it anew; then both stay, until they are for the same time.
    if table.isDeletable, let known = knownEnd(of: row, table), known <= end { return }
    schedule.append(end, table: table.ordinal, key: keys[row.key])
  }

  /// A row is about to be deleted whose entry in the schedule stays.
  func leaveGhost(_ table: TablePlan, _ row: StagedRows.Row) {
    guard let old = state.get(Spaces.table(table.ordinal), keys[row.key]) else { return }
    let end = endMs(of: row, old, table)
    let key = ghost(table, row.key)
    rows.append(int64: end)
    state.put(Spaces.ghosts, rows[key], rows[key.upperBound..<rows.count])
  }

  /// When a row goes, unless it is updated before.
  func endMs(of row: StagedRows.Row, _ bytes: ByteView, _ table: TablePlan) -> Int64 {
    if !table.isWindowed { return table.expiry(of: table.layout.touchedMs(bytes)) }
    return table.window.closesMs(
      table.isOfSessions ? table.layout.touchedMs(bytes) : row.startMs)
  }

  /// Until when, at the latest, the schedule has an entry of the row that was there before; nil: it
  /// has none.
  private func knownEnd(of row: StagedRows.Row, _ table: TablePlan) -> Int64? {
    if !row.isNew {
      return state.get(Spaces.table(table.ordinal), keys[row.key]).map { endMs(of: row, $0, table) }
    }
    let key = ghost(table, row.key)
    let end = state.get(Spaces.ghosts, rows[key]).map { $0.int64(at: 0) }
    if end != nil { state.delete(Spaces.ghosts, rows[key]) }
    return end
  }

  /// The key of what a row leaves behind, in the bench's rows.
  private func ghost(_ table: TablePlan, _ key: Range<Int>) -> Range<Int> {
    let start = rows.count
    rows.append(UInt8(table.ordinal))
    rows.append(keys[key])
    return start..<rows.count
  }
}

extension Workbench {
  /// Notes that an event has updated the row at hand: at its own time, or where the clock is beyond
  /// that, at the clock's. Whether that changes the row's bytes.
  func noteUpdate(
    _ table: TablePlan, at time: Timestamp, _ nowMs: Int64?, _ slots: ValueRun
  ) -> Bool {
    let touched = max(time.milliseconds, nowMs ?? .min)
    let old = slots[table.touchedSlot]
    if !old.isAbsent && old.int >= touched { return false }
    slots[table.touchedSlot] = .int(touched)
    return true
  }
}
