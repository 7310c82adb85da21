import Diagnostics

@testable import Expressions

/// What the tests of expressions share.
enum Sample {
  static let item = ObjectType(
    name: "Item",
    fields: [
      .init("sku", .string, isRequired: true), .init("qty", .int, isRequired: true),
      .init("price", .decimal, isRequired: true), .init("discount", .decimal, isRequired: false),
    ])
  static let customer = ObjectType(
    name: "Customer",
    fields: [
      .init("id", .string, isRequired: true), .init("country", .string, isRequired: false),
    ])
  static let event = ObjectType(
    name: "ClaimTransaction",
    fields: [
      .init("eventId", .string, isRequired: true), .init("kind", .string, isRequired: true),
      .init("amount", .decimal, isRequired: false), .init("payment", .decimal, isRequired: false),
      .init("lines", .int, isRequired: true), .init("count", .uint, isRequired: true),
      .init("rate", .double, isRequired: true), .init("paid", .bool, isRequired: true),
      .init("note", .string, isRequired: false), .init("at", .timestamp, isRequired: true),
      .init("born", .date, isRequired: true), .init("extra", .dyn, isRequired: false),
      .init("customer", .object(customer), isRequired: true),
      .init("payer", .object(customer), isRequired: false),
      .init("items", .list(.object(item)), isRequired: true),
      .init("tags", .list(.string), isRequired: false),
    ])
  static let scope: Scope = {
    var scope = Scope(variables)
    scope.pseudonymKey = Array("a key of the tests".utf8)
    return scope
  }()
  private static let variables: [Scope.Variable] = [
    .init("event", .object(event)), .init("key", .string),
    .init("named", .string, isRequired: false),
    .init(
      "row",
      .object(
        ObjectType(
          name: "row",
          fields: [
            .init("labs", .map(key: .string, value: .object(customer)), isRequired: true)
          ]))),
  ]

  static func span(_ text: String) -> SourceSpan {
    let source = SourceText(name: "expression", bytes: Array(text.utf8))
    return SourceSpan(source, 0..<source.bytes.count)
  }

  static func check(
    _ text: String, expecting: ValueType? = nil, allowsOptional: Bool = true,
    known: Set<FieldPath> = []
  ) -> (CheckedExpression?, [Diagnostic]) {
    var diagnostics: [Diagnostic] = []
    guard let parsed = ParsedExpression.parse(span(text), into: &diagnostics) else {
      return (nil, diagnostics)
    }
    var scope = scope
    scope.known = known
    let checked = Checker.check(
      parsed, in: scope, expecting: expecting, allowsOptional: allowsOptional, into: &diagnostics)
    return (checked, diagnostics)
  }

  /// Each problem as `marked text: message | label | help`.
  static func problems(
    _ text: String, expecting: ValueType? = nil, allowsOptional: Bool = true
  ) -> [String] {
    check(text, expecting: expecting, allowsOptional: allowsOptional).1.map { problem in
      let range = problem.span?.range ?? 0..<0
      let marked = String(decoding: Array(text.utf8)[range], as: UTF8.self)
      return [marked + ": " + problem.message, problem.label, problem.help].compactMap { $0 }
        .joined(separator: " | ")
    }
  }
}
