import Expressions
import Records

/// Aggregates that keep what they have seen: each update costs as much as there is of it.
extension RowLayout {
  func collect(
    _ old: Value, _ argument: Value, _ slots: ValueRun, _ place: Int, _ arena: Arena
  ) -> AggregateEffect {
    let known = old.isAbsent ? ValueRun.empty : old.run
    return insert(argument, at: known.count, of: known, slots, place, arena)
  }

  /// The same with the order of each beside it.
  func collect(
    _ old: Value, _ argument: Value, by order: Int64, _ slots: ValueRun, _ place: Int,
    _ hidden: Int, _ arena: Arena
  ) -> AggregateEffect {
    let known = slots[hidden].isAbsent ? ValueRun.empty : slots[hidden].run
    let effect = collect(old, argument, slots, place, arena)
    guard case .value = effect else { return effect }
    return insert(.int(order), at: known.count, of: known, slots, hidden, arena)
  }

  /// Keeps them in their order, so that the order of arrival does not matter.
  func collectSet(
    _ old: Value, _ argument: Value, _ slots: ValueRun, _ place: Int, _ arena: Arena
  ) -> AggregateEffect {
    let known = old.isAbsent ? ValueRun.empty : old.run
    var low = 0
    var high = known.count
    while low < high {
      let middle = (low + high) / 2
      let order = ValueOrder.compare(known[middle], argument)
      if order == 0 { return .none }
      if order < 0 { low = middle + 1 } else { high = middle }
    }
    return insert(argument, at: low, of: known, slots, place, arena)
  }

  private func insert(
    _ value: Value, at index: Int, of known: ValueRun, _ slots: ValueRun, _ place: Int,
    _ arena: Arena
  ) -> AggregateEffect {
    if known.count >= entriesMax { return .tooMany }
    let run = arena.opened(known, at: index, by: 1)
    run[index] = value
    slots[place] = .list(run)
    return .value
  }

  // MARK: Distinct values

  /// Adds the values of which `other` has the fingerprints.
  func mergeDistinct(
    _ other: Value, _ slots: ValueRun, _ place: Int, _ hidden: Int, _ arena: Arena
  ) -> AggregateEffect {
    if other.isAbsent { return .none }
    let size = RowLayout.fingerprintBytes
    let known = slots[hidden].isAbsent ? ByteView.empty : slots[hidden].view
    let added = other.view
    scratch.clear()
    var (left, right) = (0, 0)
    while left < known.count || right < added.count {
      let isLeft =
        right == added.count
        || left < known.count && known.int128(at: left) <= added.int128(at: right)
      let mark = isLeft ? known.int128(at: left) : added.int128(at: right)
      if right < added.count && added.int128(at: right) == mark { right += size }
      if isLeft { left += size }
      scratch.append(int128: mark)
    }
    if scratch.count / size > entriesMax { return .tooMany }
    let count = scratch.count / size
    slots[hidden] = .bytes(arena.copy(scratch.view))
    slots[place] = .int(Int64(count))
    return .value
  }

  static let fingerprintBytes = 16

  /// Counts values whose fingerprint is not among those it has seen, which are kept in order.
  func countDistinct(
    _ argument: Value, _ slots: ValueRun, _ place: Int, _ hidden: Int, _ arena: Arena
  ) -> AggregateEffect {
    let size = RowLayout.fingerprintBytes
    let known = slots[hidden].isAbsent ? ByteView.empty : slots[hidden].view
    let count = known.count / size
    let mark = fingerprint(argument, arena)
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      let other = known.int128(at: middle * size)
      if other == mark { return .none }
      if other < mark { low = middle + 1 } else { high = middle }
    }
    if count >= entriesMax { return .tooMany }
    scratch.clear()
    scratch.append(known.prefix(low * size))
    scratch.append(int128: mark)
    scratch.append(known.suffix(from: low * size))
    slots[hidden] = .bytes(arena.copy(scratch.view))
    slots[place] = .int(Int64(count + 1))
    return .value
  }

  /// What tells a value from others of its type: one of at most 15 bytes itself, of a longer one
  /// 127 bits of its SHA-256. Values that are equal have the same: 1.50 and 1.5, 0.0 and −0.0.
  private func fingerprint(_ value: Value, _ arena: Arena) -> Int128 {
    scratch.clear()
    switch value.kind {
    case .string, .bytes, .json: scratch.append(value.view)
    case .decimal:
      let plain = value.decimal.withoutTrailingZeros
      scratch.append(plain.scale)
      if let short = Int64(exactly: plain.mantissa) {
        scratch.append(int64: short)
      } else {
        scratch.append(int128: plain.mantissa)
      }
    case .double:
      let number = value.double
      scratch.append(.double(number == 0 ? 0 : (number.isNaN ? .nan : number)))
    default: scratch.append(value)
    }
    let length = scratch.count
    if length < RowLayout.fingerprintBytes {
      while scratch.count < RowLayout.fingerprintBytes - 1 { scratch.append(0) }
      scratch.append(UInt8(length))
      return scratch.view.int128(at: 0)
    }
    let whole = arena.copy(scratch.view)
    scratch.clear()
    scratch.append(sha256: whole)
    return scratch.view.int128(at: 0) | Int128.min
  }
}
