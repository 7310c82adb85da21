import Records

/// What happens while a program runs: three rows of values and nothing else. Made anew for each
/// evaluation, on the stack.
struct Evaluation {
  /// Elements that all loops, searches and comparisons of one evaluation may visit together.
  static let iterationsMax = 1_000_000

  let slots: ValueRun
  let registers: ValueRun
  let constants: ValueRun

  @inline(__always)
  func load(_ operand: Operand) -> Value {
    let index = operand.index
    switch operand.bits >> Operand.kindShift {
    case 0: return slots[index]
    case 1: return registers[index]
    default: return constants[index]
    }
  }

  /// The arithmetic of nearly all amounts, done at hand: 45 instructions instead of 180. Nil: it is
  /// another instruction, or the numbers are long.
  @inline(__always)
  func atOnce(_ instruction: Instruction) -> Value? {
    switch instruction.opcode {
    case .addDecimal: load(instruction.a).shortSum(load(instruction.b))
    case .multiplyDecimal: load(instruction.a).shortProduct(load(instruction.b))
    default: nil
    }
  }

  /// The outcome of a condition: 0 to 3, see ``Outcomes``.
  @inline(__always)
  func outcome(_ instruction: Instruction) -> UInt8 {
    let a = load(instruction.a)
    switch instruction.opcode {
    case .testBool: return a.bool ? 1 : 0
    case .testPresent: return a.isAbsent ? 0 : 1
    case .equalText: return a.view == load(instruction.b).view ? 1 : 0
    case .compareInt: return order(a.int, load(instruction.b).int)
    case .compareDecimal: return order(a.decimal.compare(load(instruction.b).decimal), 0)
    case .compareUint: return order(a.uint, load(instruction.b).uint)
    case .compareDouble:
      let b = load(instruction.b)
      return a.double < b.double ? 0 : a.double == b.double ? 1 : a.double > b.double ? 2 : 3
    case .compareTimestamp: return order(a.timestamp, load(instruction.b).timestamp)
    default: return rareOutcome(instruction, a, load(instruction.b))
    }
  }

  @inline(__always)
  private func order<Number: Comparable>(_ left: Number, _ right: Number) -> UInt8 {
    left < right ? 0 : left == right ? 1 : 2
  }

  @inline(never)
  private func rareOutcome(_ instruction: Instruction, _ a: Value, _ b: Value) -> UInt8 {
    switch instruction.opcode {
    case .compareText: return order(a.view.compare(b.view), 0)
    case .compareBool: return order(a.bool ? 1 : 0, b.bool ? 1 : 0)
    case .compareDate: return order(a.dateDays, b.dateDays)
    case .compareDuration:
      let seconds = order(a.duration.seconds, b.duration.seconds)
      return seconds == 1 ? order(a.duration.nanoseconds, b.duration.nanoseconds) : seconds
    case .testOutcome: return UInt8(a.int)
    case .startsWith: return a.view.starts(with: b.view) ? 1 : 0
    default: return a.view.ends(with: b.view) ? 1 : 0
    }
  }

  /// As ``outcome(_:)``, for what takes time with the input; counts that in `steps`. It means
  /// nothing once these are more than ``iterationsMax``.
  @inline(never)
  func searched(_ instruction: Instruction, _ steps: inout Int, _ arena: Arena) -> UInt8 {
    let a = load(instruction.a)
    let b = load(instruction.b)
    switch instruction.opcode {
    case .contains:
      steps += a.view.steps
      if steps > Evaluation.iterationsMax { return 0 }
      return a.view.firstIndex(of: b.view) == nil ? 0 : 1
    case .inList:
      let list = b.run
      for index in 0..<list.count where a.equals(list[index], &steps, arena) { return 1 }
      return 0
    case .inMap: return b.run.index(ofKey: a, &steps, arena) == nil ? 0 : 1
    default: return a.equals(b, &steps, arena) ? 1 : 0
    }
  }
}

extension Value {
  /// What the instruction at `place` gives when all of it together took too long.
  fileprivate static func tooMuchWork(at place: Int) -> Value {
    .failure(code: FailureReason.tooMuchWork.rawValue, place: UInt32(place))
  }
}

extension Program {
  /// The value over the frame's slots: absent, an error, or a value of the expression's type. Text
  /// and lists in it live as long as the slots' values and the frame's arena.
  /// Cost: about 2 ns an instruction; a failure costs no more.
  package func evaluate(_ frame: Frame) -> Value {
    if frame.registers.count < registerCount { frame.grow(to: registerCount) }
    let evaluation = Evaluation(
      slots: frame.values, registers: frame.registers, constants: constants.run)
    var next = 0
    var iterations = 0
    var failure = Value.absent
    while true {
      let instruction = code[next]
      next += 1
      switch instruction.opcode {
      case .finish: return evaluation.load(instruction.a)
      case .finishTrue: return .bool(true)
      case .finishFalse: return .bool(false)
      case .testBool, .testPresent, .compareInt, .compareUint, .compareDouble, .compareDecimal,
        .compareText, .compareBool, .compareTimestamp, .compareDate, .compareDuration, .equalText,
        .startsWith, .endsWith, .testOutcome:
        let outcome = evaluation.outcome(instruction)
        if instruction.outcomes.rawValue &>> outcome & 1 != 0 { next = Int(instruction.target) }
      case .equalAny, .contains, .inList, .inMap:
        let outcome = evaluation.searched(instruction, &iterations, frame.arena)
        if iterations > Evaluation.iterationsMax { return .tooMuchWork(at: next - 1) }
        if instruction.outcomes.rawValue &>> outcome & 1 != 0 { next = Int(instruction.target) }
      case .jump: next = Int(instruction.target)
      case .move:
        evaluation.registers[Int(instruction.destination)] = evaluation.load(instruction.a)
      case .field:
        let object = evaluation.load(instruction.a)
        evaluation.registers[Int(instruction.destination)] =
          object.isAbsent ? object : object.run[Int(instruction.b.bits)]
      case .decimalOfInt:
        evaluation.registers[Int(instruction.destination)] =
          .decimal(Decimal(evaluation.load(instruction.a).int))
      case .beginLoop: evaluation.registers[Int(instruction.destination)] = .int(0)
      case .nextElement:
        iterations += 1
        if !evaluation.advance(instruction) { next = Int(instruction.target) }
        if iterations > Evaluation.iterationsMax { return .tooMuchWork(at: next - 1) }
      case .nextKey, .nextPair, .nextEntry:
        iterations += 1
        if !evaluation.advanceOther(instruction) { next = Int(instruction.target) }
        if iterations > Evaluation.iterationsMax { return .tooMuchWork(at: next - 1) }
      case .land: evaluation.registers[Int(instruction.destination)] = failure
      case .mask:
        evaluation.registers[Int(instruction.destination)] = .string(StaticString("***").view)
      case .jsonOfMixed:
        let value = evaluation.load(instruction.a).json(of: type, frame, &iterations)
        if iterations > Evaluation.iterationsMax { return .tooMuchWork(at: next - 1) }
        if value.isError { return .failure(code: value.failure.code, place: UInt32(next - 1)) }
        evaluation.registers[Int(instruction.destination)] = value
      case .indexMap, .tryIndexMap, .joinText, .joinLists, .makeListLike, .sizeText, .textOfBytes,
        .decimalOfText, .doubleOfText, .sha256, .uuid5, .hmac, .dispatch, .orderMixed, .cast,
        .indexMixed, .tryIndexMixed:
        iterations += evaluation.work(instruction)
        if iterations > Evaluation.iterationsMax { return .tooMuchWork(at: next - 1) }
        fallthrough
      default:
        if let value = evaluation.atOnce(instruction) {
          evaluation.registers[Int(instruction.destination)] = value
          continue
        }
        var value = evaluation.compute(instruction, frame)
        if value.isError {
          if instruction.opcode != .rethrow {
            value = .failure(code: value.failure.code, place: UInt32(next - 1))
          }
          if instruction.target == Instruction.noTarget { return value }
          failure = value
          next = Int(instruction.target)
        } else {
          evaluation.registers[Int(instruction.destination)] = value
        }
      }
    }
  }
}
