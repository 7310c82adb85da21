import Diagnostics

extension Parser {
  /// Words that CEL keeps for itself; they may stand behind a dot.
  static let reserved: Set<String> = [
    "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop",
    "package", "namespace", "return", "var", "void", "while", "in",
  ]

  mutating func member() throws(SyntaxFailure) -> SyntaxNode {
    try members(of: primary())
  }

  /// Fields, calls and indexes behind `first`.
  mutating func members(of first: SyntaxNode) throws(SyntaxFailure) -> SyntaxNode {
    var node = first
    while true {
      if take(.dot) {
        let isOptional = take(.question)
        let name = try selector()
        if !isOptional && current.kind == .openParenthesis {
          let arguments = try arguments()
          node = try make(
            .call(name, receiver: node, arguments), node.range.lowerBound..<previousEnd,
            over: [node] + arguments)
        } else {
          node = try make(
            .select(node, name, isOptional: isOptional),
            node.range.lowerBound..<name.range.upperBound, over: node)
        }
      } else if current.kind == .openBracket {
        advance()
        let isOptional = take(.question)
        let index = try expression()
        if !take(.closeBracket) { throw expected("`]`") }
        node = try make(
          .index(node, index, isOptional: isOptional), node.range.lowerBound..<previousEnd,
          over: node, index)
      } else {
        return node
      }
    }
  }

  /// A name behind a dot: reserved words and `quoted names` too.
  private mutating func selector() throws(SyntaxFailure) -> SyntaxNode.Name {
    let token = current
    guard token.kind == .name || token.kind == .quotedName else {
      throw expected("a field or function behind the dot")
    }
    if token.kind == .name && ["in", "true", "false", "null"].contains(text(token)) {
      throw expected("a field or function behind the dot")
    }
    advance()
    return name(token)
  }

  func name(_ token: Token) -> SyntaxNode.Name {
    let text = text(token)
    return SyntaxNode.Name(
      text: token.kind == .quotedName ? String(text.dropFirst().dropLast()) : text,
      range: token.range)
  }

  private mutating func arguments() throws(SyntaxFailure) -> [SyntaxNode] {
    advance()
    var arguments: [SyntaxNode] = []
    if take(.closeParenthesis) { return arguments }
    repeat { arguments.append(try expression()) } while take(.comma)
    if !take(.closeParenthesis) { throw expected("`,` or `)`") }
    return arguments
  }

  private mutating func primary() throws(SyntaxFailure) -> SyntaxNode {
    let token = current
    if isPastLine { throw expected("a value") }
    switch token.kind {
    case .int, .uint, .double:
      return try number(isNegative: false, from: token.range.lowerBound)
    case .string, .bytes: return try quoted()
    case .openParenthesis:
      advance()
      let inner = try expression()
      if !take(.closeParenthesis) { throw expected("`)`") }
      return SyntaxNode(
        kind: inner.kind, range: token.range.lowerBound..<previousEnd, height: inner.height)
    case .openBracket: return try list()
    case .openBrace: return try map()
    case .dot where following.kind == .name:
      advance()
      return try named()
    case .name: return try named()
    default:
      throw expected(
        "a value",
        help: token.kind == .assign ? "`==` compares" : nil)
    }
  }

  private mutating func named() throws(SyntaxFailure) -> SyntaxNode {
    let token = current
    let name = name(token)
    switch name.text {
    case "true", "false":
      advance()
      return try make(.literal(.bool(name.text == "true")), token.range)
    case "null":
      advance()
      return try make(.literal(.null), token.range)
    default:
      if Parser.reserved.contains(name.text) {
        throw expected("a value", help: "`\(name.text)` is a reserved word")
      }
      advance()
      if current.kind == .openParenthesis {
        let arguments = try arguments()
        return try make(
          .call(name, receiver: nil, arguments), token.range.lowerBound..<previousEnd,
          over: arguments)
      }
      if current.kind == .openBrace && !current.beginsLine {
        report(
          .notYet, "messages such as `\(name.text){…}` are not in Weft", token.range,
          help: "an object is a map with constant keys: `{\"field\": value}`")
        throw SyntaxFailure()
      }
      return try make(.name(name.text), token.range)
    }
  }

  mutating func number(isNegative: Bool, from start: Int) throws(SyntaxFailure) -> SyntaxNode {
    let token = current
    let range = start..<token.range.upperBound
    advance()
    let value: Constant
    do throws(LiteralFailure) {
      value =
        token.kind == .double
        ? try Literal.double(text(token), isNegative: isNegative, at: range)
        : try Literal.integer(
          text(token), isUnsigned: token.kind == .uint, isNegative: isNegative, at: range)
    } catch {
      report(.badLiteral, error.message, error.range)
      throw SyntaxFailure()
    }
    return try make(.literal(value), range)
  }

  private mutating func quoted() throws(SyntaxFailure) -> SyntaxNode {
    let token = current
    advance()
    let value: [UInt8]
    do throws(LiteralFailure) {
      value = try Literal.quoted(source.bytes, at: token.range, isBytes: token.kind == .bytes)
    } catch {
      report(.badLiteral, error.message, error.range)
      throw SyntaxFailure()
    }
    return try make(.literal(token.kind == .bytes ? .bytes(value) : .string(value)), token.range)
  }

  private mutating func list() throws(SyntaxFailure) -> SyntaxNode {
    let start = current.range.lowerBound
    advance()
    var items: [SyntaxNode.Item] = []
    while current.kind != .closeBracket {
      let isOptional = take(.question)
      items.append(.init(isOptional: isOptional, value: try expression()))
      if !take(.comma) { break }
    }
    if !take(.closeBracket) { throw expected("`,` or `]`") }
    return try make(.list(items), start..<previousEnd, over: items.map(\.value))
  }

  private mutating func map() throws(SyntaxFailure) -> SyntaxNode {
    let start = current.range.lowerBound
    advance()
    var entries: [SyntaxNode.Entry] = []
    while current.kind != .closeBrace {
      let isOptional = take(.question)
      let key = try expression()
      if !take(.colon) { throw expected("`:` and the value of the key") }
      entries.append(.init(isOptional: isOptional, key: key, value: try expression()))
      if !take(.comma) { break }
    }
    if !take(.closeBrace) { throw expected("`,` or `}`") }
    return try make(
      .map(entries), start..<previousEnd, over: entries.flatMap { [$0.key, $0.value] })
  }
}
