import Records

/// What a state on disk keeps beside its rows in memory: its store, what has changed since the last
/// write, and the first thing that went wrong.
///
/// The store is only written between turns, so within one it answers as at its beginning.
final class ColdRows {
  /// What one row costs to apply again: asked of the store where it has it, where it has not, and
  /// written (`Sources/State/README.md`).
  static let storedNanoseconds = 14_000
  static let absentNanoseconds = 1_300
  static let writeNanoseconds = 2_000

  let store: RowStore
  /// Sticks: a row that could not be read was taken for absent, so nothing more may come of it.
  private(set) var failure: StoreFailure?
  /// Rows and remembered keys, on disk or not.
  var rowCount: Int
  private var rowCountAtBegin = 0
  /// Hash and reference of each row that became dirty; some may be gone since.
  private(set) var dirty: ContiguousArray<UInt64> = []
  /// At most what the dirty rows take.
  private(set) var dirtyBytes = 0
  /// What applying again from the stamp on disk would cost.
  private(set) var nanoseconds = 0
  private var queues: ContiguousArray<StoredQueue?>

  init(_ store: RowStore) {
    self.store = store
    rowCount = store.moment?.rowCount ?? 0
    queues = ContiguousArray(repeating: nil, count: 256)
    for (space, entries) in store.moment?.queues ?? [:] {
      queues[Int(space)] = StoredQueue(entries)
    }
    store.memory.opened()
  }

  deinit { store.memory.closed() }

  func begin() { rowCountAtBegin = rowCount }
  func rollback() { rowCount = rowCountAtBegin }

  func fail(_ reason: StoreFailure) { failure = failure ?? reason }

  func noteWrite() { nanoseconds += ColdRows.writeNanoseconds }

  /// The row became dirty.
  func note(_ hash: UInt32, _ row: RowReference, bytes: Int, isStored: Bool) {
    dirty.append(UInt64(hash) << 32 | UInt64(row))
    dirtyBytes += bytes
    nanoseconds += isStored ? ColdRows.storedNanoseconds : ColdRows.absentNanoseconds
  }

  /// Everything is on disk.
  func clearDirty() {
    dirty.removeAll(keepingCapacity: true)
    dirtyBytes = 0
    nanoseconds = 0
  }

  // MARK: Queues

  func queue(_ space: UInt8) -> StoredQueue {
    if let queue = queues[Int(space)] { return queue }
    let new = StoredQueue(0..<0)
    queues[Int(space)] = new
    return new
  }

  func existingQueue(_ space: UInt8) -> StoredQueue? { queues[Int(space)] }

  var queueRanges: [UInt8: Range<UInt64>] {
    var ranges: [UInt8: Range<UInt64>] = [:]
    for (space, queue) in queues.enumerated() {
      if let queue { ranges[UInt8(space)] = queue.first..<queue.next }
    }
    return ranges
  }

  var bytesUsed: Int {
    var bytes = dirty.capacity * MemoryLayout<UInt64>.stride
    for queue in queues { bytes += queue?.bytesUsed ?? 0 }
    return bytes
  }
}

/// The remembered keys of a space in the order they came, each with a running number: the older
/// ones on disk, read some at a time when they are to be forgotten, the newest in memory.
final class StoredQueue {
  private static let readAtOnce = 1024

  /// The oldest that is not forgotten.
  private(set) var first: UInt64
  /// Which entries the store has.
  private(set) var stored: Range<UInt64>
  /// Those that the store has not; their rows are dirty, so they stay where they are.
  let tail = ExpiryQueue()
  // Entries read ahead of `first`.
  private var times: ContiguousArray<Int64> = []
  private var ids: ContiguousArray<Range<Int>> = []
  private let bytes = ByteBuffer(capacity: 64)
  private var firstRead: UInt64 = 0

  init(_ stored: Range<UInt64>) {
    self.stored = stored
    first = stored.lowerBound
  }

  /// The number of the entry that comes next.
  var next: UInt64 { tailStart + UInt64(tail.count) }
  /// The number of the first entry in memory.
  var tailStart: UInt64 { max(first, stored.upperBound) }
  /// Whether the oldest entry is on disk.
  var beginsOnDisk: Bool { first < stored.upperBound }
  var bytesUsed: Int { tail.bytes + bytes.count + 24 * times.count }

  /// The oldest entry, which is on disk.
  func oldest(_ store: RowStore, _ space: UInt8) throws(StoreFailure) -> (
    time: Int64, id: ByteView
  ) {
    if first < firstRead || first >= firstRead + UInt64(times.count) { try read(store, space) }
    let place = Int(first - firstRead)
    return (times[place], bytes[ids[place]])
  }

  private func read(_ store: RowStore, _ space: UInt8) throws(StoreFailure) {
    forgetRead()
    firstRead = first
    var expected = first
    let end = stored.upperBound
    try store.scanQueue(space, from: first) { number, time, id in
      if number != expected || number >= end { return false }
      let start = bytes.count
      bytes.append(id)
      ids.append(start..<bytes.count)
      times.append(time)
      expected += 1
      return times.count < StoredQueue.readAtOnce
    }
    if times.isEmpty {
      throw StoreFailure(
        .damaged, directory: store.directory, detail: "entry \(first) of a queue is missing")
    }
  }

  private func forgetRead() {
    times.removeAll(keepingCapacity: true)
    ids.removeAll(keepingCapacity: true)
    bytes.clear()
  }

  func step() { first += 1 }
  func stepBack() { first -= 1 }

  func takeFirst() -> RowReference {
    // Before: from here on the tail begins where the queue does.
    let row = tail.removeFirst()
    first += 1
    return row
  }

  func putBack(_ row: RowReference, _ time: Int64) {
    tail.prepend(row, time)
    first -= 1
  }

  /// All of it is on disk.
  func written() {
    let end = next
    tail.removeAll()
    stored = first..<end
    forgetRead()
  }
}
