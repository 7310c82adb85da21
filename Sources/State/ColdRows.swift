import Records

/// What a state on disk keeps beside its rows in memory: its store, what has changed since the last
/// write, and the first thing that went wrong.
///
/// The store is only written between turns, so within one it answers as at its beginning.
final class ColdRows {
  /// What one row costs to apply again: asked of the store where it has it, where it has not, and
  /// written, with more for each of its bytes (`Sources/State/README.md`).
  static let storedNanoseconds = 12_500
  static let absentNanoseconds = 1_300
  static let writeNanoseconds = 500
  static let byteNanoseconds = 2

  /// How many requests may be under way, and the share of the rows' memory that each may read: an
  /// eighth of it in all.
  private static let requestsMax = 4
  private static let requestShare = 32
  /// So many keys are not made to wait for more: a row costs 8 µs among 2000, 9 among 1000, and 12
  /// among 250.
  private static let requestKeys = 1000

  let store: RowStore
  /// Sticks: a row that could not be read was taken for absent, so nothing more may come of it.
  private(set) var failure: StoreFailure?
  /// Rows, on disk or not; without remembered ids.
  var rowCount: Int
  private var rowCountAtBegin = 0
  /// Hash and reference of each row that became dirty; some may be gone since.
  private(set) var dirty: ContiguousArray<UInt64> = []
  /// At most what the dirty rows take.
  private(set) var dirtyBytes = 0
  /// What applying again from the stamp on disk would cost.
  private(set) var nanoseconds = 0
  /// How many rows and ids the store was asked for, and how many of them ahead.
  var asked = 0
  private(set) var rowsNamed = 0
  /// What is named to be read ahead, and requests that are under way, oldest first.
  private var named = ReadAhead()
  private var reading: ContiguousArray<ReadAhead> = []
  /// Of requests that are finished: tags for whose rows nobody has asked yet.
  private var broughtTags: ContiguousArray<UInt64> = []
  /// Bytes of a key and its row, as the last request found them; nil as long as there was none.
  private var bytesMean: Int?
  private var bounds = ContiguousArray(repeating: Int64.min, count: 256)

  init(_ store: RowStore) {
    self.store = store
    rowCount = store.moment?.rowCount ?? 0
    for (space, time) in store.moment?.forgotten ?? [:] { bounds[Int(space)] = time }
    store.memory.opened()
  }

  deinit {
    dropReadAhead()
    store.memory.closed()
  }

  func begin() { rowCountAtBegin = rowCount }
  func rollback() { rowCount = rowCountAtBegin }

  func fail(_ reason: StoreFailure) { failure = failure ?? reason }

  func noteWrite(bytes: Int) {
    nanoseconds += ColdRows.writeNanoseconds + ColdRows.byteNanoseconds * bytes
  }

  func noteWork(nanoseconds more: Int) { nanoseconds += more }

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

  // MARK: Reading ahead

  func name(_ kind: RowStore.Kind, _ space: Space, _ key: ByteView) { named.add(kind, space, key) }

  /// Whether another request may be started.
  var hasRoomAhead: Bool { reading.count < ColdRows.requestsMax }

  func isReadingAhead(_ tag: UInt64) -> Bool {
    broughtTags.contains(tag) || reading.contains { $0.tags.contains(tag) }
  }

  /// Whether another thread has yet to read the request of that tag.
  func isOutstanding(_ tag: UInt64) -> Bool {
    reading.first { $0.tags.contains(tag) }?.isOutstanding ?? false
  }

  /// Has what was named read, together with what nobody has begun to read yet: at once when it is
  /// enough, or later, as ``hurryReadAhead()`` says.
  func startReadAhead(_ tag: UInt64) {
    if named.count == 0 { return }
    asked += named.count
    rowsNamed += named.count
    let bytesMax = store.memory.rowBytes / ColdRows.requestShare
    // Rows of about the same size have to find room; and more would only have their owner wait.
    let keysMax = bytesMean.map { min(bytesMax / ($0 + $0 / 4 + 1), 2 * ColdRows.requestKeys) } ?? 0
    if reading.last?.takeIn(named, tag: tag, keysMax: keysMax) != true {
      hurryReadAhead()
      store.prepare(named, tag, bytesMax: bytesMax)
      reading.append(named)
      named = ReadAhead()
    }
    if let last = reading.last, last.count >= min(ColdRows.requestKeys, keysMax) {
      hurryReadAhead()
    }
  }

  /// What waits for more is wanted now. It is in the last request: those before were started when
  /// that one came.
  func hurryReadAhead() {
    guard let last = reading.last else { return }
    last.start(expecting: last.count * ((bytesMean ?? 0) * 9 / 8))
  }

  /// Lends what the request of that tag reads, its other tags' keys included; nothing if that was
  /// lent for another tag already. False if there is none.
  func finishReadAhead(_ tag: UInt64, _ body: (ByteView, ByteView?) -> Void) -> Bool {
    if let index = broughtTags.firstIndex(of: tag) {
      broughtTags.remove(at: index)
      return true
    }
    guard let index = reading.firstIndex(where: { $0.tags.contains(tag) }) else { return false }
    let request = reading.remove(at: index)
    broughtTags.append(contentsOf: request.tags.filter { $0 != tag })
    do {
      try request.finish(body)
      bytesMean = request.bytesMean
    } catch {
      fail(error)
    }
    return true
  }

  /// Rows are let go: what was brought may be gone when somebody asks for it.
  func forgetBrought() { broughtTags.removeAll(keepingCapacity: true) }

  /// Lends what requests have begun to read, and drops the others: the store is about to change.
  func endReadAhead(_ body: (ByteView, ByteView?) -> Void) {
    for request in reading {
      do {
        try request.finishIfBegun(body)
      } catch {
        fail(error)
      }
    }
    reading.removeAll()
    broughtTags.removeAll()
  }

  func dropReadAhead() {
    for request in reading { request.drop() }
    reading.removeAll()
    broughtTags.removeAll()
  }

  // MARK: Remembered ids

  /// Ids of the space that were remembered before that time are forgotten.
  @inline(__always)
  func forgotten(_ space: UInt8) -> Int64 { bounds[Int(space)] }
  func setForgotten(_ space: UInt8, before time: Int64) { bounds[Int(space)] = time }

  /// By space, where there is something to say.
  var forgotten: [UInt8: Int64] {
    var result: [UInt8: Int64] = [:]
    for (space, time) in bounds.enumerated() where time != .min { result[UInt8(space)] = time }
    return result
  }

  var bytesUsed: Int { dirty.capacity * MemoryLayout<UInt64>.stride }
}
