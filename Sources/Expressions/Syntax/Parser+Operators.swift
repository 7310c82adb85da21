extension Parser {
  /// Expr = ConditionalOr ["?" ConditionalOr ":" Expr]
  mutating func expression() throws(SyntaxFailure) -> SyntaxNode {
    try deeper { (parser: inout Parser) throws(SyntaxFailure) in
      let condition = try parser.disjunction()
      if !parser.take(.question) { return condition }
      let first = try parser.disjunction()
      if !parser.take(.colon) { throw parser.expected("`:` and what holds otherwise") }
      let second = try parser.expression()
      return try parser.make(
        .conditional(condition, first, second),
        condition.range.lowerBound..<second.range.upperBound, over: condition, first, second)
    }
  }

  private mutating func disjunction() throws(SyntaxFailure) -> SyntaxNode {
    var left = try conjunction()
    while take(.or) {
      let right = try conjunction()
      left = try make(.or(left, right), span(left, right), over: left, right)
    }
    return left
  }

  private mutating func conjunction() throws(SyntaxFailure) -> SyntaxNode {
    var left = try binary(0)
    while take(.and) {
      let right = try binary(0)
      left = try make(.and(left, right), span(left, right), over: left, right)
    }
    return left
  }

  private func span(_ left: SyntaxNode, _ right: SyntaxNode) -> Range<Int> {
    left.range.lowerBound..<right.range.upperBound
  }

  /// The operators of each level, from relations to factors; all are left-associative.
  private static let levels: [[Token.Kind: String]] = [
    [
      .equal: "_==_", .notEqual: "_!=_", .less: "_<_", .lessEqual: "_<=_", .greater: "_>_",
      .greaterEqual: "_>=_",
    ],
    [.plus: "_+_", .minus: "_-_"],
    [.star: "_*_", .slash: "_/_", .percent: "_%_"],
  ]

  private func operatorName(_ level: Int) -> String? {
    if level == 0 && isKeyword(current, "in") { return "@in" }
    return Parser.levels[level][current.kind]
  }

  private mutating func binary(_ level: Int) throws(SyntaxFailure) -> SyntaxNode {
    if level == Parser.levels.count { return try unary() }
    var left = try binary(level + 1)
    while let name = operatorName(level) {
      let symbol = SyntaxNode.Name(text: name, range: current.range)
      advance()
      let right = try binary(level + 1)
      left = try make(
        .call(symbol, receiver: nil, [left, right]), span(left, right), over: left, right)
    }
    return left
  }

  /// Unary = Member | "!"{"!"} Member | "-"{"-"} Member
  private mutating func unary() throws(SyntaxFailure) -> SyntaxNode {
    let token = current
    guard token.kind == .not || token.kind == .minus else { return try member() }
    return try deeper { (parser: inout Parser) throws(SyntaxFailure) in
      parser.advance()
      let next = parser.current
      if token.kind == .minus && (next.kind == .int || next.kind == .double) {
        // A sign belongs to the literal, or the smallest int could not be written.
        return try parser.members(of: parser.number(isNegative: true, from: token.range.lowerBound))
      }
      let operand = try parser.unary()
      let symbol = SyntaxNode.Name(
        text: token.kind == .not ? "!_" : "-_", range: token.range)
      return try parser.make(
        .call(symbol, receiver: nil, [operand]),
        token.range.lowerBound..<operand.range.upperBound, over: operand)
    }
  }
}

extension Token.Kind: Hashable {}
