import Formats
import Records
import State

/// Keys whose events wait behind one that is in quarantine, as `order: hold-key` says, in a
/// partition's state: by key which event that is, and by event whose key it blocks, as an operator
/// names the event; by event that waits also where it stands, as one may come again from
/// quarantine, to which another journal has sent it. In memory is only whose events go on just now,
/// and that is begun again when its turn is.
final class BlockedKeys {
  /// The journal key of the event at hand, behind a byte that says so; empty: nothing waits behind
  /// it, and it waits behind nothing.
  private let key = ByteBuffer(capacity: 256)
  private let source = ByteBuffer(capacity: 32)
  private let position = ByteBuffer(capacity: 12)
  private let waiting = EventQueues(
    queues: Spaces.waitingKeys, events: Spaces.waiting, name: "waiting")
  /// Whose events go on, and what had them do so.
  private let freed = ByteBuffer(capacity: 256)
  private var freedAt: Position?

  private enum Kind {
    static let key: UInt8 = 0
    static let source: UInt8 = 1
    static let waiting: UInt8 = 2
  }

  // MARK: The event at hand

  func setKey(_ bytes: ByteView?) {
    key.clear()
    guard let bytes else { return }
    key.append(Kind.key)
    key.append(bytes)
  }

  private func setSource(_ event: JournalEvent, _ kind: UInt8 = Kind.source) {
    source.clear()
    source.append(kind)
    source.append(varint: UInt64(event.input))
    source.append(uint32: UInt32(bitPattern: event.partition.value))
    source.append(int64: event.offset.value)
  }

  /// Whether the key at hand is blocked by another event than this one; nil: by any.
  func isBlocked(notBy event: JournalEvent?, in state: PartitionState) -> Bool {
    if key.isEmpty { return false }
    guard let blocker = state.get(Spaces.blocked, key.view) else { return false }
    guard let event else { return true }
    setSource(event)
    return blocker != source.view
  }

  /// The event at hand has gone to quarantine: its key waits for it, unless it does for another.
  func block(by event: JournalEvent, in state: PartitionState) {
    if key.isEmpty || isBlocked(notBy: event, in: state) { return }
    setSource(event)
    state.put(Spaces.blocked, key.view, source.view)
    state.put(Spaces.blocked, source.view, key.view)
  }

  // MARK: Events that wait

  private func setWaiting(_ event: JournalEvent, _ identity: Int?) {
    setSource(event, Kind.waiting)
    source.append(varint: identity.map { UInt64($0) + 1 } ?? 0)
  }

  /// The event at hand waits behind those of its key, in place of itself if it did so before.
  func wait(_ event: HeldEvent, in state: PartitionState) {
    waiting.append(event, to: key.view, in: state)
    setWaiting(event.event, event.identity)
    position.clear()
    position.append(int64: event.position.block.value)
    position.append(uint32: event.position.index)
    state.put(Spaces.blocked, source.view, position.view)
  }

  /// Whether the event waits yet; it does not if it was discarded, or came again.
  func isWaiting(_ event: HeldEvent, in state: PartitionState) -> Bool {
    setWaiting(event.event, event.identity)
    guard let row = state.get(Spaces.blocked, source.view) else { return false }
    return row.int64(at: 0) == event.position.block.value
      && row.uint32(at: 8) == event.position.index
  }

  /// An event was discarded: if it waits, it does so no more.
  func discard(_ event: JournalEvent, identity: Int?, in state: PartitionState) {
    setWaiting(event, identity)
    state.delete(Spaces.blocked, source.view)
  }

  func total(in state: PartitionState) -> (count: Int64, sinceMs: Int64?) {
    waiting.total(of: Kind.key, in: state)
  }

  // MARK: Going on

  /// An event is in quarantine no more, as the control record at `position` says; if it blocks a
  /// key, that one's events go on.
  func free(by event: JournalEvent, at position: Position, in state: PartitionState) {
    setSource(event)
    guard let blocked = state.get(Spaces.blocked, source.view) else { return }
    freed.clear()
    freed.append(blocked)
    freedAt = position
    state.delete(Spaces.blocked, freed.view)
    state.delete(Spaces.blocked, source.view)
  }

  func isGoingOn(at position: Position) -> Bool { freedAt == position }

  func forgetProgress() { freedAt = nil }

  /// The next event that goes on; lent until the next call. Nil: none is left, or the one before
  /// has gone to quarantine itself.
  func next(in state: PartitionState) -> HeldEvent? {
    if freedAt == nil { return nil }
    if state.get(Spaces.blocked, freed.view) == nil,
      let event = waiting.first(of: freed.view, in: state)
    {
      return event
    }
    freedAt = nil
    return nil
  }

  /// The event that was lent last is done with.
  func drop(_ event: HeldEvent, in state: PartitionState) {
    if isWaiting(event, in: state) { state.delete(Spaces.blocked, source.view) }
    waiting.removeFirst(of: freed.view, in: state)
  }
}
