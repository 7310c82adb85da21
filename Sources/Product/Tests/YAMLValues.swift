import Diagnostics

/// Turns YAML nodes into values and JSON text. Numbers keep their digits.
struct YAMLValues {
  private(set) var diagnostics: [Diagnostic] = []

  /// Nil when something in it has no JSON form, and that has been said.
  mutating func value(_ node: YAMLNode) -> ExpectedValue? {
    guard let content = content(node) else { return nil }
    return ExpectedValue(content: content, span: node.span)
  }

  private mutating func content(_ node: YAMLNode) -> ExpectedValue.Content? {
    switch node.content {
    case .sequence(let items):
      let values = items.map { value($0) }
      return values.contains { $0 == nil } ? nil : .list(values.compactMap(\.self))
    case .mapping(let entries):
      var members: [(name: String, value: ExpectedValue)] = []
      for entry in entries {
        guard let name = entry.key.text, let value = value(entry.value) else { return nil }
        members.append((name, value))
      }
      return .object(members)
    case .scalar: break
    }
    switch node.scalar {
    case .bool(let flag): return .bool(flag)
    case .text(let text): return .string(text)
    case .int(let text), .float(let text):
      if let number = YAMLValues.number(text) { return .number(number) }
      diagnostics.append(
        Diagnostic(.badValue, "JSON has no number `\(text)`", at: node.span))
      return nil
    default: return .null
    }
  }

  /// The number as JSON writes it; nil of infinities and of what is no number.
  static func number(_ text: String) -> String? {
    if text.hasPrefix("0o") { return Int64(text.dropFirst(2), radix: 8).map(String.init) }
    if text.hasPrefix("0x") { return Int64(text.dropFirst(2), radix: 16).map(String.init) }
    var rest = Substring(text)
    var result = ""
    if rest.first == "-" { result = "-" }
    if rest.first == "-" || rest.first == "+" { rest.removeFirst() }
    let whole = rest.prefix { $0.isNumber }
    rest = rest.dropFirst(whole.count)
    let digits = whole.drop { $0 == "0" }
    result += digits.isEmpty ? "0" : digits
    if rest.first == "." {
      rest.removeFirst()
      let fraction = rest.prefix { $0.isNumber }
      rest = rest.dropFirst(fraction.count)
      if !fraction.isEmpty { result += "." + fraction }
    }
    if rest.isEmpty { return result }
    guard rest.first == "e" || rest.first == "E" else { return nil }
    return result + rest
  }
}

extension ExpectedValue {
  /// As JSON text, without spaces.
  package var json: String {
    switch content {
    case .null: "null"
    case .bool(let flag): flag ? "true" : "false"
    case .number(let text): text
    case .string(let text): JSONText.string(text)
    case .list(let items): JSONText.array(items.map(\.json))
    case .object(let members): JSONText.object(members.map { ($0.name, $0.value.json) })
    }
  }
}

extension YAMLNode {
  /// The node as JSON text, numbers with their digits; nil when something in it has no JSON form.
  package var json: String? {
    var values = YAMLValues()
    return values.value(self)?.json
  }
}
