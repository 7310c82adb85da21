import Product
import Records

/// Map columns: one aggregate for each key.
extension RowLayout {
  /// Updates the entry of `key` in a map column, which is made when there is none. Entries stand in
  /// the order of their keys, and what they keep in the same order in a list beside them. Costs as
  /// much as there are entries, as every row with a map does.
  func updateEntry(
    _ aggregate: TableDefinition.Aggregate, _ column: Int, key: Value, _ argument: Value,
    of change: RowChange, _ slots: ValueRun, from first: Int, _ arena: Arena
  ) -> AggregateEffect {
    if key.kind != .string { return .wrongType }
    let detail = details[column]
    let width = detail.hiddenCount
    let hidden = first + columns.count + detail.hidden
    let map = slots[first + column].isAbsent ? ValueRun.empty : slots[first + column].run
    let kept = width == 0 || slots[hidden].isAbsent ? ValueRun.empty : slots[hidden].run
    let (index, isKnown) = RowLayout.find(key, in: map)
    if !isKnown && change.isTakenBack { return .none }
    if !isKnown && map.count / 2 >= entriesMax { return .tooMany }
    let scratch = first + columns.count + self.hidden.count
    slots[scratch] = isKnown ? map[2 * index + 1] : (detail.startsAtZero ? .int(0) : .absent)
    for place in 0..<width {
      slots[scratch + 1 + place] = isKnown ? kept[index * width + place] : .absent
    }
    let effect = update(
      aggregate, column, argument, of: change, slots, scratch, scratch + 1, arena)
    switch effect {
    case .value, .hidden: break
    case .none, .overflow, .wrongType, .notFinite, .tooMany: return effect
    }
    if change.isTakenBack && isEmpty(column, slots[scratch]) {
      slots[first + column] = .map(arena.closed(map, at: 2 * index, by: 2))
      if width > 0 {
        slots[hidden] = .list(arena.closed(kept, at: index * width, by: width))
      }
      return .value
    }
    if isKnown {
      // A copy: `state` shows the map as the clause found it.
      let entries = arena.opened(map, at: map.count, by: 0)
      entries[2 * index + 1] = slots[scratch]
      slots[first + column] = .map(entries)
      for place in 0..<width { kept[index * width + place] = slots[scratch + 1 + place] }
      return effect
    }
    let entries = arena.opened(map, at: 2 * index, by: 2)
    entries[2 * index] = key
    entries[2 * index + 1] = slots[scratch]
    slots[first + column] = .map(entries)
    if width > 0 {
      let all = arena.opened(kept, at: index * width, by: width)
      for place in 0..<width { all[index * width + place] = slots[scratch + 1 + place] }
      slots[hidden] = .list(all)
    }
    return .value
  }

  /// Where the entry of a key stands, or would.
  private static func find(_ key: Value, in map: ValueRun) -> (index: Int, isKnown: Bool) {
    var low = 0
    var high = map.count / 2
    while low < high {
      let middle = (low + high) / 2
      let order = map[2 * middle].view.compare(key.view)
      if order == 0 { return (middle, true) }
      if order < 0 { low = middle + 1 } else { high = middle }
    }
    return (low, false)
  }
}

extension Arena {
  /// A copy of `run` with room for `count` values more at `index`.
  func opened(_ run: ValueRun, at index: Int, by count: Int) -> ValueRun {
    let result = values(run.count + count)
    for before in 0..<index { result[before] = run[before] }
    for behind in index..<run.count { result[behind + count] = run[behind] }
    return result
  }
}
