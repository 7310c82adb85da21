/// One node of the syntax tree, as written. Ranges are bytes of the source.
struct SyntaxNode: Sendable {
  struct Name: Sendable {
    let text: String
    let range: Range<Int>

    /// An operator's function is named after CEL's own tables: `_+_`, `!_`, `@in`.
    var isOperator: Bool {
      !text.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: ".") }
    }
    /// What the user wrote of an operator.
    var symbol: String {
      text == "@in"
        ? "in" : String(text.drop { $0 == "_" }.reversed().drop { $0 == "_" }.reversed())
    }
  }
  struct Item: Sendable {
    /// `[?x]`: left out when `x` is absent.
    let isOptional: Bool
    let value: SyntaxNode
  }
  struct Entry: Sendable {
    let isOptional: Bool
    let key: SyntaxNode
    let value: SyntaxNode
  }

  indirect enum Kind: Sendable {
    case literal(Constant)
    case name(String)
    /// `base.field`, `base.?field`.
    case select(SyntaxNode, Name, isOptional: Bool)
    /// `name(…)`, `receiver.name(…)`; an operator is a call of `_+_` and the like.
    case call(Name, receiver: SyntaxNode?, [SyntaxNode])
    /// `base[index]`, `base[?index]`.
    case index(SyntaxNode, SyntaxNode, isOptional: Bool)
    case and(SyntaxNode, SyntaxNode)
    case or(SyntaxNode, SyntaxNode)
    case conditional(SyntaxNode, SyntaxNode, SyntaxNode)
    case list([Item])
    case map([Entry])
  }

  /// Whether it is made to be true or false: a comparison, or several of them.
  var isTest: Bool {
    switch kind {
    case .and, .or: true
    case .call(let name, _, _):
      ["_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in", "!_"].contains(name.text)
    default: false
    }
  }

  let kind: Kind
  let range: Range<Int>
  /// Of the tree below and including this node.
  let height: Int
}

extension SyntaxNode {
  /// Whether a variable of that name, or one of a macro, stands anywhere in it.
  func mentions(_ variable: String) -> Bool {
    switch kind {
    case .literal: false
    case .name(let name): name == variable
    case .select(let base, _, _): base.mentions(variable)
    case .call(_, let receiver, let arguments):
      receiver?.mentions(variable) ?? false || arguments.contains { $0.mentions(variable) }
    case .index(let left, let right, _), .and(let left, let right), .or(let left, let right):
      left.mentions(variable) || right.mentions(variable)
    case .conditional(let test, let first, let second):
      [test, first, second].contains { $0.mentions(variable) }
    case .list(let items): items.contains { $0.value.mentions(variable) }
    case .map(let entries):
      entries.contains { $0.key.mentions(variable) || $0.value.mentions(variable) }
    }
  }
}
