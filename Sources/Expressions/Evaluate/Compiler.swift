import Diagnostics
import Records

/// Turns a typed tree into a flat program. Registers are given out like a stack; a condition
/// becomes jumps, so that `a == "x" && b > 3` is two instructions and the end.
struct Compiler {
  /// A place in the code that may not be known yet.
  struct Label { let id: Int }

  let source: SourceText
  /// Where each path of the tree stands: a slot, and how many of its steps that slot covers.
  let slots: [FieldPath: (slot: Int, steps: Int)]

  private(set) var code: [Instruction] = []
  private(set) var ranges: [Range<Int>] = []
  private(set) var entries: [ConstantPool.Entry] = []
  private(set) var registerCount = 0
  private var indexes: [ConstantPool.Entry: Int] = [:]
  private var places: [UInt32] = []
  private var nextRegister = 0

  /// Where failures land; nil: they end the program.
  var handler: Label?
  /// Whether fields that are only assumed to be there are looked at again.
  var isRechecking = false
  var locals: [Int: Operand] = [:]

  init(source: SourceText, slots: [FieldPath: (slot: Int, steps: Int)]) {
    self.source = source
    self.slots = slots
  }

  mutating func program(_ root: TypedNode) throws(CompileFailure) {
    switch root.kind {
    case .and, .or, .has:
      try finishCondition(root)
    case .loop(let loop) where loop.asks: try finishCondition(root)
    case .call(let overload, _) where overload.asks: try finishCondition(root)
    default:
      var result = try value(root)
      if root.type.hasMixed, !root.isPath {
        let destination = register()
        emit(.jsonOfMixed, result, into: destination, at: root)
        result = .register(destination)
      }
      emit(.finish, result, at: root)
    }
    if code.count > Int(UInt16.max) || registerCount > Int(UInt16.max) {
      throw CompileFailure(
        message: "the expression is too large", span: SourceSpan(source, root.range))
    }
    for index in code.indices where code[index].target != Instruction.noTarget {
      code[index].target = places[Int(code[index].target)]
    }
  }

  private mutating func finishCondition(_ root: TypedNode) throws(CompileFailure) {
    let otherwise = label()
    try condition(root, jumpWhen: false, to: otherwise)
    emit(.finishTrue, at: root)
    place(otherwise)
    emit(.finishFalse, at: root)
  }
}

/// The parts of code.
extension Compiler {
  mutating func label() -> Label {
    places.append(Instruction.noTarget)
    return Label(id: places.count - 1)
  }

  mutating func place(_ label: Label) { places[label.id] = UInt32(code.count) }

  mutating func register() -> Int {
    nextRegister += 1
    registerCount = max(registerCount, nextRegister)
    return nextRegister - 1
  }

  /// What `body` takes beyond what was taken before is free again.
  mutating func scratch<Result>(
    _ body: (inout Compiler) throws(CompileFailure) -> Result
  ) throws(CompileFailure) -> Result {
    let before = nextRegister
    let result = try body(&self)
    nextRegister = before
    return result
  }

  mutating func constant(_ entry: ConstantPool.Entry) -> Operand {
    if let index = indexes[entry] { return .constant(index) }
    entries.append(entry)
    indexes[entry] = entries.count - 1
    return .constant(entries.count - 1)
  }

  mutating func emit(
    _ opcode: Opcode, _ a: Operand = .none, _ b: Operand = .none,
    into destination: Int = 0,
    outcomes: Outcomes = [], to target: Label? = nil, at node: TypedNode
  ) {
    let jump = target ?? (opcode.mayFail ? handler : nil)
    code.append(
      Instruction(
        opcode: opcode, outcomes: outcomes, destination: UInt16(truncatingIfNeeded: destination),
        a: a, b: b, target: jump.map { UInt32($0.id) } ?? Instruction.noTarget))
    ranges.append(node.range)
  }

  mutating func move(_ operand: Operand, into destination: Int, at node: TypedNode) {
    if operand != .register(destination) { emit(.move, operand, into: destination, at: node) }
  }
}
