import Records
import Testing
import Worker

@Suite struct JournalCursorTests {
  private func at(_ offset: Int64) -> Offset { Offset(offset) }

  private func own(_ cursor: inout JournalCursor, _ offset: Offset?, isFinal: Bool = true)
    -> JournalCursor.Own
  {
    cursor.own(at: offset, isFinal: isFinal)
  }

  private func readBack(_ cursor: inout JournalCursor, _ offset: Offset) -> JournalCursor.ReadBack {
    cursor.readBack(offset)
  }

  private func fresh() -> JournalCursor { JournalCursor(stamp: Offset(0), committed: Offset(0)) }

  /// A cursor whose own block at 0 was committed and has come back.
  private func following() -> JournalCursor {
    var cursor = fresh()
    cursor.wrote()
    #expect(own(&cursor, at(0)) == .leave)
    cursor.commit()
    #expect(readBack(&cursor, at(0)) == .apply)
    cursor.commit()
    return cursor
  }

  @Test func `the first own block is read back, the next is applied at once behind one marker`() {
    var cursor = following()
    cursor.wrote()
    #expect(own(&cursor, at(2)) == .apply)
    cursor.commit()
    #expect(cursor.position == at(3))
    // It comes back from Kafka later and is known.
    #expect(readBack(&cursor, at(2)) == .skip)
    cursor.wrote()
    #expect(own(&cursor, at(4)) == .apply)
  }

  @Test func `a committed block that was not applied is awaited until it comes back`() {
    var cursor = fresh()
    #expect(cursor.awaited == nil)
    cursor.wrote()
    #expect(own(&cursor, at(0)) == .leave)
    cursor.commit()
    #expect(cursor.awaited == at(0))
    #expect(readBack(&cursor, at(0)) == .apply)
    #expect(cursor.awaited == nil)
    cursor.commit()
    // Applied in its turn: nothing is missing.
    cursor.wrote()
    #expect(own(&cursor, at(2)) == .apply)
    cursor.commit()
    #expect(cursor.awaited == nil)
    // Another's block at 4 stands before an own one at 5; both have to come.
    cursor.wrote()
    #expect(own(&cursor, at(5)) == .leave)
    cursor.commit()
    #expect(cursor.awaited == at(3))
    #expect(readBack(&cursor, at(4)) == .apply)
    #expect(cursor.awaited == at(5))
    #expect(readBack(&cursor, at(5)) == .apply)
    #expect(cursor.awaited == nil)
  }

  @Test func `a state behind its committed offset awaits the journal, a restarted one too`() {
    var cursor = JournalCursor(stamp: Offset(3), committed: Offset(9))
    #expect(cursor.awaited == at(3))
    #expect(readBack(&cursor, at(8)) == .reapply)
    #expect(cursor.awaited == nil)
    cursor.wrote()
    #expect(own(&cursor, at(10)) == .leave)
    cursor.rollBack(stamp: at(9), committed: at(9))
    #expect(cursor.awaited == nil)
  }

  @Test func `a block anywhere but where it was expected is left for later`() {
    var cursor = following()
    cursor.wrote()
    #expect(own(&cursor, at(3)) == .leave)
    cursor.commit()
    #expect(cursor.position == at(1))
    #expect(readBack(&cursor, at(2)) == .apply)
    #expect(readBack(&cursor, at(3)) == .apply)
    cursor.wrote()
    #expect(own(&cursor, at(5)) == .apply)
  }

  @Test func `an offset that nobody knows is not the one expected`() {
    var cursor = following()
    cursor.wrote()
    #expect(own(&cursor, nil) == .leave)
    cursor.commit()
    #expect(readBack(&cursor, at(2)) == .apply)
    cursor.wrote()
    #expect(own(&cursor, at(4)) == .leave)
  }

  @Test func `several own blocks of a turn follow each other without a marker`() {
    var cursor = following()
    for _ in 0..<3 { cursor.wrote() }
    #expect(own(&cursor, at(2)) == .apply)
    #expect(own(&cursor, at(3)) == .apply)
    // Somebody else's record lies before the third.
    #expect(own(&cursor, at(5)) == .leave)
    #expect(own(&cursor, at(6)) == .leave)
    cursor.commit()
    #expect(cursor.position == at(4))
  }

  @Test func `an own block waits for the one before it to come back, and is left at the end`() {
    var cursor = fresh()
    cursor.wrote()
    #expect(own(&cursor, at(0)) == .leave)
    cursor.commit()
    cursor.wrote()
    #expect(own(&cursor, at(2), isFinal: false) == .wait)
    var other = cursor
    #expect(readBack(&cursor, at(0)) == .apply)
    #expect(own(&cursor, at(2), isFinal: false) == .apply)
    #expect(own(&other, at(2)) == .leave)
  }

  @Test func `a foreign block before an own one leaves the own one`() {
    var cursor = following()
    cursor.wrote()
    #expect(readBack(&cursor, at(2)) == .apply)
    #expect(own(&cursor, at(4)) == .leave)
  }

  @Test func `a turn that is rolled back knows nothing about what follows`() {
    var cursor = following()
    cursor.wrote()
    #expect(own(&cursor, at(2)) == .apply)
    cursor.rollBack(stamp: at(1), committed: at(1))
    #expect(cursor.position == at(1))
    cursor.wrote()
    #expect(own(&cursor, at(4)) == .leave)
  }

  @Test func `restoring re-applies up to the committed offset, and commits nothing below it`() {
    var cursor = JournalCursor(stamp: at(2), committed: at(5))
    #expect(cursor.isRestoring)
    #expect(cursor.position == at(5))
    #expect(readBack(&cursor, at(2)) == .reapply)
    cursor.commit()
    #expect(cursor.position == at(5))
    #expect(readBack(&cursor, at(4)) == .reapply)
    #expect(!cursor.isRestoring)
    #expect(readBack(&cursor, at(7)) == .apply)
    #expect(cursor.position == at(8))
  }

  // MARK: Against a log with two writers

  /// A journal partition with transactions of two writers, and its owner, who is the first of them.
  private struct Simulation {
    enum Entry {
      case block(Int, transaction: Int)
      case marker
    }
    var random: Seeded
    var log: [Entry] = []
    var committed: Set<Int> = []
    /// Of each writer: number, whether open, whether it has written, its first offset.
    var open: [(number: Int, first: Int)?] = [nil, nil]
    var blocks = 0
    var transactions = 0
    var cursor: JournalCursor
    var acknowledged: [Int] = []
    var settled = 0
    var reader = 0
    var applied: [Int] = []
    var published: [Int] = []
    var atOnce = 0

    init(seed: UInt64, checksOffset: Bool) {
      random = Seeded(state: seed)
      cursor = JournalCursor(stamp: Offset(0), committed: Offset(0), checksOffset: checksOffset)
    }

    mutating func write(_ writer: Int) {
      if open[writer] == nil {
        transactions += 1
        open[writer] = (transactions, log.count)
      }
      log.append(.block(blocks, transaction: open[writer]?.number ?? 0))
      blocks += 1
      if writer == 0 {
        cursor.wrote()
        acknowledged.append(log.count - 1)
      }
    }

    mutating func end(_ writer: Int, commits: Bool) {
      if let transaction = open[writer] {
        log.append(.marker)
        if commits { committed.insert(transaction.number) }
        open[writer] = nil
      }
      if writer != 0 { return }
      if commits {
        settle(isFinal: true)
        cursor.commit()
        published += applied
      } else {
        let position = cursor.committed
        cursor.rollBack(stamp: position, committed: position)
        reader = Int(position.value)
      }
      applied = []
      acknowledged = []
      settled = 0
    }

    mutating func settle(isFinal: Bool) {
      while settled < acknowledged.count {
        let offset = acknowledged[settled]
        let decision = cursor.own(at: Offset(Int64(offset)), isFinal: isFinal)
        if decision == .wait { return }
        settled += 1
        if case .block(let id, _) = log[offset], decision == .apply {
          applied.append(id)
          atOnce += 1
        }
      }
    }

    mutating func read() {
      let stable = open.compactMap { $0?.first }.min() ?? log.count
      if reader >= stable { return }
      if case .block(let id, let transaction) = log[reader], committed.contains(transaction),
        cursor.readBack(Offset(Int64(reader))) == .apply
      {
        applied.append(id)
      }
      reader += 1
    }

    mutating func step(others: Int) {
      switch random.below(12 + others) {
      case 0, 1: write(0)
      case 2: settle(isFinal: false)
      case 3: end(0, commits: true)
      case 4: end(0, commits: random.below(4) != 0)
      case 5...11: read()
      case 12: write(1)
      default: end(1, commits: random.below(4) != 0)
      }
    }

    /// What was published is what is committed in the journal, in its order, once.
    var isRight: Bool {
      let journal = log.compactMap { entry in
        if case .block(let id, let transaction) = entry, committed.contains(transaction) {
          return id
        }
        return nil
      }
      return published == Array(journal.prefix(published.count))
    }
  }

  private struct Seeded {
    var state: UInt64
    mutating func below(_ bound: Int) -> Int {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
    }
  }

  @Test(arguments: [0, 1, 3])
  func `every committed block is published once and in order, however many write`(others: Int) {
    var atOnce = 0
    for seed in 1...400 {
      var run = Simulation(seed: UInt64(seed), checksOffset: true)
      for _ in 0..<300 {
        run.step(others: others)
        if !run.isRight { break }
      }
      #expect(run.isRight, "seed \(seed)")
      #expect(run.published.count <= run.blocks)
      atOnce += run.atOnce
    }
    #expect(atOnce > 100)
  }

  @Test func `without the offset rule the order breaks when two write`() {
    let broken = (1...50).filter { seed in
      var run = Simulation(seed: UInt64(seed), checksOffset: false)
      for _ in 0..<300 { run.step(others: 3) }
      return !run.isRight
    }
    #expect(broken.count > 25)
  }
}
