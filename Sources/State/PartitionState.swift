import Records

/// The keyed state of one journal partition: rows by space and key, remembered event ids, a stamp.
///
/// Writes belong to a turn: ``begin()``, any number of them, then ``commit(_:)`` with the stamp of
/// what is now in it, or ``rollback()``, after which everything is as it was at `begin`. Reads see
/// the turn's own writes. Writing outside a turn is an error of the program and traps.
///
/// Views and handles that are lent end with the next write, or the turn. Keys and rows may be of
/// any size that Kafka carries. Nothing that can be seen depends on the process or on hash order.
/// One thread owns it.
package final class PartitionState {
  let table: RowTable
  private var queues: ContiguousArray<ExpiryQueue?>
  let undo = UndoLog()
  private(set) var isInTurn = false
  /// The part of the state that is on disk; nil: all of it is in memory.
  let cold: ColdRows?
  /// Whether there is one, for the hot path: asking an optional object counts a reference.
  let isOnDisk: Bool
  /// The moment that the state is at; changes only with a commit.
  package var stamp: Stamp { current }
  private var current: Stamp

  /// An empty state. `seed` places rows in memory and may differ in each process.
  package init(stamp: Stamp = .empty, seed: HashSeed = .random()) {
    current = stamp
    table = RowTable(seed: seed)
    queues = ContiguousArray(repeating: nil, count: 256)
    cold = nil
    isOnDisk = false
  }

  /// The state that `store` holds. Rows come to memory when they are asked for, within its bound;
  /// what is committed goes to disk by ``writeBack()``.
  package init(_ store: RowStore, seed: HashSeed = .random()) {
    current = store.moment?.stamp ?? .empty
    table = RowTable(seed: seed)
    queues = ContiguousArray(repeating: nil, count: 256)
    cold = ColdRows(store)
    isOnDisk = true
  }

  // MARK: Turns

  package func begin() {
    precondition(!isInTurn, "a turn is ended before the next begins")
    isInTurn = true
    cold?.begin()
  }

  /// Keeps what the turn wrote. Costs no more than the rows that it removed.
  package func commit(_ stamp: Stamp) {
    precondition(isInTurn, "a commit ends a turn")
    undo.clear(freeing: table)
    current = stamp
    isInTurn = false
    if isOnDisk { evict() }
  }

  /// Takes back what the turn wrote.
  package func rollback() {
    precondition(isInTurn, "a rollback ends a turn")
    while let entry = undo.popLast() { takeBack(entry) }
    undo.clear()
    isInTurn = false
    if isOnDisk {
      cold?.rollback()
      evict()
    }
  }

  private func takeBack(_ entry: UndoLog.Entry) {
    switch entry.change {
    case .changed:
      table.write(entry.row, undo.oldBytes(of: entry))
      table.dropNote(entry.row)
      undo.dropBytes(of: entry)
    case .inserted:
      discard(entry.row)
    case .removed:
      restore(entry.row)
    case .moved:
      table.replace(entry.row, by: entry.other)
      table.free(entry.row)
    case .remembered:
      queues[Int(entry.space)]?.removeLast()
      discard(entry.row)
    case .forgotten:
      queues[Int(entry.space)]?.prepend(entry.row, entry.start)
      restore(entry.row)
    case .hidden:
      table.setAbsent(entry.row, false)
    case .expired:
      cold?.setForgotten(entry.space, before: entry.start)
    }
  }

  /// Before the bytes of a row change: the turn's first change of it is noted.
  @inline(__always)
  func noteBytes(_ row: RowReference) {
    if table.takeNote(row) { undo.noteBytes(row, table.row(row).view) }
  }

  /// A row that the turn has made: it needs no old bytes.
  func noteNew(_ change: UndoLog.Change, _ row: RowReference, other: RowReference = 0) {
    _ = table.takeNote(row)
    undo.note(change, row, other: other)
  }

  private func discard(_ row: RowReference) {
    table.remove(row)
    table.free(row)
  }

  private func restore(_ row: RowReference) {
    table.insert(table.hash(table.space(row), table.key(row)), row)
  }

  // MARK: Rows

  /// The row of `key`; nil when there is none.
  package func get(_ space: Space, _ key: ByteView) -> ByteView? {
    let hash = table.hash(space.number, key)
    let row = table.find(space.number, key, hash)
    if isOnDisk { return diskRow(space, key, hash, row).map { table.row($0).view } }
    return row == 0 ? nil : table.row(row).view
  }

  /// Sets the row of `key`. In place when it fits there.
  package func put(_ space: Space, _ key: ByteView, _ row: ByteView) {
    precondition(isInTurn, "rows are written in a turn")
    assert(queues[Int(space.number)] == nil, "a space of remembered keys has no rows")
    let hash = table.hash(space.number, key)
    let old = table.find(space.number, key, hash)
    if isOnDisk {
      diskPut(space, key, hash, old, row)
      return
    }
    if old == 0 {
      insert(space, key, hash, length: row.count).store(row, at: 0)
      return
    }
    if table.fits(old, row.count) {
      noteBytes(old)
      table.write(old, row)
      return
    }
    let new = table.make(space.number, key, rowLength: row.count)
    table.row(new).store(row, at: 0)
    table.replace(old, by: new)
    noteNew(.moved, new, other: old)
  }

  /// The row of `key`, to be changed in place; nil when there is none.
  package func update(_ space: Space, _ key: ByteView) -> RowHandle? {
    precondition(isInTurn, "rows are written in a turn")
    let hash = table.hash(space.number, key)
    let row = table.find(space.number, key, hash)
    if isOnDisk { return diskUpdate(space, key, hash, row) }
    if row == 0 { return nil }
    noteBytes(row)
    return table.row(row)
  }

  /// The row of `key`, to be changed in place; made with `length` zero bytes when there is none. A
  /// row that is there keeps its length.
  package func upsert(_ space: Space, _ key: ByteView, length: Int) -> (row: RowHandle, isNew: Bool)
  {
    precondition(isInTurn, "rows are written in a turn")
    assert(queues[Int(space.number)] == nil, "a space of remembered keys has no rows")
    let hash = table.hash(space.number, key)
    let row = table.find(space.number, key, hash)
    if isOnDisk { return diskUpsert(space, key, hash, row, length: length) }
    if row == 0 { return (insert(space, key, hash, length: length), true) }
    noteBytes(row)
    return (table.row(row), false)
  }

  func insert(_ space: Space, _ key: ByteView, _ hash: UInt32, length: Int) -> RowHandle {
    let row = table.make(space.number, key, rowLength: length)
    table.insert(hash, row)
    noteNew(.inserted, row)
    return table.row(row)
  }

  /// Removes the row of `key`; false when there is none.
  @discardableResult
  package func delete(_ space: Space, _ key: ByteView) -> Bool {
    precondition(isInTurn, "rows are written in a turn")
    precondition(queues[Int(space.number)] == nil, "remembered ids go by forget alone")
    let hash = table.hash(space.number, key)
    let row = table.find(space.number, key, hash)
    if isOnDisk { return diskDelete(space, key, hash, row) }
    if row == 0 { return false }
    table.remove(row)
    undo.note(.removed, row)
    return true
  }
}

/// Event ids: keys that go when their time has come.
extension PartitionState {
  /// Whether `key` is remembered in `space`.
  package func isRemembered(_ space: Space, _ key: ByteView) -> Bool {
    let hash = table.hash(space.number, key)
    let row = table.find(space.number, key, hash)
    return isOnDisk ? diskIsRemembered(space, key, hash, row) : row != 0
  }

  /// Remembers `key` from `recordedMs` on; false when it is remembered already, which is a
  /// redelivery, and then nothing changes (the first time counts). A space holds either rows or
  /// remembered keys, whose times never fall. About 100 bytes for a key of 70.
  package func remember(_ space: Space, _ key: ByteView, recordedMs: Int64) -> Bool {
    precondition(isInTurn, "keys are remembered in a turn")
    let hash = table.hash(space.number, key)
    let found = table.find(space.number, key, hash)
    if isOnDisk { return diskRemember(space, key, hash, found, recordedMs: recordedMs) }
    if found != 0 { return false }
    let row = table.make(space.number, key, rowLength: 0)
    table.insert(hash, row)
    let number = Int(space.number)
    if queues[number] == nil { queues[number] = ExpiryQueue() }
    queues[number]?.append(row, recordedMs)
    undo.note(.remembered, row, space: space.number)
    return true
  }

  /// Forgets the keys of `space` that were remembered before `recordedMs`. To be called where the
  /// journal says so (with a block's recorded time), never by a clock.
  package func forget(_ space: Space, before recordedMs: Int64) {
    precondition(isInTurn, "keys are forgotten in a turn")
    if isOnDisk {
      diskForget(space, before: recordedMs)
      return
    }
    let number = Int(space.number)
    while let time = queues[number]?.firstTime, time < recordedMs,
      let row = queues[number]?.removeFirst()
    {
      table.remove(row)
      undo.note(.forgotten, row, space: space.number, time: time)
    }
  }
}

/// The whole.
extension PartitionState {
  /// Rows, without remembered ids: how many of those lie on disk is not counted.
  package var rowCount: Int {
    cold?.rowCount ?? queues.reduce(table.count) { $0 - ($1?.count ?? 0) }
  }

  /// Bytes that rows, table, queues and the turn's undo log take; what is kept free is not counted.
  package var bytesUsed: Int {
    var bytes = table.rowBytes + table.slotBytes + undo.bytesUsed + (cold?.bytesUsed ?? 0)
    for queue in queues { bytes += queue?.bytes ?? 0 }
    return bytes
  }

  /// Bytes that the open turn takes: to be taken back, and for rows beyond what the state may keep,
  /// which cannot go before the turn's end.
  package var turnBytes: Int {
    let rows = isOnDisk ? table.rowBytes + table.slotBytes - rowBytesMax : 0
    return undo.bytesUsed + max(0, rows)
  }

  private var rowBytesMax: Int { cold?.store.memory.rowBytes ?? .max }

  /// A digest of rows, remembered keys and their times. Reads everything.
  package func contentDigest() -> StateDigest {
    if isOnDisk { return diskDigest() }
    let content = ContentDigest()
    table.forEach { row in
      if queues[Int(table.space(row))] != nil { return }
      content.add(table.space(row), table.key(row), table.row(row).view)
    }
    for queue in queues {
      queue?.forEach { row, time in content.add(table.space(row), table.key(row), time) }
    }
    return content.digest
  }
}
