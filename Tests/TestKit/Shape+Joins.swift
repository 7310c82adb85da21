extension Shape {
  /// An event port of the pairs of two kinds of events.
  package struct Join: Sendable, Hashable {
    package var name: String
    package var left: Kind
    package var right: Kind
    package var key: Key
    package var withinS: Int
    /// Nil: as `withinS`.
    package var graceS: Int?
    /// Of the left side.
    package var filter: Condition?
    /// Each left event comes as often, as the files say.
    package var times = 1

    package var graceMs: Int64 { Int64(graceS ?? withinS) * 1000 }
    package var withinMs: Int64 { Int64(withinS) * 1000 }
  }

  /// Has events paired, of kinds that are never taken back.
  mutating func join(_ random: inout Random) {
    let able = kinds.filter { !corrects($0) }
    if able.count < 2 { return }
    // A chained journal and another one would have the same name.
    let keys: [Key] =
      chainedJournals.contains(.branch) ? [.account, .pair] : [.account, .branch, .pair]
    for number in 0...random.below(2) {
      let left = random.pick(able)
      joins.append(
        Join(
          name: "pairs\(number)", left: left, right: random.pick(able.filter { $0 != left }),
          key: random.pick(keys), withinS: random.pick([0, 3, 15]),
          graceS: random.percent(60) ? random.pick([2, 20, 60]) : nil,
          filter: random.percent(30) ? Self.condition(&random) : nil))
    }
  }
}
