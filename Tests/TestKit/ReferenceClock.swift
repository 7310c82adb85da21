/// The clock of a journal partition, as the reference has it.
struct ReferenceClock {
  /// What a block of ticks says of one source.
  struct Tick {
    let source: String
    let input: Int
    let isRead: Bool
    let shownMs: Int64?
    let isAtEnd: Bool
  }
  /// What of it is left out: a fault that is planted here is as one of the engine's.
  enum Fault { case maximum, endsStay, recordedStands }

  private(set) var nowMs: Int64?
  private let inputs: Set<Int>
  private let fault: Fault?
  /// By source: all that was ever said of it, with the recorded time.
  private var said: [String: [(tick: Tick, atMs: Int64)]] = [:]
  private var tickedMs: Int64 = 0
  private var hadEnded = false

  init(inputs: Set<Int>, fault: Fault?) {
    self.inputs = inputs
    self.fault = fault
  }

  private func shown(_ source: String) -> Int64? {
    said[source]?.compactMap { $0.tick.isRead ? $0.tick.shownMs : nil }.max()
  }

  private func isAtEnd(_ source: String, _ atMs: Int64) -> Bool {
    guard fault != .endsStay, let last = said[source]?.last(where: { $0.tick.isRead })
    else { return false }
    return last.tick.isAtEnd && atMs - last.atMs <= 60_000
  }

  /// Hears a block of ticks; `recordedMs` is the largest so far.
  mutating func hear(_ ticks: [Tick], recordedMs: Int64) {
    for tick in ticks { said[tick.source, default: []].append((tick, recordedMs)) }
    defer { tickedMs = recordedMs }
    let known = Set(said.values.flatMap { $0.map(\.tick.input) })
    let open = said.keys.filter { !isAtEnd($0, recordedMs) }
    let hasEnded = known == inputs && open.isEmpty
    defer { hadEnded = hasEnded }
    if known != inputs { return }
    var time: Int64?
    if hasEnded {
      time = said.keys.compactMap(shown).max()
      if hadEnded, fault != .recordedStands, let now = nowMs {
        time = max(now + recordedMs - tickedMs, time ?? .min)
      }
    } else {
      let times = open.map(shown)
      if times.contains(nil) && fault != .maximum { return }
      time = fault == .maximum ? times.compactMap(\.self).max() : times.compactMap(\.self).min()
    }
    if let time { nowMs = max(nowMs ?? .min, time) }
  }
}
