import Records

/// What a loop has to tell although nothing failed: decides when, so that it is told soon but not
/// over and over. Pure values; times are milliseconds of a clock that nobody sets.
package struct LoopNotices: Hashable, Sendable {
  /// Between two words about quarantine.
  package static let quarantineMs: Int64 = 30_000
  /// How long a loop has had no partition when that is told.
  package static let spareMs: Int64 = 10_000

  /// From the start of restoring to the first word about it, and between two.
  package static let restoreMs: Int64 = 1000

  private var untold: Int64 = 0
  private var nextQuarantineMs: Int64?
  private var emptySinceMs: Int64?
  private var hasToldSpare = false
  private var nextRestoreMs: Int64?

  package init() {}

  /// A turn was committed that put so many records into quarantine.
  package mutating func quarantined(_ records: Int64) { untold += records }

  /// How many records went to quarantine since this was last told, if it is time to tell: the first
  /// at once, then what has gathered.
  package mutating func quarantineDue(nowMs: Int64) -> Int64? {
    if untold == 0 || nowMs < nextQuarantineMs ?? nowMs { return nil }
    nextQuarantineMs = nowMs + LoopNotices.quarantineMs
    defer { untold = 0 }
    return untold
  }

  /// Whether it is time to tell how far restoring has come: it lasts longer than a second.
  package mutating func isRestoreDue(isRestoring: Bool, nowMs: Int64) -> Bool {
    guard isRestoring else {
      nextRestoreMs = nil
      return false
    }
    let next = nextRestoreMs ?? nowMs + LoopNotices.restoreMs
    nextRestoreMs = nowMs < next ? next : nowMs + LoopNotices.restoreMs
    return nowMs >= next
  }

  /// Whether it is time to tell that the loop has no partition; once until it has one again.
  package mutating func isSpareDue(ownsNothing: Bool, nowMs: Int64) -> Bool {
    guard ownsNothing else {
      emptySinceMs = nil
      hasToldSpare = false
      return false
    }
    let since = emptySinceMs ?? nowMs
    emptySinceMs = since
    if hasToldSpare || nowMs - since < LoopNotices.spareMs { return false }
    hasToldSpare = true
    return true
  }
}

/// Decides when the broker is asked whether a journal has more than its reader has come to. A loop
/// knows of the blocks that it wrote; those of others it learns of by reading alone.
package struct EndProbe: Hashable, Sendable {
  /// How long a reader has stood still when the broker is asked, and between two questions.
  package static let everyMs: Int64 = 30_000

  private var next: Offset?
  private var sinceMs: Int64 = 0

  package init() {}

  /// - Parameter next: the next offset to come.
  package mutating func isDue(at next: Offset, nowMs: Int64) -> Bool {
    if next == self.next && nowMs - sinceMs < EndProbe.everyMs { return false }
    defer {
      self.next = next
      sinceMs = nowMs
    }
    return next == self.next
  }
}

/// Watches whether blocks that are in a journal partition come to its reader. Without it a worker
/// whose reader hangs would take input for ever and publish nothing, and nothing would fail.
package struct BlockWatch: Hashable, Sendable {
  /// Between two looks of a loop lie half a second and a turn's end.
  private static let pauseMs: Int64 = 5000
  /// So often at most it puts up with pauses, and for so many times its patience with full queues.
  private static let excusesMax: Int64 = 4

  private var awaited: Offset?
  private var sinceMs: Int64 = 0
  private var lookedMs: Int64 = 0
  private var startMs: Int64 = 0
  private var drains = 0
  private var pauses: Int64 = 0
  private var tells = 0

  package init() {}

  /// Seconds for which the reader has stood still, if it is time to tell; each time it takes twice
  /// as long until the next, up to 32 times.
  /// - Parameters:
  ///   - awaited: the next offset to come where a block is known to be there; nil: none is.
  ///   - patienceMs: how long a reader may stand still in the ordinary course of things: an open
  ///     transaction of a dead worker holds it back until that times out.
  ///   - drains: how often the loop has found nothing more in the queue of blocks.
  package mutating func silentSeconds(
    awaiting awaited: Offset?, nowMs: Int64, patienceMs: Int64, drains: Int
  ) -> Int64? {
    if awaited == nil || awaited != self.awaited {
      self = BlockWatch()
      self.awaited = awaited
      (startMs, sinceMs, lookedMs) = (nowMs, nowMs, nowMs)
      self.drains = drains
      return nil
    }
    if nowMs - lookedMs > BlockWatch.pauseMs && pauses < BlockWatch.excusesMax {
      // This loop itself stood still.
      pauses += 1
      (startMs, sinceMs) = (startMs + nowMs - lookedMs, sinceMs + nowMs - lookedMs)
    }
    if drains == self.drains && nowMs - startMs <= patienceMs * BlockWatch.excusesMax {
      // Others' blocks come faster than they are applied, and it may lie behind them.
      sinceMs = nowMs
    }
    lookedMs = nowMs
    self.drains = drains
    if nowMs - sinceMs < patienceMs << min(tells, 5) { return nil }
    tells += 1
    return (nowMs - sinceMs) / 1000
  }
}
