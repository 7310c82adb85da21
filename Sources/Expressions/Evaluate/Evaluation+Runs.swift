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
    case .checkKeys: return a.run.hasRepeatedKey ? .failure(.repeatedKey) : a
    case .sizeRun: return .int(Int64(a.run.count))
    case .sizeMap: return .int(Int64(a.run.count / 2))
    case .indexList, .tryIndexList:
      return a.isAbsent ? a : element(instruction, a.run, load(instruction.b).int)
    case .indexMap, .tryIndexMap: return entry(instruction, a, load(instruction.b))
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
    case .joinText: return a.view.steps + load(instruction.b).view.steps
    case .sha256: return Evaluation.hashSteps * a.view.steps
    case .uuid5, .hmac:
      return Evaluation.hashSteps * (a.view.steps + load(instruction.b).view.steps)
    default: return a.view.steps
    }
  }

  /// Hashing a byte takes so many times as long as reading it.
  private static let hashSteps = 8

  private func entry(_ instruction: Instruction, _ map: Value, _ key: Value) -> Value {
    // What this takes was counted with ``work(_:)``.
    var steps = 0
    if !map.isAbsent, let index = map.run.index(ofKey: key, &steps) { return map.run[index + 1] }
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

extension ValueRun {
  /// Of a map that a literal has made, and so has few keys.
  var hasRepeatedKey: Bool {
    var steps = 0
    for index in stride(from: 0, to: count, by: 2)
    where prefix(index).index(ofKey: self[index], &steps) != nil {
      return true
    }
    return false
  }

  /// Where the entry with this key begins, in a run of keys and values in turns. Counts what it
  /// compares in `steps`.
  func index(ofKey key: Value, _ steps: inout Int) -> Int? {
    var index = 0
    while index + 1 < count {
      if self[index].equals(key, &steps) { return index }
      index += 2
    }
    return nil
  }
}

extension Value {
  /// Whether two values of one type are the same; absent is the same as absent.
  /// Cost: in proportion to what is compared; maps in proportion to the product of their sizes. It
  /// is counted in `steps`, and beyond ``Evaluation/iterationsMax`` nothing is equal any more.
  func equals(_ other: Value, _ steps: inout Int) -> Bool {
    steps += 1
    guard kind == other.kind, steps <= Evaluation.iterationsMax else { return false }
    switch kind {
    case .absent, .null: return true
    case .bool: return bool == other.bool
    case .int: return int == other.int
    case .uint: return uint == other.uint
    case .double: return double == other.double
    case .decimal: return decimal == other.decimal
    case .string, .bytes, .json:
      if view.count == other.view.count { steps += view.count / 32 }
      return view == other.view
    case .timestamp: return timestamp == other.timestamp
    case .date: return dateDays == other.dateDays
    case .duration: return duration == other.duration
    case .list, .object:
      guard run.count == other.run.count else { return false }
      for index in 0..<run.count
      where !run[index].equals(other.run[index], &steps) {
        return false
      }
      return true
    case .map:
      guard run.count == other.run.count else { return false }
      for index in stride(from: 0, to: run.count, by: 2) {
        guard let place = other.run.index(ofKey: run[index], &steps),
          run[index + 1].equals(other.run[place + 1], &steps)
        else { return false }
      }
      return true
    case .error: return false
    }
  }
}
