import Records
import State

/// The rows that one event changes: staged beside the state, published, then kept.
extension Apply {
  /// Runs the event at hand through one clause of a table; false: it failed.
  func run(_ clause: ClausePlan, _ change: RowChange, _ staged: inout StagedRows) -> Bool {
    var way = bench.follow(clause.branch)
    while way == .on {
      if !updateRows(clause, change, &staged) { return false }
      if clause.branch.explodes && max(rows.count, keys.count) > Limits.eventBytesMax {
        bench.failSize(ofEventAt: clause.table.name)
        return false
      }
      way = bench.followNext(clause.branch)
    }
    return way != .failed
  }

  @inline(__always)
  private func updateRows(
    _ clause: ClausePlan, _ change: RowChange, _ staged: inout StagedRows
  ) -> Bool {
    if !clause.table.isWindowed { return update(clause, change, &staged) }
    if clause.table.isOfSessions { return updateSession(clause, change, &staged) }
    return updateWindows(clause, change, &staged)
  }

  /// Changes the row of the event at hand, or of what a stream has made of it; false: it failed.
  @inline(__always)
  func update(
    _ clause: ClausePlan, _ change: RowChange, _ staged: inout StagedRows
  ) -> Bool {
    let keyStart = keys.count
    if !bench.appendKey(clause.key, to: keys) { return false }
    let keyRange = keyStart..<keys.count
    if !isShort(keyRange, clause.table) { return false }
    let known =
      staged.count == 0
      ? -1 : staged.index(ofTable: clause.table.ordinal, key: keys[keyRange], in: keys)
    var row: StagedRows.Row
    if known >= 0 {
      row = staged[known]
      load(known, &staged)
      keys.truncate(to: keyStart)
    } else {
      row = begin(clause.table, clause.key, keyRange, &staged)
    }
    let found = row
    // It had no part in a row that is not there.
    if change.isTakenBack && known < 0 && row.isChanged {
      keys.truncate(to: keyStart)
      return true
    }
    let slots = bench.rowSlots
    bench.loadState(clause, slots)
    if clause.hasDelete {
      switch bench.test(clause.delete, bench.frame) {
      case .on:
        delete(row, known, &staged)
        return true
      case .out, .held: break
      case .failed: return false
      }
    }
    let way = runUpdates(clause, change, &row)
    if way == .failed { return false }
    let isUpdated = way == .on
    if isUpdated && clause.table.keepsTouches {
      row.isDirty = true
      if bench.touch(clause, change, slots) == 0 {
        // Nothing is left of what made it.
        delete(found, known, &staged)
        return true
      }
    }
    if !isUpdated && (known < 0 || row.isDeleted) {
      // No update's condition held: the row does not come to be.
      keys.truncate(to: keyStart)
      return true
    }
    if clause.table.expires, bench.noteUpdate(clause.table, at: change.time, clock.nowMs, slots) {
      row.isDirty = true
    }
    if row.isDeleted {
      // The event makes it anew, after another clause has deleted it.
      row.isDeleted = false
      row.isMadeAnew = true
      row.isDirty = true
      row.isChanged = true
    }
    return write(row, clause.table, known, &staged)
  }

  /// Runs the updates of a clause over the row of the row frame; `out`: no condition held.
  @inline(__always)
  func runUpdates(_ clause: ClausePlan, _ change: RowChange, _ row: inout StagedRows.Row)
    -> Workbench.Way
  {
    var isUpdated = false
    for index in clause.updates.indices {
      switch bench.update(clause, index, change, bench.rowSlots) {
      case .out: break
      case .failed: return .failed
      case .touched: isUpdated = true
      case .dirty:
        isUpdated = true
        row.isDirty = true
      case .changed:
        isUpdated = true
        row.isDirty = true
        row.isChanged = true
      }
    }
    return isUpdated ? .on : .out
  }

  /// Whether the key of a row is not too long; else that fails. The journal's own was looked at by
  /// ingest; a table's may have more parts.
  @inline(__always)
  func isShort(_ key: Range<Int>, _ table: TablePlan) -> Bool {
    if key.count <= Ingest.keyBytesMax { return true }
    bench.failSize(ofKey: table.name, key.count)
    return false
  }

  /// Marks the row at hand as one that goes; one that is not there yet does not come to be.
  func delete(_ given: StagedRows.Row, _ known: Int, _ staged: inout StagedRows) {
    var row = given
    if known < 0 && row.isChanged {
      keys.truncate(to: row.key.lowerBound)
      return
    }
    row.isDeleted = true
    row.isDirty = true
    row.isChanged = true
    if known >= 0 { staged[known] = row } else { staged.append(row) }
    staged.setCurrent(-1)
  }

  /// Brings the row of a key from the state, or a new one, to the row frame.
  func begin(
    _ table: TablePlan, _ plan: KeyPlan, _ key: Range<Int>, _ staged: inout StagedRows
  ) -> StagedRows.Row {
    let slots = bench.rowSlots
    bench.loadKey(plan, slots)
    staged.setCurrent(-1)
    ahead.wanted += 1
    let rowStart = rows.count
    var isNew = false
    if let old = state.get(Spaces.table(table.ordinal), keys[key]) {
      rows.append(uint32: old.uint32(at: 0))
      table.layout.read(old, into: slots, from: table.columnSlot, arena: arena)
    } else {
      isNew = true
      rows.append(uint32: 0)
      table.layout.clear(slots, from: table.columnSlot)
    }
    return StagedRows.Row(
      table: table.ordinal, key: key, bytes: rowStart..<rows.count,
      parts: bench.keepKey(table, slots), isChanged: isNew, isDirty: isNew, isNew: isNew)
  }

  /// Brings a staged row back to the row frame.
  func load(_ index: Int, _ staged: inout StagedRows) {
    if staged.current == index { return }
    let row = staged[index]
    let table = tables[row.table]
    let slots = bench.rowSlots
    for part in 0..<row.parts.count { slots[TablePlan.keySlot + part] = row.parts[part] }
    if row.isDeleted {
      table.layout.clear(slots, from: table.columnSlot)
      bench.setRow(table, slots)
      staged.setCurrent(-1)
      return
    }
    // A copy, as writing a row ends what the rows lend.
    let bytes = arena.copy(rows[row.bytes])
    table.layout.read(bytes, into: slots, from: table.columnSlot, arena: arena)
    bench.setRow(table, slots)
    staged.setCurrent(index)
  }

  /// Writes the row of the row frame behind those that are staged; false: it is too large.
  func write(
    _ given: StagedRows.Row, _ table: TablePlan, _ known: Int, _ staged: inout StagedRows
  ) -> Bool {
    var row = given
    let flags = rows[row.bytes].uint32(at: 0)
    // What an event changes again and again takes its place once.
    if known >= 0 && row.bytes.upperBound == rows.count {
      rows.truncate(to: row.bytes.lowerBound)
    }
    let start = rows.count
    if table.keepsKey { bench.storeKey(table, bench.rowSlots) }
    table.layout.write(bench.rowSlots, from: table.columnSlot, flags: flags, into: rows)
    row.bytes = start..<rows.count
    if row.bytes.count > Limits.rowBytesMax {
      bench.failSize(ofRow: table.name, row.bytes.count)
      return false
    }
    if known >= 0 {
      staged[known] = row
      staged.setCurrent(known)
    } else {
      staged.append(row)
      bench.setRow(table, bench.rowSlots)
    }
    return true
  }

  /// Publishes the staged rows.
  func publish(_ staged: inout StagedRows, _ emission: Emission, _ batch: OutputBatch)
    -> Workbench.Emitted
  {
    var result = Workbench.Emitted.nothing
    for index in 0..<staged.count {
      if !result.add(publish(index, &staged, emission, batch)) { return .failed }
    }
    return result
  }

  /// Publishes a staged row at the table's state ports, when what it shows has changed.
  func publish(
    _ index: Int, _ staged: inout StagedRows, _ emission: Emission, _ batch: OutputBatch
  ) -> Workbench.Emitted {
    let row = staged[index]
    if !row.isChanged { return .nothing }
    return tables.lend(row.table) { table in
      if table.statePorts.isEmpty { return .nothing }
      if row.isDeleted { return withdraw(row, table, emission, batch) }
      load(index, &staged)
      return publish(row, table, emission, batch)
    }
  }

  /// Publishes the row of the row frame.
  private func publish(
    _ row: StagedRows.Row, _ table: TablePlan, _ emission: Emission, _ batch: OutputBatch
  ) -> Workbench.Emitted {
    if table.isWindowed {
      setWindow(of: rows[row.bytes], table, row.startMs)
    }
    if table.isFinal { return tryOut(table, row.key, emission, batch) }
    bench.setRowVariables()
    var flags = rows[row.bytes].uint32(at: 0)
    let result = emit(table, row.key, flags: &flags, emission, batch)
    rows.replace(at: row.bytes.lowerBound, uint32: flags)
    return result
  }

  /// Publishes the row of the row frame at its state ports; `flags` say where it is published.
  func emit(
    _ table: TablePlan, _ key: Range<Int>, flags: inout UInt32, _ emission: Emission,
    _ batch: OutputBatch
  ) -> Workbench.Emitted {
    var result = Workbench.Emitted.nothing
    for number in table.statePorts.indices {
      let emitted = table.statePorts.lend(number) { port in
        var isPublished = flags & port.bit != 0
        let emitted = bench.emit(
          port, key: keys[key], isPublished: &isPublished, emission, to: batch)
        flags = isPublished ? flags | port.bit : flags & ~port.bit
        return emitted
      }
      if !result.add(emitted) { return .failed }
    }
    return result
  }

  /// Takes a row that goes back from the state ports where it is published.
  func withdraw(
    _ row: StagedRows.Row, _ table: TablePlan, _ emission: Emission, _ batch: OutputBatch
  ) -> Workbench.Emitted {
    withdraw(flags: rows[row.bytes].uint32(at: 0), row.key, table, emission, batch)
  }

  /// The same of a row by its flags.
  @discardableResult
  func withdraw(
    flags: UInt32, _ key: Range<Int>, _ table: TablePlan, _ emission: Emission,
    _ batch: OutputBatch
  ) -> Workbench.Emitted {
    var result = Workbench.Emitted.nothing
    for number in table.statePorts.indices where flags & table.statePorts[number].bit != 0 {
      let port = table.statePorts[number].port
      if case .failed = bench.withdraw(port, key: keys[key], emission, to: batch) {
        return .failed
      }
      result = .record
    }
    return result
  }

  /// Puts the staged rows into the state; whether that changed anything.
  func keepRows(_ staged: StagedRows) -> Bool {
    var isAny = false
    for index in 0..<staged.count {
      let row = staged[index]
      if !row.isDirty { continue }
      let space = Spaces.table(row.table)
      if row.isDeleted {
        if isClocked { leave(row) }
        if state.delete(space, keys[row.key]) { isAny = true }
        continue
      }
      isAny = true
      if isClocked { enter(row) }
      state.put(space, keys[row.key], rows[row.bytes])
    }
    return isAny
  }

  private func enter(_ row: StagedRows.Row) {
    tables.lend(row.table) { table in
      if table.isOfSessions {
        note(table, row)
      } else if table.isScheduled && (row.isNew || row.isMadeAnew) {
        enter(table, row)
      }
    }
  }

  private func leave(_ row: StagedRows.Row) {
    tables.lend(row.table) { table in
      if table.isOfSessions {
        note(table, row)
      } else if table.isScheduled {
        leaveGhost(table, row)
      }
    }
  }
}
