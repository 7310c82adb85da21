import Records

/// Which instruction carries out a function of mixed values, by the kinds of its operands: what
/// ``FunctionTable`` says for operands of those types.
enum MixedTable {
  private static let kindCount = Int(Value.Kind.error.rawValue) + 1

  /// Raw values of opcodes and 1; 0: there is none.
  private static let opcodes: [UInt8] = {
    var table = [UInt8](
      repeating: 0, count: MixedFunction.allCases.count * kindCount * kindCount)
    for function in MixedFunction.allCases {
      for overload in FunctionTable.overloads[function.name] ?? [] where !overload.isMixed {
        let kinds = overload.parameters.compactMap(\.kind)
        guard kinds.count == overload.parameters.count, let opcode = overload.opcode else {
          continue
        }
        table[place(function, kinds[0], kinds.count > 1 ? kinds[1] : .absent)] = opcode.rawValue + 1
      }
    }
    return table
  }()

  private static func place(_ function: MixedFunction, _ a: Value.Kind, _ b: Value.Kind) -> Int {
    (Int(function.rawValue) * kindCount + Int(a.rawValue)) * kindCount + Int(b.rawValue)
  }

  /// Nil: the function does not take these. ``Opcode/move``: it is the first operand.
  static func opcode(_ function: MixedFunction, _ a: Value.Kind, _ b: Value.Kind) -> Opcode? {
    let raw = opcodes[place(function, a, b)]
    return raw == 0 ? nil : Opcode(rawValue: raw - 1)
  }
}

extension Overload {
  fileprivate var opcode: Opcode? {
    switch emission {
    case .compute(let opcode), .condition(let opcode, _): opcode
    case .identity: .move
    default: nil
    }
  }
}

extension TypePattern {
  /// What a value of it is at run time; nil: that is not one kind.
  fileprivate var kind: Value.Kind? {
    switch self {
    case .exactly(let type): type.kind
    case .list: .list
    case .map: .map
    case .any, .optional: nil
    }
  }
}

extension ValueType {
  /// What a value of the type is at run time; nil: that is not one kind.
  var kind: Value.Kind? {
    switch self {
    case .bool: .bool
    case .int: .int
    case .uint: .uint
    case .double: .double
    case .decimal: .decimal
    case .string: .string
    case .bytes: .bytes
    case .timestamp: .timestamp
    case .date: .date
    case .duration: .duration
    case .list: .list
    case .map: .map
    case .object: .object
    case .null, .dyn, .type, .nothing, .optional: nil
    }
  }
}
