import Records

extension ValueRun {
  /// Of a map that a literal has made, and so has few keys.
  func hasRepeatedKey(_ arena: Arena) -> Bool {
    var steps = 0
    for index in stride(from: 0, to: count, by: 2)
    where prefix(index).index(ofKey: self[index], &steps, arena) != nil {
      return true
    }
    return false
  }

  /// Where the entry with this key begins, in a run of keys and values in turns. Counts what it
  /// compares in `steps`.
  func index(ofKey key: Value, _ steps: inout Int, _ arena: Arena) -> Int? {
    var index = 0
    while index + 1 < count {
      if self[index].equals(key, &steps, arena) { return index }
      index += 2
    }
    return nil
  }
}

extension Value {
  /// Whether two values of one type are the same; absent is the same as absent. Mixed ones may be
  /// of several types: numbers are then the same by what they amount to.
  /// Cost: in proportion to what is compared; maps in proportion to the product of their sizes. It
  /// is counted in `steps`, and beyond ``Evaluation/iterationsMax`` nothing is equal any more.
  func equals(_ other: Value, _ steps: inout Int, _ arena: Arena) -> Bool {
    steps += 1
    guard steps <= Evaluation.iterationsMax else { return false }
    if kind != other.kind || kind == .json { return equalsMixed(other, &steps, arena) }
    switch kind {
    case .absent, .null: return true
    case .bool: return bool == other.bool
    case .int: return int == other.int
    case .uint: return uint == other.uint
    case .double: return double == other.double
    case .decimal: return decimal == other.decimal
    case .string, .bytes:
      if view.count == other.view.count { steps += view.count / 32 }
      return view == other.view
    case .timestamp: return timestamp == other.timestamp
    case .date: return dateDays == other.dateDays
    case .duration: return duration == other.duration
    case .list, .object:
      guard run.count == other.run.count else { return false }
      for index in 0..<run.count
      where !run[index].equals(other.run[index], &steps, arena) {
        return false
      }
      return true
    case .map:
      guard run.count == other.run.count else { return false }
      for index in stride(from: 0, to: run.count, by: 2) {
        guard let place = other.run.index(ofKey: run[index], &steps, arena),
          run[index + 1].equals(other.run[place + 1], &steps, arena)
        else { return false }
      }
      return true
    case .json, .error: return false
    }
  }
}
