import Product
import Records

/// Values that contribute to a column, each once and in order, with how often: two slots a value.
extension RowLayout {
  func updateSet(
    _ aggregate: TableDefinition.Aggregate, _ argument: Value, _ change: RowChange,
    _ slots: ValueRun, _ place: Int, _ hidden: Int, _ arena: Arena
  ) -> AggregateEffect {
    let known = slots[hidden].isAbsent ? ValueRun.empty : slots[hidden].run
    let (index, isKnown) = RowLayout.find(argument, in: known)
    if change.isTakenBack && !isKnown { return .none }
    let often = (isKnown ? known[2 * index + 1].int : 0) + (change.isTakenBack ? -1 : 1)
    if isKnown && often > 0 {
      known[2 * index + 1] = .int(often)
      return .hidden
    }
    let all: ValueRun
    if isKnown {
      all = arena.closed(known, at: 2 * index, by: 2)
    } else {
      if known.count / 2 >= entriesMax { return .tooMany }
      all = arena.opened(known, at: 2 * index, by: 2)
      all[2 * index] = argument
      all[2 * index + 1] = .int(often)
    }
    slots[hidden] = all.count == 0 ? .absent : .list(all)
    let old = slots[place]
    slots[place] = RowLayout.shown(aggregate, all, arena)
    return ValueOrder.same(old, slots[place]) ? .hidden : .value
  }

  private static func find(_ value: Value, in set: ValueRun) -> (index: Int, isKnown: Bool) {
    var low = 0
    var high = set.count / 2
    while low < high {
      let middle = (low + high) / 2
      let order = ValueOrder.compare(set[2 * middle], value)
      if order == 0 { return (middle, true) }
      if order < 0 { low = middle + 1 } else { high = middle }
    }
    return (low, false)
  }

  private static func shown(
    _ aggregate: TableDefinition.Aggregate, _ set: ValueRun, _ arena: Arena
  ) -> Value {
    let count = set.count / 2
    if aggregate == .countDistinct { return .int(Int64(count)) }
    if count == 0 { return .absent }
    switch aggregate {
    case .min: return set[0]
    case .max: return set[2 * (count - 1)]
    default:
      let values = arena.values(count)
      for index in 0..<count { values[index] = set[2 * index] }
      return .list(values)
    }
  }
}

/// Values that contribute to a column, in the order of the journal: three slots a value, for
/// the mark of its event, that one's actual time, and the value.
extension RowLayout {
  private static let logWidth = 3

  func updateLog(
    _ aggregate: TableDefinition.Aggregate, _ argument: Value, _ change: RowChange,
    _ slots: ValueRun, _ place: Int, _ hidden: Int, _ arena: Arena
  ) -> AggregateEffect {
    let width = RowLayout.logWidth
    let known = slots[hidden].isAbsent ? ValueRun.empty : slots[hidden].run
    let count = known.count / width
    let all: ValueRun
    if change.isTakenBack {
      guard let index = RowLayout.find(argument, change.mark, in: known) else { return .none }
      all = arena.closed(known, at: width * index, by: width)
    } else {
      if count >= entriesMax { return .tooMany }
      // One that is made anew goes where it was.
      var index = count
      while index > 0, known[width * (index - 1)].view.compare(change.mark.view) > 0 { index -= 1 }
      all = arena.opened(known, at: width * index, by: width)
      all[width * index] = change.mark
      all[width * index + 1] = .timestamp(change.time)
      all[width * index + 2] = argument
    }
    let old = slots[place]
    let before = RowLayout.shown(aggregate, known)
    let after = RowLayout.shown(aggregate, all)
    slots[hidden] = all.count == 0 ? .absent : .list(all)
    if aggregate == .collect {
      slots[place] = RowLayout.list(all, arena)
      return .value
    }
    if aggregate == .sum || aggregate == .avg {
      guard let number = RowLayout.number(aggregate, all) else { return .overflow }
      slots[place] = number
    } else {
      let isSame = before >= 0 && after >= 0 && known[width * before].isSameMark(all[width * after])
      if isSame && before == after && !change.isTakenBack { return .hidden }
      slots[place] = after < 0 ? .absent : all[width * after + 2]
    }
    return ValueOrder.same(old, slots[place]) ? .hidden : .value
  }

  /// The first such value of an event: what it gave in one order, it takes back in the same.
  private static func find(_ value: Value, _ mark: Value, in log: ValueRun) -> Int? {
    (0..<log.count / logWidth).first { index in
      log[logWidth * index].isSameMark(mark)
        && ValueOrder.compare(log[logWidth * index + 2], value) == 0
    }
  }

  /// Which of the values an aggregate shows; −1: none.
  private static func shown(_ aggregate: TableDefinition.Aggregate, _ log: ValueRun) -> Int {
    let count = log.count / logWidth
    switch aggregate {
    case .first: return count == 0 ? -1 : 0
    case .latest:
      var latest = -1
      for index in 0..<count {
        if latest < 0
          || log[logWidth * index + 1].timestamp >= log[logWidth * latest + 1].timestamp
        {
          latest = index
        }
      }
      return latest
    default: return count - 1
    }
  }

  private static func list(_ log: ValueRun, _ arena: Arena) -> Value {
    let count = log.count / logWidth
    if count == 0 { return .absent }
    let values = arena.values(count)
    for index in 0..<count { values[index] = log[logWidth * index + 2] }
    return .list(values)
  }

  /// Of doubles, added up again in their order: taking one from a sum would leave its rounding.
  private static func number(_ aggregate: TableDefinition.Aggregate, _ log: ValueRun) -> Value? {
    let count = log.count / logWidth
    if count == 0 { return .absent }
    var sum = log[2].double
    for index in 1..<max(count, 1) { sum += log[logWidth * index + 2].double }
    if !sum.isFinite { return nil }
    return .double(aggregate == .sum ? sum : sum / Double(count))
  }
}

extension Value {
  /// Whether two marks are of one event.
  fileprivate func isSameMark(_ other: Value) -> Bool { view == other.view }
}

extension Arena {
  /// A copy of `run` without the `count` values at `index`.
  func closed(_ run: ValueRun, at index: Int, by count: Int) -> ValueRun {
    let result = values(run.count - count)
    for before in 0..<index { result[before] = run[before] }
    for behind in index + count..<run.count { result[behind - count] = run[behind] }
    return result
  }
}
