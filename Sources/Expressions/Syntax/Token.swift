/// A word of the language and where it stands in the source, in bytes.
struct Token {
  enum Kind: Equatable {
    case name, quotedName, int, uint, double, string, bytes
    case spread, assign
    case dot, comma, colon, question, openParenthesis, closeParenthesis, openBracket, closeBracket
    case openBrace, closeBrace
    case plus, minus, star, slash, percent, not, and, or
    case equal, notEqual, less, lessEqual, greater, greaterEqual
    /// What was no word; the lexer has reported it.
    case invalid
    case end
  }

  let kind: Kind
  let range: Range<Int>
  /// Whether it is the first word of its line.
  let beginsLine: Bool
}
