import Diagnostics
import Formats
import Product

/// Whether a value is as a test expects it: fields left out are not compared, null is absent,
/// numbers are compared by their value.
enum ValueMatch {
  struct Difference {
    let what: String
    let label: String
    let span: SourceSpan
  }

  static func matches(_ wanted: ExpectedValue, _ found: JSONValue) -> Bool {
    difference(wanted, found) == nil
  }

  /// The first thing that differs; `path` is where it is.
  static func difference(
    _ wanted: ExpectedValue, _ found: JSONValue?, path: String = ""
  ) -> Difference? {
    func differs() -> Difference {
      let name = path.isEmpty ? "the value" : "`\(path)`"
      let shown = found.map { $0 == .null ? "absent" : "\($0)" } ?? "absent"
      return Difference(
        what: "\(name) is \(shown)", label: "expected \(text(wanted))", span: wanted.span)
    }
    switch (wanted.content, found ?? .null) {
    case (.null, .null): return nil
    case (.bool(let left), .bool(let right)): return left == right ? nil : differs()
    case (.string(let left), .string(let right)): return left == right ? nil : differs()
    case (.number(let left), .number(let right)):
      return DecimalText(left) == DecimalText(right) ? nil : differs()
    case (.list(let left), .array(let right)):
      if left.count != right.count { return differs() }
      for (index, item) in left.enumerated() {
        if let inner = difference(item, right[index], path: "\(path)[\(index)]") { return inner }
      }
      return nil
    case (.object(let members), .object):
      for member in members {
        let name = path.isEmpty ? member.name : "\(path).\(member.name)"
        if let inner = difference(member.value, found?[member.name], path: name) { return inner }
      }
      return nil
    default: return differs()
    }
  }

  /// How many fields are as expected: which record was probably meant.
  static func fit(_ wanted: ExpectedValue, _ found: JSONValue) -> Int {
    guard case .object(let members) = wanted.content else { return matches(wanted, found) ? 1 : 0 }
    return members.count { difference($0.value, found[$0.name]) == nil }
  }

  private static func text(_ value: ExpectedValue) -> String {
    switch value.content {
    case .null: "nothing"
    case .bool(let flag): flag ? "true" : "false"
    case .number(let text): text
    case .string(let text): JSONText.string(text)
    case .list(let items): "a list of \(items.count)"
    case .object: "an object"
    }
  }
}

/// A number's text as sign, digits and exponent, so that `12.5`, `12.50` and `1.25e1` are one.
struct DecimalText: Hashable {
  private var isNegative = false
  private var digits: [UInt8] = []
  private var exponent = 0

  init(_ text: String) {
    var isFraction = false
    var rest = Substring(text)
    if let sign = rest.first, sign == "-" || sign == "+" {
      isNegative = sign == "-"
      rest.removeFirst()
    }
    while let character = rest.popFirst() {
      if character == "." {
        isFraction = true
      } else if character == "e" || character == "E" {
        exponent += Int(rest) ?? 0
        break
      } else {
        digits.append(character.asciiValue ?? 0)
        if isFraction { exponent -= 1 }
      }
    }
    while digits.last == UInt8(ascii: "0") {
      digits.removeLast()
      exponent += 1
    }
    digits = Array(digits.drop { $0 == UInt8(ascii: "0") })
    if digits.isEmpty {
      isNegative = false
      exponent = 0
    }
  }
}
