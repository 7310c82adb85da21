import Formats
import Records
import State

/// An event that has waited for a link, as it was kept.
struct HeldEvent {
  let event: JournalEvent
  let position: Position
  let recordedMs: Int64
  /// It was counted as held, and by this journal.
  let isCounted: Bool
}

/// Events that wait for links, in a partition's state: a queue for each local id, and the queues of
/// an identifier in the order in which their first event came, so that the oldest is known.
///
/// All of it stands in rows, so that it goes back with them. In memory is only which queue is being
/// released, and that is begun again when its turn is.
final class Holding {
  /// Of the id at hand: identifier, system, local id.
  let key = ByteBuffer(capacity: 256)
  private let entry = ByteBuffer(capacity: 4096)
  private let row = ByteBuffer(capacity: 256)
  private let place = ByteBuffer(capacity: 256)
  /// Of the queue that is released.
  private let releaseKey = ByteBuffer(capacity: 256)
  private(set) var releases = false
  private var releasedAt: Position?

  // MARK: Keys

  func setKey(_ identifier: Int, _ system: ByteView, _ local: ByteView) {
    key.clear()
    key.append(UInt8(truncatingIfNeeded: identifier))
    key.append(varint: UInt64(system.count))
    key.append(system)
    key.append(local)
  }

  // MARK: Links

  private static let timeBytes = 12

  /// The global id of the id at hand; nil when no link has come.
  func global(in state: PartitionState) -> ByteView? {
    state.get(Spaces.links, key.view).map { $0.suffix(from: Holding.timeBytes) }
  }

  /// Keeps a link of the id at hand. One with an earlier actual time than the one that is there
  /// changes nothing. Whether anything did.
  func link(to global: ByteView, at time: Timestamp, in state: PartitionState) -> Bool {
    if let old = state.get(Spaces.links, key.view) {
      let oldTime = Timestamp(
        seconds: old.int64(at: 0), nanoseconds: old.uint32(at: 8))
      if oldTime > time { return false }
      if oldTime == time && old.suffix(from: Holding.timeBytes) == global { return false }
    }
    row.clear()
    row.append(int64: time.seconds)
    row.append(uint32: time.nanoseconds)
    row.append(global)
    state.put(Spaces.links, key.view, row.view)
    if state.get(Spaces.queues, key.view) != nil {
      releaseKey.clear()
      releaseKey.append(key.view)
      releases = true
    }
    return true
  }

  // MARK: Waiting

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
    guard let row = state.get(Spaces.queues, key) else { return nil }
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
    state.put(Spaces.queues, key, row.view)
  }

  /// All queues of an identifier: how many events wait in them, and the first and the last of them.
  private struct Total {
    var count: Int64 = 0
    var sinceMs: Int64 = 0
    var first: [UInt8] = []
    var last: [UInt8] = []
  }

  /// - Parameter identifier: as a queue's key begins with it.
  private static func totalKey(_ identifier: UInt8) -> [UInt8] { Array("held".utf8) + [identifier] }

  private func total(_ identifier: UInt8, _ state: PartitionState) -> Total {
    ByteView.lending(Holding.totalKey(identifier)) { key in
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

  private func put(_ total: Total, _ identifier: UInt8, in state: PartitionState) {
    ByteView.lending(Holding.totalKey(identifier)) { key in
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

  /// How many events wait for links of an identifier, and since when the first does.
  func total(_ identifier: Int, in state: PartitionState) -> (count: Int64, sinceMs: Int64) {
    let total = total(UInt8(truncatingIfNeeded: identifier), state)
    return (total.count, total.sinceMs)
  }

  /// Has an event wait for a link of the id at hand.
  func hold(_ event: HeldEvent, in state: PartitionState) {
    let identifier = key.view[0]
    var all = total(identifier, state)
    var own: Queue
    if let known = queue(key.view, in: state) {
      own = known
    } else {
      own = Queue(
        first: 0, next: 0, sinceMs: event.recordedMs, before: all.last, after: [])
      let name = key.view.copied()
      if all.first.isEmpty {
        all.first = name
        all.sinceMs = event.recordedMs
      }
      change(all.last, in: state) { $0.after = name }
      all.last = name
    }
    encode(event)
    setPlace(key.view, own.next)
    state.put(Spaces.held, place.view, entry.view)
    own.next += 1
    put(own, key.view, in: state)
    all.count += 1
    put(all, identifier, in: state)
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

  // MARK: Releasing

  /// The link has come at `position`.
  func begin(at position: Position) {
    releases = false
    releasedAt = position
  }

  func isReleasing(at position: Position) -> Bool { releasedAt == position }

  /// Whether the id at hand is the one whose events are released.
  var isReleased: Bool { key.view == releaseKey.view }

  func forgetRelease() {
    releases = false
    releasedAt = nil
  }

  /// The first event of the queue that is released; lent until the next call. Nil: it is empty, and
  /// gone.
  func next(in state: PartitionState) -> HeldEvent? {
    if let own = queue(releaseKey.view, in: state) {
      setPlace(releaseKey.view, own.first)
      if let bytes = state.get(Spaces.held, place.view) {
        entry.clear()
        entry.append(bytes)
        return decode()
      }
    }
    releasedAt = nil
    return nil
  }

  /// The event that was lent last is done with.
  func drop(in state: PartitionState) {
    guard var own = queue(releaseKey.view, in: state) else { return }
    setPlace(releaseKey.view, own.first)
    state.delete(Spaces.held, place.view)
    own.first += 1
    let identifier = releaseKey.view[0]
    var all = total(identifier, state)
    all.count -= 1
    if own.first < own.next {
      put(own, releaseKey.view, in: state)
    } else {
      state.delete(Spaces.queues, releaseKey.view)
      change(own.before, in: state) { $0.after = own.after }
      change(own.after, in: state) { $0.before = own.before }
      if own.before.isEmpty {
        all.first = own.after
        all.sinceMs = ByteView.lending(own.after) { queue($0, in: state)?.sinceMs ?? 0 }
      }
      if own.after.isEmpty { all.last = own.before }
    }
    put(all, identifier, in: state)
  }

  // MARK: An event as it is kept

  private enum Flag {
    static let counted: UInt8 = 1
    static let time: UInt8 = 2
    static let key: UInt8 = 4
    static let payload: UInt8 = 8
    static let id: UInt8 = 16
  }

  private func encode(_ held: HeldEvent) {
    let event = held.event
    entry.clear()
    var flags: UInt8 = held.isCounted ? Flag.counted : 0
    if event.time != nil { flags |= Flag.time }
    if event.key != nil { flags |= Flag.key }
    if event.payload != nil { flags |= Flag.payload }
    if event.id != nil { flags |= Flag.id }
    entry.append(flags)
    entry.append(uint64: UInt64(bitPattern: held.position.block.value))
    entry.append(uint32: held.position.index)
    entry.append(uint64: UInt64(bitPattern: held.recordedMs))
    entry.append(varint: UInt64(event.input))
    entry.append(uint32: UInt32(bitPattern: event.partition.value))
    entry.append(uint64: UInt64(bitPattern: event.offset.value))
    if let time = event.time {
      entry.append(uint64: UInt64(bitPattern: time.seconds))
      entry.append(uint32: time.nanoseconds)
    }
    if let key = event.key {
      entry.append(varint: UInt64(key.count))
      entry.append(key)
    }
    if let id = event.id {
      entry.append(varint: UInt64(id.count))
      entry.append(id)
    }
    if let payload = event.payload { entry.append(payload) }
  }

  private func decode() -> HeldEvent? {
    var reader = ByteReader(entry.view)
    guard let flags = reader.byte(), let block = reader.uint64(), let index = reader.uint32(),
      let recorded = reader.uint64(), let input = reader.varint(),
      let partition = reader.uint32(), let offset = reader.uint64()
    else { return nil }
    var event = JournalEvent(
      input: Int(input), partition: Partition(Int32(bitPattern: partition)),
      offset: Offset(Int64(bitPattern: offset)), payload: nil)
    if flags & Flag.time != 0 {
      guard let seconds = reader.uint64(), let nanoseconds = reader.uint32() else { return nil }
      event.time = Timestamp(
        seconds: Int64(bitPattern: seconds), nanoseconds: nanoseconds)
    }
    if flags & Flag.key != 0 {
      guard let key = reader.part() else { return nil }
      event.key = key
    }
    if flags & Flag.id != 0 {
      guard let id = reader.part() else { return nil }
      event.id = id
    }
    if flags & Flag.payload != 0 { event.payload = reader.bytes(reader.left) }
    return HeldEvent(
      event: event,
      position: Position(block: Offset(Int64(bitPattern: block)), index: index),
      recordedMs: Int64(bitPattern: recorded), isCounted: flags & Flag.counted != 0)
  }
}

extension ByteReader {
  /// Bytes with their length in front.
  fileprivate mutating func part() -> ByteView? {
    varint().flatMap { Int(exactly: $0) }.flatMap { bytes($0) }
  }
}

extension ByteBuffer {
  fileprivate func append(part bytes: [UInt8]) {
    append(varint: UInt64(bytes.count))
    append(bytes)
  }
}
