import Formats
import Records
import State

/// The clock of one journal partition: how far actual time has come there. It never goes back, and
/// is a function of the ticks in the journal (README.md, "Time").
///
/// - It is the smallest of what the sources have shown, which are the partitions of all inputs
///   that the journal takes. One of which nothing was heard yet, or that has shown nothing, holds
///   it.
/// - A source at its end leaves the minimum. Its reader has to confirm that now and then
///   (``endMs``): of one that nobody reads any more it is not known what lies there.
/// - When all are at their end, it is the largest time that any has shown, and from then on
///   recorded time moves it.
///
/// All of it stands in one row of the state, and so goes back with it.
final class PartitionClock {
  /// For how long of recorded time a source that was at its end is taken to be.
  static let endMs: Int64 = 60_000

  /// Milliseconds since 1970; nil while nothing is known.
  private(set) var nowMs: Int64?

  private struct Source {
    let input: Int32
    let partition: Int32
    var shownMs: Int64?
    /// The recorded time at which it was last at its end; nil: it is not.
    var endedMs: Int64?
  }

  private let inputs: Set<Int>
  private var sources: [Source] = []
  /// At the last ticks all sources were at their end.
  private var hasEnded = false
  /// The recorded time of the last ticks.
  private var tickedMs: Int64 = 0
  private let row = ByteBuffer(capacity: 256)
  private static let key = Array("actual".utf8)

  /// - Parameter inputs: those whose sources count.
  init(inputs: Set<Int>) { self.inputs = inputs }

  /// Takes in what a block of ticks says. `recordedMs` never goes back.
  func take(_ ticks: JournalTicks, recordedMs: Int64, in state: PartitionState)
    throws(JournalBlockFailure)
  {
    var ticks = ticks
    while let tick = try ticks.next() { note(tick, recordedMs) }
    advance(to: recordedMs)
    store(in: state)
  }

  private func note(_ tick: JournalTick, _ recordedMs: Int64) {
    let at = place(Int32(truncatingIfNeeded: tick.input), tick.partition.value)
    if !tick.isRead { return }
    if let shown = tick.shownMs { sources[at].shownMs = max(shown, sources[at].shownMs ?? .min) }
    sources[at].endedMs = tick.isAtEnd ? recordedMs : nil
  }

  /// Sources stand in the order of inputs and partitions.
  private func place(_ input: Int32, _ partition: Int32) -> Int {
    let at =
      sources.firstIndex { ($0.input, $0.partition) >= (input, partition) } ?? sources.count
    if at == sources.count || sources[at].input != input || sources[at].partition != partition {
      sources.insert(Source(input: input, partition: partition), at: at)
    }
    return at
  }

  private func advance(to recordedMs: Int64) {
    let isKnown = inputs.allSatisfy { input in sources.contains { Int($0.input) == input } }
    let open = sources.filter { source in
      source.endedMs.map { recordedMs - $0 > PartitionClock.endMs } ?? true
    }
    let isEnded = isKnown && open.isEmpty
    if isEnded {
      if hasEnded, let now = nowMs { nowMs = now + (recordedMs - tickedMs) }
      raise(to: sources.compactMap(\.shownMs).max())
    } else if isKnown, open.allSatisfy({ $0.shownMs != nil }) {
      raise(to: open.compactMap(\.shownMs).min())
    }
    hasEnded = isEnded
    tickedMs = recordedMs
  }

  private func raise(to time: Int64?) {
    if let time { nowMs = max(time, nowMs ?? .min) }
  }

  // MARK: The row

  /// Nothing of what was known before counts: the row does.
  func load(from state: PartitionState) {
    nowMs = nil
    hasEnded = false
    tickedMs = 0
    sources.removeAll(keepingCapacity: true)
    ByteView.lending(PartitionClock.key) { key in
      guard let bytes = state.get(Spaces.clock, key) else { return }
      var reader = ByteReader(bytes)
      nowMs = reader.time()
      hasEnded = reader.byte() == 1
      tickedMs = reader.time() ?? 0
      while let input = reader.uint32(), let partition = reader.uint32() {
        sources.append(
          Source(
            input: Int32(bitPattern: input), partition: Int32(bitPattern: partition),
            shownMs: reader.time(), endedMs: reader.time()))
      }
    }
  }

  /// Whether ticks have come.
  func isStored(in state: PartitionState) -> Bool {
    ByteView.lending(PartitionClock.key) { state.get(Spaces.clock, $0) != nil }
  }

  private func store(in state: PartitionState) {
    row.clear()
    row.append(time: nowMs)
    row.append(hasEnded ? 1 : 0)
    row.append(time: tickedMs)
    for source in sources {
      row.append(uint32: UInt32(bitPattern: source.input))
      row.append(uint32: UInt32(bitPattern: source.partition))
      row.append(time: source.shownMs)
      row.append(time: source.endedMs)
    }
    ByteView.lending(PartitionClock.key) { state.put(Spaces.clock, $0, row.view) }
  }
}

extension ByteReader {
  fileprivate mutating func time() -> Int64? {
    uint64().flatMap { $0 == UInt64(bitPattern: .min) ? nil : Int64(bitPattern: $0) }
  }
}

extension ByteBuffer {
  fileprivate func append(time: Int64?) { append(int64: time ?? .min) }
}
