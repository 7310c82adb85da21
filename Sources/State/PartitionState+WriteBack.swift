import Records

// From memory to disk, between turns.
extension PartitionState {
  /// Whether so much has changed since the last write that memory or the next start would suffer:
  /// half of the memory's share is dirty, or applying again would take its share of a second.
  package var isWriteBackDue: Bool {
    guard let cold else { return false }
    let memory = cold.store.memory
    return cold.dirtyBytes > memory.rowBytes / 2 || cold.nanoseconds > memory.reapplyNanoseconds
  }

  /// Writes what has changed and the stamp to disk, in one step that is synced when this returns.
  /// To be called between turns, when what the stamp covers is committed. Nothing for a state in
  /// memory. About a microsecond a changed row.
  package func writeBack() throws(StoreFailure) {
    precondition(!isInTurn, "a state is written between turns")
    guard let cold else { return }
    if let failure = cold.failure { throw failure }
    let moment = RowStore.Moment(
      stamp: stamp, rowCount: cold.rowCount, queues: cold.queueRanges)
    let rows = dirtyRows(cold)
    if moment == cold.store.moment && rows.isEmpty { return }
    do {
      try cold.store.write(moment) { writer throws(StoreFailure) in
        for row in rows {
          let space = Space(table.space(row.reference))
          if table.isAbsent(row.reference) {
            try writer.delete(space, table.key(row.reference))
          } else {
            try writer.put(space, table.key(row.reference), table.row(row.reference).view)
          }
        }
        for space in UInt8.min...UInt8.max {
          if let queue = cold.existingQueue(space) { try write(queue, space, writer) }
        }
      }
    } catch {
      cold.fail(error)
      throw error
    }
    for row in rows { table.setDirty(row.reference, false) }
    cold.clearDirty()
    for space in UInt8.min...UInt8.max { cold.existingQueue(space)?.written() }
    trim(cold)
  }

  private func write(_ queue: StoredQueue, _ space: UInt8, _ writer: RowStore.Writer)
    throws(StoreFailure)
  {
    let gone = queue.stored.lowerBound..<min(queue.first, queue.stored.upperBound)
    for number in gone {
      try writer.deleteEntry(space, number)
    }
    var number = queue.tailStart
    var failure: StoreFailure?
    queue.tail.forEach { row, time in
      if failure != nil { return }
      do throws(StoreFailure) {
        try writer.putEntry(space, number, time: time, id: table.key(row))
      } catch {
        failure = error
      }
      number += 1
    }
    if let failure { throw failure }
  }

  /// A row with the beginning of its key, by which most are told apart without looking at them.
  private struct DirtyRow {
    let beginning: UInt64
    let reference: RowReference
  }

  /// All dirty rows in the order of space and key.
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
    let key = table.key(row)
    var result = UInt64(table.space(row)) << 56
    for index in 0..<min(key.count, 7) { result |= UInt64(key[index]) << UInt64(48 - 8 * index) }
    return result
  }

  /// Every row is clean: where free places of other sizes than are needed now take too much, all of
  /// it is given back, and comes again from the store.
  private func trim(_ cold: ColdRows) {
    let share = cold.store.memory.rowBytes
    if table.heldBytes > share + share / 4 { table.clear() }
    evict()
  }

  // MARK: All of it

  func diskDigest() -> StateDigest {
    let content = ContentDigest()
    guard let cold else { return content.digest }
    do {
      try cold.store.scan { space, key, row in
        // What is in memory is newer.
        if table.find(space.number, key, table.hash(space.number, key)) == 0 {
          content.add(space.number, key, row)
        }
        return true
      }
      table.forEach { row in
        if !table.isAbsent(row) {
          content.add(table.space(row), table.key(row), table.row(row).view)
        }
      }
      for space in UInt8.min...UInt8.max {
        if let queue = cold.existingQueue(space) { try add(queue, space, cold, to: content) }
      }
    } catch {
      cold.fail(error)
    }
    return content.digest
  }

  private func add(
    _ queue: StoredQueue, _ space: UInt8, _ cold: ColdRows, to content: ContentDigest
  ) throws(StoreFailure) {
    var place: UInt64 = 0
    if queue.beginsOnDisk {
      try cold.store.scanQueue(space, from: queue.first) { number, time, id in
        if number >= queue.stored.upperBound { return false }
        content.add(place: place, time, space, id)
        place += 1
        return true
      }
    }
    queue.tail.forEach { row, time in
      content.add(place: place, time, space, table.key(row))
      place += 1
    }
  }
}
