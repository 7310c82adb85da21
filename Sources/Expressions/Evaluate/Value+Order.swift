import Records

/// Comparing mixed values, whose types are known only now.
extension Value {
  /// The outcome of comparing two numbers of any kinds, by what they amount to: less, equal,
  /// greater, or not comparable (NaN), as ``Outcomes`` counts them. Beside a double the other is
  /// the nearest double, as CEL has it. Nil: one is no number.
  func order(number other: Value) -> UInt8? {
    if let left = exactNumber, let right = other.exactNumber {
      let difference = left.compare(right)
      return difference < 0 ? 0 : difference == 0 ? 1 : 2
    }
    guard let left = nearNumber, let right = other.nearNumber else { return nil }
    return Value.order(left, right)
  }

  private var nearNumber: Double? { kind == .double ? double : exactNumber?.nearestDouble }

  private var exactNumber: Decimal? {
    switch kind {
    case .int: Decimal(int)
    case .uint: Decimal(mantissa: Int128(uint), scale: 0)
    case .decimal: decimal
    default: nil
    }
  }

  private static func order(_ left: Double, _ right: Double) -> UInt8 {
    left < right ? 0 : left == right ? 1 : left > right ? 2 : 3
  }

  /// ``equals(_:_:_:)`` of values that are JSON or of different kinds.
  func equalsMixed(_ other: Value, _ steps: inout Int, _ arena: Arena) -> Bool {
    if kind == .json, other.kind == .json, view == other.view {
      steps += view.steps
      return true
    }
    steps += mixedSteps + other.mixedSteps
    let (left, right) = Value.aligned(self, other, arena)
    if left.isAbsent || right.isAbsent { return left.isAbsent && right.isAbsent }
    if left.kind == right.kind { return left.equals(right, &steps, arena) }
    return left.order(number: right) == 1
  }
}
