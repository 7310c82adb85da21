extension Shape {
  package static func generated(_ random: inout Random) -> Shape {
    var shape = Shape()
    shape.isDirect = random.percent(15)
    shape.hasTold = random.percent(60)
    shape.hasTime = random.percent(70)
    shape.inputPartitions = 1 + random.below(3)
    shape.journalPartitions = 1 + random.below(3)
    shape.outputPartitions = 1 + random.below(3)
    if random.percent(85) { shape.horizonS = random.pick([3, 20, 604_800]) }
    if random.percent(35) { shape.entriesMax = 2 + random.below(5) }
    if !shape.isDirect {
      for number in 0...random.below(3) { shape.tables.append(shape.table(number, &random)) }
    }
    let portsMin = shape.isDirect ? 1 : 0
    for number in 0..<portsMin + random.below(3) {
      let kind = random.pick(shape.kinds)
      shape.ports.append(
        EventPort(
          name: "events\(number)", kind: kind,
          filter: random.percent(40) ? condition(&random) : nil,
          when: random.percent(40) ? condition(&random) : nil, isNarrow: random.percent(10)))
    }
    // At the end, so that everything else is as it was before there were any.
    if !shape.isDirect && random.percent(40) { shape.identify(&random) }
    if !shape.usesLinks && random.percent(35) { shape.correct() }
    if !shape.isDirect && random.percent(40) { shape.giveTime(&random) }
    if random.percent(40) { shape.keep(&random) }
    return shape
  }

  /// What may be taken back does not go by itself, nor what is made of a chained journal.
  private mutating func giveTime(_ random: inout Random) {
    for table in tables.indices where random.percent(60) {
      let isChained = chainedJournals.contains(journal(of: tables[table]))
      if isChained || corrects(tables[table]) { continue }
      if random.percent(40) {
        tables[table].expireS = random.pick([2, 10, 30])
        continue
      }
      let size = random.pick([5, 10, 30])
      let every = random.percent(50) ? size : random.pick([2, 5])
      tables[table].window = Window(size: size, every: every, grace: random.pick([0, 5, 20, 60]))
    }
  }

  /// Its first input may take back what it brought; what cannot be undone has to go.
  private mutating func correct() {
    corrects = true
    undoable()
  }

  private mutating func undoable() {
    for table in tables.indices where corrects(tables[table]) { removeFolds(ofTable: table) }
  }

  private mutating func identify(_ random: inout Random) {
    unmapped = random.percent(75) ? .hold : .reject
    for port in ports.indices where random.percent(70) { ports[port].isIdentified = true }
    for table in tables.indices where tables[table].key != .branch && random.percent(50) {
      tables[table].isIdentified = true
    }
    chain(&random)
    if random.percent(40) { correctLinks(&random) }
  }

  /// Has events handed on, to tables by who the account is of, or by their branch.
  private mutating func chain(_ random: inout Random) {
    let isOfBranches = random.percent(25)
    for table in tables.indices {
      if tables[table].key == .branch {
        if isOfBranches { tables[table].isIdentified = true }
      } else if tables[table].isIdentified, random.percent(60) {
        tables[table].key = random.percent(30) ? .whoBranch : .who
      }
    }
    isToldByBranch = hasTold && random.percent(35)
    settleChains()
  }

  /// What comes by different local ids comes together by who it is of: else two journals would have
  /// one name.
  private mutating func settleChains() {
    if !isToldByBranch { return }
    for table in tables.indices where isChained(tables[table]) && !tables[table].key.isOfWho {
      tables[table].key = .who
      tables[table].expireS = nil
    }
  }

  /// Has links correct what went out before, all of it by one local id.
  private mutating func correctLinks(_ random: inout Random) {
    isToldByBranch = false
    if random.percent(50) { unmapped = .provisional }
    if unmapped != .provisional || random.percent(60) {
      repairableS = random.pick([1, 5, 3600])
    }
    for table in tables.indices where tables[table].isIdentified && random.percent(60) {
      let aggregate = random.pick(
        [.first, .last, .latest, .collect, .collectSet, .countDistinct] as [Aggregate])
      tables[table].columns.append(Column(name: "whose", aggregate: aggregate, field: .who))
      for clause in tables[table].clauses.indices {
        tables[table].clauses[clause].updates.append(
          Update(column: tables[table].columns.count - 1))
      }
    }
    undoable()
  }

  /// Has some streams mask notes. Not drawn: what else a seed gives stays as it was.
  mutating func mask() {
    for port in ports.indices where ports[port].hasStream {
      ports[port].isMasked = port % 2 == 0
    }
  }

  /// Has some of it made of the lines of events.
  mutating func explode(_ random: inout Random) {
    // Rows of the state port have no lines.
    for port in ports.indices where random.percent(50) && ports[port].kind != .Kept {
      ports[port].isExploded = true
    }
    for table in tables.indices where random.percent(50) && !tables[table].takesKept {
      tables[table].isExploded = true
      if random.percent(40) { tables[table].key = .sku }
    }
    // Not drawn: what else a seed gives stays as it was.
    mixesLines = tables.count % 2 == 1
    if mixesLines { lines = Shape.mixedLines }
    settleChains()
  }

  /// Has some of it look up rows of other tables. What may be taken back does not.
  mutating func lookUp(_ random: inout Random) {
    for place in tables.indices where random.percent(40) && !corrects(tables[place]) {
      let table = tables[place]
      if chainedJournals.contains(journal(of: table)) { continue }
      let own = journal(of: table)
      tables[place].lookup = lookup(before: place, table.isExploded, own, &random)
      tables[place].lookup?.above = random.below(4)
    }
    for place in ports.indices where random.percent(60) && !corrects(ports[place]) {
      let port = ports[place]
      let own = port.isIdentified ? local(of: port.kind) : nil
      ports[place].lookup = lookup(before: tables.count, port.isExploded, own, &random)
      if random.percent(30) { ports[place].lookup?.above = random.below(4) }
    }
  }

  /// - Parameter journal: the one that it must be in, if that is given.
  private func lookup(
    before end: Int, _ isExploded: Bool, _ journal: Key?, _ random: inout Random
  ) -> Lookup? {
    let able = (0..<end).flatMap { place in
      let table = tables[place]
      let isAble =
        table.window == nil && (table.key != .sku || isExploded)
        && !chainedJournals.contains(self.journal(of: table))
        && (journal == nil || journal == self.journal(of: table))
      return table.columns.indices.filter {
        isAble && (table.columns[$0].isCount || table.columns[$0].isWhole)
      }.map { Lookup(table: place, column: $0) }
    }
    return able.isEmpty ? nil : random.pick(able)
  }

  /// Gives tables columns that rows of the state port set, and these alone.
  private mutating func keep(_ random: inout Random) {
    keptKey = random.percent(60) ? .account : .pair
    for place in tables.indices where tables[place].key == keptKey && random.percent(70) {
      let isOther = tables[place].isIdentified || tables[place].window != nil
      if isOther { continue }
      let first = tables[place].columns.count
      var updates: [Update] = []
      for number in 0...random.below(3) {
        let column = Self.column(first + number, tables[place].columns, &random)
        tables[place].columns.append(column)
        updates.append(
          Update(
            column: first + number, condition: random.percent(25) ? Self.condition(&random) : nil))
      }
      let filter = random.percent(25) ? Self.condition(&random) : nil
      tables[place].clauses.append(Clause(kind: .Kept, filter: filter, updates: updates))
    }
    if usesKept && random.percent(40) {
      ports.append(EventPort(name: "told-rows", kind: .Kept))
    }
  }

  /// Other files: one thing that decides what is published is not as it was.
  func edited(_ number: UInt64) -> Shape {
    var other = self
    switch number % 4 {
    case 1 where horizonS != nil && (hasTold || !corrects): other.horizonS = horizonS == 20 ? 3 : 20
    case 2 where !tables.isEmpty:
      let old = tables[0].clauses[0].updates[0].condition
      other.tables[0].clauses[0].updates[0].condition =
        old == nil ? Condition(field: .n, above: 3) : nil
    case 3 where !ports.isEmpty:
      other.ports[0].when = ports[0].when == nil ? Condition(field: .n, above: 3) : nil
    default:
      // What is taken back from windows needs its time.
      if let table = tables.firstIndex(where: { $0.window != nil && corrects($0) }) {
        other.tables[table].window?.grace += 1
      } else {
        other.hasTime.toggle()
      }
    }
    return other
  }

  static func condition(_ random: inout Random) -> Condition {
    random.percent(50)
      ? Condition(field: .n, above: random.below(8))
      : Condition(field: .amount, above: random.below(4000) - 1000)
  }

  private func table(_ number: Int, _ random: inout Random) -> Table {
    var columns: [Column] = []
    for place in 0..<1 + random.below(5) {
      columns.append(Self.column(place, columns, &random))
    }
    var clauses: [Clause] = []
    for kind in kinds where clauses.isEmpty || random.percent(60) {
      var updates: [Update] = []
      for column in columns.indices where random.percent(75) {
        updates.append(
          Update(column: column, condition: random.percent(35) ? Self.condition(&random) : nil))
      }
      if updates.isEmpty { updates.append(Update(column: 0, condition: nil)) }
      let filter = random.percent(25) ? Self.condition(&random) : nil
      let deletion = random.percent(20) ? Self.deletion(columns, &random) : nil
      clauses.append(Clause(kind: kind, filter: filter, deletion: deletion, updates: updates))
    }
    // Columns that no clause writes would not check.
    let written = Set(clauses.flatMap { $0.updates.map(\.column) })
    for column in columns.indices where !written.contains(column) {
      clauses[0].updates.append(Update(column: column, condition: nil))
    }
    var table = Table(
      name: "table\(number)",
      key: random.percent(25) ? .pair : random.pick([.account, .branch]), columns: columns,
      clauses: clauses)
    table.isNarrow = random.percent(12)
    table.isDerived = random.percent(20)
    let numbers = columns.indices.filter { columns[$0].isWhole || columns[$0].isCount }
    if let column = numbers.first, random.percent(30) { table.when = (column, random.below(6)) }
    return table
  }

  private static func column(_ place: Int, _ others: [Column], _ random: inout Random) -> Column {
    var column = Column(name: "c\(place)", aggregate: .count)
    if random.percent(12) {
      column.aggregate = random.pick([.rolled, .before, .divided, .switched])
      // Now and then only, as it makes large records.
      if random.percent(4) { column.aggregate = .grown }
      if column.aggregate == .before {
        let wholes = others.indices.filter { others[$0].isWhole }
        if wholes.isEmpty { column.aggregate = .rolled } else { column.other = random.pick(wholes) }
      }
      return column
    }
    column.aggregate = random.pick(
      [
        .count, .sum, .min, .max, .first, .last, .latest, .count, .sum, .avg, .countDistinct,
        .collect, .collectSet, .quantile,
      ])
    column.isMap = random.percent(15)
    switch column.aggregate {
    case .sum, .min, .max, .avg: column.field = random.pick([.amount, .n])
    case .quantile:
      column.field = random.pick([.amount, .n])
      column.percent = random.pick([0, 25, 50, 90, 100])
    case .first, .last, .latest, .countDistinct, .collect, .collectSet:
      column.field = random.pick([.amount, .n, .note])
    default: break
    }
    return column
  }

  private static func deletion(_ columns: [Column], _ random: inout Random) -> Deletion {
    if let column = columns.firstIndex(where: \.isCount), random.percent(50) {
      return .count(column: column, above: 1 + random.below(5))
    }
    return .event(Condition(field: .n, above: 5 + random.below(6)))
  }
}
