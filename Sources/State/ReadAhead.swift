import Dispatch
import Records
import Synchronization

/// Rows that will be asked for soon, read from the store together, beside its owner.
///
/// One that nobody has begun to read takes more keys in: the later the readers come to it, the more
/// it is, and the less each of its rows costs.
///
/// `@unchecked Sendable`: its owner fills it, under the lock once it is started; then whoever
/// claims it reads, the owner or a thread of the process's pool, and the owner looks at what was
/// found only when that is done.
final class ReadAhead: @unchecked Sendable {
  /// What it is for, to be found again by.
  private(set) var tags: ContiguousArray<UInt64> = []
  /// Whole keys, as a store has them.
  private let keys = ByteBuffer(capacity: 1024)
  private var wanted: ContiguousArray<Key> = []
  /// By key in the order of their bytes: where in `rows` its row lies; nil: the store has none.
  private var found: ContiguousArray<Range<Int>?> = []
  private var rows = ByteBuffer(capacity: 1024)
  private var failure: StoreFailure?
  private var source: RowFiles?
  /// What its rows may take; those beyond are left to be read one by one.
  private var bytesMax = 0
  private var isStarted = false
  private let done = DispatchSemaphore(value: 0)
  private let progress = Mutex(Progress.waiting)

  private enum Progress {
    case waiting, claimed, read
  }

  private struct Key {
    /// By which most are told apart.
    let beginning: UInt64
    let start: UInt32
    let end: UInt32

    var range: Range<Int> { Int(start)..<Int(end) }
  }

  /// How many keys were added, some of them twice: whoever reads drops those.
  private(set) var count = 0

  func add(_ kind: RowStore.Kind, _ space: Space, _ key: ByteView) {
    let start = keys.count
    RowStore.appendKey(kind, space, key, to: keys)
    wanted.append(
      Key(
        beginning: RowStore.beginning(kind, space.number, key), start: UInt32(start),
        end: UInt32(keys.count)))
    count += 1
  }

  /// Says what it is for; from now on it may be finished.
  func prepare(_ files: RowFiles, tag: UInt64, bytesMax: Int) {
    tags.append(tag)
    self.bytesMax = bytesMax
    source = files
  }

  /// Has it read by another thread, where the files are real, if that was not done yet.
  /// - Parameter bytes: what its rows will take, about: taken here and at once, as a thread of the
  ///   pool would keep what it outgrows.
  func start(expecting bytes: Int) {
    if isStarted { return }
    isStarted = true
    rows = ByteBuffer(capacity: max(1024, min(bytes, bytesMax)))
    found.reserveCapacity(wanted.count)
    guard case .database = source else {
      // In simulations half of them are as if a thread had been there at once.
      if tags[0] & 1 == 0 { readIfUnclaimed() }
      return
    }
    DispatchQueue.global(qos: .userInitiated).async { [self] in readIfUnclaimed() }
  }

  /// Takes another's keys over, which was not prepared and is empty then; false when it is being
  /// read already, or would have more keys than that.
  func takeIn(_ other: ReadAhead, tag: UInt64, keysMax: Int) -> Bool {
    progress.withLock { progress in
      guard case .waiting = progress, count + other.count <= keysMax else { return false }
      let shift = UInt32(keys.count)
      keys.append(other.keys.view)
      for key in other.wanted {
        wanted.append(
          Key(beginning: key.beginning, start: key.start + shift, end: key.end + shift))
      }
      count += other.count
      tags.append(tag)
      other.clear()
      return true
    }
  }

  private func clear() {
    keys.clear()
    wanted.removeAll(keepingCapacity: true)
    count = 0
  }

  private func claim() -> Bool {
    progress.withLock { progress in
      guard case .waiting = progress else { return false }
      progress = .claimed
      return true
    }
  }

  private func readIfUnclaimed() {
    if !claim() { return }
    read()
    // Before anyone is told: whoever waits may be about to close the files.
    source = nil
    progress.withLock { $0 = .read }
    done.signal()
  }

  /// Whether another thread is to read it, now or later, and has not done so yet. Without another
  /// thread whoever asks for the rows reads them.
  var isOutstanding: Bool {
    progress.withLock { progress in
      switch progress {
      case .read: return false
      case .claimed: return true
      case .waiting:
        if case .database = source { return true }
        return !isStarted
      }
    }
  }

  /// Nothing of it is wanted. Waits if it is being read, as nobody may close the files meanwhile.
  func drop() {
    if claim() { source = nil } else { done.wait() }
  }

  @inline(never)
  private func read() {
    sort()
    do {
      try source?.get(sorted: ContiguousArray(wanted.map(\.range)), of: keys.view) { row in
        if let row {
          let start = rows.count
          rows.append(row)
          found.append(start..<rows.count)
        } else {
          found.append(nil)
        }
        return rows.count <= bytesMax
      }
    } catch {
      failure = error
    }
  }

  /// Each key once, in the order of their bytes.
  private func sort() {
    let bytes = keys.view
    wanted.sort { left, right in
      if left.beginning != right.beginning { return left.beginning < right.beginning }
      return bytes[left.range].compare(bytes[right.range]) < 0
    }
    if wanted.isEmpty { return }
    var kept = 1
    for index in 1..<wanted.count {
      if bytes[wanted[index].range] == bytes[wanted[kept - 1].range] { continue }
      wanted[kept] = wanted[index]
      kept += 1
    }
    wanted.removeLast(wanted.count - kept)
  }

  /// As ``finish(_:)`` where somebody has begun to read, else as ``drop()``.
  func finishIfBegun(_ body: (ByteView, ByteView?) -> Void) throws(StoreFailure) {
    if claim() { source = nil } else { try lend(body) }
  }

  /// Lends each key, with its kind and space before it, and its row. Waits until all is read, or
  /// reads it here if nobody has begun. To be called once.
  func finish(_ body: (ByteView, ByteView?) -> Void) throws(StoreFailure) {
    readIfUnclaimed()
    try lend(body)
  }

  /// What a key has taken on the average, with its row if it has one; to be asked for when it is
  /// read.
  var bytesMean: Int { (keys.count + rows.count) / max(1, found.count) }

  private func lend(_ body: (ByteView, ByteView?) -> Void) throws(StoreFailure) {
    done.wait()
    if let failure { throw failure }
    for (key, range) in zip(wanted, found) { body(keys[key.range], range.map { rows[$0] }) }
  }
}
