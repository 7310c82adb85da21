import Records

// A state whose rows are on disk; those in memory are the ones used of late and the ones that
// changed. A row that is not in memory is asked of the store once and kept as clean, also when it
// is absent. What is taken back stays marked dirty: writing what is there already does no harm.
extension PartitionState {
  /// What went wrong with the disk, if anything did. Then the state answers wrongly: the turn must
  /// not be committed, nor anything be published of it.
  package var failure: StoreFailure? { cold?.failure }

  /// Bytes of the files on disk.
  package var fileBytes: Int { cold?.store.fileBytes ?? 0 }

  /// Bytes of all files that were written since it was opened; nil for a state in memory.
  package var bytesWritten: Int? { cold?.store.bytesWritten }

  // MARK: Finding

  /// The row, if there is one. `found` is what the table has.
  func diskRow(_ space: Space, _ key: ByteView, _ hash: UInt32, _ found: RowReference)
    -> RowReference?
  {
    var row = found
    if row == 0 { row = load(.row, space, key, hash, keepsAbsent: true) }
    if row == 0 { return nil }
    table.use(row)
    return table.isAbsent(row) ? nil : row
  }

  /// Brings a row from the store into the table; 0 when it has none and that is not to be kept.
  @inline(never)
  private func load(
    _ kind: RowStore.Kind, _ space: Space, _ key: ByteView, _ hash: UInt32, keepsAbsent: Bool
  ) -> RowReference {
    guard let cold, cold.failure == nil else { return 0 }
    do {
      return try cold.store.get(kind, space, key) { bytes in
        guard bytes != nil || keepsAbsent else { return 0 }
        let row = table.make(space.number, key, rowLength: bytes?.count ?? 0)
        if let bytes { table.write(row, bytes) } else { table.setAbsent(row, true) }
        table.insert(hash, row)
        return row
      }
    } catch {
      cold.fail(error)
      return 0
    }
  }

  private func dirty(_ row: RowReference, _ hash: UInt32) {
    if table.isDirty(row) { return }
    table.setDirty(row, true)
    cold?.note(
      hash, row, bytes: table.placeBytes(row), isStored: !table.isAbsent(row))
  }

  /// Whether a space has remembered keys, not rows.
  func hasIds(_ space: UInt8) -> Bool { cold.map { $0.forgotten(space) != .min } ?? false }

  // MARK: Writing

  func diskPut(
    _ space: Space, _ key: ByteView, _ hash: UInt32, _ found: RowReference, _ row: ByteView
  ) {
    cold?.noteWrite()
    let old = found == 0 ? load(.row, space, key, hash, keepsAbsent: false) : found
    if old != 0 && !table.isAbsent(old) && table.fits(old, row.count) {
      noteBytes(old)
      dirty(old, hash)
      table.write(old, row)
      table.use(old)
      return
    }
    table.row(replace(old, space, key, hash, length: row.count)).store(row, at: 0)
  }

  func diskUpsert(
    _ space: Space, _ key: ByteView, _ hash: UInt32, _ found: RowReference, length: Int
  ) -> (row: RowHandle, isNew: Bool) {
    cold?.noteWrite()
    let row = found == 0 ? load(.row, space, key, hash, keepsAbsent: false) : found
    if row == 0 || table.isAbsent(row) {
      return (table.row(replace(row, space, key, hash, length: length)), true)
    }
    return (change(row, hash), false)
  }

  func diskUpdate(_ space: Space, _ key: ByteView, _ hash: UInt32, _ found: RowReference)
    -> RowHandle?
  {
    cold?.noteWrite()
    return diskRow(space, key, hash, found).map { change($0, hash) }
  }

  private func change(_ row: RowReference, _ hash: UInt32) -> RowHandle {
    noteBytes(row)
    dirty(row, hash)
    table.use(row)
    return table.row(row)
  }

  /// A new row of zeros where `old` stands, or stood absent, or nothing did (0).
  private func replace(
    _ old: RowReference, _ space: Space, _ key: ByteView, _ hash: UInt32, length: Int
  ) -> RowReference {
    let new = table.make(space.number, key, rowLength: length)
    if old == 0 {
      table.insert(hash, new)
      noteNew(.inserted, new)
    } else {
      table.replace(old, by: new)
      noteNew(.moved, new, other: old)
    }
    let wasThere = old != 0 && !table.isAbsent(old)
    if !wasThere { cold?.rowCount += 1 }
    table.setDirty(new, true)
    cold?.note(hash, new, bytes: table.placeBytes(new), isStored: wasThere)
    table.use(new)
    return new
  }

  func diskDelete(_ space: Space, _ key: ByteView, _ hash: UInt32, _ found: RowReference) -> Bool {
    cold?.noteWrite()
    guard let row = diskRow(space, key, hash, found) else { return false }
    hide(row, hash)
    return true
  }

  /// Marks a row as absent that is there. Its bytes stay, in case it comes back.
  private func hide(_ row: RowReference, _ hash: UInt32) {
    dirty(row, hash)
    table.setAbsent(row, true)
    undo.note(.hidden, row)
    cold?.rowCount -= 1
  }

  // MARK: Remembered keys
  // A remembered key's row is its time. One whose time has come is as one that is not there: it
  // stays where it is until its row is evicted, or RocksDB drops it.

  /// Whether what stands there is remembered; false for none.
  func isRemembered(_ row: RowReference, _ space: Space) -> Bool {
    guard row != 0, let cold else { return false }
    return table.row(row).int64(at: 0) >= cold.forgotten(space.number)
  }

  func diskIsRemembered(
    _ space: Space, _ key: ByteView, _ hash: UInt32, _ found: RowReference
  ) -> Bool {
    isRemembered(
      found != 0 ? found : load(.remembered, space, key, hash, keepsAbsent: false), space)
  }

  func diskRemember(
    _ space: Space, _ key: ByteView, _ hash: UInt32, _ found: RowReference, recordedMs: Int64
  ) -> Bool {
    guard let cold else { return true }
    cold.noteWrite()
    var row =
      found != 0 ? found : load(.remembered, space, key, hash, keepsAbsent: false)
    if isRemembered(row, space) {
      table.use(row)
      return false
    }
    if row == 0 {
      row = table.make(space.number, key, rowLength: MemoryLayout<Int64>.size)
      table.insert(hash, row)
      noteNew(.inserted, row)
    } else {
      noteBytes(row)
    }
    dirty(row, hash)
    table.row(row).set(int64: recordedMs, at: 0)
    table.use(row)
    // From now on it is known to be a space of ids.
    if cold.forgotten(space.number) == .min { setForgotten(space, before: .min + 1, cold) }
    return true
  }

  func diskForget(_ space: Space, before recordedMs: Int64) {
    guard let cold, recordedMs > cold.forgotten(space.number) else { return }
    setForgotten(space, before: recordedMs, cold)
  }

  private func setForgotten(_ space: Space, before time: Int64, _ cold: ColdRows) {
    undo.note(.expired, 0, space: space.number, time: cold.forgotten(space.number))
    cold.setForgotten(space.number, before: time)
  }

  // MARK: Memory

  /// Lets rows go until the state is within its share of the memory, which shrinks with each state
  /// that is opened. Done by each turn's end; between turns for a state that has none.
  package func shrink() {
    if !isInTurn { evict() }
  }

  func evict() {
    guard let cold else { return }
    let share = cold.store.memory.rowBytes
    if table.rowBytes + table.slotBytes <= share { return }
    // A little more than has to be, so that not every turn has to begin anew.
    table.evict(toAtMost: max(share - share / 16 - table.slotBytes, share / 4))
  }
}
