import Dispatch
import Records
import Synchronization

/// Rows that will be asked for soon, read from the store together, beside its owner.
///
/// `@unchecked Sendable`: its owner fills it, then whoever claims it reads, the owner or a thread
/// of the process's pool, and the owner looks at it again only when that is done.
final class ReadAhead: @unchecked Sendable {
  /// What it is for, to be found again by.
  private(set) var tag: UInt64 = 0
  /// Whole keys, as a store has them.
  private let keys = ByteBuffer(capacity: 1024)
  private var wanted: ContiguousArray<Key> = []
  /// By key in the order of their bytes: where in `rows` its row lies; nil: the store has none.
  private var found: ContiguousArray<Range<Int>?> = []
  private let rows = ByteBuffer(capacity: 1024)
  private var failure: StoreFailure?
  private var source: RowFiles?
  /// What its rows may take; those beyond are left to be read one by one.
  private var bytesMax = 0
  private let done = DispatchSemaphore(value: 0)
  private let isClaimed = Atomic(false)

  private struct Key {
    /// By which most are told apart.
    let beginning: UInt64
    let start: UInt32
    let end: UInt32

    var range: Range<Int> { Int(start)..<Int(end) }
  }

  /// How many keys were added; not to be asked of one that was started.
  var count: Int { wanted.count }

  func add(_ kind: RowStore.Kind, _ space: Space, _ key: ByteView) {
    let start = keys.count
    RowStore.appendKey(kind, space, key, to: keys)
    wanted.append(
      Key(
        beginning: RowStore.beginning(kind, space.number, key), start: UInt32(start),
        end: UInt32(keys.count)))
  }

  /// Has it read by another thread, where the files are real.
  func start(_ files: RowFiles, tag: UInt64, bytesMax: Int) {
    self.tag = tag
    self.bytesMax = bytesMax
    source = files
    guard case .database = files else { return readIfUnclaimed() }
    DispatchQueue.global(qos: .userInitiated).async { [self] in readIfUnclaimed() }
  }

  private func claim() -> Bool {
    isClaimed.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing)
      .exchanged
  }

  private func readIfUnclaimed() {
    if !claim() { return }
    read()
    // Before anyone is told: whoever waits may be about to close the files.
    source = nil
    done.signal()
  }

  /// Nothing of it is wanted. Waits if it is being read, as nobody may close the files meanwhile.
  func drop() {
    if claim() { source = nil } else { done.wait() }
  }

  @inline(never)
  private func read() {
    sort()
    found.reserveCapacity(wanted.count)
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

  private func lend(_ body: (ByteView, ByteView?) -> Void) throws(StoreFailure) {
    done.wait()
    if let failure { throw failure }
    for (key, range) in zip(wanted, found) { body(keys[key.range], range.map { rows[$0] }) }
  }
}
