import Product
import State
import Worker

/// Planted faults that change files or disks.
extension Plant {
  /// The files by which the workers run, where the reference goes by the true ones.
  func changed(_ shape: Shape) -> Shape {
    var shape = shape
    func columns(_ change: (inout Shape.Column) -> Void) {
      for table in shape.tables.indices {
        for column in shape.tables[table].columns.indices {
          change(&shape.tables[table].columns[column])
        }
      }
    }
    func aggregates(_ old: Shape.Aggregate, _ new: Shape.Aggregate) {
      columns { if $0.aggregate == old { $0.aggregate = new } }
    }
    switch self {
    case .maxForMin: aggregates(.min, .max)
    case .lastForFirst: aggregates(.first, .last)
    case .lastForLatest: aggregates(.latest, .last)
    case .sumCounts: aggregates(.sum, .max)
    case .conditionLost:
      for table in shape.tables.indices {
        for clause in shape.tables[table].clauses.indices {
          for update in shape.tables[table].clauses[clause].updates.indices {
            shape.tables[table].clauses[clause].updates[update].condition = nil
          }
        }
      }
    case .filterLost:
      for table in shape.tables.indices {
        for clause in shape.tables[table].clauses.indices {
          shape.tables[table].clauses[clause].filter = nil
        }
      }
      for port in shape.ports.indices {
        shape.ports[port].filter = nil
        shape.ports[port].when = nil
      }
    case .averageLost: aggregates(.avg, .quantile)
    case .distinctCounted:
      columns { if $0.aggregate == .countDistinct { ($0.aggregate, $0.field) = (.count, nil) } }
    case .setCollected: aggregates(.collectSet, .collect)
    case .collectionSorted: aggregates(.collect, .collectSet)
    case .quantileMedian: columns { $0.percent = 50 }
    case .mapKeyLost: columns { $0.isMap = false }
    case .foldLost: aggregates(.rolled, .divided)
    case .deletionLost:
      for table in shape.tables.indices {
        for clause in shape.tables[table].clauses.indices {
          shape.tables[table].clauses[clause].deletion = nil
        }
      }
    case .keyPartLost:
      for table in shape.tables.indices where shape.tables[table].key == .pair {
        shape.tables[table].key = .account
      }
    case .entriesUnlimited: shape.entriesMax = nil
    case .wideAmounts:
      for table in shape.tables.indices { shape.tables[table].isNarrow = false }
      for port in shape.ports.indices { shape.ports[port].isNarrow = false }
    case .selectLost:
      for table in shape.tables.indices { shape.tables[table].isDerived = false }
    case .expiryLost, .expirySoon:
      for table in shape.tables.indices where shape.tables[table].expireS != nil {
        shape.tables[table].expireS = self == .expirySoon ? 1 : 1_000_000
      }
    case .graceLost, .lateTaken, .windowsWide, .hopsLost, .lateRetractions:
      for table in shape.tables.indices {
        guard var window = shape.tables[table].window else { continue }
        switch self {
        case .lateRetractions: if shape.corrects(shape.tables[table]) { window.grace = 100_000 }
        case .graceLost: window.grace = 0
        case .lateTaken: window.grace = 100_000
        case .windowsWide:
          window.size *= 2
          window.every = window.size
        default: window.every = window.size
        }
        shape.tables[table].window = window
      }
    case .finalAsChanges, .changesAsFinal:
      for table in shape.tables.indices {
        let isFinal = self == .changesAsFinal
        if shape.tables[table].isFinal == isFinal { continue }
        shape.tables[table].window?.isFinal = isFinal
        shape.changePorts.removeAll { $0.table == table }
      }
    case .gapLong, .gapShort, .sessionsRegular:
      for table in shape.tables.indices where shape.tables[table].window?.isSession ?? false {
        switch self {
        case .gapLong: shape.tables[table].window?.size += 1
        case .gapShort: shape.tables[table].window?.size -= 1
        default: shape.tables[table].window?.isSession = false
        }
        if shape.tables[table].window?.size == 0 { shape.tables[table].window?.size = 2 }
      }
    case .closedUnseen:
      for table in shape.tables.indices where shape.tables[table].isFinal {
        let columns = shape.tables[table].columns
        guard let column = columns.firstIndex(where: { $0.isCount || $0.isWhole }) else { continue }
        shape.tables[table].when = (column, 2)
      }
    case .heldRefused: shape.unmapped = .reject
    case .provisionalHeld: if shape.unmapped == .provisional { shape.unmapped = .hold }
    case .repairsLost: shape.repairableS = nil
    case .repairsBeyond: if shape.repairableS != nil { shape.repairableS = 86_400 }
    case .otherSystem: shape.system = "yard"
    case .linesLost:
      shape.lines = "\(shape.allLines).filter(line, line.?sku.orValue(\"\") != \"s1\")"
    case .linesTwice:
      shape.lines = "\(shape.allLines) + \(shape.allLines)"
    case .mixedNumbersLost:
      shape.lines = shape.lines.replacing("optional.of(int(one.n))", with: "optional.of(0)")
    case .mixedTextsAlike: shape.lines = shape.lines.replacing("string(one.sku)", with: "\"s0\"")
    case .maskLost:
      for port in shape.ports.indices { shape.ports[port].isMasked = false }
    case .lookupOfOther, .lookupUnasked:
      shape.changeLookups { lookup, columns in
        if self == .lookupUnasked { lookup.above = nil }
        if self == .lookupOfOther { lookup.column = columns.other(lookup.column) }
      }
    case .pairsFarApart, .pairsAtOnce, .pairsTwice, .lateJoined:
      for join in shape.joins.indices {
        let grace = shape.joins[join].graceS ?? shape.joins[join].withinS
        switch self {
        case .pairsFarApart: shape.joins[join].withinS += 20
        case .pairsAtOnce: shape.joins[join].withinS = 0
        case .pairsTwice: shape.joins[join].times = 2
        default: break
        }
        shape.joins[join].graceS = self == .lateJoined ? 10_000 : grace
      }
    case .changesLost: shape.followed = "!has(old.KEY)"
    case .deletionsUnfollowed: shape.followed = "has(row.KEY)"
    case .oldForNew: shape.old = "row"
    case .deletionsIgnored: shape.undoesDeletions = false
    case .holdKeyLost: shape.holdsKeys = false
    case .idsIgnored: shape.horizonS = nil
    case .horizonShort: if shape.horizonS != nil { shape.horizonS = 1 }
    default: break
    }
    return shape
  }
}

extension Shape {
  /// Changes what is looked up, each with the columns of its table.
  fileprivate mutating func changeLookups(_ change: (inout Lookup, [Column]) -> Void) {
    for place in tables.indices {
      guard var lookup = tables[place].lookup else { continue }
      change(&lookup, tables[lookup.table].columns)
      tables[place].lookup = lookup
    }
    for place in ports.indices {
      guard var lookup = ports[place].lookup else { continue }
      change(&lookup, tables[lookup.table].columns)
      ports[place].lookup = lookup
    }
  }
}

extension [Shape.Column] {
  /// Another that is a whole number, if there is one.
  fileprivate func other(_ place: Int) -> Int {
    indices.first { $0 != place && (self[$0].isWhole || self[$0].isCount) } ?? place
  }
}

extension Plant {
  /// What the workers run, once the files are read.
  func changed(_ product: ProductDefinition) -> ProductDefinition {
    var product = product
    if self == .valuesUnkept || self == .windowsUncorrected {
      for table in product.tables.indices
      where self == .valuesUnkept || product.tables[table].window != nil {
        for clause in product.tables[table].clauses.indices {
          product.tables[table].clauses[clause].corrects = false
        }
      }
    }
    return product
  }

  /// What the workers are told that a record corrects.
  func changed(
    _ input: GeneratedInput, after others: some Sequence<GeneratedInput>, _ shape: Shape
  ) -> GeneratedInput {
    if !input.isRetraction || !shape.corrects(input.kind) { return input }
    var input = input
    switch self {
    case .retractionsLost: input.corrects = "nobody"
    case .retractionsAsserted: input.operation = "assert"
    case .earlyLost:
      if !others.contains(where: { $0.subject == input.corrects && !$0.isRetraction }) {
        input.corrects = "nobody"
      }
    case .retractedTwice:
      let taken = others.filter { $0.kind == input.kind && !$0.isRetraction }
      let back = Set(others.filter(\.isRetraction).map(\.corrects))
      if back.contains(input.corrects),
        let other = taken.first(where: { !back.contains($0.id) && $0.account == input.account })
      {
        input.corrects = other.id
      }
    default: break
    }
    return input
  }

  /// Whether a case has what the fault is about, where that is rare; others cannot find it.
  package func matters(in given: Case) -> Bool {
    func has(_ isSo: (Shape.Column) -> Bool) -> Bool {
      given.shape.tables.contains { $0.columns.contains(where: isSo) }
    }
    switch self {
    case .retractionsLost, .retractionsAsserted, .earlyLost, .retractedTwice, .valuesUnkept,
      .fatesLost, .correctedUnnamed:
      return given.shape.corrects && !given.shape.isDirect
    case .provisionalHeld: return given.shape.usesLinks && given.shape.unmapped == .provisional
    case .repairsLost: return given.shape.usesLinks && given.shape.repairableS != nil
    case .repairsBeyond: return given.shape.usesLinks && (given.shape.repairableS ?? 99) < 99
    case .retractionsUnsent: return given.shape.relinks || given.shape.corrects
    case .averageLost: return has { $0.aggregate == .avg }
    case .distinctCounted: return has { $0.aggregate == .countDistinct }
    case .setCollected: return has { $0.aggregate == .collectSet }
    case .collectionSorted: return has { $0.aggregate == .collect }
    case .quantileMedian: return has { $0.aggregate == .quantile && $0.percent != 50 }
    case .mapKeyLost: return has { $0.isMap }
    case .foldLost: return has { $0.aggregate == .rolled }
    case .largeRowsLost: return has { $0.aggregate == .grown }
    case .deletionLost:
      return given.shape.tables.contains { $0.clauses.contains { $0.deletion != nil } }
    case .keyPartLost: return given.shape.tables.contains { $0.key == .pair }
    case .entriesUnlimited: return given.shape.entriesMax != nil
    case .selectLost: return given.shape.tables.contains(where: \.isDerived)
    case .heldRefused: return given.shape.usesLinks && given.shape.unmapped == .hold
    case .clockMaximum, .endsStay, .recordedStands, .endsUntold: return given.shape.hasClock
    case .expiryLost, .expirySoon: return given.shape.tables.contains { $0.expireS != nil }
    case .graceLost: return given.shape.tables.contains { $0.window.map { $0.grace > 0 } ?? false }
    case .finalAsChanges, .closedUnseen: return given.shape.tables.contains(where: \.isFinal)
    case .windowsUncorrected, .lateRetractions:
      return given.shape.tables.contains { $0.window != nil && given.shape.corrects($0) }
    case .gapLong, .gapShort, .sessionsRegular, .sessionsForgotten:
      return given.shape.tables.contains { $0.window?.isSession ?? false }
    case .changesAsFinal:
      return given.shape.tables.contains { $0.window != nil && !$0.isFinal }
    case .lateTaken, .windowsWide: return given.shape.tables.contains { $0.window != nil }
    case .hopsLost:
      return given.shape.tables.contains { $0.window.map { $0.every < $0.size } ?? false }
    case .ticksAtOne: return given.shape.hasClock && given.shape.journalPartitions > 1
    case .otherSystem, .linkTimesLost: return given.shape.usesLinks
    case .linesLost, .linesTwice: return given.shape.explodes
    case .maskLost: return given.shape.ports.contains(where: \.isMasked)
    case .mixedNumbersLost, .mixedTextsAlike:
      return given.shape.explodes && given.shape.mixesLines
    case .explodedIdsAlike: return given.shape.ports.contains(where: \.isExploded)
    case .handedKept: return given.shape.relinks && !given.shape.chainedJournals.isEmpty
    case .correctedAlike:
      return given.shape.relinks && given.shape.ports.contains { $0.isExploded && $0.isIdentified }
    case .handedAsOther, .handedReordered, .handedTwice, .handedLate, .handedElsewhere:
      return !given.shape.chainedJournals.isEmpty
    case .chainedOffset:
      return !given.shape.chainedJournals.isEmpty && given.instances > 1
    case .handedAgain, .handedLost:
      return !given.shape.chainedJournals.isEmpty && !given.faults.isEmpty
    case .lookupOfOther, .lookupUnasked: return given.shape != changed(given.shape)
    case .pairsFarApart, .pairsTwice, .lateJoined: return !given.shape.joins.isEmpty
    case .pairsAtOnce: return given.shape.joins.contains { $0.withinS > 0 }
    case .changesLost, .deletionsUnfollowed, .oldForNew:
      return !given.shape.followers.isEmpty || !given.shape.changePorts.isEmpty
    case .deletionsIgnored, .emptyForNull, .otherRowDeleted:
      return given.shape.usesKept && given.inputs.contains(where: \.isDeletion)
    case .wideAmounts:
      return given.shape.tables.contains(where: \.isNarrow)
        || given.shape.ports.contains(where: \.isNarrow)
    case .incarnationsAlike:
      return given.faults.contains { if case .madeAnew = $0.kind { true } else { false } }
    case .epochKept: return given.faults.contains { $0.isMarkersAgain(noticed: true) }
    case .abortedEpochKept: return given.faults.contains { $0.isMarkersAgain(noticed: false) }
    case .inputsUnheld:
      return given.instances == 1 && given.faults.isEmpty
        && given.turnOutputBytes < TurnMeter.outputBytesMax
    case .extentLost, .releasedInOne, .discardReleases, .settledForgotten, .controlsSkipped,
      .settlementsLost:
      return !given.operations.isEmpty && !given.shape.isDirect
    case .holdKeyLost, .waitingReordered, .waitingLost: return given.shape.holdsKeys
    case .discardOfAnother:
      return given.shape.holdsKeys && given.operations.contains { $0.kind == .discard }
    case .damageUnseen: return given.faults.contains { $0.kind == .rowsDamaged }
    case .endsUnknown:
      return given.instances > 1 && given.faults.contains { $0.kind == .readerHangs }
    default: return true
    }
  }
}

extension Fault {
  fileprivate func isMarkersAgain(noticed: Bool) -> Bool {
    if case .markersAgain(let records, _) = kind { (records != nil) == noticed } else { false }
  }
}

extension Simulation {
  /// What a planted disk does to a step. A key begins with its kind: 0 moment, 1 row, 2 queue.
  func damage(_ step: inout MemoryDisk.Step) {
    if plants.contains(.rowsLost) { step.removeAll { $0.key[0] == 1 } }
    if plants.contains(.stampLost), nowMs > 300 { step.removeAll { $0.key[0] == 0 } }
    if plants.contains(.idsLost) {
      step.removeAll { $0.key[0] == 2 }
    }
    // What is remembered of a record that may be taken back is of just that length.
    if plants.contains(.fatesLost) { step.removeAll { $0.key[0] == 1 && $0.value?.count == 13 } }
    if plants.contains(.waitingLost) {
      step.removeAll { $0.key[0] == 1 && $0.key[1] == 245 }
    }
    if plants.contains(.waitingReordered) {
      // Of a queue; the number is at the end of a key.
      let rows = step.indices.filter {
        step[$0].key[0] == 1 && step[$0].key[1] == 245 && step[$0].value != nil
      }
      for (first, second) in zip(rows, rows.dropFirst())
      where step[first].key.dropLast(8) == step[second].key.dropLast(8) {
        (step[first].value, step[second].value) = (step[second].value, step[first].value)
      }
    }
    if plants.contains(.sessionsForgotten) {
      step.removeAll { $0.key[0] == 1 && $0.key[1] == 242 }
    }
    if plants.contains(.settledForgotten) {
      step.removeAll { $0.key[0] == 1 && $0.key[1] == 251 }
    }
    if plants.contains(.halfStep) { step.removeLast(step.count / 2) }
    if plants.contains(.oldRows), nowMs > 300 {
      step.removeAll { $0.key[0] == 1 && $0.key[1] != 255 && random.percent(50) }
    }
  }
}
