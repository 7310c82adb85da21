/// Macros: loops over lists and maps.
extension Compiler {
  /// Code that goes over a list or map. `each` gets the register that counts the elements, and
  /// where the next one begins.
  mutating func loop(
    _ loop: TypedNode.Loop, at node: TypedNode,
    before: (inout Compiler, Operand) throws(CompileFailure) -> Void,
    each: (inout Compiler, Operand, Label) throws(CompileFailure) -> Void
  ) throws(CompileFailure) {
    let list = try value(loop.range)
    let element = register()
    let counter = register()
    let second = loop.locals.count > 1 ? register() : nil
    try before(&self, list)
    emit(.beginLoop, into: counter, at: node)
    let top = label()
    let end = label()
    place(top)
    let step: Opcode =
      loop.isOverMap
      ? second == nil ? .nextKey : .nextEntry : second == nil ? .nextElement : .nextPair
    emit(step, list, into: element, to: end, at: node)
    let outer = locals
    locals[loop.locals[0]] = .register(element)
    if let second { locals[loop.locals[1]] = .register(second) }
    try scratch { (compiler: inout Compiler) throws(CompileFailure) in
      try each(&compiler, .register(counter), top)
    }
    locals = outer
    emit(.jump, to: top, at: node)
    place(end)
  }

  /// `map` of all elements: each has its place.
  mutating func mapped(_ loop: TypedNode.Loop, _ node: TypedNode) throws(CompileFailure) -> Operand
  {
    let destination = register()
    try scratch { (compiler: inout Compiler) throws(CompileFailure) in
      try compiler.loop(loop, at: node) {
        (compiler: inout Compiler, list: Operand) throws(CompileFailure) in
        compiler.emit(.makeListLike, list, into: destination, at: node)
      } each: { (compiler: inout Compiler, counter: Operand, _: Label) throws(CompileFailure) in
        let element = try compiler.value(loop.body)
        compiler.emit(.storeCounted, element, counter, into: destination, at: node)
      }
    }
    return .register(destination)
  }

  /// `filter`, and `map` with a filter: a list as long as the range, cut to what was put into it.
  mutating func chosen(_ loop: TypedNode.Loop, _ node: TypedNode) throws(CompileFailure) -> Operand
  {
    let destination = register()
    try scratch { (compiler: inout Compiler) throws(CompileFailure) in
      let kept = compiler.register()
      let list = Operand.register(destination)
      try compiler.loop(loop, at: node) {
        (compiler: inout Compiler, range: Operand) throws(CompileFailure) in
        compiler.emit(.makeListLike, range, into: destination, at: node)
        compiler.emit(.beginLoop, into: kept, at: node)
      } each: { (compiler: inout Compiler, _: Operand, next: Label) throws(CompileFailure) in
        try compiler.condition(loop.filter ?? loop.body, jumpWhen: false, to: next)
        let element =
          loop.filter == nil
          ? compiler.locals[loop.locals[0]] ?? .none : try compiler.value(loop.body)
        compiler.emit(.storeNext, element, list, into: kept, at: node)
      }
      compiler.emit(.trimList, list, .register(kept), into: destination, at: node)
    }
    return .register(destination)
  }

  /// `all`, `exists` and `exists_one` as conditions.
  mutating func question(
    _ loop: TypedNode.Loop, _ node: TypedNode, _ sense: Bool, _ target: Label
  ) throws(CompileFailure) {
    if loop.kind != .existsOne { return try quantifier(loop, node, sense, target) }
    let count = register()
    emit(.beginLoop, into: count, at: node)
    try self.loop(loop, at: node) {
      (_: inout Compiler, _: Operand) throws(CompileFailure) in
    } each: { (compiler: inout Compiler, _: Operand, next: Label) throws(CompileFailure) in
      try compiler.condition(loop.body, jumpWhen: false, to: next)
      let one = compiler.constant(.value(.int(1)))
      compiler.emit(.addInt, .register(count), one, into: count, at: node)
    }
    emit(
      .compareInt, .register(count), constant(.value(.int(1))),
      outcomes: sense ? .equal : .notEqual, to: target, at: node)
  }

  /// An element that is false decides `all`, one that is true `exists`, also when another failed.
  private mutating func quantifier(
    _ loop: TypedNode.Loop, _ node: TypedNode, _ sense: Bool, _ target: Label
  ) throws(CompileFailure) {
    let isAll = loop.kind == .all
    let end = label()
    let decided = sense == isAll ? end : target
    let mayFail = loop.body.mayFail(rechecking: isRechecking)
    let failed = register()
    if mayFail { emit(.move, constant(.absent), into: failed, at: node) }
    try self.loop(loop, at: node) {
      (_: inout Compiler, _: Operand) throws(CompileFailure) in
    } each: { (compiler: inout Compiler, _: Operand, next: Label) throws(CompileFailure) in
      let outer = compiler.handler
      let landing = compiler.label()
      if mayFail { compiler.handler = landing }
      try compiler.condition(loop.body, jumpWhen: !isAll, to: decided)
      compiler.handler = outer
      if mayFail {
        compiler.emit(.jump, to: next, at: node)
        compiler.place(landing)
        compiler.emit(.land, into: failed, at: node)
      }
    }
    if mayFail { emit(.rethrow, .register(failed), into: failed, at: node) }
    if sense == isAll { emit(.jump, to: target, at: node) }
    place(end)
  }
}
