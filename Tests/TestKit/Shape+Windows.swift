extension Shape {
  /// Has some windows be sessions, some shown once, with ports of what is closed, and some say when
  /// they end.
  mutating func close(_ random: inout Random) {
    for place in tables.indices where isUndone(place) && random.percent(50) {
      let size = random.pick([5, 10, 30])
      let every = random.percent(50) ? size : random.pick([2, 5])
      tables[place].window = Window(size: size, every: every, grace: random.pick([0, 5, 20, 60]))
    }
    for place in tables.indices where tables[place].window != nil {
      if random.percent(50) { tables[place].window?.isFinal = true }
      if random.percent(40), !corrects(tables[place]) { makeSessions(place, &random) }
      tables[place].showsEnd = random.percent(30)
      let columns = tables[place].columns
      let numbers = columns.indices.filter { columns[$0].isCount || columns[$0].isWhole }
      if !tables[place].isFinal || numbers.isEmpty || random.percent(40) { continue }
      changePorts.append(
        ChangePort(name: "closings\(place)", table: place, column: random.pick(numbers)))
    }
  }

  /// Whether values of a table are taken back by records alone, and nothing asks for its rows.
  private func isUndone(_ place: Int) -> Bool {
    let lookups = tables.map(\.lookup) + ports.map(\.lookup)
    // By Kafka's time it would not be known from which windows.
    return corrects && hasTime && corrects(tables[place]) && !tables[place].takesKept
      && !lookups.contains { $0?.table == place }
      && !followers.contains { $0.table == place } && !changePorts.contains { $0.table == place }
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
