import Records
import State

/// Which sessions of each key there are in one partition's state: a row of when each began, in
/// order, and of how often they were updated. No two of a key are as near to each other as the gap.
final class OpenSessions {
  /// What there is around a moment.
  struct Found {
    /// How often the key's sessions were updated.
    var updates: Int64 = 0
    /// When the last one began that began no later, and the first one that began later.
    var before: Int64?
    var behind: Int64?
  }

  private let state: PartitionState
  private let name = ByteBuffer(capacity: 64)
  private let row = ByteBuffer(capacity: 64)
  private static let headBytes = 8

  init(_ state: PartitionState) { self.state = state }

  /// - Parameter key: of a session's row, of which all but the last part counts: its start.
  private func name(_ table: Int, _ key: ByteView) -> ByteView {
    var end = key.count - 1
    while end > 0 && key[end] != UInt8(ascii: ",") { end -= 1 }
    name.clear()
    name.append(UInt8(table))
    name.append(key.prefix(end))
    return name.view
  }

  /// The sessions of a key around a moment.
  func find(around timeMs: Int64, table: Int, key: ByteView) -> Found {
    var found = Found()
    guard let known = state.get(Spaces.sessions, name(table, key)) else { return found }
    found.updates = known.int64(at: 0)
    for place in stride(from: OpenSessions.headBytes, to: known.count, by: 8) {
      let startMs = known.int64(at: place)
      if startMs > timeMs {
        found.behind = startMs
        break
      }
      found.before = startMs
    }
    return found
  }

  /// A session of a key was updated; it is new if it says when it began.
  func update(table: Int, key: ByteView, new startMs: Int64?) {
    let known = state.get(Spaces.sessions, name(table, key)) ?? .empty
    row.clear()
    row.append(int64: (known.isEmpty ? 0 : known.int64(at: 0)) + 1)
    let isKnown = !known.isEmpty
    var isIn = startMs == nil
    for place in stride(from: OpenSessions.headBytes, to: known.count, by: 8) {
      if let startMs, !isIn, startMs < known.int64(at: place) {
        row.append(int64: startMs)
        isIn = true
      }
      row.append(int64: known.int64(at: place))
    }
    if let startMs, !isIn { row.append(int64: startMs) }
    state.put(Spaces.sessions, name.view, row.view)
    if !isKnown { countKeys(1) }
  }

  /// How many keys have sessions.
  var keyCount: Int {
    state.get(Spaces.sessions, .empty).map { Int($0.int64(at: 0)) } ?? 0
  }

  private func countKeys(_ change: Int) {
    let count = keyCount + change
    state.upsert(Spaces.sessions, .empty, length: 8).row.set(int64: Int64(count), at: 0)
  }

  /// A session is no more: it was closed, or another one has taken it in.
  func remove(_ startMs: Int64, table: Int, key: ByteView) {
    guard let known = state.get(Spaces.sessions, name(table, key)) else { return }
    row.clear()
    row.append(int64: known.int64(at: 0))
    for place in stride(from: OpenSessions.headBytes, to: known.count, by: 8)
    where known.int64(at: place) != startMs {
      row.append(int64: known.int64(at: place))
    }
    if row.count == OpenSessions.headBytes {
      state.delete(Spaces.sessions, name.view)
      countKeys(-1)
    } else {
      state.put(Spaces.sessions, name.view, row.view)
    }
  }
}
