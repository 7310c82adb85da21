import Foundation
import Records
import State
import Testing

/// Keyed state whose rows are on disk, against a plain model and against state in memory.
struct DiskStateTests {
  private let rows = Space(1)
  private let ids = Space(9)
  private let directory = StateDirectory()

  private func stamp(_ position: Int64) -> Stamp {
    Stamp(generation: 1, digest: .none, position: Offset(position))
  }

  private func open(_ memory: StateMemory) throws(StoreFailure) -> PartitionState {
    PartitionState(try RowStore(directory: directory.at("state"), memory: memory))
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `it holds what the model holds, whatever turns, writes, evictions and openings come`(
    _ seed: UInt64
  ) throws {
    var random = StateRandom(seed)
    // In some runs nothing stays in memory that need not, in others everything.
    let hotBytes = [0, 20_000, 100_000, 10_000_000][Int(seed) % 4]
    let memory = StateMemory(bytes: StateMemory.bytesMin, hotBytes: hotBytes)
    var state: PartitionState? = try open(memory)
    var model = StateModel()
    var written = model
    for turn in 1...150 {
      try takeTurn(try #require(state), &model, &random, Int64(turn))
      #expect(state?.failure == nil)
      if random.next(below: 12) == 0 {
        try state?.writeBack()
        written = model
      }
      if random.next(below: 25) == 0 {
        // As a crash does: what was not written is gone.
        state = nil
        state = try open(memory)
        model = written
        #expect(state?.stamp == model.stamp)
        #expect(state?.contentDigest() == model.inMemory(rows, ids).contentDigest())
      }
      if turn % 30 == 0 { compare(try #require(state), model) }
    }
    #expect(state?.contentDigest() == model.inMemory(rows, ids).contentDigest())
  }

  @Test func `what is read and written counts towards the next write, by its bytes`() throws {
    let state = try open(StateMemory(bytes: StateMemory.bytesMin, hotBytes: 100_000_000))
    func apply(_ turns: ClosedRange<Int64>, _ body: () -> Void) {
      for turn in turns {
        state.begin()
        body()
        state.commit(stamp(turn))
      }
    }
    // Events that change no row: a restart would read them again all the same.
    let share = StateMemory.reapplyNanoseconds / 100
    apply(1...99) { state.noteWork(nanoseconds: share) }
    #expect(!state.isWriteBackDue && state.reapplyShare > 0.98)
    apply(100...100) { state.noteWork(nanoseconds: share) }
    #expect(state.isWriteBackDue && state.changedShare == 0)
    try state.writeBack()
    #expect(state.reapplyShare == 0)
    // One row over and over: the wider it is, the sooner.
    func costShare(ofRow bytes: Int, from turn: Int64) throws -> Double {
      let row = [UInt8](repeating: 7, count: bytes)
      apply(turn...turn + 99) {
        ByteView.lending(row) { row in
          ByteView.lending(Array("k".utf8)) { state.put(rows, $0, row) }
        }
      }
      defer { try? state.writeBack() }
      return state.reapplyShare
    }
    let narrow = try costShare(ofRow: 100, from: 101)
    let wide = try costShare(ofRow: 1_000_000, from: 201)
    #expect(wide > 100 * narrow)
  }

  private func takeTurn(
    _ state: PartitionState, _ model: inout StateModel, _ random: inout StateRandom,
    _ position: Int64
  ) throws {
    let kept = model
    state.begin()
    for _ in 0..<random.next(below: 60) {
      if random.next(below: 10) == 0 { readAhead(state, &random) }
      model.step(state, rows, ids, &random)
    }
    if random.next(below: 3) == 0 {
      state.rollback()
      model = kept
    } else {
      state.commit(stamp(position))
      model.stamp = stamp(position)
    }
  }

  /// Of keys as the model has them, some of them twice.
  private func readAhead(_ state: PartitionState, _ random: inout StateRandom) {
    for _ in 0..<random.next(below: 40) {
      ByteView.lending("key-\(random.next(below: 300))") { state.expectRow(rows, $0) }
      ByteView.lending("id-\(random.next(below: 400))") { state.expectId(ids, $0) }
    }
    if state.hasRoomAhead { state.startReadAhead(UInt64(random.next(below: 5))) }
    if random.next(below: 3) == 0 { state.hurryReadAhead() }
    for tag in 0..<5 as Range<UInt64> where random.next(below: 3) > 0 {
      state.finishReadAhead(tag)
    }
    if random.next(below: 20) == 0 { state.dropReadAhead() }
  }

  private func compare(_ state: PartitionState, _ model: StateModel) {
    #expect(state.rowCount == model.rows.count)
    for (key, row) in model.rows { #expect(readRow(state, rows, key) == row) }
    for (id, _) in model.ids {
      #expect(ByteView.lending(id) { state.isRemembered(ids, $0) })
    }
    #expect(readRow(state, rows, "never") == nil)
  }

  @Test func `a state larger than its memory stays within it, and loses nothing`() throws {
    let hotBytes = 2 << 20
    let memory = StateMemory(bytes: StateMemory.bytesMin, hotBytes: hotBytes)
    let state = try open(memory)
    let count = 60_000
    let content = String(repeating: "x", count: 100)
    var most = 0
    for turn in 0..<(count / 1000) {
      state.begin()
      for number in 0..<1000 {
        ByteView.lending(keyText(turn * 1000 + number)) { key in
          ByteView.lending("\(turn) \(content)") { state.put(rows, key, $0) }
        }
      }
      state.commit(stamp(Int64(turn)))
      if state.isWriteBackDue { try state.writeBack() }
      most = max(most, state.bytesUsed)
    }
    #expect(most < 2 * hotBytes)
    #expect(state.rowCount == count)
    for number in stride(from: 0, to: count, by: 777) {
      #expect(readRow(state, rows, keyText(number)) == "\(number / 1000) \(content)")
    }
    try state.writeBack()
    state.begin()
    state.commit(stamp(99))
    #expect(state.bytesUsed < hotBytes + hotBytes / 4)
  }

  @Test func `what an open turn takes on top is told while it is open, and given back after it`()
    throws
  {
    let hotBytes = 1 << 20
    let memory = StateMemory(bytes: StateMemory.bytesMin, hotBytes: hotBytes)
    let state = try open(memory)
    let (count, length) = (600, 20_000)
    for turn in 0..<3 {
      state.begin()
      #expect(state.turnBytes < hotBytes / 8)
      for number in 0..<count {
        ByteView.lending(keyText(number)) { key in
          ByteView.lending(String(repeating: "\(turn)", count: length)) {
            state.put(rows, key, $0)
          }
        }
      }
      // The new bytes, beyond what may stay, and from the second turn on the old ones.
      #expect(state.turnBytes > (turn == 0 ? 1 : 2) * count * length - 2 * hotBytes)
      if turn == 1 { state.rollback() } else { state.commit(stamp(Int64(turn))) }
      try state.writeBack()
      #expect(state.turnBytes == 0)
      #expect(state.bytesUsed < hotBytes + hotBytes / 4)
    }
    #expect(readRow(state, rows, keyText(7)) == String(repeating: "2", count: length))
  }

  @Test func `reading ahead stops where it would take more than its share of the memory`() throws {
    let (count, length) = (500, 50_000)
    let state = try open(StateMemory(bytes: StateMemory.bytesMin, hotBytes: 32 * 4 * length))
    state.begin()
    for number in 0..<count {
      ByteView.lending(keyText(number)) { key in
        ByteView.lending(String(repeating: "x", count: length)) { state.put(rows, key, $0) }
      }
    }
    state.commit(stamp(1))
    try state.writeBack()
    let before = state.bytesUsed
    for number in 0..<count { ByteView.lending(keyText(number)) { state.expectRow(rows, $0) } }
    state.startReadAhead(1)
    #expect(state.finishReadAhead(1))
    #expect(state.bytesUsed - before <= 6 * length)
    #expect(readRow(state, rows, keyText(count - 1))?.count == length)
    #expect(state.failure == nil)
  }

  @Test func `rows named for several blocks are read together, and each block finds its own`()
    throws
  {
    let memory = StateMemory(bytes: StateMemory.bytesMin)
    var state: PartitionState? = try open(memory)
    state?.begin()
    for number in 0..<30 {
      ByteView.lending(keyText(number)) { key in
        ByteView.lending("row \(number)") { state?.put(rows, key, $0) }
      }
    }
    state?.commit(stamp(1))
    try state?.writeBack()
    state = nil
    let cold = try open(memory)
    func name(_ numbers: Range<Int>, _ tag: UInt64) {
      for number in numbers { ByteView.lending(keyText(number)) { cold.expectRow(rows, $0) } }
      cold.startReadAhead(tag)
    }
    // How large rows are is known from the first request; before it nothing is gathered.
    name(0..<1, 1)
    #expect(cold.finishReadAhead(1))
    name(10..<20, 2)
    name(15..<31, 3)
    #expect([1, 2, 3].map { cold.isOutstanding($0) } == [false, true, true])
    #expect([1, 2, 3].map { cold.isReadingAhead($0) } == [false, true, true])
    cold.hurryReadAhead()
    // By another thread, though nobody asks.
    let patience = ContinuousClock.now + .seconds(60)
    while cold.isOutstanding(3) && ContinuousClock.now < patience {
      Thread.sleep(forTimeInterval: 0.001)
    }
    #expect(!cold.isOutstanding(3))
    #expect(cold.finishReadAhead(3))
    #expect([2, 3].map { cold.isOutstanding($0) } == [false, false])
    #expect([2, 3].map { cold.isReadingAhead($0) } == [true, false])
    let asked = cold.rowsAsked
    for number in 10..<30 { #expect(readRow(cold, rows, keyText(number)) == "row \(number)") }
    #expect(readRow(cold, rows, keyText(30)) == nil)
    #expect(cold.rowsAsked == asked)
    #expect(cold.finishReadAhead(2))
    #expect(!cold.finishReadAhead(2))
    // A write makes another store of it: what was named is forgotten.
    name(40..<45, 4)
    cold.begin()
    ByteView.lending(keyText(41)) { key in
      ByteView.lending("row 41") { cold.put(rows, key, $0) }
    }
    cold.commit(stamp(2))
    try cold.writeBack()
    #expect(!cold.isReadingAhead(4))
    #expect(readRow(cold, rows, keyText(41)) == "row 41")
  }

  @Test func `ids are forgotten wherever they lie, and a rollback brings them back`()
    throws
  {
    let memory = StateMemory(bytes: StateMemory.bytesMin, hotBytes: 0)
    func remember(_ state: PartitionState, _ number: Int) -> Bool {
      ByteView.lending("id-\(number)") { state.remember(ids, $0, recordedMs: Int64(number / 10)) }
    }
    do {
      let state = try open(memory)
      state.begin()
      for number in 0..<5000 { #expect(remember(state, number)) }
      state.commit(stamp(1))
      try state.writeBack()
    }
    let state = try open(memory)
    let before = state.contentDigest()
    state.begin()
    state.forget(ids, before: 300)
    #expect(!remember(state, 3000))
    #expect(remember(state, 2999))
    state.rollback()
    #expect(state.contentDigest() == before)
    state.begin()
    state.forget(ids, before: 300)
    state.commit(stamp(2))
    try state.writeBack()
    state.begin()
    #expect(remember(state, 7))
    #expect(!remember(state, 4999))
    state.commit(stamp(3))
    #expect(state.rowCount == 0)
    #expect(state.failure == nil)
  }

  @Test func `an id that was forgotten since the last write is remembered again after a crash`()
    throws
  {
    // Steps that are sorted in meanwhile drop what they may.
    let memory = StateMemory(bytes: StateMemory.bytesMin, hotBytes: 0)
    func remember(_ state: PartitionState, _ id: String, _ time: Int64) -> Bool {
      ByteView.lending(id) { state.remember(ids, $0, recordedMs: time) }
    }
    do {
      let state = try open(memory)
      for step in 0..<12 {
        state.begin()
        state.forget(ids, before: Int64(step) * 100 - 500)
        for number in 0..<2000 {
          #expect(remember(state, "\(number)-\(step)", Int64(step) * 100))
        }
        state.commit(stamp(Int64(step)))
        try state.writeBack()
      }
      state.begin()
      state.forget(ids, before: 2000)
      #expect(remember(state, "7-11", 2000))
      state.commit(stamp(20))
    }
    let state = try open(memory)
    #expect(state.stamp == stamp(11))
    state.begin()
    for number in 0..<2000 {
      #expect(!remember(state, "\(number)-6", 1200))
      #expect(remember(state, "\(number)-5", 1200))
    }
    state.rollback()
    #expect(state.failure == nil)
  }

  @Test func `ids whose time has come leave the disk without being deleted`() throws {
    let memory = StateMemory(bytes: StateMemory.bytesMin, hotBytes: 0)
    let state = try open(memory)
    var random = StateRandom(1)
    for step in 0..<40 {
      state.begin()
      state.forget(ids, before: Int64(step) - 2)
      for _ in 0..<2000 {
        let id = (0..<3).map { _ in String(random.next(below: .max), radix: 36) }.joined()
        ByteView.lending(id) { _ = state.remember(ids, $0, recordedMs: Int64(step)) }
      }
      state.commit(stamp(Int64(step)))
      try state.writeBack()
    }
    // Three of forty steps are remembered. RocksDB sorts the last ones in when others follow.
    let written = try #require(state.bytesWritten)
    for step in 40..<4000 where state.fileBytes > written / 2 {
      state.begin()
      ByteView.lending("row") { state.put(rows, $0, $0) }
      state.commit(stamp(Int64(step)))
      try state.writeBack()
    }
    #expect(state.fileBytes < written / 2)
  }

  @Test func `damage that a read finds sticks, and nothing more is written`() throws {
    let memory = StateMemory(bytes: StateMemory.bytesMin, hotBytes: 0)
    do {
      let state = try open(memory)
      state.begin()
      for number in 0..<5000 {
        ByteView.lending(keyText(number)) { state.put(rows, $0, $0) }
      }
      state.commit(stamp(1))
      try state.writeBack()
    }
    for file in try directory.files("state", ".sst") {
      var bytes = try Data(contentsOf: file)
      // Within the rows; what opening reads stands in the first block and at the end.
      for index in 8000..<(bytes.count / 2) where index % 7 == 3 { bytes[index] ^= 0x55 }
      try bytes.write(to: file)
    }
    let state = try open(StateMemory(bytes: StateMemory.bytesMin, hotBytes: 0))
    state.begin()
    for number in 0..<5000 { _ = readRow(state, rows, keyText(number)) }
    #expect(state.failure?.kind == .damaged)
    state.commit(stamp(2))
    #expect(throws: StoreFailure.self) { try state.writeBack() }
  }
}

// MARK: The model

struct StateModel {
  var rows: [String: String] = [:]
  var ids: [(id: String, time: Int64)] = []
  var known: Set<String> = []
  var stamp = Stamp.empty
  /// Never falls, as the journal's does not.
  var clock: Int64 = 0

  /// One random change of both.
  mutating func step(
    _ state: PartitionState, _ rowSpace: Space, _ idSpace: Space, _ random: inout StateRandom
  ) {
    let key = "key-\(random.next(below: 300))"
    switch random.next(below: 9) {
    case 0, 1, 2:
      let length = [0, 3, 30, 300, 900, 70_000][
        random.next(below: random.next(below: 9) == 0 ? 6 : 5)]
      let row = String(repeating: "\(random.next(below: 10))", count: length)
      ByteView.lending(key) { key in ByteView.lending(row) { state.put(rowSpace, key, $0) } }
      rows[key] = row
    case 3:
      let removed = ByteView.lending(key) { state.delete(rowSpace, $0) }
      #expect(removed == (rows.removeValue(forKey: key) != nil))
    case 4:
      ByteView.lending(key) { key in
        if let row = state.update(rowSpace, key), row.count > 0 {
          ByteView.lending("z") { row.store($0, at: 0) }
        }
      }
      if let row = rows[key], !row.isEmpty { rows[key] = "z" + row.dropFirst() }
    case 5: forget(state, idSpace, &random)
    case 6:
      let isNew = ByteView.lending(key) { key in
        let (row, isNew) = state.upsert(rowSpace, key, length: 8)
        if isNew { row.set(int64: 0x3333_3333_3333_3333, at: 0) }
        return isNew
      }
      #expect(isNew == (rows[key] == nil))
      if isNew { rows[key] = "33333333" }
    case 7: #expect(readRow(state, rowSpace, key) == rows[key])
    default:
      let id = "id-\(random.next(below: 400))"
      clock += Int64(random.next(below: 2))
      let isNew = ByteView.lending(id) { state.remember(idSpace, $0, recordedMs: clock) }
      #expect(isNew == known.insert(id).inserted)
      if isNew { ids.append((id, clock)) }
    }
  }

  private mutating func forget(
    _ state: PartitionState, _ idSpace: Space, _ random: inout StateRandom
  ) {
    let bound = min((ids.first?.time ?? 0) + Int64(random.next(below: 3)), clock)
    state.forget(idSpace, before: bound)
    while let first = ids.first, first.time < bound {
      known.remove(first.id)
      ids.removeFirst()
    }
  }

  /// The same content in a state that is in memory alone and went no detours.
  func inMemory(_ rowSpace: Space, _ idSpace: Space) -> PartitionState {
    let state = PartitionState()
    state.begin()
    for (key, row) in rows {
      ByteView.lending(key) { key in ByteView.lending(row) { state.put(rowSpace, key, $0) } }
    }
    for (id, time) in ids {
      _ = ByteView.lending(id) { state.remember(idSpace, $0, recordedMs: time) }
    }
    state.commit(stamp)
    return state
  }
}

func readRow(_ state: PartitionState, _ space: Space, _ key: String) -> String? {
  ByteView.lending(key) { state.get(space, $0)?.text }
}

/// A small generator whose whole run follows from its number (splitmix64).
struct StateRandom {
  private var state: UInt64
  init(_ number: UInt64) { state = number &* 0x9E37_79B9_7F4A_7C15 }

  mutating func next(below bound: Int) -> Int {
    state = state &+ 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return Int((mixed ^ mixed >> 31) % UInt64(bound))
  }
}
