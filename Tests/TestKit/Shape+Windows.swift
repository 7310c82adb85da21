extension Shape {
  /// Has some windows be sessions, some shown once, with ports of what is closed, and some say when
  /// they end.
  mutating func close(_ random: inout Random) {
    for place in tables.indices where tables[place].window != nil {
      if random.percent(50) { tables[place].window?.isFinal = true }
      if random.percent(40) { makeSessions(place, &random) }
      tables[place].showsEnd = random.percent(30)
      let columns = tables[place].columns
      let numbers = columns.indices.filter { columns[$0].isCount || columns[$0].isWhole }
      if !tables[place].isFinal || numbers.isEmpty || random.percent(40) { continue }
      changePorts.append(
        ChangePort(name: "closings\(place)", table: place, column: random.pick(numbers)))
    }
  }

  /// What cannot be merged has to go.
  private mutating func makeSessions(_ place: Int, _ random: inout Random) {
    let gap = random.pick([1, 4, 12])
    tables[place].window = Window(
      size: gap, every: gap, grace: random.pick([0, 5, 20, 60]), isFinal: tables[place].isFinal,
      isSession: true)
    removeFolds(ofTable: place)
  }

  /// A table without deletions and folds.
  mutating func removeFolds(ofTable place: Int) {
    for clause in tables[place].clauses.indices { tables[place].clauses[clause].deletion = nil }
    for column in tables[place].columns.indices
    where tables[place].columns[column].aggregate.isFold {
      tables[place].columns[column].aggregate = .count
    }
  }
}
