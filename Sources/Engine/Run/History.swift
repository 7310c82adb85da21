import Records
import State

/// Events that went out under a global id, for as long as a link that changes is to repair them: in
/// the order in which they did, so that the oldest go first, and each with the one before it of the
/// same local id.
///
/// All of it stands in rows. A number names an event; an id's row has that of its last one.
final class History {
  struct Entry {
    var held: HeldEvent
    /// Under which it is out.
    var global: ByteView
    /// How long it is kept, in milliseconds of recorded time; below 0: it is of no use any more.
    var keptMs: Int64

    func isKept(at clockMs: Int64) -> Bool {
      keptMs >= 0 && held.recordedMs >= clockMs &- keptMs
    }
  }

  private let row = ByteBuffer(capacity: 4096)
  private let number = ByteBuffer(capacity: 8)
  private let lent = ByteBuffer(capacity: 4096)

  private static let boundsKey = Array("history".utf8)
  private static let headerBytes = 8 + 8 + 8

  /// The numbers of the first and behind the last.
  private func bounds(_ state: PartitionState) -> (first: UInt64, next: UInt64) {
    ByteView.lending(History.boundsKey) { key in
      guard let row = state.get(Spaces.clock, key) else { return (1, 1) }
      return (UInt64(bitPattern: row.int64(at: 0)), UInt64(bitPattern: row.int64(at: 8)))
    }
  }

  private func put(first: UInt64, next: UInt64, in state: PartitionState) {
    ByteView.lending(History.boundsKey) { key in
      let row = state.upsert(Spaces.clock, key, length: 16).row
      row.set(int64: Int64(bitPattern: first), at: 0)
      row.set(int64: Int64(bitPattern: next), at: 8)
    }
  }

  private func key(_ number: UInt64) -> ByteView {
    self.number.clear()
    self.number.append(uint64: number)
    return self.number.view
  }

  /// Whether there is anything of a local id.
  func has(_ id: ByteView, in state: PartitionState) -> Bool {
    state.get(Spaces.histories, id) != nil
  }

  /// Keeps an event that went out.
  func add(_ entry: Entry, of id: ByteView, in state: PartitionState) {
    let (first, next) = bounds(state)
    let last = state.get(Spaces.histories, id).map { UInt64(bitPattern: $0.int64(at: 0)) } ?? 0
    write(entry, of: id, before: last)
    state.put(Spaces.history, key(next), row.view)
    state.upsert(Spaces.histories, id, length: 8).row
      .set(int64: Int64(bitPattern: next), at: 0)
    put(first: first, next: next + 1, in: state)
  }

  private func write(_ entry: Entry, of id: ByteView, before: UInt64) {
    row.clear()
    row.append(uint64: before)
    row.append(int64: entry.held.recordedMs)
    row.append(int64: entry.keptMs)
    row.append(part: id)
    row.append(part: entry.global)
    row.append(entry.held)
  }

  /// The numbers of an id's events, in the order in which they went out first.
  func numbers(of id: ByteView, in state: PartitionState) -> [UInt64] {
    guard let last = state.get(Spaces.histories, id) else { return [] }
    let first = bounds(state).first
    var all: [UInt64] = []
    var next = UInt64(bitPattern: last.int64(at: 0))
    while next >= first, let row = state.get(Spaces.history, key(next)) {
      all.append(next)
      next = UInt64(bitPattern: row.int64(at: 0))
    }
    return all.reversed()
  }

  /// An event, lent until the next call.
  func entry(_ number: UInt64, in state: PartitionState) -> Entry? {
    guard let row = state.get(Spaces.history, key(number)) else { return nil }
    lent.clear()
    lent.append(row)
    var reader = ByteReader(lent.view)
    guard reader.uint64() != nil, reader.uint64() != nil, let kept = reader.uint64(),
      reader.part() != nil, let global = reader.part(), let held = reader.heldEvent()
    else { return nil }
    return Entry(held: held, global: global, keptMs: Int64(bitPattern: kept))
  }

  /// Keeps an event as it is now.
  func replace(_ number: UInt64, _ entry: Entry, of id: ByteView, in state: PartitionState) {
    guard let old = state.get(Spaces.history, key(number)) else { return }
    write(entry, of: id, before: UInt64(bitPattern: old.int64(at: 0)))
    state.put(Spaces.history, key(number), row.view)
  }

  /// Lets the oldest go, as far as no link repairs them any more.
  func forget(at clockMs: Int64, in state: PartitionState) {
    let (first, next) = bounds(state)
    var oldest = first
    while oldest < next, let row = state.get(Spaces.history, key(oldest)) {
      let (recordedMs, keptMs) = (row.int64(at: 8), row.int64(at: 16))
      if keptMs >= 0 && recordedMs >= clockMs &- keptMs { break }
      var reader = ByteReader(row.suffix(from: History.headerBytes))
      if let id = reader.part().map({ $0.copied() }) {
        ByteView.lending(id) { id in
          let last = state.get(Spaces.histories, id)?.int64(at: 0)
          if last == Int64(bitPattern: oldest) { state.delete(Spaces.histories, id) }
        }
      }
      state.delete(Spaces.history, key(oldest))
      oldest += 1
    }
    if oldest != first { put(first: oldest, next: next, in: state) }
  }
}
