import Records

/// What a turn changed, so that it can be taken back: newest last.
///
/// The old bytes of a changed row lie in one buffer, once for all changes of the turn: the row is
/// marked in its header until the turn ends. So a turn costs one entry and one copy for each row
/// that it changes.
@safe final class UndoLog {
  enum Change: UInt8, BitwiseCopyable {
    /// The row at `row` had other bytes; they are the buffer's from `start` on.
    case changed
    /// `row` was not there.
    case inserted
    /// `row` was there; its memory is kept until the commit.
    case removed
    /// The row at `other` was replaced by `row`; its memory is kept until the commit.
    case moved
    /// `row` was not there, nor the last in the queue of `space`.
    case remembered
    /// `row` was the first in the queue of `space`, with the time `start`.
    case forgotten
    // Of states on disk alone:
    /// `row` was there, and is marked absent.
    case hidden
    /// The ids of `space` were forgotten up to the time `start`.
    case expired
  }

  struct Entry: BitwiseCopyable {
    var start: Int64
    var row: RowReference
    var other: RowReference
    var change: Change
    var space: UInt8
  }

  /// What is kept from turn to turn; more is given back at the end of the turn that took it.
  private static let bytesKept = 1 << 20
  private static let entriesKept = 32_768

  private var entries: UnsafeMutablePointer<Entry>
  private var capacity = 256
  private var count = 0
  private let bytes = ByteBuffer()
  /// Rows whose memory a commit gives back.
  private var doomed: ContiguousArray<RowReference> = []

  init() { unsafe entries = UnsafeMutablePointer<Entry>.allocate(capacity: capacity) }

  deinit { unsafe entries.deallocate() }

  var bytesUsed: Int { bytes.count + count * MemoryLayout<Entry>.stride }

  func note(
    _ change: Change, _ row: RowReference, other: RowReference = 0, space: UInt8 = 0,
    time: Int64 = 0
  ) {
    append(Entry(start: time, row: row, other: other, change: change, space: space))
    switch change {
    case .removed, .forgotten: doomed.append(row)
    case .moved: doomed.append(other)
    case .changed, .inserted, .remembered, .hidden, .expired: break
    }
  }

  /// Notes that the bytes of `row` are about to change from `old`.
  func noteBytes(_ row: RowReference, _ old: ByteView) {
    append(Entry(start: Int64(bytes.count), row: row, other: 0, change: .changed, space: 0))
    bytes.append(old)
  }

  @inline(__always)
  private func append(_ entry: Entry) {
    if count == capacity { double() }
    unsafe (entries + count).initialize(to: entry)
    count += 1
  }

  private func double() {
    let larger = UnsafeMutablePointer<Entry>.allocate(capacity: 2 * capacity)
    unsafe larger.update(from: entries, count: count)
    unsafe entries.deallocate()
    unsafe entries = larger
    capacity *= 2
  }

  @inline(never)
  private func shrink() {
    unsafe entries.deallocate()
    capacity = 256
    unsafe entries = UnsafeMutablePointer<Entry>.allocate(capacity: capacity)
  }

  /// The newest change that has not been taken back; nil when all are.
  func popLast() -> Entry? {
    if count == 0 { return nil }
    count -= 1
    return unsafe entries[count]
  }

  /// The old bytes of a change just popped; valid until ``dropBytes(of:)``.
  func oldBytes(of entry: Entry) -> ByteView { bytes.view.suffix(from: Int(entry.start)) }
  func dropBytes(of entry: Entry) { bytes.truncate(to: Int(entry.start)) }

  /// Begins anew, after all is taken back.
  func clear() {
    bytes.clear(keeping: UndoLog.bytesKept)
    if capacity > UndoLog.entriesKept { shrink() }
    count = 0
    if !doomed.isEmpty { doomed.removeAll(keepingCapacity: true) }
  }

  /// Gives back what the turn removed, and begins anew.
  func clear(freeing table: RowTable) {
    for index in 0..<count {
      let entry = unsafe entries[index]
      switch entry.change {
      case .changed, .inserted, .moved: table.dropNote(entry.row)
      case .removed, .remembered, .forgotten, .hidden, .expired: break
      }
    }
    for row in doomed { table.free(row) }
    clear()
  }
}
