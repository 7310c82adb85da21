import Records

/// Lists, maps and objects.
extension Evaluation {
  @inline(never)
  func computeRun(_ instruction: Instruction, _ a: Value, _ frame: Frame) -> Value {
    switch instruction.opcode {
    case .require: return a.isAbsent ? .failure(.noValue) : a
    case .rethrow: return a
    case .store:
      let target = registers[Int(instruction.destination)]
      target.run[Int(instruction.b.bits)] = a
      return target
    case .storeCounted:
      let target = registers[Int(instruction.destination)]
      // The counter already stands behind the element.
      target.run[Int(load(instruction.b).int) - 1] = a
      return target
    case .makeList: return .list(frame.arena.values(Int(instruction.b.bits)))
    case .makeObject: return .object(frame.arena.values(Int(instruction.b.bits)))
    case .makeMap: return .map(frame.arena.values(2 * Int(instruction.b.bits)))
    case .makeListLike:
      if a.isAbsent { return .list(.empty) }
      return .list(frame.arena.values(a.kind == .map ? a.run.count / 2 : a.run.count))
    case .storeNext:
      let place = registers[Int(instruction.destination)].int
      load(instruction.b).run[Int(place)] = a
      return .int(place + 1)
    case .trimList: return .list(a.run.prefix(Int(load(instruction.b).int)))
    case .checkKeys: return a.run.hasRepeatedKey(frame.arena) ? .failure(.repeatedKey) : a
    case .sizeRun: return .int(Int64(a.run.count))
    case .sizeMap: return .int(Int64(a.run.count / 2))
    case .indexList, .tryIndexList:
      return a.isAbsent ? a : element(instruction, a.run, load(instruction.b).int)
    case .indexMap, .tryIndexMap: return entry(instruction, a, load(instruction.b), frame.arena)
    case .joinLists: return joined(a.run, load(instruction.b).run, frame.arena)
    default: return computeText(instruction, a, frame)
    }
  }

  /// Puts the next element of a list into its register; false when there is none.
  @inline(__always)
  func advance(_ instruction: Instruction) -> Bool {
    let list = load(instruction.a)
    let destination = Int(instruction.destination)
    let index = Int(registers[destination + 1].int)
    if list.isAbsent || index >= list.run.count { return false }
    registers[destination] = list.run[index]
    registers[destination + 1] = .int(Int64(index + 1))
    return true
  }

  /// The same for what is seldom gone over; see ``Opcode/nextKey``.
  @inline(never)
  func advanceOther(_ instruction: Instruction) -> Bool {
    let range = load(instruction.a)
    let destination = Int(instruction.destination)
    let index = Int(registers[destination + 1].int)
    if range.isAbsent { return false }
    registers[destination + 1] = .int(Int64(index + 1))
    if instruction.opcode == .nextPair {
      if index >= range.run.count { return false }
      registers[destination] = .int(Int64(index))
      registers[destination + 2] = range.run[index]
      return true
    }
    if 2 * index >= range.run.count { return false }
    registers[destination] = range.run[2 * index]
    if instruction.opcode == .nextEntry { registers[destination + 2] = range.run[2 * index + 1] }
    return true
  }

  private func element(_ instruction: Instruction, _ list: ValueRun, _ index: Int64) -> Value {
    if index >= 0 && index < Int64(list.count) { return list[Int(index)] }
    return instruction.opcode == .indexList ? .failure(.noSuchElement) : .absent
  }

  /// What an instruction takes whose time or memory grows with its operands, in steps.
  @inline(never)
  func work(_ instruction: Instruction) -> Int {
    let a = load(instruction.a)
    switch instruction.opcode {
    case .indexMap, .tryIndexMap: return a.isAbsent ? 0 : a.run.count / 2
    case .makeListLike: return a.isAbsent ? 0 : a.run.count
    case .joinLists: return a.run.count + load(instruction.b).run.count
    case .cast: return a.mixedSteps
    case .dispatch, .orderMixed, .indexMixed, .tryIndexMixed:
      return a.mixedSteps + load(instruction.b).mixedSteps
    case .joinText: return a.view.steps + load(instruction.b).view.steps
    case .sha256: return Evaluation.hashSteps * a.view.steps
    case .uuid5, .hmac:
      return Evaluation.hashSteps * (a.view.steps + load(instruction.b).view.steps)
    default: return a.view.steps
    }
  }

  /// Hashing a byte takes so many times as long as reading it.
  private static let hashSteps = 8

  private func entry(
    _ instruction: Instruction, _ map: Value, _ key: Value, _ arena: Arena
  ) -> Value {
    // What this takes was counted with ``work(_:)``.
    var steps = 0
    if !map.isAbsent, let index = map.run.index(ofKey: key, &steps, arena) {
      return map.run[index + 1]
    }
    return instruction.opcode == .indexMap ? .failure(.noSuchKey) : .absent
  }

  private func joined(_ left: ValueRun, _ right: ValueRun, _ arena: Arena) -> Value {
    let result = arena.values(left.count + right.count)
    for index in 0..<left.count { result[index] = left[index] }
    for index in 0..<right.count { result[left.count + index] = right[index] }
    return .list(result)
  }
}

extension ByteView {
  /// What reading all bytes counts as: visiting an element takes about as long as 32 bytes.
  var steps: Int { 1 + count / 32 }

  /// Unicode scalars of UTF-8: the bytes that do not continue one.
  var scalarCount: Int {
    var scalars = 0
    for index in 0..<count where self[index] & 0xC0 != 0x80 { scalars += 1 }
    return scalars
  }
}
