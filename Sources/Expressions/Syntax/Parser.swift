import Diagnostics

/// Says that a problem was reported and reading cannot go on.
struct SyntaxFailure: Error {}

/// Recursive descent over the words of one expression or block, after the grammar of the CEL
/// specification. The first problem of an expression ends it.
struct Parser {
  let source: SourceText
  private let tokens: [Token]
  private var position = 0
  private var nesting = 0
  private var nodes = 0
  /// In a block, where the assignment that is being read begins.
  private var assignmentStart: Int?
  private(set) var diagnostics: [Diagnostic] = []

  init(_ span: SourceSpan) {
    source = span.source
    if span.range.count > ExpressionLimit.bytesMax {
      tokens = [
        Token(kind: .invalid, range: span.range, beginsLine: true),
        Token(
          kind: .end, range: span.range.upperBound..<span.range.upperBound, beginsLine: false),
      ]
      diagnostics.append(
        Diagnostic(
          .expressionLimit,
          "an expression or block is at most \(ExpressionLimit.bytesMax / 1024) KiB",
          at: SourceSpan(source, span.range.prefix(1))))
    } else {
      tokens = Lexer.tokens(of: span, into: &diagnostics)
    }
  }

  var current: Token { tokens[position] }
  var following: Token { tokens[min(position + 1, tokens.count - 1)] }
  var previous: Token { tokens[max(position - 1, 0)] }
  var isAtEnd: Bool { current.kind == .end }
  /// Where the word before the current one ended.
  var previousEnd: Int {
    position == 0 ? current.range.lowerBound : tokens[position - 1].range.upperBound
  }

  mutating func advance() { if position < tokens.count - 1 { position += 1 } }

  func text(_ token: Token) -> String {
    String(decoding: source.bytes[token.range], as: UTF8.self)
  }

  mutating func take(_ kind: Token.Kind) -> Bool {
    if current.kind != kind { return false }
    advance()
    return true
  }

  mutating func report(
    _ code: DiagnosticCode, _ message: String, _ range: Range<Int>, label: String? = nil,
    help: String? = nil
  ) {
    diagnostics.append(
      Diagnostic(code, message, at: SourceSpan(source, range), label: label, help: help))
  }

  /// Whether the current word is on a line that is none of the assignment's any more: the next one
  /// begins there, as `name =` and `...` can stand inside no expression, or nothing comes.
  var isPastLine: Bool {
    guard let assignmentStart, position > assignmentStart else { return false }
    if isAtEnd { return true }
    if !current.beginsLine { return false }
    switch current.kind {
    case .spread: return true
    case .name, .quotedName: return following.kind == .assign
    default: return false
    }
  }

  /// Reports that something else should stand here, unless the word itself was already reported.
  mutating func expected(_ what: String, help: String? = nil) -> SyntaxFailure {
    if current.kind == .invalid { return SyntaxFailure() }
    if isPastLine {
      // What is missing is missing on the line above: its last word is shown.
      report(
        .syntax, "expected \(what), found the end of the line",
        previous.range, label: "this line is not complete", help: help)
      return SyntaxFailure()
    }
    let found = isAtEnd ? "the end" : "`\(text(current))`"
    report(.syntax, "expected \(what), found \(found)", current.range, help: help)
    return SyntaxFailure()
  }

  func isKeyword(_ token: Token, _ keyword: String) -> Bool {
    token.kind == .name && text(token) == keyword
  }

  mutating func make(_ kind: SyntaxNode.Kind, _ range: Range<Int>, over children: SyntaxNode...)
    throws(SyntaxFailure) -> SyntaxNode
  {
    try make(kind, range, over: children)
  }

  mutating func make(_ kind: SyntaxNode.Kind, _ range: Range<Int>, over children: [SyntaxNode])
    throws(SyntaxFailure) -> SyntaxNode
  {
    let height = 1 + (children.map(\.height).max() ?? 0)
    nodes += 1
    if height > ExpressionLimit.heightMax {
      throw tooDeep(range)
    }
    if nodes > ExpressionLimit.nodesMax {
      report(
        .expressionLimit, "an expression has at most \(ExpressionLimit.nodesMax) parts",
        range.suffix(1))
      throw SyntaxFailure()
    }
    return SyntaxNode(kind: kind, range: range, height: height)
  }

  private mutating func tooDeep(_ range: Range<Int>) -> SyntaxFailure {
    report(
      .expressionLimit, "this expression is nested too deeply", range.suffix(1),
      help: "give parts of it names with `let`")
    return SyntaxFailure()
  }

  /// Runs `body` one level deeper; bounds the stack.
  mutating func deeper(_ body: (inout Parser) throws(SyntaxFailure) -> SyntaxNode)
    throws(SyntaxFailure) -> SyntaxNode
  {
    if nesting >= ExpressionLimit.nestingMax { throw tooDeep(current.range) }
    nesting += 1
    defer { nesting -= 1 }
    return try body(&self)
  }

  /// Begins to read an assignment of a block at the current word: it has nodes of its own, and ends
  /// where the next one begins.
  mutating func beginAssignment() {
    nodes = 0
    assignmentStart = position
  }

  /// A whole expression that ends at the end of the span.
  mutating func whole() -> SyntaxNode? {
    guard let node = try? expression() else { return nil }
    if isAtEnd { return node }
    _ = expected("an operator or the end", help: current.kind == .assign ? "`==` compares" : nil)
    return nil
  }
}
