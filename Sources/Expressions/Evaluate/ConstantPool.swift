import Records

/// The constants of a program, with the memory of their texts.
///
/// `@unchecked Sendable`: written while compiling, before anyone else has it, and never again.
final class ConstantPool: @unchecked Sendable {
  /// What a program may have as a constant.
  enum Entry: Hashable {
    case absent
    case value(Constant)
    case list([Constant])
  }

  let run: ValueRun
  private let owner: Slots
  private let arena: Arena

  init(_ entries: [Entry]) {
    owner = Slots(count: entries.count)
    arena = Arena()
    run = owner.run
    for (index, entry) in entries.enumerated() {
      switch entry {
      case .absent: owner[index] = .absent
      case .value(let constant): owner[index] = ConstantPool.value(constant, arena)
      case .list(let constants):
        let elements = arena.values(constants.count)
        for (place, constant) in constants.enumerated() {
          elements[place] = ConstantPool.value(constant, arena)
        }
        owner[index] = .list(elements)
      }
    }
  }

  private static func value(_ constant: Constant, _ arena: Arena) -> Value {
    switch constant {
    case .null: .absent
    case .bool(let value): .bool(value)
    case .int(let value): .int(value)
    case .uint(let value): .uint(value)
    case .double(let value): .double(value)
    case .decimal(let value): .decimal(value)
    case .string(let bytes): .string(ByteView.lending(bytes) { arena.copy($0) })
    case .bytes(let bytes): .bytes(ByteView.lending(bytes) { arena.copy($0) })
    case .timestamp(let value): .timestamp(value)
    case .date(let days): .date(days: days)
    case .duration(let nanoseconds): .duration(nanoseconds: nanoseconds)
    }
  }
}
