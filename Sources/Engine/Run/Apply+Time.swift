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
        tables.lend(due.table) { look(at: $0, 0..<keys.count, nowMs: now, emission, batch) }
      } else {
        clearSide(due.table - tables.count, 0..<keys.count)
      }
      index += 1
    }
  }

  /// Looks at a row that was to be looked at now.
  private func look(
    at table: TablePlan, _ key: Range<Int>, nowMs: Int64, _ emission: Emission,
    _ batch: OutputBatch
  ) {
    let space = Spaces.table(table.ordinal)
    guard let row = state.get(space, keys[key]) else {
      if table.isDeletable { forgetGhost(table, key) }
      return
    }
    if table.isWindowed {
      // Its window is closed: what ports show of it stays.
      state.delete(space, keys[key])
      return
    }
    let expiry = table.expiry(of: table.layout.touchedMs(row))
    if expiry > nowMs {
      schedule.append(expiry, table: table.ordinal, key: keys[key])
      return
    }
    withdraw(flags: row.uint32(at: 0), key, table, emission, batch)
    state.delete(space, keys[key])
  }

  // MARK: Rows that come and go

  /// A row that was not there has been put into the state.
  func enter(_ table: TablePlan, _ row: StagedRows.Row) {
    // Of one that was there before, there still is an entry.
    if table.isDeletable && forgetGhost(table, row.key) { return }
    let due =
      table.isWindowed
      ? table.window.closesMs(row.parts[row.parts.count - 1].timestamp.milliseconds)
      : table.expiry(of: table.layout.touchedMs(rows[row.bytes]))
    schedule.append(due, table: table.ordinal, key: keys[row.key])
  }

  /// A row was deleted whose entry in the schedule stays.
  func leaveGhost(_ table: TablePlan, _ key: Range<Int>) {
    state.put(Spaces.ghosts, ghost(table, key), .empty)
  }

  @discardableResult
  private func forgetGhost(_ table: TablePlan, _ key: Range<Int>) -> Bool {
    state.delete(Spaces.ghosts, ghost(table, key))
  }

  private func ghost(_ table: TablePlan, _ key: Range<Int>) -> ByteView {
    let start = rows.count
    rows.append(UInt8(table.ordinal))
    rows.append(keys[key])
    return rows[start..<rows.count]
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
