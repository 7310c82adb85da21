import Records
import State
import Testing

/// Keyed state in turns, against a plain model of the same.
struct StateTests {
  private let rows = Space(1)
  private let ids = Space(9)

  private func stamp(_ position: Int64) -> Stamp {
    Stamp(generation: 1, digest: .none, position: Offset(position))
  }

  @Test func `a turn sees its own writes and a commit keeps them with their stamp`() {
    let state = PartitionState()
    #expect(state.stamp == .empty)
    state.begin()
    lend("k", "one") { state.put(rows, $0, $1) }
    #expect(read(state, rows, "k") == "one")
    lend("k", "a longer row than before, so that it has to move") { state.put(rows, $0, $1) }
    #expect(read(state, rows, "k") == "a longer row than before, so that it has to move")
    #expect(read(state, Space(2), "k") == nil)
    state.commit(stamp(7))
    #expect(state.stamp == stamp(7))
    #expect(read(state, rows, "k") == "a longer row than before, so that it has to move")
  }

  @Test func `an empty row is there and an absent one is not`() {
    let state = PartitionState()
    state.begin()
    lend("", "") { state.put(rows, $0, $1) }
    #expect(read(state, rows, "") == "")
    #expect(lend("", "") { key, _ in state.delete(rows, key) })
    #expect(!lend("", "") { key, _ in state.delete(rows, key) })
    #expect(read(state, rows, "") == nil)
    state.commit(stamp(1))
    #expect(state.rowCount == 0)
  }

  @Test func `a row that a turn changes many times is copied once, and comes back as it was`() {
    let state = PartitionState()
    let first = String(repeating: "a", count: 10_000)
    state.begin()
    lend("k", first) { state.put(rows, $0, $1) }
    state.commit(stamp(1))
    for _ in 0..<2 {
      state.begin()
      for number in 0..<1000 {
        lend("k", String(repeating: "b", count: 9000 + number)) { state.put(rows, $0, $1) }
      }
      #expect(state.bytesUsed < 100_000)
      state.rollback()
      #expect(read(state, rows, "k") == first)
    }
    state.begin()
    lend("k", "b") { state.put(rows, $0, $1) }
    state.commit(stamp(2))
    state.begin()
    lend("k", "c") { state.put(rows, $0, $1) }
    state.rollback()
    #expect(read(state, rows, "k") == "b")
  }

  @Test func `a row is changed in place, and a rollback gives the numbers back`() {
    let state = PartitionState()
    func add(_ amount: Int64) {
      lend("claim", "") { key, _ in
        let (row, isNew) = state.upsert(rows, key, length: 24)
        #expect(isNew == (row.int64(at: 0) == 0))
        row.set(int64: row.int64(at: 0) + 1, at: 0)
        row.set(int128: row.int128(at: 8) + Int128(amount), at: 8)
      }
    }
    state.begin()
    add(100)
    add(-30)
    state.commit(stamp(1))
    let before = state.contentDigest()
    state.begin()
    add(5)
    state.rollback()
    #expect(state.contentDigest() == before)
    state.begin()
    let row = lend("claim", "") { key, _ in state.update(rows, key) }
    #expect(row?.int64(at: 0) == 2)
    #expect(row?.int128(at: 8) == 70)
    state.rollback()
  }

  @Test func `an id is new once, until its horizon has passed`() {
    let state = PartitionState()
    func remember(_ id: String, _ time: Int64) -> Bool {
      lend(id, "") { key, _ in state.remember(ids, key, recordedMs: time) }
    }
    state.begin()
    #expect(remember("a", 100))
    #expect(remember("b", 100))
    #expect(!remember("a", 150))
    #expect(remember("c", 200))
    state.forget(ids, before: 100)
    #expect(!remember("a", 200))
    state.commit(stamp(1))
    state.begin()
    state.forget(ids, before: 101)
    #expect(remember("a", 300))
    #expect(!remember("c", 300))
    state.rollback()
    #expect(lend("a", "") { key, _ in state.isRemembered(ids, key) })
    state.begin()
    state.forget(ids, before: 201)
    #expect(state.rowCount == 0)
    state.commit(stamp(2))
    #expect(state.contentDigest() == PartitionState().contentDigest())
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func `a rollback restores exactly what was there, whatever the turn did`(_ number: UInt64) {
    var random = Random(number)
    let state = PartitionState()
    var model = Model()
    for turn in 0..<300 {
      let kept = model
      let before = state.contentDigest()
      state.begin()
      for _ in 0..<random.next(below: 60) { step(state, &model, &random) }
      if random.next(below: 3) == 0 {
        state.rollback()
        model = kept
        #expect(state.contentDigest() == before)
      } else {
        state.commit(stamp(Int64(turn)))
      }
      if turn % 20 == 0 { compare(state, model) }
    }
    compare(state, model)
    #expect(state.contentDigest() == rebuilt(model).contentDigest())
  }

  @Test func `large rows and large keys come and go`() {
    let state = PartitionState()
    let key = String(repeating: "k", count: 100_000)
    state.begin()
    for length in [1, 70_000, 3_000_000, 5] {
      lend(key, String(repeating: "x", count: length)) { state.put(rows, $0, $1) }
      #expect(read(state, rows, key)?.utf8.count == length)
    }
    state.commit(stamp(1))
    state.begin()
    lend(key, String(repeating: "y", count: 5_000_000)) { state.put(rows, $0, $1) }
    state.rollback()
    #expect(read(state, rows, key) == "xxxxx")
    state.begin()
    lend(key, "") { key, _ in #expect(state.delete(rows, key)) }
    state.commit(stamp(2))
    #expect(state.bytesUsed < 100_000)
  }

  @Test func `freed places are used again`() {
    let state = PartitionState()
    func round(_ count: Int, _ time: Int64) {
      state.begin()
      for index in 0..<count {
        lend("id-\(time)-\(index)", "") { key, _ in
          #expect(state.remember(ids, key, recordedMs: time))
        }
      }
      state.forget(ids, before: time)
      state.commit(stamp(time))
    }
    round(10_000, 10)
    let bytes = state.bytesUsed
    for time in 11..<40 { round(10_000, Int64(time)) }
    #expect(state.bytesUsed < 3 * bytes)
  }
}

// MARK: The model

private struct Model {
  var rows: [String: String] = [:]
  var ids: [(id: String, time: Int64)] = []
  var known: Set<String> = []
}

extension StateTests {
  private func step(_ state: PartitionState, _ model: inout Model, _ random: inout Random) {
    let key = "key-\(random.next(below: 40))"
    switch random.next(below: 8) {
    case 0, 1, 2:
      let length = [0, 3, 30, 300, 900, 70_000][
        random.next(below: random.next(below: 9) == 0 ? 6 : 5)]
      let row = String(repeating: "\(random.next(below: 10))", count: length)
      lend(key, row) { state.put(rows, $0, $1) }
      model.rows[key] = row
    case 3:
      let removed = lend(key, "") { key, _ in state.delete(rows, key) }
      #expect(removed == (model.rows.removeValue(forKey: key) != nil))
    case 4:
      lend(key, "z") { key, byte in
        if let row = state.update(rows, key), row.count > 0 { row.store(byte, at: 0) }
      }
      if let row = model.rows[key], !row.isEmpty { model.rows[key] = "z" + row.dropFirst() }
    case 5:
      let bound = (model.ids.first?.time ?? 0) + Int64(random.next(below: 3))
      state.forget(ids, before: bound)
      while let first = model.ids.first, first.time < bound {
        model.known.remove(first.id)
        model.ids.removeFirst()
      }
    default:
      let id = "id-\(random.next(below: 200))"
      let time = (model.ids.last?.time ?? 0) + Int64(random.next(below: 2))
      let isNew = lend(id, "") { key, _ in state.remember(ids, key, recordedMs: time) }
      #expect(isNew == model.known.insert(id).inserted)
      if isNew { model.ids.append((id, time)) }
    }
  }

  private func compare(_ state: PartitionState, _ model: Model) {
    #expect(state.rowCount == model.rows.count)
    for (key, row) in model.rows { #expect(read(state, rows, key) == row) }
    for (id, _) in model.ids {
      #expect(lend(id, "") { key, _ in state.isRemembered(ids, key) })
    }
  }

  /// The model's content in a state that went no detours, and hashes with another seed.
  private func rebuilt(_ model: Model) -> PartitionState {
    let state = PartitionState(seed: HashSeed(first: 1, second: 2))
    state.begin()
    for (key, row) in model.rows.sorted(by: { $0.key < $1.key }) {
      lend(key, row) { state.put(rows, $0, $1) }
    }
    for (id, time) in model.ids {
      lend(id, "") { key, _ in _ = state.remember(ids, key, recordedMs: time) }
    }
    state.commit(stamp(0))
    return state
  }
}

@discardableResult
private func lend<Result>(_ key: String, _ row: String, _ body: (ByteView, ByteView) -> Result)
  -> Result
{
  ByteView.lending(key) { key in ByteView.lending(row) { row in body(key, row) } }
}

private func read(_ state: PartitionState, _ space: Space, _ key: String) -> String? {
  ByteView.lending(key) { state.get(space, $0)?.text }
}

/// A small generator whose whole run follows from its number (splitmix64).
private struct Random {
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
