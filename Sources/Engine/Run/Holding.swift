import Formats
import Records
import State

/// Links of local ids, and events that wait for them, in a partition's state. In memory is only
/// which queue is being released, and that is begun again when its turn is.
final class Holding {
  /// Of the id at hand: identifier, system, local id.
  let key = ByteBuffer(capacity: 256)
  private let row = ByteBuffer(capacity: 256)
  private let waiting = EventQueues(queues: Spaces.queues, events: Spaces.held, name: "held")
  /// Of the queue that is released.
  private let releaseKey = ByteBuffer(capacity: 256)
  private let releaseGlobal = ByteBuffer(capacity: 64)
  private(set) var releases = false
  private var releasedAt: Position?

  /// By identifier: how many events of the block at hand are identified by it.
  private var asked: ContiguousArray<Int64> = []

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
    let isAwaited =
      !waiting.isEmpty(key.view, in: state) || state.get(Spaces.histories, key.view) != nil
    if isAwaited {
      releaseKey.clear()
      releaseKey.append(key.view)
      releases = true
    }
    return true
  }

  // MARK: Waiting

  /// How many events wait for links of an identifier, and since when the first does.
  func total(_ identifier: Int, in state: PartitionState) -> (count: Int64, sinceMs: Int64?) {
    waiting.total(of: UInt8(truncatingIfNeeded: identifier), in: state)
  }

  // MARK: Their share

  func ask(_ identifier: Int) {
    while asked.count <= identifier { asked.append(0) }
    asked[identifier] += 1
  }

  func forgetAsked() { asked.removeAll(keepingCapacity: true) }

  /// Adds the block's to what the state has.
  func keepAsked(in state: PartitionState) {
    for identifier in asked.indices where asked[identifier] > 0 {
      ByteView.lending(Holding.askedKey(identifier)) { key in
        let row = state.upsert(Spaces.clock, key, length: 8).row
        row.set(int64: row.int64(at: 0) + asked[identifier], at: 0)
      }
    }
    forgetAsked()
  }

  /// How many events were identified by an identifier, or wait to be.
  func asked(_ identifier: Int, in state: PartitionState) -> Int64 {
    ByteView.lending(Holding.askedKey(identifier)) { key in
      state.get(Spaces.clock, key)?.int64(at: 0) ?? 0
    }
  }

  private static func askedKey(_ identifier: Int) -> [UInt8] {
    Array("asked".utf8) + [UInt8(truncatingIfNeeded: identifier)]
  }

  /// Has an event wait for a link of the id at hand.
  func hold(_ event: HeldEvent, in state: PartitionState) {
    waiting.append(event, to: key.view, in: state)
  }

  // MARK: Releasing

  /// The link has come at `position`.
  func begin(at position: Position) {
    releases = false
    releasedAt = position
  }

  func isReleasing(at position: Position) -> Bool { releasedAt == position }

  /// The id whose events are released.
  var released: ByteView { releaseKey.view }

  /// The global id that it is linked to; lent until the next call.
  func releasedGlobal(in state: PartitionState) -> ByteView {
    releaseGlobal.clear()
    if let link = state.get(Spaces.links, releaseKey.view) {
      releaseGlobal.append(link.suffix(from: Holding.timeBytes))
    }
    return releaseGlobal.view
  }

  /// All that the link brings has gone on.
  func end() { releasedAt = nil }

  func forgetRelease() {
    releases = false
    releasedAt = nil
  }

  /// The first event of the queue that is released; lent until the next call. Nil: it is empty.
  func next(in state: PartitionState) -> HeldEvent? {
    waiting.first(of: releaseKey.view, in: state)
  }

  /// The event that was lent last is done with.
  func drop(in state: PartitionState) { waiting.removeFirst(of: releaseKey.view, in: state) }
}
