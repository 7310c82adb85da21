import Diagnostics

/// Splits a stretch of source into words. White space and `//` comments go.
struct Lexer {
  let source: SourceText
  private let end: Int
  private var index: Int
  private(set) var diagnostics: [Diagnostic] = []

  init(_ span: SourceSpan) {
    source = span.source
    index = span.range.lowerBound
    end = min(span.range.upperBound, span.source.bytes.count)
  }

  /// All words; the last is `end`.
  static func tokens(of span: SourceSpan, into diagnostics: inout [Diagnostic]) -> [Token] {
    var lexer = Lexer(span)
    var tokens: [Token] = []
    repeat { tokens.append(lexer.next()) } while tokens.last?.kind != .end
    diagnostics += lexer.diagnostics
    return tokens
  }

  private func byte(_ offset: Int = 0) -> UInt8 {
    index + offset < end ? source.bytes[index + offset] : 0
  }

  private mutating func next() -> Token {
    let beginsLine = skipBlanks()
    let start = index
    if index >= end { return Token(kind: .end, range: end..<end, beginsLine: beginsLine) }
    let kind = word()
    return Token(kind: kind, range: start..<index, beginsLine: beginsLine)
  }

  /// True when a line break, or the beginning, was passed.
  private mutating func skipBlanks() -> Bool {
    var beginsLine = source.bytes[..<index].last == 0x0A || index == 0
    while index < end {
      switch byte() {
      case 0x0A:
        beginsLine = true
        index += 1
      case 0x20, 0x09, 0x0D, 0x0C: index += 1
      case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "/"):
        while index < end && byte() != 0x0A { index += 1 }
      default: return beginsLine
      }
    }
    return beginsLine
  }

  private mutating func word() -> Token.Kind {
    let first = byte()
    if isLetter(first) {
      if let kind = quotedAfterPrefix() { return kind }
      while index < end && (isLetter(byte()) || isDigit(byte())) { index += 1 }
      return .name
    }
    if isDigit(first) || (first == UInt8(ascii: ".") && isDigit(byte(1))) { return number() }
    if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") {
      return quoted(raw: false) ? .string : .invalid
    }
    if first == UInt8(ascii: "`") { return backquoted() }
    return punctuation()
  }

  private mutating func punctuation() -> Token.Kind {
    if byte() == UInt8(ascii: "."), byte(1) == UInt8(ascii: "."), byte(2) == UInt8(ascii: ".") {
      index += 3
      return .spread
    }
    let first = Character(Unicode.Scalar(byte()))
    let second = Character(Unicode.Scalar(byte(1)))
    let pair: Token.Kind? =
      switch (first, second) {
      case ("&", "&"): .and
      case ("|", "|"): .or
      case ("=", "="): .equal
      case ("!", "="): .notEqual
      case ("<", "="): .lessEqual
      case (">", "="): .greaterEqual
      default: nil
      }
    if let pair {
      index += 2
      return pair
    }
    guard let single = Lexer.singles[first] else { return unknown() }
    index += 1
    return single
  }

  private static let singles: [Character: Token.Kind] = [
    ".": .dot, ",": .comma, ":": .colon, "?": .question, "(": .openParenthesis,
    ")": .closeParenthesis, "[": .openBracket, "]": .closeBracket, "{": .openBrace,
    "}": .closeBrace, "+": .plus, "-": .minus, "*": .star, "/": .slash, "%": .percent, "!": .not,
    "<": .less, ">": .greater, "=": .assign,
  ]

  private mutating func unknown() -> Token.Kind {
    let start = index
    let first = byte()
    index += 1
    while index < end && byte() & 0xC0 == 0x80 { index += 1 }
    let text = String(decoding: source.bytes[start..<index], as: UTF8.self)
    let help: String? =
      switch text {
      case "#": "comments begin with `//`"
      case "&": "write `&&`"
      case "|": "write `||`"
      default: first >= 0x80 ? "names are made of letters a to z, digits and `_`" : nil
      }
    report(.syntax, "`\(text)` has no meaning here", start..<index, help: help)
    return .invalid
  }

  private mutating func report(
    _ code: DiagnosticCode, _ message: String, _ range: Range<Int>, help: String? = nil
  ) {
    diagnostics.append(Diagnostic(code, message, at: SourceSpan(source, range), help: help))
  }
}

extension Lexer {
  private mutating func number() -> Token.Kind {
    let start = index
    if byte() == UInt8(ascii: "0") && byte(1) | 0x20 == UInt8(ascii: "x") && isHexDigit(byte(2)) {
      index += 2
      while isHexDigit(byte()) { index += 1 }
      return integerSuffix(start)
    }
    while isDigit(byte()) { index += 1 }
    var kind = Token.Kind.int
    if byte() == UInt8(ascii: ".") && isDigit(byte(1)) {
      kind = .double
      index += 1
      while isDigit(byte()) { index += 1 }
    }
    if byte() | 0x20 == UInt8(ascii: "e") {
      let sign = byte(1) == UInt8(ascii: "+") || byte(1) == UInt8(ascii: "-") ? 1 : 0
      if isDigit(byte(1 + sign)) {
        kind = .double
        index += 1 + sign
        while isDigit(byte()) { index += 1 }
      }
    }
    return kind == .int ? integerSuffix(start) : glued(start, kind)
  }

  private mutating func integerSuffix(_ start: Int) -> Token.Kind {
    if byte() | 0x20 == UInt8(ascii: "u") {
      index += 1
      return glued(start, .uint)
    }
    return glued(start, .int)
  }

  /// Refuses letters that stick to a number.
  private mutating func glued(_ start: Int, _ kind: Token.Kind) -> Token.Kind {
    if !isLetter(byte()) { return kind }
    while isLetter(byte()) || isDigit(byte()) { index += 1 }
    let text = String(decoding: source.bytes[start..<index], as: UTF8.self)
    report(.badLiteral, "`\(text)` is no number", start..<index)
    return .invalid
  }

  /// `r"…"`, `b"…"`, `br"…"`, `rb"…"`; nil when what follows the letters is no quote.
  private mutating func quotedAfterPrefix() -> Token.Kind? {
    var raw = false
    var bytes = false
    var length = 0
    while length < 2 {
      let letter = byte(length) | 0x20
      if letter == UInt8(ascii: "r") && !raw {
        raw = true
      } else if letter == UInt8(ascii: "b") && !bytes {
        bytes = true
      } else {
        break
      }
      length += 1
    }
    let quote = byte(length)
    guard length > 0, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else { return nil }
    index += length
    return quoted(raw: raw) ? (bytes ? .bytes : .string) : .invalid
  }

  /// Passes a string literal from its opening quote; false when it is not closed.
  private mutating func quoted(raw: Bool) -> Bool {
    let start = index
    let quote = byte()
    let triple = byte(1) == quote && byte(2) == quote
    index += triple ? 3 : 1
    while index < end {
      let current = byte()
      if current == quote && (!triple || (byte(1) == quote && byte(2) == quote)) {
        index += triple ? 3 : 1
        return true
      }
      if !triple && (current == 0x0A || current == 0x0D) { break }
      index += current == UInt8(ascii: "\\") && !raw ? 2 : 1
    }
    index = min(index, end)
    report(.syntax, "this text has no closing quote", start..<start + (triple ? 3 : 1))
    return false
  }

  private mutating func backquoted() -> Token.Kind {
    let start = index
    index += 1
    while index < end && byte() != UInt8(ascii: "`") && byte() != 0x0A { index += 1 }
    if byte() != UInt8(ascii: "`") || index == start + 1 {
      report(.syntax, "this name has no closing backtick", start..<start + 1)
      return .invalid
    }
    index += 1
    return .quotedName
  }
}

func isLetter(_ byte: UInt8) -> Bool {
  byte == UInt8(ascii: "_")
    || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
}
func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
func isHexDigit(_ byte: UInt8) -> Bool { hexValue(byte) != nil }

func hexValue(_ byte: UInt8) -> UInt32? {
  if isDigit(byte) { return UInt32(byte - 0x30) }
  let lower = byte | 0x20
  if lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "f") { return UInt32(lower - 0x61 + 10) }
  return nil
}
