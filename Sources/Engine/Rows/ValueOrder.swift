import Records

/// How values of one column are told apart and ordered.
enum ValueOrder {
  /// Order of two values of one type. Of doubles NaN is the largest, so that the order is total.
  static func compare(_ left: Value, _ right: Value) -> Int {
    switch left.kind {
    case .int: order(left.int, right.int)
    case .uint: order(left.uint, right.uint)
    case .date: order(left.dateDays, right.dateDays)
    case .timestamp: order(left.timestamp, right.timestamp)
    case .decimal: left.decimal.compare(right.decimal)
    case .string, .json, .bytes: left.view.compare(right.view)
    case .bool: order(left.bool ? 1 : 0, right.bool ? 1 : 0)
    case .double:
      left.double.isNaN || right.double.isNaN
        ? order(left.double.isNaN ? 1 : 0, right.double.isNaN ? 1 : 0)
        : order(left.double, right.double)
    case .duration:
      left.duration.seconds == right.duration.seconds
        ? order(left.duration.nanoseconds, right.duration.nanoseconds)
        : order(left.duration.seconds, right.duration.seconds)
    case .absent, .null, .list, .object, .map, .error: 0
    }
  }

  private static func order<Number: Comparable>(_ left: Number, _ right: Number) -> Int {
    left < right ? -1 : (left > right ? 1 : 0)
  }

  /// Whether a column shows the same as before. A list or an object always counts as changed.
  static func same(_ old: Value, _ new: Value) -> Bool {
    if old.kind != new.kind { return false }
    switch new.kind {
    case .int: return old.int == new.int
    case .uint: return old.uint == new.uint
    case .double: return old.double.bitPattern == new.double.bitPattern
    case .bool: return old.bool == new.bool
    case .decimal:
      return old.decimal.mantissa == new.decimal.mantissa && old.decimal.scale == new.decimal.scale
    case .timestamp: return old.timestamp == new.timestamp
    case .date: return old.dateDays == new.dateDays
    case .duration: return old.duration == new.duration
    case .string, .json, .bytes: return old.view == new.view
    case .absent, .null: return true
    case .list, .object, .map, .error: return false
    }
  }
}
