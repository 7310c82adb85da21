import Records

/// A quantile over a sketch, in the manner of DDSketch (Masson, Rim, Lee: A fast and
/// fully-mergeable quantile sketch with relative-error guarantees, VLDB 2019), with ranges that are
/// cut from a double's bits instead of its logarithm, so that every machine finds the same.
///
/// A number counts as if it had been cut to its first 8 binary digits, towards zero: what is shown
/// lies at most 1/128 (0.8 %) of it nearer to zero than the exact quantile, and whole numbers up to
/// 256 are exact. Kept are the ranges that have seen a number, in order, each with how many.
extension RowLayout {
  private static let rangeShift: UInt64 = 45
  /// A range's number, then its count.
  private static let rangeBytes = 4 + 8

  func quantile(
    _ billionths: Int64, _ argument: Value, by change: Int64, _ slots: ValueRun, _ place: Int,
    _ hidden: Int,
    _ arena: Arena
  ) -> AggregateEffect {
    let number: Double
    switch argument.kind {
    case .int: number = Double(argument.int)
    case .uint: number = Double(argument.uint)
    case .decimal: number = argument.decimal.double
    case .double: number = argument.double
    default: return .wrongType
    }
    let known = slots[hidden].isAbsent ? ByteView.empty : slots[hidden].view
    let effect = count(RowLayout.range(of: number), by: change, in: known)
    guard case .hidden = effect else { return effect }
    return showSketch(billionths, slots, place, hidden, arena)
  }

  /// Adds all numbers that another sketch has seen.
  func mergeSketches(
    _ billionths: Int64, _ other: Value, _ slots: ValueRun, _ place: Int, _ hidden: Int,
    _ arena: Arena
  ) -> AggregateEffect {
    if other.isAbsent { return .none }
    let size = RowLayout.rangeBytes
    let known = slots[hidden].isAbsent ? ByteView.empty : slots[hidden].view
    let added = other.view
    scratch.clear()
    var (left, right) = (0, 0)
    while left < known.count || right < added.count {
      let lower = left < known.count ? RowLayout.range(left / size, of: known) : .max
      let upper = right < added.count ? RowLayout.range(right / size, of: added) : .max
      let range = min(lower, upper)
      var count: Int64 = 0
      if left < known.count && lower == range {
        count = known.int64(at: left + 4)
        left += size
      }
      if right < added.count && upper == range {
        let (sum, overflow) = count.addingReportingOverflow(added.int64(at: right + 4))
        if overflow { return .overflow }
        count = sum
        right += size
      }
      scratch.append(uint32: UInt32(bitPattern: range))
      scratch.append(int64: count)
    }
    if scratch.count / size > entriesMax { return .tooMany }
    return showSketch(billionths, slots, place, hidden, arena)
  }

  /// Keeps the sketch that stands in ``scratch``.
  private func showSketch(
    _ billionths: Int64, _ slots: ValueRun, _ place: Int, _ hidden: Int, _ arena: Arena
  ) -> AggregateEffect {
    let old = slots[place]
    if scratch.isEmpty {
      slots[hidden] = .absent
      slots[place] = .absent
    } else {
      slots[hidden] = .bytes(arena.copy(scratch.view))
      slots[place] = .double(RowLayout.quantile(billionths, of: slots[hidden].view))
    }
    return ValueOrder.same(old, slots[place]) ? .hidden : .value
  }

  /// Rises with the number; 0 of zero.
  private static func range(of number: Double) -> Int32 {
    let magnitude = Int32(truncatingIfNeeded: number.magnitude.bitPattern >> rangeShift)
    return number < 0 ? -magnitude : magnitude
  }

  /// The number of a range that lies nearest to zero.
  private static func number(ofRange range: Int32) -> Double {
    let magnitude = Double(bitPattern: UInt64(range.magnitude) << rangeShift)
    return range < 0 ? -magnitude : magnitude
  }

  private static func range(_ index: Int, of sketch: ByteView) -> Int32 {
    Int32(bitPattern: sketch.uint32(at: index * rangeBytes))
  }

  /// Leaves the sketch with one number more, or less, in `range` in ``scratch``. One that is not
  /// there is not taken away.
  private func count(_ range: Int32, by change: Int64, in sketch: ByteView) -> AggregateEffect {
    let size = RowLayout.rangeBytes
    let count = sketch.count / size
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if RowLayout.range(middle, of: sketch) < range { low = middle + 1 } else { high = middle }
    }
    let isKnown = low < count && RowLayout.range(low, of: sketch) == range
    if !isKnown && change < 0 { return .none }
    if !isKnown && count >= entriesMax { return .tooMany }
    let old = isKnown ? sketch.int64(at: low * size + 4) : 0
    let (new, overflow) = old.addingReportingOverflow(change)
    if overflow { return .overflow }
    scratch.clear()
    scratch.append(sketch.prefix(low * size))
    if new > 0 {
      scratch.append(uint32: UInt32(bitPattern: range))
      scratch.append(int64: new)
    }
    scratch.append(sketch.suffix(from: (isKnown ? low + 1 : low) * size))
    return .hidden
  }

  /// The smallest number seen that at least so many billionths of all are not greater than.
  private static func quantile(_ billionths: Int64, of sketch: ByteView) -> Double {
    let count = sketch.count / rangeBytes
    var total: Int128 = 0
    for index in 0..<count { total += Int128(sketch.int64(at: index * rangeBytes + 4)) }
    let rank = max(1, (Int128(billionths) * total + 999_999_999) / 1_000_000_000)
    var before: Int128 = 0
    for index in 0..<count {
      before += Int128(sketch.int64(at: index * rangeBytes + 4))
      if before >= rank { return number(ofRange: range(index, of: sketch)) }
    }
    return 0
  }
}
