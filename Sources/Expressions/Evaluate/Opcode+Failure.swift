extension Opcode {
  /// Whether the instruction can fail, and so needs to know where its failure lands.
  var mayFail: Bool {
    switch self {
    case .addInt, .subtractInt, .multiplyInt, .divideInt, .remainderInt, .negateInt, .addUint,
      .subtractUint, .multiplyUint, .divideUint, .remainderUint, .addDecimal, .subtractDecimal,
      .multiplyDecimal, .intOfUint, .intOfDouble, .uintOfInt, .uintOfDouble, .decimalOfText,
      .intOfText, .uintOfText, .boolOfText, .timestampOfInt,
      .indexList, .indexMap, .require, .rethrow, .doubleOfText, .intOfDecimal, .uintOfDecimal,
      .textOfBytes, .timestampOfText, .durationOfText, .dateOfText, .addTime, .subtractTime,
      .timeBetween, .addDuration, .subtractDuration, .partOfTimeInZone, .uuid5,
      .checkKeys, .dispatch, .orderMixed, .cast, .indexMixed, .jsonOfMixed:
      true
    default: false
    }
  }
}

extension TypedNode {
  /// Whether evaluating it can fail. `rechecking`: whether fields that are only assumed to be there
  /// are looked at again.
  func mayFail(rechecking: Bool) -> Bool {
    switch kind {
    case .constant, .local: false
    case .path: rechecking && isAssumedPresent
    case .field(let base, _): rechecking && isAssumedPresent || base.mayFail(rechecking: rechecking)
    case .has(let base): base.mayFail(rechecking: rechecking)
    case .map(let entries):
      entries.count > 1
        || entries.contains {
          $0.key.mayFail(rechecking: rechecking) || $0.value.mayFail(rechecking: rechecking)
        }
    case .loop(let loop): loop.parts.contains { $0.mayFail(rechecking: rechecking) }
    case .and(let left, let right), .or(let left, let right):
      left.mayFail(rechecking: rechecking) || right.mayFail(rechecking: rechecking)
    case .conditional(let test, let first, let second):
      test.mayFail(rechecking: rechecking) || first.mayFail(rechecking: rechecking)
        || second.mayFail(rechecking: rechecking)
    case .list(let items): items.contains { $0.mayFail(rechecking: rechecking) }
    case .object(let fields): fields.contains { $0?.mayFail(rechecking: rechecking) ?? false }
    case .call(let overload, let arguments):
      overload.mayFail || arguments.contains { $0.mayFail(rechecking: rechecking) }
    }
  }
}

extension Overload {
  fileprivate var mayFail: Bool {
    switch emission {
    case .compute(let opcode), .keyed(let opcode), .sum(let opcode, _), .part(let opcode, _):
      opcode.mayFail
    case .dispatch, .order, .cast: true
    default: false
    }
  }
}
