import Records
import State

/// Events that wait, in a partition's state: a queue for each key, and the queues of a group in the
/// order in which their first event came, so that the oldest is known. A key's group is its first
/// byte.
///
/// All of it stands in rows, so that it goes back with them.
final class EventQueues {
  private let queues: Space
  private let events: Space
  private let totalName: [UInt8]
  private let entry = ByteBuffer(capacity: 4096)
  private let row = ByteBuffer(capacity: 256)
  private let place = ByteBuffer(capacity: 256)

  /// - Parameter name: of the rows that have the number of all events of a group.
  init(queues: Space, events: Space, name: String) {
    self.queues = queues
    self.events = events
    totalName = Array(name.utf8)
  }

  // MARK: Queues

  /// A queue: its first event's number, the number behind its last one, when the first came, and
  /// its neighbours among the queues; an empty key is none.
  private struct Queue {
    var first: UInt64
    var next: UInt64
    var sinceMs: Int64
    var before: [UInt8]
    var after: [UInt8]
  }

  private func queue(_ key: ByteView, in state: PartitionState) -> Queue? {
    guard let row = state.get(queues, key) else { return nil }
    var reader = ByteReader(row)
    guard let first = reader.uint64(), let next = reader.uint64(), let since = reader.uint64(),
      let before = reader.part(), let after = reader.part()
    else { return nil }
    return Queue(
      first: first, next: next, sinceMs: Int64(bitPattern: since), before: before.copied(),
      after: after.copied())
  }

  private func put(_ queue: Queue, _ key: ByteView, in state: PartitionState) {
    row.clear()
    row.append(uint64: queue.first)
    row.append(uint64: queue.next)
    row.append(uint64: UInt64(bitPattern: queue.sinceMs))
    row.append(part: queue.before)
    row.append(part: queue.after)
    state.put(queues, key, row.view)
  }

  /// The queues of a group: how many events wait in them, and the first and the last of them.
  private struct Total {
    var count: Int64 = 0
    var sinceMs: Int64 = 0
    var first: [UInt8] = []
    var last: [UInt8] = []
  }

  private func total(_ group: UInt8, _ state: PartitionState) -> Total {
    ByteView.lending(totalName + [group]) { key in
      guard let row = state.get(Spaces.clock, key) else { return Total() }
      var reader = ByteReader(row)
      guard let count = reader.uint64(), let since = reader.uint64(), let first = reader.part(),
        let last = reader.part()
      else { return Total() }
      return Total(
        count: Int64(bitPattern: count), sinceMs: Int64(bitPattern: since),
        first: first.copied(), last: last.copied())
    }
  }

  private func put(_ total: Total, _ group: UInt8, in state: PartitionState) {
    ByteView.lending(totalName + [group]) { key in
      if total.count == 0 {
        state.delete(Spaces.clock, key)
        return
      }
      row.clear()
      row.append(uint64: UInt64(bitPattern: total.count))
      row.append(uint64: UInt64(bitPattern: total.sinceMs))
      row.append(part: total.first)
      row.append(part: total.last)
      state.put(Spaces.clock, key, row.view)
    }
  }

  /// How many events of a group wait, and since when the first of them does, in milliseconds of
  /// recorded time.
  func total(of group: UInt8, in state: PartitionState) -> (count: Int64, sinceMs: Int64?) {
    let total = total(group, state)
    return (total.count, total.count == 0 ? nil : total.sinceMs)
  }

  /// Has an event wait at the end of a key's queue.
  func append(_ event: HeldEvent, to key: ByteView, in state: PartitionState) {
    let group = key[0]
    var all = total(group, state)
    var own: Queue
    if let known = queue(key, in: state) {
      own = known
    } else {
      own = Queue(
        first: 0, next: 0, sinceMs: event.recordedMs, before: all.last, after: [])
      let name = key.copied()
      if all.first.isEmpty {
        all.first = name
        all.sinceMs = event.recordedMs
      }
      change(all.last, in: state) { $0.after = name }
      all.last = name
    }
    entry.clear()
    entry.append(event)
    setPlace(key, own.next)
    state.put(events, place.view, entry.view)
    own.next += 1
    put(own, key, in: state)
    all.count += 1
    put(all, group, in: state)
  }

  /// Changes a queue, if there is one of that key.
  private func change(_ key: [UInt8], in state: PartitionState, _ body: (inout Queue) -> Void) {
    if key.isEmpty { return }
    ByteView.lending(key) { key in
      guard var found = queue(key, in: state) else { return }
      body(&found)
      put(found, key, in: state)
    }
  }

  private func setPlace(_ key: ByteView, _ number: UInt64) {
    place.clear()
    place.append(key)
    place.append(uint64: number)
  }

  func isEmpty(_ key: ByteView, in state: PartitionState) -> Bool {
    state.get(queues, key) == nil
  }

  /// The first event of a key's queue; lent until the next call. Nil: none waits.
  func first(of key: ByteView, in state: PartitionState) -> HeldEvent? {
    guard let own = queue(key, in: state) else { return nil }
    setPlace(key, own.first)
    guard let bytes = state.get(events, place.view) else { return nil }
    entry.clear()
    entry.append(bytes)
    var reader = ByteReader(entry.view)
    return reader.heldEvent()
  }

  /// Takes the first event of a key's queue out of it.
  func removeFirst(of key: ByteView, in state: PartitionState) {
    guard var own = queue(key, in: state) else { return }
    setPlace(key, own.first)
    state.delete(events, place.view)
    own.first += 1
    let group = key[0]
    var all = total(group, state)
    all.count -= 1
    if own.first < own.next {
      put(own, key, in: state)
    } else {
      state.delete(queues, key)
      change(own.before, in: state) { $0.after = own.after }
      change(own.after, in: state) { $0.before = own.before }
      if own.before.isEmpty {
        all.first = own.after
        all.sinceMs = ByteView.lending(own.after) { queue($0, in: state)?.sinceMs ?? 0 }
      }
      if own.after.isEmpty { all.last = own.before }
    }
    put(all, group, in: state)
  }
}
