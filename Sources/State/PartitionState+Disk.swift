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
    cold.asked += 1
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

  // MARK: Reading ahead

  /// Whether rows can be asked for together.
  package var readsAhead: Bool { isOnDisk }

  /// How many rows and ids the store was asked for since the state was opened.
  package var rowsAsked: Int { cold?.asked ?? 0 }

  /// How many of them ahead.
  package var rowsNamed: Int { cold?.rowsNamed ?? 0 }

  /// Says what applying again costs beside the rows that are written, such as reading an event: it
  /// counts towards ``reapplyShare``.
  package func noteWork(nanoseconds: Int) { cold?.noteWork(nanoseconds: nanoseconds) }

  /// Files that no merge has sorted in yet: each makes every read of a row dearer.
  package var looseFiles: Int { cold?.store.looseFiles ?? 0 }

  /// Names a row that will be asked for, for the next ``startReadAhead(_:)``.
  package func expectRow(_ space: Space, _ key: ByteView) { expect(.row, space, key) }

  /// The same for an id that will be remembered, in a space that has ids already.
  package func expectId(_ space: Space, _ id: ByteView) {
    if hasIds(space.number) { expect(.remembered, space, id) }
  }

  private func expect(_ kind: RowStore.Kind, _ space: Space, _ key: ByteView) {
    if table.find(space.number, key, table.hash(space.number, key)) != 0 { return }
    cold?.name(kind, space, key)
  }

  /// Whether another request may be started: what requests read may take an eighth of the rows'
  /// share of the memory.
  package var hasRoomAhead: Bool { cold?.hasRoomAhead ?? false }

  /// Whether a request of that tag was started and is not finished.
  package func isReadingAhead(_ tag: UInt64) -> Bool { cold?.isReadingAhead(tag) ?? false }

  /// Whether another thread has yet to read the request of that tag: who finishes it now waits.
  package func isOutstanding(_ tag: UInt64) -> Bool { cold?.isOutstanding(tag) ?? false }

  /// Has what was named and is not in memory read by another thread: at once when it is enough to
  /// be worth its while, or when ``hurryReadAhead()`` says so.
  /// - Parameter tag: names the request for ``finishReadAhead(_:)``.
  package func startReadAhead(_ tag: UInt64) { cold?.startReadAhead(tag) }

  /// What was named will be asked for at once.
  package func hurryReadAhead() { cold?.hurryReadAhead() }

  /// Brings what a request reads to memory; waits for it. What the store does not have is kept as
  /// absent, so that it is not asked for again. False if there is no request of that tag.
  @discardableResult
  package func finishReadAhead(_ tag: UInt64) -> Bool {
    cold?.finishReadAhead(tag, keep) ?? false
  }

  /// Ends all requests before the store changes.
  func endReadAhead() { cold?.endReadAhead(keep) }

  /// Nothing of what is being read is wanted.
  package func dropReadAhead() { cold?.dropReadAhead() }

  private func keep(_ whole: ByteView, _ found: ByteView?) {
    let (space, key) = (whole[1], whole.suffix(from: RowStore.keyHead))
    let hash = table.hash(space, key)
    // Somebody was faster, and may have changed it.
    if table.find(space, key, hash) != 0 { return }
    let isId = whole[0] == RowStore.Kind.remembered.rawValue
    let row = table.make(
      space, key, rowLength: found?.count ?? (isId ? MemoryLayout<Int64>.size : 0))
    if let found {
      table.write(row, found)
    } else {
      if isId { table.row(row).set(int64: .min, at: 0) }
      table.setAbsent(row, true)
    }
    table.insert(hash, row)
    table.use(row)
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
    cold?.noteWrite(bytes: row.count)
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
    cold?.noteWrite(bytes: length)
    let row = found == 0 ? load(.row, space, key, hash, keepsAbsent: false) : found
    if row == 0 || table.isAbsent(row) {
      return (table.row(replace(row, space, key, hash, length: length)), true)
    }
    return (change(row, hash), false)
  }

  func diskUpdate(_ space: Space, _ key: ByteView, _ hash: UInt32, _ found: RowReference)
    -> RowHandle?
  {
    cold?.noteWrite(bytes: 0)
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
    cold?.noteWrite(bytes: 0)
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
  // stays where it is until its row is evicted, or RocksDB drops it. The least time is nobody's: it
  // stands for a key that the store was asked for and does not have.

  /// Whether what stands there is remembered; false for none.
  func isRemembered(_ row: RowReference, _ space: Space) -> Bool {
    guard row != 0, let cold else { return false }
    let time = table.row(row).int64(at: 0)
    return time != .min && time >= cold.forgotten(space.number)
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
    cold.noteWrite(bytes: key.count)
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
    table.setAbsent(row, false)
    table.row(row).set(int64: recordedMs, at: 0)
    table.use(row)
    if !hasIds(space.number) { setForgotten(space, before: .min + 1, cold) }
    return true
  }

  func diskForget(_ space: Space, before recordedMs: Int64) {
    guard let cold, recordedMs > cold.forgotten(space.number) else { return }
    setForgotten(space, before: recordedMs, cold)
  }

  private func setForgotten(_ space: Space, before time: Int64, _ cold: ColdRows) {
    // From now on it is known to be a space of ids, also when this turn is taken back.
    let old = max(cold.forgotten(space.number), .min + 1)
    undo.note(.expired, 0, space: space.number, time: old)
    cold.setForgotten(space.number, before: time)
  }

  // MARK: Memory

  /// Lets rows go until the state is within its share of the memory, which shrinks with each state
  /// that is opened. Done by each turn's end; between turns for a state that has none.
  /// Where nothing is to be written, what free places hold beyond it is given back, too.
  package func shrink() {
    guard let cold, !isInTurn else { return }
    if cold.dirty.isEmpty { trim(cold) } else { evict() }
  }

  func evict() {
    guard let cold else { return }
    let share = cold.store.memory.rowBytes
    if table.rowBytes + table.slotBytes <= share { return }
    cold.forgetBrought()
    // A little more than has to be, so that not every turn has to begin anew.
    table.evict(toAtMost: max(share - share / 16 - table.slotBytes, share / 4))
  }
}
