import Formats
import Records
import State
import Testing

@testable import Engine

/// A journal partition's clock, what it is told, and what falls due by it.
@Suite struct ClockTests {
  private static func block(_ ticks: [JournalTick]) -> [UInt8] {
    let builder = JournalBlockBuilder(kind: .ticks)
    for tick in ticks { builder.append(tick) }
    return builder.seal(recordedMs: 0, digest: .none, inputPositions: []).copied()
  }

  /// A clock over two sources of one input, in a state of its own.
  private final class Clock {
    let clock = PartitionClock(inputs: [0])
    let state = PartitionState()

    func hear(_ ticks: [JournalTick], at recordedMs: Int64) throws -> Int64? {
      state.begin()
      clock.load(from: state)
      try ByteView.lending(ClockTests.block(ticks)) {
        try clock.take(try JournalBlock($0).ticks, recordedMs: recordedMs, in: state)
      }
      state.commit(.empty)
      return clock.nowMs
    }
  }

  private static func tick(
    _ partition: Int32, _ shownMs: Int64?, isAtEnd: Bool = false, isRead: Bool = true,
    input: Int = 0
  ) -> JournalTick {
    JournalTick(
      input: input, partition: Partition(partition), isRead: isRead, shownMs: shownMs,
      isAtEnd: isAtEnd)
  }

  @Test func `ticks come back as they were`() throws {
    let ticks = [
      Self.tick(0, nil), Self.tick(3, -7, isAtEnd: true),
      Self.tick(9, nil, isRead: false, input: 2),
    ]
    let bytes = Self.block(ticks)
    let found = try ByteView.lending(bytes) { bytes in
      let block = try JournalBlock(bytes)
      #expect(block.kind == .ticks)
      var all: [JournalTick] = []
      var walk = block.ticks
      while let tick = try walk.next() { all.append(tick) }
      return all
    }
    #expect(found == ticks)
  }

  @Test func `no byte of a block of ticks can be wrong in a way that traps`() throws {
    let bytes = Self.block([Self.tick(0, 99), Self.tick(1, -7, isAtEnd: true)])
    for place in bytes.indices {
      for value in [0, 1, 127, 255] as [UInt8] {
        var damaged = bytes
        damaged[place] = value
        ByteView.lending(damaged) { view in
          guard let block = try? JournalBlock(view) else { return }
          var walk = block.ticks
          while (try? walk.next()) ?? nil != nil {}
        }
      }
    }
  }

  @Test func `it is the least advanced source's, and never goes back`() throws {
    let clock = Clock()
    #expect(try clock.hear([Self.tick(0, 500), Self.tick(1, 200)], at: 1) == 200)
    #expect(try clock.hear([Self.tick(0, 900)], at: 2) == 200)
    #expect(try clock.hear([Self.tick(1, 700)], at: 3) == 700)
    #expect(try clock.hear([Self.tick(1, 100)], at: 4) == 700)
  }

  @Test func `a source that nothing was heard of holds it`() throws {
    let clock = Clock()
    #expect(try clock.hear([Self.tick(0, 500), Self.tick(1, nil, isRead: false)], at: 1) == nil)
    #expect(try clock.hear([Self.tick(1, nil)], at: 2) == nil)
    #expect(try clock.hear([Self.tick(1, 300)], at: 3) == 300)
    let two = PartitionClock(inputs: [0, 1])
    let state = PartitionState()
    state.begin()
    try ByteView.lending(Self.block([Self.tick(0, 500)])) {
      try two.take(try JournalBlock($0).ticks, recordedMs: 1, in: state)
    }
    #expect(two.nowMs == nil, "an input of which no partition is known")
  }

  @Test func `a source at its end leaves the minimum until it shows more`() throws {
    let clock = Clock()
    #expect(try clock.hear([Self.tick(0, 500), Self.tick(1, nil, isAtEnd: true)], at: 1) == 500)
    #expect(try clock.hear([Self.tick(0, 600), Self.tick(1, 550)], at: 2) == 550)
    #expect(try clock.hear([Self.tick(0, 800)], at: 3) == 550)
  }

  @Test func `an end that nobody confirms any more counts no longer`() throws {
    let clock = Clock()
    _ = try clock.hear([Self.tick(0, 500), Self.tick(1, 400, isAtEnd: true)], at: 1000)
    #expect(try clock.hear([Self.tick(0, 700)], at: 1000 + PartitionClock.endMs) == 700)
    #expect(try clock.hear([Self.tick(0, 900)], at: 1001 + PartitionClock.endMs) == 700)
  }

  @Test func `recorded time moves it while all sources are at their end, and only then`() throws {
    let clock = Clock()
    let ended = [Self.tick(0, 500, isAtEnd: true), Self.tick(1, 200, isAtEnd: true)]
    #expect(try clock.hear(ended, at: 10_000) == 500)
    #expect(try clock.hear(ended, at: 12_500) == 3000)
    #expect(try clock.hear([Self.tick(0, 600)], at: 14_000) == 3000)
    #expect(try clock.hear(ended, at: 16_000) == 3000)
    #expect(try clock.hear(ended, at: 17_000) == 4000)
  }

  @Test func `what is due comes once, by time, then by table and key, however it was put in`() {
    let state = PartitionState()
    let schedule = Schedule(state)
    state.begin()
    var random = SplitMix(7)
    var model: [(due: Int64, table: Int, key: String)] = []
    for round in 0..<40 {
      for _ in 0..<random.next(12) {
        let entry = (
          due: Int64(random.next(2000)) - 1000, table: Int(random.next(2)),
          key: "k\(random.next(9))"
        )
        model.append(entry)
        ByteView.lending(entry.key) { schedule.append(entry.due, table: entry.table, key: $0) }
      }
      let now = Int64(random.next(2000)) - 1000
      model.sort { ($0.due, $0.table, $0.key) < ($1.due, $1.table, $1.key) }
      while let due = schedule.next(by: now) {
        #expect((due.dueMs, due.table) == (model[0].due, model[0].table))
        #expect(due.key.text == model[0].key)
        let first = model[0]
        model.removeAll { $0 == first }
      }
      #expect(model.allSatisfy { $0.due > now }, "round \(round)")
      #expect(schedule.count == model.count)
    }
  }
}

/// What ingest tells journals of their sources.
@Suite struct SourceTicksTests {
  private func told(_ ticks: SourceTicks, at recordedMs: Int64) throws -> [JournalTick] {
    let builder = JournalBlockBuilder(kind: .ticks)
    ticks.append(to: builder, of: [0, 1])
    ticks.tell(recordedMs: recordedMs)
    let bytes = builder.seal(recordedMs: 0, digest: .none, inputPositions: []).copied()
    return try ByteView.lending(bytes) { bytes in
      var all: [JournalTick] = []
      var walk = try JournalBlock(bytes).ticks
      while let tick = try walk.next() { all.append(tick) }
      return all
    }
  }

  private func record(_ offset: Int64) -> SourceRecord {
    SourceRecord(
      input: 0, partition: Partition(0), offset: Offset(offset), key: nil, value: nil,
      timestampMs: 0)
  }

  @Test func `all sources are named at first, those of other readers once`() throws {
    let ticks = SourceTicks(intervalMs: 1000)
    ticks.expect(0, partitions: 2)
    ticks.expect(1, partitions: 1)
    #expect(!ticks.isDue(recordedMs: 0), "who reads nothing tells nothing")
    ticks.begin(0, Partition(0))
    #expect(ticks.isDue(recordedMs: 0))
    let first = try told(ticks, at: 0)
    #expect(first.map(\.isRead) == [true, false, false])
    #expect(!ticks.isDue(recordedMs: 60_000), "nothing has changed")
    ticks.note(record(4), shownMs: 77)
    #expect(!ticks.isDue(recordedMs: 999))
    #expect(ticks.isDue(recordedMs: 1000))
    #expect(
      try told(ticks, at: 1000) == [JournalTick(input: 0, partition: Partition(0), shownMs: 77)])
  }

  @Test func `a source is at its end until a record from behind it comes, and that is confirmed`()
    throws
  {
    let ticks = SourceTicks(intervalMs: 1000)
    ticks.begin(0, Partition(0))
    // The end is told before the records that lie before it are taken.
    ticks.reachedEnd(0, Partition(0), Offset(6))
    ticks.note(record(4), shownMs: 77)
    #expect(try told(ticks, at: 0).map(\.isAtEnd) == [true])
    #expect(!ticks.isDue(recordedMs: SourceTicks.confirmMs - 1))
    #expect(ticks.isDue(recordedMs: SourceTicks.confirmMs))
    ticks.note(record(6), shownMs: 78)
    #expect(try told(ticks, at: 5000).map(\.isAtEnd) == [false])
  }

  @Test func `after a turn that is taken back nothing is known, and all is told anew`() throws {
    let ticks = SourceTicks(intervalMs: 1000)
    ticks.begin(0, Partition(0))
    ticks.note(record(4), shownMs: 77)
    ticks.reachedEnd(0, Partition(0), Offset(5))
    _ = try told(ticks, at: 0)
    ticks.takeBack()
    #expect(ticks.isDue(recordedMs: 0))
    #expect(try told(ticks, at: 0) == [JournalTick(input: 0, partition: Partition(0))])
  }
}
