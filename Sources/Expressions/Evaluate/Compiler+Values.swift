import Diagnostics

extension Compiler {
  /// Code for `node`; the operand says where its value is then.
  mutating func value(_ node: TypedNode) throws(CompileFailure) -> Operand {
    switch node.kind {
    case .constant(.null): return constant(.absent)
    case .constant(let value): return constant(.value(value))
    case .local(let id):
      guard let operand = locals[id] else { throw failure("a variable out of its place", node) }
      return operand
    case .path(let root, let steps): return try path(root, steps, node)
    case .field(let base, let index):
      let destination = register()
      try scratch { (compiler: inout Compiler) throws(CompileFailure) in
        let object = try compiler.value(base)
        compiler.emit(.field, object, .number(index), into: destination, at: node)
      }
      return checked(.register(destination), node)
    case .and, .or, .has: return try boolean(node)
    case .conditional(let test, let first, let second):
      return try conditional(node, test, first, second)
    case .call(let overload, let arguments): return try call(overload, arguments, node)
    case .list(let items): return try list(items, node)
    case .object(let fields):
      let destination = register()
      emit(.makeObject, .none, .number(fields.count), into: destination, at: node)
      for (index, field) in fields.enumerated() {
        guard let field else { continue }
        try store(field, index, into: destination)
      }
      return .register(destination)
    case .map(let entries): return try map(entries, node)
    case .loop(let loop):
      if loop.asks { return try boolean(node) }
      return loop.kind == .filter || loop.filter != nil
        ? try chosen(loop, node) : try mapped(loop, node)
    }
  }

  func failure(_ message: String, _ node: TypedNode) -> CompileFailure {
    CompileFailure(message: message, span: SourceSpan(source, node.range))
  }

  private mutating func path(_ root: String, _ steps: [TypedNode.Step], _ node: TypedNode)
    throws(CompileFailure) -> Operand
  {
    guard let found = slots[FieldPath([root] + steps.map(\.name))] else {
      throw failure("no slot for this field", node)
    }
    var operand = Operand.slot(found.slot)
    let rest = steps.dropFirst(found.steps)
    if !rest.isEmpty {
      let destination = register()
      for step in rest {
        emit(.field, operand, .number(step.index), into: destination, at: node)
        operand = .register(destination)
      }
    }
    return checked(operand, node)
  }

  /// Looks again at a field that an earlier test, which may have failed, was to show to be there.
  private mutating func checked(_ operand: Operand, _ node: TypedNode) -> Operand {
    guard isRechecking && node.isAssumedPresent else { return operand }
    let destination = register()
    emit(.require, operand, into: destination, at: node)
    return .register(destination)
  }

  private mutating func boolean(_ node: TypedNode) throws(CompileFailure) -> Operand {
    let destination = register()
    let otherwise = label()
    let end = label()
    try condition(node, jumpWhen: false, to: otherwise)
    emit(.move, constant(.value(.bool(true))), into: destination, at: node)
    emit(.jump, to: end, at: node)
    place(otherwise)
    emit(.move, constant(.value(.bool(false))), into: destination, at: node)
    place(end)
    return .register(destination)
  }

  private mutating func conditional(
    _ node: TypedNode, _ test: TypedNode, _ first: TypedNode, _ second: TypedNode
  ) throws(CompileFailure) -> Operand {
    let destination = register()
    let otherwise = label()
    let end = label()
    try condition(test, jumpWhen: false, to: otherwise)
    try put(first, into: destination)
    emit(.jump, to: end, at: node)
    place(otherwise)
    try put(second, into: destination)
    place(end)
    return .register(destination)
  }

  private mutating func put(_ node: TypedNode, into destination: Int) throws(CompileFailure) {
    try scratch { (compiler: inout Compiler) throws(CompileFailure) in
      let operand = try compiler.value(node)
      compiler.move(operand, into: destination, at: node)
    }
  }

  private mutating func call(_ overload: Overload, _ arguments: [TypedNode], _ node: TypedNode)
    throws(CompileFailure) -> Operand
  {
    switch overload.emission {
    case .identity: return try value(arguments[0])
    case .absent: return constant(.absent)
    case .condition, .order: return try boolean(node)
    case .compute(let opcode), .keyed(let opcode): return try compute(opcode, arguments, node)
    case .part(let opcode, let part):
      return try compute(opcode, arguments, node, Outcomes(rawValue: part.rawValue))
    case .dispatch(let function):
      return try mixed(.dispatch, arguments, node, Outcomes(rawValue: function.rawValue))
    case .cast(let cast):
      return try compute(.cast, arguments, node, Outcomes(rawValue: cast.rawValue))
    case .firstPresent:
      let destination = register()
      let end = label()
      try put(arguments[0], into: destination)
      emit(.testPresent, .register(destination), outcomes: .yes, to: end, at: node)
      try put(arguments[1], into: destination)
      place(end)
      return .register(destination)
    case .sum(let opcode, let zero):
      return try sum(arguments[0], opcode, zero, node)
    }
  }

  private mutating func compute(
    _ opcode: Opcode, _ arguments: [TypedNode], _ node: TypedNode, _ outcomes: Outcomes = []
  ) throws(CompileFailure) -> Operand {
    let destination = register()
    try scratch { (compiler: inout Compiler) throws(CompileFailure) in
      let a = try compiler.value(arguments[0])
      let b = arguments.count > 1 ? try compiler.value(arguments[1]) : Operand.none
      compiler.emit(opcode, a, b, into: destination, outcomes: outcomes, at: node)
    }
    return .register(destination)
  }

  /// The same for an instruction that finds its operands in registers of their own, and may change
  /// them there. One that has no second operand finds it absent.
  mutating func mixed(
    _ opcode: Opcode, _ arguments: [TypedNode], _ node: TypedNode, _ outcomes: Outcomes = []
  ) throws(CompileFailure) -> Operand {
    let destination = register()
    try scratch { (compiler: inout Compiler) throws(CompileFailure) in
      let first = compiler.register()
      let second = compiler.register()
      try compiler.put(arguments[0], into: first)
      if arguments.count > 1 {
        try compiler.put(arguments[1], into: second)
      } else {
        compiler.emit(.move, compiler.constant(.absent), into: second, at: node)
      }
      compiler.emit(
        opcode, .register(first), .register(second), into: destination, outcomes: outcomes, at: node
      )
    }
    return .register(destination)
  }

  /// The list of `map` is not made: each element is added as it comes.
  private mutating func sum(
    _ list: TypedNode, _ opcode: Opcode, _ zero: Constant, _ node: TypedNode
  ) throws(CompileFailure) -> Operand {
    let destination = register()
    emit(.move, constant(.value(zero)), into: destination, at: node)
    let loop: TypedNode.Loop
    if case .loop(let inner) = list.kind, inner.kind == .map {
      loop = inner
    } else {
      // Ids of macros' variables begin at 1.
      loop = TypedNode.Loop(
        kind: .map, range: list, locals: [0], filter: nil,
        body: TypedNode(kind: .local(0), type: node.type, range: list.range))
    }
    try scratch { (compiler: inout Compiler) throws(CompileFailure) in
      try compiler.loop(loop, at: node) {
        (_: inout Compiler, _: Operand) throws(CompileFailure) in
      } each: { (compiler: inout Compiler, _: Operand, next: Label) throws(CompileFailure) in
        if let filter = loop.filter {
          try compiler.condition(filter, jumpWhen: false, to: next)
        }
        let element = try compiler.value(loop.body)
        compiler.emit(opcode, .register(destination), element, into: destination, at: node)
      }
    }
    return .register(destination)
  }

  private mutating func list(_ items: [TypedNode], _ node: TypedNode) throws(CompileFailure)
    -> Operand
  {
    let constants = items.compactMap { item -> Constant? in
      if case .constant(let value) = item.kind { value } else { nil }
    }
    if constants.count == items.count { return constant(.list(constants)) }
    let destination = register()
    emit(.makeList, .none, .number(items.count), into: destination, at: node)
    for (index, item) in items.enumerated() { try store(item, index, into: destination) }
    return .register(destination)
  }

  private mutating func map(_ entries: [(key: TypedNode, value: TypedNode)], _ node: TypedNode)
    throws(CompileFailure) -> Operand
  {
    let destination = register()
    emit(.makeMap, .none, .number(entries.count), into: destination, at: node)
    for (index, entry) in entries.enumerated() {
      try store(entry.key, 2 * index, into: destination)
      try store(entry.value, 2 * index + 1, into: destination)
    }
    if entries.count > 1 {
      emit(.checkKeys, .register(destination), into: destination, at: node)
    }
    return .register(destination)
  }

  private mutating func store(_ node: TypedNode, _ index: Int, into destination: Int)
    throws(CompileFailure)
  {
    try scratch { (compiler: inout Compiler) throws(CompileFailure) in
      let operand = try compiler.value(node)
      compiler.emit(.store, operand, .number(index), into: destination, at: node)
    }
  }
}
