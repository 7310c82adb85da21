/// When a turn closes: by records, bytes in, bytes out, memory or age, whichever comes first. So
/// turns are large when the loop is behind and small when it is idle, and nothing is written when
/// there is nothing to write. A pure value; times are milliseconds of a clock that nobody sets.
package struct TurnMeter: Hashable, Sendable {
  package struct Limits: Hashable, Sendable {
    package var records: Int
    package var bytes: Int
    package var outputBytes: Int
    package var ageMs: Int64
    package init(
      records: Int, bytes: Int = TurnMeter.bytesMax,
      outputBytes: Int = TurnMeter.outputBytesMax, ageMs: Int64
    ) {
      self.records = records
      self.bytes = bytes
      self.outputBytes = outputBytes
      self.ageMs = ageMs
    }
  }

  /// What a turn may hold: blocks and outputs of as much again lie in the producer's queue.
  package static let bytesMax = 24 << 20
  /// What a turn may publish before it closes: an event may come to a record of a megabyte. More
  /// than what an ordinary turn makes of ``bytesMax``, so that those do not become smaller.
  package static let outputBytesMax = 64 << 20
  /// What the first turn after a start may gather: nothing has come out for a while, and those who
  /// read, and the lag that is watched, need not wait for a turn of full size on top.
  package static let firstRecords = 5000
  package static let firstAgeMs: Int64 = 100
  /// How much longer than its age a turn may go on applying, where events cost much: well below
  /// what a broker gives a transaction, as its end is still to come.
  package static let overtimeMs: Int64 = 2500
  /// How long an idle poll waits; a wake-up ends it.
  package static let idleWaitMs: Int64 = 500

  private let limits: Limits
  private var isFirst = false
  private var records = 0
  private var bytes = 0
  private var outputBytes = 0
  private var stateBytes = 0
  private var isFullOfState = false
  private var openedMs: Int64?

  package init(_ limits: Limits) { self.limits = limits }

  /// Whether anything was gathered.
  package var isOpen: Bool { openedMs != nil }

  /// Something came that must be committed.
  package mutating func add(records: Int, bytes: Int, nowMs: Int64) {
    if openedMs == nil { openedMs = nowMs }
    self.records += records
    self.bytes += bytes
  }

  /// Something is published for what came.
  package mutating func add(outputBytes: Int) { self.outputBytes += outputBytes }

  /// The states take so many more bytes for the turn, of as many as `most` in all.
  package mutating func add(stateBytes: Int, of most: Int) {
    self.stateBytes += stateBytes
    if self.stateBytes > most { isFullOfState = true }
  }

  private var isFull: Bool { outputBytes >= limits.outputBytes || isFullOfState }

  /// Whether nothing more should be applied in this turn.
  package func isFull(nowMs: Int64) -> Bool {
    guard let openedMs else { return false }
    return isFull || nowMs - openedMs >= limits.ageMs + TurnMeter.overtimeMs
  }

  /// The next turn that is committed is the first after positions were set.
  package mutating func expectFirst() { isFirst = true }

  /// The turn was committed; ends it as ``reset()`` does.
  package mutating func committed() {
    isFirst = false
    reset()
  }

  private var recordsMax: Int {
    isFirst ? min(limits.records, TurnMeter.firstRecords) : limits.records
  }
  private var ageMaxMs: Int64 { isFirst ? min(limits.ageMs, TurnMeter.firstAgeMs) : limits.ageMs }

  package func shouldClose(nowMs: Int64) -> Bool {
    guard let openedMs else { return false }
    return records >= recordsMax || bytes >= limits.bytes || isFull
      || nowMs - openedMs >= ageMaxMs
  }

  /// How long a poll may wait.
  package func waitMs(nowMs: Int64) -> Int64 {
    guard let openedMs else { return TurnMeter.idleWaitMs }
    return max(0, min(ageMaxMs - (nowMs - openedMs), TurnMeter.idleWaitMs))
  }

  /// Nothing of the turn is left.
  package mutating func reset() {
    records = 0
    bytes = 0
    outputBytes = 0
    stateBytes = 0
    isFullOfState = false
    openedMs = nil
  }
}
