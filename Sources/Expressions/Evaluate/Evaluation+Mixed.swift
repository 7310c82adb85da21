import Formats
import Records

/// Instructions over mixed values.
extension Evaluation {
  @inline(never)
  func computeMixed(_ instruction: Instruction, _ a: Value, _ frame: Frame) -> Value {
    switch instruction.opcode {
    case .dispatch: return dispatch(instruction, a, frame)
    case .orderMixed: return order(instruction, a, load(instruction.b), frame.arena)
    case .cast: return a.cast(to: instruction.cast, frame.arena)
    case .typeOf: return .string(a.typeName.view)
    default:
      let key = load(instruction.b).settled(frame.arena)
      return member(of: a, at: key, tries: instruction.opcode == .tryIndexMixed, frame.arena)
    }
  }

  /// Finds the instruction that the operands' kinds ask for, and carries it out.
  private func dispatch(_ instruction: Instruction, _ a: Value, _ frame: Frame) -> Value {
    let function = instruction.function
    let (left, right) =
      function.isConversion
      ? (a.settled(for: function, frame.arena), .absent)
      : Value.aligned(a, load(instruction.b), frame.arena)
    guard let opcode = MixedTable.opcode(function, left.kind, right.kind) else {
      return .failure(left.isAbsent ? .noValue : .wrongType)
    }
    if opcode == .move { return left }
    registers[instruction.a.index] = left
    registers[instruction.b.index] = right
    var typed = instruction
    typed.opcode = opcode
    return compute(typed, frame)
  }

  private func order(_ instruction: Instruction, _ a: Value, _ b: Value, _ arena: Arena) -> Value {
    let (left, right) = Value.aligned(a, b, arena)
    if let outcome = left.order(number: right) { return .int(Int64(outcome)) }
    guard let opcode = MixedTable.opcode(.order, left.kind, right.kind) else {
      return .failure(left.isAbsent || right.isAbsent ? .noValue : .wrongType)
    }
    registers[instruction.a.index] = left
    registers[instruction.b.index] = right
    var typed = instruction
    typed.opcode = opcode
    return .int(Int64(outcome(typed)))
  }

  /// What a list has at a place, a map under a key. With `tries` absent when it is null or not
  /// there, also in what is neither.
  private func member(of container: Value, at key: Value, tries: Bool, _ arena: Arena) -> Value {
    var steps = 0
    let found: Value?
    var reason = FailureReason.noSuchKey
    switch container.kind {
    case .json where container.view.jsonKind == .object:
      found = key.kind == .string ? container.view.jsonMember(key.view) : nil
    case .json where container.view.jsonKind == .array:
      reason = .noSuchElement
      found = key.place.flatMap { container.view.jsonElement($0) }
    case .map: found = container.run.index(ofKey: key, &steps, arena).map { container.run[$0 + 1] }
    case .list:
      reason = .noSuchElement
      found = key.place.flatMap { $0 < container.run.count ? container.run[$0] : nil }
    default:
      found = nil
      reason = container.settled(arena).isAbsent ? .noValue : .wrongType
    }
    guard let found else { return tries ? .absent : .failure(reason) }
    return tries && found.kind == .json && found.view.jsonKind == .null ? .absent : found
  }
}

extension Value {
  /// The place in a list that a key means; nil: none.
  fileprivate var place: Int? {
    switch kind {
    case .int: Int(exactly: int).flatMap { $0 < 0 ? nil : $0 }
    case .uint: Int(exactly: uint)
    case .double: Int(exactly: double).flatMap { $0 < 0 ? nil : $0 }
    default: nil
    }
  }
}

extension ByteView {
  /// Of an object: what the last member of that name is.
  fileprivate func jsonMember(_ name: ByteView) -> Value? {
    var found: Value?
    var walk = JSONWalk(self)
    while let key = walk.next(), let value = walk.next() {
      if key.isJSONString(name) { found = .json(value) }
    }
    return found
  }

  /// Of a list: the element at `place`.
  fileprivate func jsonElement(_ place: Int) -> Value? {
    var walk = JSONWalk(self)
    var index = 0
    while let element = walk.next() {
      if index == place { return .json(element) }
      index += 1
    }
    return nil
  }
}
