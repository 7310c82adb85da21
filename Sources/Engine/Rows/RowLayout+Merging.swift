import Product
import Records

/// Rows that become one, as those of two sessions do: as if one had been given all that both were.
/// Values whose order matters have it beside them (``RowChange/order``).
extension RowLayout {
  /// Adds what `other` was given, a row in slots of its own, to the row in the slots from `first`
  /// on. Gives the column that fails, with why; nil: none does.
  func merge(_ other: ValueRun, into slots: ValueRun, from first: Int, _ arena: Arena)
    -> (column: Int, effect: AggregateEffect)?
  {
    for column in columns.indices {
      let effect =
        details[column].isMap
        ? mergeEntries(column, other, slots, from: first, arena)
        : merge(
          column, other[column], other, columns.count + details[column].hidden, slots,
          first + column, first + columns.count + details[column].hidden, arena)
      if effect.isFailure { return (column, effect) }
    }
    return nil
  }

  /// Merges one value of a column, which keeps more in `otherKept` from `otherHidden` on, into that
  /// in the slot `place`.
  private func merge(
    _ column: Int, _ other: Value, _ otherKept: ValueRun, _ otherHidden: Int, _ slots: ValueRun,
    _ place: Int, _ hidden: Int, _ arena: Arena
  ) -> AggregateEffect {
    if other.isAbsent { return .none }
    let old = slots[place]
    let detail = details[column]
    switch detail.aggregate {
    case .count:
      let (count, overflow) = old.int.addingReportingOverflow(other.int)
      slots[place] = .int(count)
      return overflow ? .overflow : .value
    case .sum:
      return sum(old, other, place, slots)
    case .min, .max:
      let order = old.isAbsent ? 0 : ValueOrder.compare(other, old)
      if !old.isAbsent, detail.aggregate == .min ? order >= 0 : order <= 0 { return .none }
      slots[place] = other
      return .value
    case .first, .last, .latest:
      if !old.isAbsent {
        let order = ValueOrder.compare(otherKept[otherHidden], slots[hidden])
        if detail.aggregate == .first ? order >= 0 : order <= 0 { return .none }
      }
      slots[hidden] = otherKept[otherHidden]
      slots[place] = other
      return .value
    case .avg:
      return mergeAverages(
        detail.places, otherKept[otherHidden], otherKept[otherHidden + 1].int, slots, place, hidden)
    case .countDistinct:
      return mergeDistinct(otherKept[otherHidden], slots, place, hidden, arena)
    case .quantile:
      return mergeSketches(
        detail.billionths, otherKept[otherHidden], slots, place, hidden, arena)
    case .collect:
      return mergeLists(other.run, otherKept[otherHidden].run, slots, place, hidden, arena)
    case .collectSet: return mergeSets(other.run, slots, place, arena)
    case .fold: return .wrongType
    }
  }

  private func mergeAverages(
    _ places: UInt8, _ total: Value, _ otherCount: Int64, _ slots: ValueRun, _ place: Int,
    _ hidden: Int
  ) -> AggregateEffect {
    let added = sum(slots[hidden], total, hidden, slots)
    guard case .value = added else { return added }
    let known = slots[hidden + 1].isAbsent ? 0 : slots[hidden + 1].int
    let (count, overflow) = known.addingReportingOverflow(otherCount)
    if overflow { return .overflow }
    slots[hidden + 1] = .int(count)
    guard let average = RowLayout.average(slots[hidden], count, places) else { return .overflow }
    slots[place] = average
    return .value
  }

  /// Two lists, each with the order of its elements beside it.
  private func mergeLists(
    _ other: ValueRun, _ otherOrder: ValueRun, _ slots: ValueRun, _ place: Int, _ hidden: Int,
    _ arena: Arena
  ) -> AggregateEffect {
    let known = slots[place].isAbsent ? ValueRun.empty : slots[place].run
    let order = slots[hidden].isAbsent ? ValueRun.empty : slots[hidden].run
    let count = known.count + other.count
    if count > entriesMax { return .tooMany }
    let values = arena.values(count)
    let orders = arena.values(count)
    var (left, right) = (0, 0)
    while left + right < count {
      let isLeft =
        right == other.count
        || left < known.count && order[left].int < otherOrder[right].int
      values[left + right] = isLeft ? known[left] : other[right]
      orders[left + right] = isLeft ? order[left] : otherOrder[right]
      if isLeft { left += 1 } else { right += 1 }
    }
    slots[place] = .list(values)
    slots[hidden] = .list(orders)
    return .value
  }

  /// Two sets in their order.
  private func mergeSets(_ other: ValueRun, _ slots: ValueRun, _ place: Int, _ arena: Arena)
    -> AggregateEffect
  {
    let known = slots[place].isAbsent ? ValueRun.empty : slots[place].run
    let values = arena.values(known.count + other.count)
    var (left, right, count) = (0, 0, 0)
    while left < known.count || right < other.count {
      let order =
        left == known.count
        ? 1 : right == other.count ? -1 : ValueOrder.compare(known[left], other[right])
      values[count] = order <= 0 ? known[left] : other[right]
      if order <= 0 { left += 1 }
      if order >= 0 { right += 1 }
      count += 1
    }
    if count > entriesMax { return .tooMany }
    slots[place] = .list(values[0..<count])
    return .value
  }

  /// The entries of two maps in the order of their keys, those of one key merged.
  private func mergeEntries(
    _ column: Int, _ other: ValueRun, _ slots: ValueRun, from first: Int, _ arena: Arena
  ) -> AggregateEffect {
    let width = details[column].hiddenCount
    let hidden = columns.count + details[column].hidden
    let scratch = first + columns.count + self.hidden.count
    func run(_ value: Value) -> ValueRun { value.isAbsent ? .empty : value.run }
    let (known, added) = (run(slots[first + column]), run(other[column]))
    if added.count == 0 { return .none }
    let knownKept = width == 0 ? .empty : run(slots[first + hidden])
    let addedKept = width == 0 ? .empty : run(other[hidden])
    let entries = arena.values(known.count + added.count)
    let kept = arena.values(width * entries.count / 2)
    var (left, right, count) = (0, 0, 0)
    while 2 * left < known.count || 2 * right < added.count {
      let order =
        2 * left == known.count
        ? 1
        : 2 * right == added.count ? -1 : known[2 * left].view.compare(added[2 * right].view)
      let (from, fromKept, at) = order <= 0 ? (known, knownKept, left) : (added, addedKept, right)
      entries[2 * count] = from[2 * at]
      slots[scratch] = from[2 * at + 1]
      for place in 0..<width { slots[scratch + 1 + place] = fromKept[at * width + place] }
      if order == 0 {
        let effect = merge(
          column, added[2 * right + 1], addedKept, right * width, slots, scratch, scratch + 1,
          arena)
        if effect.isFailure { return effect }
      }
      entries[2 * count + 1] = slots[scratch]
      for place in 0..<width { kept[count * width + place] = slots[scratch + 1 + place] }
      if order <= 0 { left += 1 }
      if order >= 0 { right += 1 }
      count += 1
    }
    if count > entriesMax { return .tooMany }
    slots[first + column] = .map(entries[0..<2 * count])
    if width > 0 { slots[first + hidden] = .list(kept[0..<width * count]) }
    return .value
  }
}
