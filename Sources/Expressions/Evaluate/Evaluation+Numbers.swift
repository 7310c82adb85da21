import Records

extension Value {
  static func failure(_ reason: FailureReason) -> Value {
    .failure(code: reason.rawValue, place: 0)
  }

  @inline(__always)
  fileprivate static func int(_ result: (partialValue: Int64, overflow: Bool)) -> Value {
    result.overflow ? .failure(.integerOverflow) : .int(result.partialValue)
  }
  @inline(__always)
  fileprivate static func uint(_ result: (partialValue: UInt64, overflow: Bool)) -> Value {
    result.overflow ? .failure(.integerOverflow) : .uint(result.partialValue)
  }
  @inline(__always)
  fileprivate static func decimal(_ result: Decimal?) -> Value {
    guard let result else { return .failure(.decimalOverflow) }
    return .decimal(result)
  }
}

extension Evaluation {
  /// The value of an instruction that gives one, or a failure without its place.
  @inline(__always)
  func compute(_ instruction: Instruction, _ frame: Frame) -> Value {
    let a = load(instruction.a)
    switch instruction.opcode {
    case .addInt: return .int(a.int.addingReportingOverflow(load(instruction.b).int))
    case .subtractInt: return .int(a.int.subtractingReportingOverflow(load(instruction.b).int))
    case .multiplyInt: return .int(a.int.multipliedReportingOverflow(by: load(instruction.b).int))
    case .addDouble: return .double(a.double + load(instruction.b).double)
    case .subtractDouble: return .double(a.double - load(instruction.b).double)
    case .multiplyDouble: return .double(a.double * load(instruction.b).double)
    case .divideDouble: return .double(a.double / load(instruction.b).double)
    case .addDecimal: return .decimal(a.decimal.adding(load(instruction.b).decimal))
    case .subtractDecimal: return .decimal(a.decimal.subtracting(load(instruction.b).decimal))
    case .multiplyDecimal: return .decimal(a.decimal.multiplied(by: load(instruction.b).decimal))
    case .negateDecimal: return .decimal(a.decimal.negated)
    case .divideInt, .remainderInt, .negateInt, .addUint, .subtractUint, .multiplyUint, .divideUint,
      .remainderUint, .negateDouble, .intOfUint, .intOfDouble, .uintOfInt, .uintOfDouble,
      .doubleOfInt, .doubleOfUint:
      return rareNumber(instruction, a)
    default: return computeRun(instruction, a, frame)
    }
  }

  @inline(never)
  private func rareNumber(_ instruction: Instruction, _ a: Value) -> Value {
    let b = load(instruction.b)
    switch instruction.opcode {
    case .divideInt:
      return b.int == 0
        ? .failure(.divisionByZero) : .int(a.int.dividedReportingOverflow(by: b.int))
    case .remainderInt:
      return b.int == 0
        ? .failure(.divisionByZero) : .int(a.int.remainderReportingOverflow(dividingBy: b.int))
    case .negateInt: return .int(Int64(0).subtractingReportingOverflow(a.int))
    case .negateDouble: return .double(-a.double)
    case .addUint: return .uint(a.uint.addingReportingOverflow(b.uint))
    case .subtractUint: return .uint(a.uint.subtractingReportingOverflow(b.uint))
    case .multiplyUint: return .uint(a.uint.multipliedReportingOverflow(by: b.uint))
    case .divideUint: return b.uint == 0 ? .failure(.divisionByZero) : .uint(a.uint / b.uint)
    case .remainderUint: return b.uint == 0 ? .failure(.divisionByZero) : .uint(a.uint % b.uint)
    case .doubleOfInt: return .double(Double(a.int))
    case .doubleOfUint: return .double(Double(a.uint))
    case .intOfUint:
      guard let value = Int64(exactly: a.uint) else { return .failure(.integerOverflow) }
      return .int(value)
    case .uintOfInt:
      guard let value = UInt64(exactly: a.int) else { return .failure(.integerOverflow) }
      return .uint(value)
    case .intOfDouble:
      // Strictly between the bounds, as the CEL specification has it: 2^63 - 1 is no double.
      guard a.double > -0x1p63 && a.double < 0x1p63 else { return .failure(.integerOverflow) }
      return .int(Int64(a.double))
    default:
      guard a.double >= 0 && a.double < 0x1p64 else { return .failure(.integerOverflow) }
      return .uint(UInt64(a.double))
    }
  }
}
