import Expressions
import Product
import Records

/// What an update did to its column.
enum AggregateEffect {
  /// Nothing at all.
  case none
  /// Only the time that the column keeps.
  case time
  case value
  /// A sum or a count left the range of its type.
  case overflow
  /// The argument is not of the column's type.
  case wrongType
}

/// The aggregates, over columns in slots.
extension RowLayout {
  /// Updates `column` of the row that stands in `slots` from `first` on. `argument` is not absent,
  /// but for `count`; `time` is the event's actual time.
  func update(
    _ aggregate: TableDefinition.Aggregate, _ column: Int, _ argument: Value, at time: Timestamp,
    _ slots: ValueRun, from first: Int
  ) -> AggregateEffect {
    let place = first + column
    let old = slots[place]
    if aggregate == .count {
      let (sum, overflow) = (old.isAbsent ? 0 : old.int).addingReportingOverflow(1)
      if overflow { return .overflow }
      slots[place] = .int(sum)
      return .value
    }
    if !takes(argument, column: column) { return .wrongType }
    switch aggregate {
    case .sum: return sum(old, argument, place, slots)
    case .min, .max:
      if !old.isAbsent {
        let order = compare(argument, old)
        if aggregate == .min ? order >= 0 : order <= 0 { return .none }
      }
      slots[place] = argument
      return .value
    case .first:
      if !old.isAbsent { return .none }
      slots[place] = argument
      return .value
    case .last:
      slots[place] = argument
      return same(old, argument) ? .none : .value
    case .latest:
      let timePlace = first + columns.count + timeOfColumn[column]
      let known = slots[timePlace]
      if !known.isAbsent && time < known.timestamp { return .none }
      slots[timePlace] = .timestamp(time)
      slots[place] = argument
      return same(old, argument) ? .time : .value
    case .count: return .none
    }
  }

  @inline(__always)
  private func sum(_ old: Value, _ argument: Value, _ place: Int, _ slots: ValueRun)
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
    case .double: slots[place] = .double(old.double + argument.double)
    default: return .wrongType
    }
    return .value
  }

  /// Order of two values of one column. Of doubles NaN is the largest, so that the order is total.
  private func compare(_ left: Value, _ right: Value) -> Int {
    switch left.kind {
    case .int: order(left.int, right.int)
    case .date: order(left.dateDays, right.dateDays)
    case .timestamp: order(left.timestamp, right.timestamp)
    case .decimal: left.decimal.compare(right.decimal)
    case .string, .json: left.view.compare(right.view)
    case .bool: order(left.bool ? 1 : 0, right.bool ? 1 : 0)
    case .double:
      left.double.isNaN || right.double.isNaN
        ? order(left.double.isNaN ? 1 : 0, right.double.isNaN ? 1 : 0)
        : order(left.double, right.double)
    default: 0
    }
  }

  private func order<Number: Comparable>(_ left: Number, _ right: Number) -> Int {
    left < right ? -1 : (left > right ? 1 : 0)
  }

  /// Whether a column shows the same as before. A list or an object always counts as changed.
  private func same(_ old: Value, _ new: Value) -> Bool {
    if old.kind != new.kind { return false }
    switch new.kind {
    case .int: return old.int == new.int
    case .double: return old.double.bitPattern == new.double.bitPattern
    case .bool: return old.bool == new.bool
    case .decimal:
      return old.decimal.mantissa == new.decimal.mantissa && old.decimal.scale == new.decimal.scale
    case .timestamp: return old.timestamp == new.timestamp
    case .date: return old.dateDays == new.dateDays
    case .string, .json: return old.view == new.view
    default: return false
    }
  }
}
