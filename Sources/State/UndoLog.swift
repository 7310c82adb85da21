import Records

/// What a turn changed, so that it can be taken back: newest last.
///
/// The old bytes of a changed row lie in one buffer. A commit forgets it all at once, so the common
/// case costs one entry and one copy of the row for each change.
struct UndoLog {
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
  }

  struct Entry: BitwiseCopyable {
    var start: Int64
    var row: RowReference
    var other: RowReference
    var change: Change
    var space: UInt8
  }

  private var entries: ContiguousArray<Entry> = []
  private let bytes = ByteBuffer()
  /// Rows whose memory a commit gives back.
  private(set) var doomed: ContiguousArray<RowReference> = []

  var isEmpty: Bool { entries.isEmpty }
  var bytesUsed: Int { bytes.count + entries.count * MemoryLayout<Entry>.stride }

  mutating func note(
    _ change: Change, _ row: RowReference, other: RowReference = 0, space: UInt8 = 0,
    time: Int64 = 0
  ) {
    entries.append(
      Entry(start: time, row: row, other: other, change: change, space: space))
    switch change {
    case .removed, .forgotten: doomed.append(row)
    case .moved: doomed.append(other)
    case .changed, .inserted, .remembered: break
    }
  }

  mutating func noteBytes(_ row: RowReference, _ old: ByteView) {
    entries.append(
      Entry(start: Int64(bytes.count), row: row, other: 0, change: .changed, space: 0))
    bytes.append(old)
  }

  /// The newest change that has not been taken back; nil when all are.
  mutating func popLast() -> Entry? { entries.popLast() }

  /// The old bytes of a change just popped; valid until ``dropBytes(of:)``.
  func oldBytes(of entry: Entry) -> ByteView { bytes.view.suffix(from: Int(entry.start)) }
  func dropBytes(of entry: Entry) { bytes.truncate(to: Int(entry.start)) }

  mutating func clear() {
    entries.removeAll(keepingCapacity: true)
    doomed.removeAll(keepingCapacity: true)
    bytes.clear()
  }
}
