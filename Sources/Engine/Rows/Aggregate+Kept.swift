import Product
import Records

/// Aggregates of columns whose values may be taken back: they keep what it takes to show what they
/// would if a value had never come.
///
/// | aggregate | keeps |
/// |---|---|
/// | `count` | nothing more |
/// | `sum`, `avg` of whole numbers and decimals | the sum, and of how many |
/// | `min`, `max`, `countDistinct`, `collectSet` | each value once, in order, and how often |
/// | `first`, `last`, `latest`, `collect`; `sum`, `avg` of doubles | each value, as it came |
/// | `quantile` | its counts by size, as ever |
extension RowLayout {
  enum Keeping: UInt8, BitwiseCopyable {
    /// Nothing is taken back.
    case nothing
    case count, total, set, log, sketch
  }

  static func keeping(_ aggregate: TableDefinition.Aggregate, _ argument: Kind) -> Keeping {
    switch aggregate {
    case .count: .count
    case .sum, .avg: argument == .double ? .log : .total
    case .min, .max, .countDistinct, .collectSet: .set
    case .first, .last, .latest, .collect: .log
    case .quantile: .sketch
    case .fold: .nothing
    }
  }

  /// What a column keeps beside its value.
  static func hidden(of keeping: Keeping, _ argument: Kind) -> [Kind] {
    switch keeping {
    case .nothing, .count: []
    case .total: [argument, .int]
    case .set, .log: [.nested]
    case .sketch: [.bytes]
    }
  }

  /// As ``update(_:_:_:of:_:_:_:_:)``, of a column that keeps what contributes to it.
  func updateKept(
    _ aggregate: TableDefinition.Aggregate, _ column: Int, _ argument: Value,
    of change: RowChange, _ slots: ValueRun, _ place: Int, _ hidden: Int, _ arena: Arena
  ) -> AggregateEffect {
    let detail = details[column]
    switch detail.keeping {
    case .total:
      return total(aggregate, detail.places, argument, change, slots, place, hidden)
    case .set: return updateSet(aggregate, argument, change, slots, place, hidden, arena)
    case .log: return updateLog(aggregate, argument, change, slots, place, hidden, arena)
    case .sketch:
      return quantile(
        detail.billionths, argument, by: change.isTakenBack ? -1 : 1, slots, place, hidden, arena)
    case .nothing, .count: return .none
    }
  }

  /// Whether a column, or an entry of a map column, shows what it does before the first value.
  func isEmpty(_ column: Int, _ value: Value) -> Bool {
    value.isAbsent || details[column].startsAtZero && value.int == 0
  }

  // MARK: Exact sums

  private func total(
    _ aggregate: TableDefinition.Aggregate, _ places: UInt8, _ argument: Value,
    _ change: RowChange, _ slots: ValueRun, _ place: Int, _ hidden: Int
  ) -> AggregateEffect {
    let known = slots[hidden + 1].isAbsent ? 0 : slots[hidden + 1].int
    if change.isTakenBack && known == 0 { return .none }
    let count = change.isTakenBack ? known - 1 : known + 1
    let old = slots[place]
    if count == 0 {
      slots[hidden] = .absent
      slots[hidden + 1] = .absent
      slots[place] = .absent
      return .value
    }
    guard let sum = RowLayout.sum(slots[hidden], argument, isTakenBack: change.isTakenBack) else {
      return .overflow
    }
    slots[hidden] = sum
    slots[hidden + 1] = .int(count)
    if aggregate == .sum {
      slots[place] = sum
    } else {
      guard let average = RowLayout.average(sum, count, places) else { return .overflow }
      slots[place] = average
    }
    return ValueOrder.same(old, slots[place]) ? .hidden : .value
  }

  private static func sum(_ known: Value, _ value: Value, isTakenBack: Bool) -> Value? {
    if known.isAbsent { return value }
    switch value.kind {
    case .decimal:
      let other = value.decimal
      return (isTakenBack ? known.decimal.subtracting(other) : known.decimal.adding(other)).map {
        .decimal($0)
      }
    case .int:
      let (sum, overflow) =
        isTakenBack
        ? known.int.subtractingReportingOverflow(value.int)
        : known.int.addingReportingOverflow(value.int)
      return overflow ? nil : .int(sum)
    default: return nil
    }
  }
}
