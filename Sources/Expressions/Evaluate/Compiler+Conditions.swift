extension Compiler {
  /// Code that goes to `target` when `node` is `sense`, and on otherwise.
  mutating func condition(_ node: TypedNode, jumpWhen sense: Bool, to target: Label)
    throws(CompileFailure)
  {
    try scratch { (compiler: inout Compiler) throws(CompileFailure) in
      switch node.kind {
      case .and(let left, let right):
        try compiler.logic(left, right, absorbing: false, node, sense, target)
      case .or(let left, let right):
        try compiler.logic(left, right, absorbing: true, node, sense, target)
      case .has(let field):
        let operand = try compiler.value(field)
        compiler.jump(.testPresent, operand, .none, .yes, node, sense, target)
      case .conditional(let test, let first, let second):
        let otherwise = compiler.label()
        let end = compiler.label()
        try compiler.condition(test, jumpWhen: false, to: otherwise)
        try compiler.condition(first, jumpWhen: sense, to: target)
        compiler.emit(.jump, to: end, at: node)
        compiler.place(otherwise)
        try compiler.condition(second, jumpWhen: sense, to: target)
        compiler.place(end)
      case .loop(let loop) where loop.asks:
        try compiler.question(loop, node, sense, target)
      case .call(let overload, let arguments) where overload.asks:
        guard case .condition(let opcode, let outcomes) = overload.emission else {
          return try compiler.order(overload, arguments, node, sense, target)
        }
        if opcode == .testBool {
          try compiler.condition(
            arguments[0], jumpWhen: outcomes == .yes ? sense : !sense, to: target)
          return
        }
        let a = try compiler.value(arguments[0])
        let b = arguments.count > 1 ? try compiler.value(arguments[1]) : Operand.none
        compiler.jump(opcode, a, b, outcomes, node, sense, target)
      default:
        let operand = try compiler.value(node)
        compiler.jump(.testBool, operand, .none, .yes, node, sense, target)
      }
    }
  }

  /// The order of two mixed values is found first, as that can fail.
  private mutating func order(
    _ overload: Overload, _ arguments: [TypedNode], _ node: TypedNode, _ sense: Bool,
    _ target: Label
  ) throws(CompileFailure) {
    guard case .order(let outcomes) = overload.emission else { return }
    let outcome = try mixed(.orderMixed, arguments, node)
    jump(.testOutcome, outcome, .none, outcomes, node, sense, target)
  }

  private mutating func jump(
    _ opcode: Opcode, _ a: Operand, _ b: Operand, _ outcomes: Outcomes, _ node: TypedNode,
    _ sense: Bool, _ target: Label
  ) {
    emit(opcode, a, b, outcomes: sense ? outcomes : outcomes.inverted, to: target, at: node)
  }

  /// `&&` (`absorbing` false) and `||` (true): either side being `absorbing` decides, even when
  /// the other fails.
  private mutating func logic(
    _ left: TypedNode, _ right: TypedNode, absorbing: Bool, _ node: TypedNode, _ sense: Bool,
    _ target: Label
  ) throws(CompileFailure) {
    let end = label()
    let decided = sense == absorbing ? target : end
    if !left.mayFail(rechecking: isRechecking) {
      // Once the left side has a value, the right side's failure is the failure of all.
      try condition(left, jumpWhen: absorbing, to: decided)
      try condition(right, jumpWhen: sense, to: target)
      place(end)
      return
    }
    let outer = handler
    let wasRechecking = isRechecking
    let failed = register()
    let leftFailed = label()
    let rightFailed = label()
    let second = label()
    emit(.move, constant(.absent), into: failed, at: node)
    handler = leftFailed
    try condition(left, jumpWhen: absorbing, to: decided)
    place(second)
    handler = rightFailed
    isRechecking = true
    let rightMayFail = right.mayFail(rechecking: true)
    try condition(right, jumpWhen: absorbing, to: decided)
    handler = outer
    isRechecking = wasRechecking
    emit(.rethrow, .register(failed), into: failed, at: node)
    emit(.jump, to: sense == absorbing ? end : target, at: node)
    place(leftFailed)
    emit(.land, into: failed, at: node)
    emit(.jump, to: second, at: node)
    place(rightFailed)
    if rightMayFail {
      let other = register()
      emit(.land, into: other, at: node)
      emit(.rethrow, .register(failed), into: failed, at: node)
      emit(.rethrow, .register(other), into: other, at: node)
    }
    place(end)
  }
}
