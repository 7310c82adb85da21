import Records
import State

/// What falls due in one partition's state, by its clock: rows with the time at which to look at
/// them again. A binary heap, each place of it a row, so that it goes back with the state, lies on
/// disk as rows do, and costs a few of them for each entry.
///
/// An entry is its time, the table and the row's key, as bytes whose order is that of entries: what
/// falls due comes in one order, whatever came first.
final class Schedule {
  private let state: PartitionState
  /// The entry at hand, one of the heap, and one that takes another place.
  private let entry = ByteBuffer(capacity: 256)
  private let other = ByteBuffer(capacity: 256)
  private let moved = ByteBuffer(capacity: 256)
  private let place = ByteBuffer(capacity: 8)
  private static let headBytes = 8 + 1

  init(_ state: PartitionState) { self.state = state }

  /// How many entries there are.
  var count: Int { state.get(Spaces.schedule, .empty).map { Int($0.int64(at: 0)) } ?? 0 }

  private func setCount(_ count: Int) {
    state.upsert(Spaces.schedule, .empty, length: 8).row.set(int64: Int64(count), at: 0)
  }

  private func key(_ index: Int) -> ByteView {
    place.clear()
    place.append(int64: Int64(index))
    return place.view
  }

  /// Brings the entry at a place to a buffer, as writing rows ends what they lend.
  private func load(_ index: Int, _ buffer: ByteBuffer) {
    buffer.clear()
    if let bytes = state.get(Spaces.schedule, key(index)) { buffer.append(bytes) }
  }

  private func put(_ buffer: ByteBuffer, at index: Int) {
    state.put(Spaces.schedule, key(index), buffer.view)
  }

  /// Has the row of a key looked at when the clock comes to `dueMs`.
  func append(_ dueMs: Int64, table: Int, key: ByteView) {
    entry.clear()
    // Big-endian, without its sign: so bytes have the order of times.
    let due = UInt64(bitPattern: dueMs) ^ 1 << 63
    entry.append(uint64: due.byteSwapped)
    entry.append(UInt8(table))
    entry.append(key)
    var index = count
    setCount(index + 1)
    while index > 0 {
      let parent = (index - 1) / 2
      load(parent, other)
      if other.view.compare(entry.view) <= 0 { break }
      put(other, at: index)
      index = parent
    }
    put(entry, at: index)
  }

  /// What falls due first.
  struct Due {
    let dueMs: Int64
    let table: Int
    /// Lent until the schedule is asked again.
    let key: ByteView
  }

  /// Takes out the first entry, if the clock has come to it, and those that are the same.
  func next(by nowMs: Int64) -> Due? {
    let last = count - 1
    if last < 0 { return nil }
    load(0, entry)
    // A place that the disk could not give: the state has failed, and nothing of it gets out.
    if entry.count < Schedule.headBytes { return nil }
    let dueMs = Int64(bitPattern: entry.view.uint64(at: 0).byteSwapped ^ 1 << 63)
    if dueMs > nowMs { return nil }
    removeFirst(last)
    // A row that was made anew may have had two, which have come to be for the same time.
    while case let last = count - 1, last >= 0 {
      load(0, other)
      if other.view != entry.view { break }
      removeFirst(last)
    }
    return Due(
      dueMs: dueMs, table: Int(entry.view[8]), key: entry.view.suffix(from: Schedule.headBytes))
  }

  /// Fills the first place by the last entry.
  private func removeFirst(_ last: Int) {
    load(last, moved)
    state.delete(Spaces.schedule, key(last))
    setCount(last)
    if last == 0 { return }
    var index = 0
    while 2 * index + 1 < last {
      var child = 2 * index + 1
      load(child, other)
      if child + 1 < last {
        let right = state.get(Spaces.schedule, key(child + 1)) ?? .empty
        if right.compare(other.view) < 0 {
          child += 1
          other.clear()
          other.append(right)
        }
      }
      if moved.view.compare(other.view) <= 0 { break }
      put(other, at: index)
      index = child
    }
    put(moved, at: index)
  }
}
