import Diagnostics

/// A piece of a YAML document with its place: what all files a user writes are read into.
package struct YAMLNode: Sendable {
  package enum Style: Sendable { case plain, singleQuoted, doubleQuoted, literal, folded }

  package struct Entry: Sendable {
    package let key: YAMLNode
    package let value: YAMLNode
  }

  package enum Content: Sendable {
    case scalar(String, Style)
    case sequence([YAMLNode])
    /// Keys are scalars, each text once, in the order of the file.
    case mapping([Entry])
  }

  package let content: Content
  /// From the first to the last byte that belongs to it; of a block collection, of its entries.
  package let span: SourceSpan
  /// Nodes in it, itself included.
  let size: Int

  /// What messages call a node of this kind: `a text`, `a list`, `a map`.
  package var kindText: String {
    switch content {
    case .sequence: return "a list"
    case .mapping: return "a map"
    case .scalar:
      switch scalar {
      case .null: return "nothing"
      case .bool: return "a boolean"
      case .int, .float: return "a number"
      default: return "a text"
      }
    }
  }

  /// The entries of a mapping, none of anything else.
  package var entries: [Entry] { if case .mapping(let entries) = content { entries } else { [] } }

  /// The text of a scalar, whatever it looks like.
  package var text: String? { if case .scalar(let text, _) = content { text } else { nil } }

  package subscript(key: String) -> YAMLNode? { entries.first { $0.key.text == key }?.value }
}

/// A scalar's value by YAML 1.2's core schema: what is quoted or a block is text, and so is what is
/// plain and looks like nothing else. `yes`, `on`, `1_000` and dates are text.
package enum YAMLScalar: Sendable, Hashable {
  case null
  case bool(Bool)
  /// The text of the number as it stands in the file, without loss.
  case int(String)
  case float(String)
  case text(String)
}

extension YAMLNode {
  /// Nil for lists and maps.
  package var scalar: YAMLScalar? {
    guard case .scalar(let text, let style) = content else { return nil }
    if style != .plain { return .text(text) }
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan",
      ".NaN", ".NAN":
      return .float(text)
    default: return YAMLNode.number(text) ?? .text(text)
    }
  }

  /// `[-+]?[0-9]+`, `0o[0-7]+`, `0x[0-9a-fA-F]+`, or
  /// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
  private static func number(_ text: String) -> YAMLScalar? {
    var rest = Substring(text)
    if rest.hasPrefix("0o"), rest.count > 2 {
      return rest.dropFirst(2).allSatisfy { ("0"..."7").contains($0) } ? .int(text) : nil
    }
    if rest.hasPrefix("0x"), rest.count > 2 {
      return rest.dropFirst(2).allSatisfy(\.isHexDigit) ? .int(text) : nil
    }
    if rest.first == "-" || rest.first == "+" { rest.removeFirst() }
    let whole = digits(&rest)
    if rest.isEmpty { return whole > 0 ? .int(text) : nil }
    var fraction = 0
    if rest.first == "." {
      rest.removeFirst()
      fraction = digits(&rest)
    }
    if whole + fraction == 0 { return nil }
    if rest.first == "e" || rest.first == "E" {
      rest.removeFirst()
      if rest.first == "-" || rest.first == "+" { rest.removeFirst() }
      if digits(&rest) == 0 { return nil }
    }
    return rest.isEmpty ? .float(text) : nil
  }

  private static func digits(_ rest: inout Substring) -> Int {
    let count = rest.prefix { ("0"..."9").contains($0) }.count
    rest = rest.dropFirst(count)
    return count
  }
}
