import Product
import Records

/// What an update did to its column.
enum AggregateEffect {
  /// Nothing at all.
  case none
  /// Only what the column keeps beside its value.
  case hidden
  case value
  /// A sum or a count left the range of its type.
  case overflow
  /// The argument is not of the column's type.
  case wrongType
  /// The argument is infinite or not a number.
  case notFinite
  /// The column would hold more than ``RowLayout/entriesMax``.
  case tooMany

  var isFailure: Bool {
    switch self {
    case .none, .hidden, .value: false
    case .overflow, .wrongType, .notFinite, .tooMany: true
    }
  }
}

extension TableDefinition.Aggregate {
  /// Whether a value that is no number would spoil all that come after it.
  fileprivate var isArithmetic: Bool {
    switch self {
    case .sum, .avg, .min, .max, .quantile: true
    case .count, .first, .last, .latest, .countDistinct, .collect, .collectSet, .fold: false
    }
  }
}

/// The aggregates, over columns in slots.
extension RowLayout {
  /// How many values a column may hold: elements of `collect` and `collectSet`, what
  /// `countDistinct` tells apart, ranges of a `quantile`. A part of Weft's semantics, as it decides
  /// what the state is: changing it raises the semantics version in the logic digest.
  static let entriesMax = 10_000

  /// Updates `column` of the row that stands in `slots` from `first` on. `argument` is not absent,
  /// but for `count`. What is made new lives in `arena`.
  @inline(__always)
  func update(
    _ aggregate: TableDefinition.Aggregate, _ column: Int, _ argument: Value, of change: RowChange,
    _ slots: ValueRun, from first: Int, _ arena: Arena
  ) -> AggregateEffect {
    update(
      aggregate, column, argument, of: change, slots, first + column,
      first + columns.count + details[column].hidden, arena)
  }

  /// Updates one value of a column, in the slot `place`, which keeps more in the slots from
  /// `hidden` on: the column's own, or one entry's of a map column.
  func update(
    _ aggregate: TableDefinition.Aggregate, _ column: Int, _ argument: Value,
    of change: RowChange, _ slots: ValueRun, _ place: Int, _ hidden: Int, _ arena: Arena
  ) -> AggregateEffect {
    let old = slots[place]
    if aggregate == .count {
      let (sum, overflow) = (old.isAbsent ? 0 : old.int).addingReportingOverflow(
        change.isTakenBack ? -1 : 1)
      if overflow { return .overflow }
      slots[place] = .int(sum)
      return .value
    }
    if !RowLayout.takes(argument, details[column].argument) { return .wrongType }
    if argument.kind == .double && !argument.double.isFinite && aggregate.isArithmetic {
      return .notFinite
    }
    if details[column].keeping != .nothing {
      return updateKept(aggregate, column, argument, of: change, slots, place, hidden, arena)
    }
    switch aggregate {
    case .sum:
      let effect = sum(old, argument, place, slots)
      // As for every other: what is added may be zero.
      if case .value = effect, ValueOrder.same(old, slots[place]) { return .none }
      return effect
    case .min, .max:
      if !old.isAbsent {
        let order = ValueOrder.compare(argument, old)
        if aggregate == .min ? order >= 0 : order <= 0 { return .none }
      }
      slots[place] = argument
      return .value
    case .first:
      if !old.isAbsent { return .none }
      slots[place] = argument
      if details[column].keepsOrder { slots[hidden] = .int(change.order) }
      return .value
    case .last, .fold:
      slots[place] = argument
      if details[column].keepsOrder { slots[hidden] = .int(change.order) }
      if !ValueOrder.same(old, argument) { return .value }
      return details[column].keepsOrder ? .hidden : .none
    case .latest:
      let known = slots[hidden]
      if !known.isAbsent && change.time < known.timestamp { return .none }
      slots[hidden] = .timestamp(change.time)
      slots[place] = argument
      return ValueOrder.same(old, argument) ? .hidden : .value
    case .avg: return average(details[column].places, argument, slots, place, hidden)
    case .countDistinct: return countDistinct(argument, slots, place, hidden, arena)
    case .collect:
      if details[column].keepsOrder {
        return collect(old, argument, by: change.order, slots, place, hidden, arena)
      }
      return collect(old, argument, slots, place, arena)
    case .collectSet: return collectSet(old, argument, slots, place, arena)
    case .quantile:
      return quantile(details[column].billionths, argument, by: 1, slots, place, hidden, arena)
    case .count: return .none
    }
  }

  @inline(__always)
  func sum(_ old: Value, _ argument: Value, _ place: Int, _ slots: ValueRun)
    -> AggregateEffect
  {
    if old.isAbsent {
      slots[place] = argument
      return .value
    }
    switch argument.kind {
    case .decimal:
      guard let sum = old.decimal.adding(argument.decimal) else { return .overflow }
      slots[place] = .decimal(sum)
    case .int:
      let (sum, overflow) = old.int.addingReportingOverflow(argument.int)
      if overflow { return .overflow }
      slots[place] = .int(sum)
    case .double:
      let sum = old.double + argument.double
      if !sum.isFinite { return .overflow }
      slots[place] = .double(sum)
    case .uint:
      let (sum, overflow) = old.uint.addingReportingOverflow(argument.uint)
      if overflow { return .overflow }
      slots[place] = .uint(sum)
    default: return .wrongType
    }
    return .value
  }

  /// Keeps the exact sum and the count. Of decimals the average is rounded half to even, of all
  /// others it is the double nearest to that of sum and count.
  private func average(
    _ places: UInt8, _ argument: Value, _ slots: ValueRun, _ place: Int, _ hidden: Int
  ) -> AggregateEffect {
    let added = sum(slots[hidden], argument, hidden, slots)
    guard case .value = added else { return added }
    let (count, overflow) = (slots[hidden + 1].isAbsent ? 0 : slots[hidden + 1].int)
      .addingReportingOverflow(1)
    if overflow { return .overflow }
    slots[hidden + 1] = .int(count)
    guard let average = RowLayout.average(slots[hidden], count, places) else { return .overflow }
    let old = slots[place]
    slots[place] = average
    return ValueOrder.same(old, slots[place]) ? .hidden : .value
  }

  /// Nil: it leaves the range of its type.
  static func average(_ total: Value, _ count: Int64, _ places: UInt8) -> Value? {
    switch total.kind {
    case .decimal: total.decimal.divided(by: count, places: places).map { .decimal($0) }
    case .int: .double(Double(total.int) / Double(count))
    case .uint: .double(Double(total.uint) / Double(count))
    default: .double(total.double / Double(count))
    }
  }
}
