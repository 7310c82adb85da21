import Records
import Testing
import Worker

@Suite struct LoopNoticesTests {
  private func due(_ notices: inout LoopNotices, _ nowMs: Int64) -> Int64? {
    notices.quarantineDue(nowMs: nowMs)
  }

  private func spare(_ notices: inout LoopNotices, _ ownsNothing: Bool, _ nowMs: Int64) -> Bool {
    notices.isSpareDue(ownsNothing: ownsNothing, nowMs: nowMs)
  }

  @Test func `restoring is told after a second and then each second, until it is over`() {
    var notices = LoopNotices()
    var told: [Int64] = []
    for now in stride(from: Int64(0), to: 3500, by: 100)
    where notices.isRestoreDue(isRestoring: true, nowMs: now) {
      told.append(now)
    }
    #expect(told == [1000, 2000, 3000])
    let isDueAfter = notices.isRestoreDue(isRestoring: false, nowMs: 4000)
    let isDueAnew = notices.isRestoreDue(isRestoring: true, nowMs: 4100)
    #expect(!isDueAfter && !isDueAnew)
  }

  @Test func `the first quarantined records are told at once, later ones together`() {
    var notices = LoopNotices()
    #expect(due(&notices, 0) == nil)
    notices.quarantined(2)
    #expect(due(&notices, 1000) == 2)
    notices.quarantined(3)
    notices.quarantined(4)
    #expect(due(&notices, 1000 + LoopNotices.quarantineMs - 1) == nil)
    #expect(due(&notices, 1000 + LoopNotices.quarantineMs) == 7)
    #expect(due(&notices, 1_000_000) == nil)
  }

  @Test func `a loop without partitions says so once, and again when it has lost them`() {
    var notices = LoopNotices()
    #expect(!spare(&notices, true, 500))
    #expect(!spare(&notices, true, 499 + LoopNotices.spareMs))
    #expect(spare(&notices, true, 500 + LoopNotices.spareMs))
    #expect(!spare(&notices, true, 1_000_000))
    #expect(!spare(&notices, false, 1_000_001))
    #expect(!spare(&notices, true, 1_000_002))
    #expect(spare(&notices, true, 1_000_002 + LoopNotices.spareMs))
  }
}

@Suite struct EndProbeTests {
  @Test func `the end is asked for when a reader stands still, not when it goes on`() {
    var probe = EndProbe()
    var asked: [Int64] = []
    for now in stride(from: Int64(0), to: 100_000, by: 10_000) {
      let isDue = probe.isDue(at: Offset(5), nowMs: now)
      if isDue { asked.append(now) }
    }
    #expect(asked == [30_000, 60_000, 90_000])
    for now in stride(from: Int64(200_000), to: 400_000, by: 20_000) {
      let isDue = probe.isDue(at: Offset(now), nowMs: now)
      #expect(!isDue)
    }
  }
}

@Suite struct BlockWatchTests {
  private func silent(
    _ watch: inout BlockWatch, _ awaited: Offset?, _ nowMs: Int64, drains: Int? = nil
  ) -> Int64? {
    // As a rule the queue is empty each time.
    watch.silentSeconds(
      awaiting: awaited, nowMs: nowMs, patienceMs: 10_000, drains: drains ?? Int(nowMs))
  }

  @Test func `a reader that stands still before a block is told of after its time, then ever less`()
  {
    var watch = BlockWatch()
    var told: [Int64] = []
    for now in stride(from: Int64(0), through: 70_000, by: 1000) {
      if let seconds = silent(&watch, Offset(7), now) {
        told.append(seconds)
      }
    }
    #expect(told == [10, 20, 40])
  }

  @Test func `a reader that goes on, or has nothing to come, is never told of`() {
    var watch = BlockWatch()
    for now in stride(from: Int64(0), through: 90_000, by: 9000) {
      #expect(
        silent(&watch, Offset(now / 9000), now) == nil)
    }
    for now in stride(from: Int64(100_000), through: 200_000, by: 1000) {
      #expect(silent(&watch, nil, now) == nil)
    }
    #expect(silent(&watch, Offset(1), 200_001) == nil)
  }

  @Test func `while a loop has blocks to apply, or stands still, no reader does, for some time`() {
    var watch = BlockWatch()
    for now in stride(from: Int64(0), through: 40_000, by: 1000) {
      #expect(silent(&watch, Offset(1), now, drains: 7) == nil)
    }
    // The queue is empty, and nothing comes.
    for now in stride(from: Int64(41_000), through: 49_000, by: 1000) {
      #expect(silent(&watch, Offset(1), now) == nil)
    }
    #expect(silent(&watch, Offset(1), 50_000) == 10)

    // It is never empty, for far too long: this one hangs.
    var hanging = BlockWatch()
    var told: Int64?
    for now in stride(from: Int64(0), through: 60_000, by: 1000) where told == nil {
      told = silent(&hanging, Offset(1), now, drains: 7)
    }
    #expect(told == 10)

    var stopped = BlockWatch()
    #expect(silent(&stopped, Offset(1), 0) == nil)
    #expect(silent(&stopped, Offset(1), 1000) == nil)
    #expect(silent(&stopped, Offset(1), 90_000) == nil)
    #expect(silent(&stopped, Offset(1), 94_000) == nil)
    #expect(silent(&stopped, Offset(1), 98_000) == nil)
    #expect(silent(&stopped, Offset(1), 99_000) == 10)
  }
}
