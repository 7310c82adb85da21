import Diagnostics

/// One line of a block: `name = expression`, perhaps with `if condition` behind it; or `delete if
/// condition`.
package struct Assignment: Sendable {
  /// What is set; of `...row` the name behind the dots.
  package let name: String
  package let nameSpan: SourceSpan
  /// `...row`: every field of the named variable. Then ``value`` is that variable.
  package let isSpread: Bool
  /// The key in `name[key] = …`.
  package let mapKey: ParsedExpression?
  package let value: ParsedExpression
  /// Behind a trailing `if`.
  package let condition: ParsedExpression?
  /// `delete if …`: it sets nothing, and ``value`` is the condition.
  package let isDelete: Bool

  /// Whether it is `name = expression` and nothing more.
  package var isPlain: Bool { !isSpread && !isDelete && mapKey == nil && condition == nil }
}

/// A block of lines `name = expression`. An expression goes on over line breaks until a line
/// begins the next assignment.
package struct AssignmentBlock: Sendable {
  /// Those that could be read.
  package private(set) var assignments: [Assignment] = []
  /// What the others would have set, so that nobody calls it missing as well.
  package private(set) var brokenNames: Set<String> = []
  /// Whether of a broken line not even the name is known: it may have set anything.
  package private(set) var hasNameless = false

  /// Whether every line could be read.
  package var isWhole: Bool { brokenNames.isEmpty && !hasNameless }

  /// A block without lines.
  package init() {}

  /// Reads `span`; all problems go to `diagnostics`. A name that is set twice is one of them
  /// (`name[key]` may repeat).
  package init(parsing span: SourceSpan, into diagnostics: inout [Diagnostic]) {
    var parser = Parser(span)
    var read: [Assignment] = []
    while !parser.isAtEnd {
      parser.beginAssignment()
      let first = parser.current
      do throws(SyntaxFailure) {
        let assignment = try parser.assignment()
        if !parser.isAtEnd && !parser.current.beginsLine {
          throw parser.expected(
            "an operator or the next line",
            help: parser.current.kind == .assign ? "`==` compares" : nil)
        }
        read.append(assignment)
      } catch {
        if first.kind == .name || first.kind == .quotedName {
          brokenNames.insert(parser.name(first).text)
        } else {
          hasNameless = true
        }
        parser.skipToNextAssignment(from: first)
      }
    }
    diagnostics += parser.diagnostics
    assignments = AssignmentBlock.unique(read, into: &diagnostics)
  }

  private static func unique(_ assignments: [Assignment], into diagnostics: inout [Diagnostic])
    -> [Assignment]
  {
    var first: [String: SourceSpan] = [:]
    return assignments.filter { assignment in
      if assignment.isSpread || assignment.mapKey != nil { return true }
      let name = assignment.isDelete ? "delete if" : assignment.name
      guard let earlier = first[name] else {
        first[name] = assignment.nameSpan
        return true
      }
      let verb = assignment.isDelete ? "said" : "set"
      let line = earlier.source.place(of: earlier.range.lowerBound).line
      diagnostics.append(
        Diagnostic(
          .repeatedAssignment, "`\(name)` is \(verb) twice", at: assignment.nameSpan,
          label: "\(verb) before in line \(line)",
          help: assignment.isDelete ? "join the two by `||`" : "keep one of the two lines"))
      return false
    }
  }
}

extension Parser {
  mutating func assignment() throws(SyntaxFailure) -> Assignment {
    if take(.spread) { return try spread() }
    let target = current
    guard target.kind == .name || target.kind == .quotedName else {
      throw expected("a line `name = expression`")
    }
    let name = name(target)
    if Parser.reserved.contains(name.text) && target.kind == .name {
      throw expected("a name to set", help: "`\(name.text)` is a reserved word")
    }
    advance()
    if isDelete(target), isKeyword(current, "if") { return try deletion(name) }
    var key: ParsedExpression?
    if take(.openBracket) {
      key = ParsedExpression(try expression(), in: source)
      if !take(.closeBracket) { throw expected("`]`") }
    }
    if !take(.assign) {
      throw expected(
        "`=` behind `\(name.text)`", help: current.kind == .equal ? "one `=` sets" : nil)
    }
    let value = try expression()
    var condition: ParsedExpression?
    if isKeyword(current, "if") {
      advance()
      condition = ParsedExpression(try expression(), in: source)
    }
    return Assignment(
      name: name.text, nameSpan: SourceSpan(source, name.range), isSpread: false, mapKey: key,
      value: ParsedExpression(value, in: source), condition: condition, isDelete: false)
  }

  private func isDelete(_ token: Token) -> Bool { isKeyword(token, "delete") }

  private mutating func deletion(_ name: SyntaxNode.Name) throws(SyntaxFailure) -> Assignment {
    advance()
    let condition = ParsedExpression(try expression(), in: source)
    return Assignment(
      name: name.text, nameSpan: SourceSpan(source, name.range), isSpread: false, mapKey: nil,
      value: condition, condition: nil, isDelete: true)
  }

  private mutating func spread() throws(SyntaxFailure) -> Assignment {
    let token = current
    guard token.kind == .name else { throw expected("a variable behind `...`") }
    let name = name(token)
    advance()
    let node = try make(.name(name.text), name.range)
    return Assignment(
      name: name.text, nameSpan: SourceSpan(source, name.range), isSpread: true, mapKey: nil,
      value: ParsedExpression(node, in: source), condition: nil, isDelete: false)
  }

  /// Goes on at the next line that looks like the beginning of an assignment, behind `first`.
  mutating func skipToNextAssignment(from first: Token) {
    if current.range == first.range { advance() }
    while !isAtEnd {
      if current.beginsLine {
        if current.kind == .spread { return }
        if current.kind == .name || current.kind == .quotedName {
          if following.kind == .assign || following.kind == .openBracket { return }
          if isDelete(current) && isKeyword(following, "if") { return }
        }
      }
      advance()
    }
  }
}
