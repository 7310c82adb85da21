import Records

// From memory to disk, between turns.
extension PartitionState {
  /// Whether so much has changed since the last write that memory or the next start would suffer.
  package var isWriteBackDue: Bool { changedShare >= 1 || reapplyShare >= 1 }

  /// What has changed, as a share of what may: half of the memory's share.
  package var changedShare: Double {
    guard let cold else { return 0 }
    return Double(cold.dirtyBytes) / Double(max(1, cold.store.memory.rowBytes / 2))
  }

  /// What applying again from the stamp on disk would cost, as the state's share of the second or
  /// less that a restart may take.
  package var reapplyShare: Double {
    guard let cold else { return 0 }
    return Double(cold.nanoseconds) / Double(cold.store.memory.reapplyNanoseconds)
  }

  /// Writes what has changed and the stamp to disk, in one step that is synced when this returns.
  /// To be called between turns, when what the stamp covers is committed. Nothing for a state in
  /// memory. About a microsecond a changed row.
  package func writeBack() throws(StoreFailure) {
    precondition(!isInTurn, "a state is written between turns")
    guard let cold else { return }
    // What is being read is of the store as it is now.
    endReadAhead()
    if let failure = cold.failure { throw failure }
    let moment = RowStore.Moment(
      stamp: stamp, rowCount: cold.rowCount, forgotten: cold.forgotten)
    let rows = dirtyRows(cold)
    if moment == cold.store.moment && rows.isEmpty { return }
    do {
      try cold.store.write(moment) { writer throws(StoreFailure) in
        for row in rows { try write(row.reference, writer) }
      }
    } catch {
      cold.fail(error)
      throw error
    }
    for row in rows { table.setDirty(row.reference, false) }
    cold.clearDirty()
    trim(cold)
  }

  private func write(_ row: RowReference, _ writer: RowStore.Writer) throws(StoreFailure) {
    let space = Space(table.space(row))
    let (key, bytes) = (table.key(row), table.row(row).view)
    if hasIds(space.number) {
      // One that is forgotten already need not be written; nor does what it was on disk count.
      if isRemembered(row, space) { try writer.remember(space, key, bytes) }
    } else if table.isAbsent(row) {
      try writer.delete(space, key)
    } else {
      try writer.put(space, key, bytes)
    }
  }

  /// A row with the beginning of its key, by which most are told apart without looking at them.
  private struct DirtyRow {
    let beginning: UInt64
    let reference: RowReference
  }

  /// All dirty rows in the order in which a store takes them: rows, then ids; by space and key.
  private func dirtyRows(_ cold: ColdRows) -> ContiguousArray<DirtyRow> {
    var rows = ContiguousArray<DirtyRow>()
    rows.reserveCapacity(cold.dirty.count)
    for slot in cold.dirty {
      let row = RowReference(truncatingIfNeeded: slot)
      // A row that was taken back or has moved since is not there any more; one that is named twice
      // is taken once.
      guard table.has(UInt32(truncatingIfNeeded: slot >> 32), row), table.isDirty(row)
      else { continue }
      table.setDirty(row, false)
      rows.append(DirtyRow(beginning: beginning(row), reference: row))
    }
    for row in rows { table.setDirty(row.reference, true) }
    rows.sort { left, right in
      if left.beginning != right.beginning { return left.beginning < right.beginning }
      return table.key(left.reference).compare(table.key(right.reference)) < 0
    }
    return rows
  }

  private func beginning(_ row: RowReference) -> UInt64 {
    let space = table.space(row)
    return RowStore.beginning(hasIds(space) ? .remembered : .row, space, table.key(row))
  }

  /// Every row is clean: where free places of other sizes than are needed now take too much, all of
  /// it is given back, and comes again from the store.
  func trim(_ cold: ColdRows) {
    let share = cold.store.memory.rowBytes
    if table.heldBytes > share + share / 4 {
      cold.forgetBrought()
      table.clear()
    }
    evict()
  }

  // MARK: All of it

  func diskDigest() -> StateDigest {
    let content = ContentDigest()
    guard let cold else { return content.digest }
    do {
      for kind in [RowStore.Kind.row, .remembered] {
        try cold.store.scan(kind) { space, key, row in
          // What is in memory is newer.
          if table.find(space.number, key, table.hash(space.number, key)) == 0,
            kind == .row || row.int64(at: 0) >= cold.forgotten(space.number)
          {
            content.add(space.number, key, row)
          }
          return true
        }
      }
    } catch {
      cold.fail(error)
    }
    table.forEach { row in
      let space = table.space(row)
      if hasIds(space) ? isRemembered(row, Space(space)) : !table.isAbsent(row) {
        content.add(space, table.key(row), table.row(row).view)
      }
    }
    return content.digest
  }
}
