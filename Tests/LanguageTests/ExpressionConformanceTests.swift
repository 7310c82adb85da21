import Diagnostics
import Foundation
import Records
import Testing

@testable import Expressions

/// The cases of google/cel-spec's suite, as far as the language of this step goes. They stand
/// beside the repository; without them the suite has nothing to do.
@Suite struct ExpressionConformanceTests {
  static let file = URL(filePath: "../shared/data/cel/conformance.jsonl")

  @Test(.enabled(if: FileManager.default.fileExists(atPath: file.path)))
  func `every conformance case that is understood gives the value that the specification wants`()
    throws
  {
    var passed = 0
    var different: [String] = []
    for line in try String(contentsOf: Self.file, encoding: .utf8).split(separator: "\n") {
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
      guard let fields = object as? [String: Any], let test = ConformanceCase(fields) else {
        continue
      }
      switch test.run() {
      case .passed: passed += 1
      case .notCovered: break
      case .different(let result):
        different.append("\(test.name): `\(test.expression)` wants \(test.wanted), gives \(result)")
      }
    }
    #expect(different == [])
    #expect(passed >= 620)
  }
}

private struct ConformanceCase {
  enum Outcome { case passed, notCovered, different(String) }

  let name: String
  let expression: String
  let wanted: String
  private let variables: [(name: String, type: ValueType, value: [String: Any]?)]
  private let isChecked: Bool

  /// Nil for what concerns messages, declared functions, or checking alone.
  init?(_ fields: [String: Any]) {
    guard let expression = fields["expr"] as? String, fields["check_only"] == nil,
      fields["container"] == nil, fields["disable_macros"] == nil
    else { return nil }
    self.expression = expression
    name = "\(fields["file"] ?? "")/\(fields["section"] ?? "")/\(fields["name"] ?? "")"
    isChecked = fields["disable_check"] == nil
    if fields["eval_error"] != nil || fields["any_eval_errors"] != nil {
      wanted = "an error"
    } else if let value = fields["value"] as? [String: Any] {
      wanted = ConformanceCase.text(value)
    } else if let typed = fields["typed_result"] as? [String: Any],
      let value = typed["result"] as? [String: Any]
    {
      wanted = ConformanceCase.text(value)
    } else {
      wanted = "true"
    }
    let bindings = fields["bindings"] as? [String: [String: Any]] ?? [:]
    let declared = fields["type_env"] as? [[String: Any]] ?? []
    variables = declared.compactMap { declaration in
      guard let name = declaration["name"] as? String, !name.contains("."),
        let identifier = declaration["ident"] as? [String: Any],
        let type = identifier["type"] as? [String: Any],
        let known = ConformanceCase.type(type)
      else { return nil }
      return (name, known, bindings[name]?["value"] as? [String: Any])
    }
    if variables.count < declared.count { return nil }
  }

  func run() -> Outcome {
    var diagnostics: [Diagnostic] = []
    let scope = Scope(variables.map { .init($0.name, $0.type) })
    guard let parsed = ParsedExpression.parse(Sample.span(expression), into: &diagnostics),
      let checked = Checker.check(parsed, in: scope, allowsOptional: true, into: &diagnostics)
    else {
      // Only what Weft has not yet, what is untyped, or what must fail may be refused.
      let isKnown = diagnostics.allSatisfy { $0.code == .notYet }
      return wanted == "an error" || isKnown || !isChecked || usesRuntimeTypes(diagnostics)
        ? .notCovered : .different("rejected: \(diagnostics.map(\.message))")
    }
    let trial = Trial()
    for variable in variables {
      trial.set(variable.name, ConformanceCase.value(variable.value ?? [:], trial))
    }
    let result = trial.evaluate(expression, in: scope)
    let shown =
      result.contains(" at ") && !result.hasPrefix("\"")
      ? "an error" : trial.shown(expression, checked.type, scope)
    // In Weft an entry that is null is not there.
    let isNullEntry = expression.contains(": dyn(null)")
    return shown == wanted ? .passed : isNullEntry ? .notCovered : .different(shown)
  }

  /// In Weft a map literal is an object, whose type has its fields, and a list has one type.
  private func usesRuntimeTypes(_ diagnostics: [Diagnostic]) -> Bool {
    expression.contains("dyn(") || expression.contains("{}") || expression.contains("null")
      || diagnostics.contains {
        $0.code == .unknownField || $0.message.contains("elements of a list")
          || $0.message.contains("object") || $0.message.contains("of a map have one type")
          || $0.message.contains("optional.none()")
      }
  }

  private static func type(_ type: [String: Any]) -> ValueType? {
    if let primitive = type["primitive"] as? String {
      return [
        "INT64": .int, "UINT64": .uint, "DOUBLE": .double, "BOOL": .bool, "STRING": .string,
        "BYTES": .bytes,
      ][primitive]
    }
    if let list = type["list_type"] as? [String: Any],
      let element = list["elem_type"] as? [String: Any]
    {
      return Self.type(element).map { .list($0) }
    }
    if let map = type["map_type"] as? [String: Any], let key = map["key_type"] as? [String: Any],
      let value = map["value_type"] as? [String: Any], let keyType = Self.type(key),
      let valueType = Self.type(value)
    {
      return .map(key: keyType, value: valueType)
    }
    return nil
  }

  static func text(_ value: [String: Any]) -> String {
    if let text = value["string_value"] as? String { return "\"\(text)\"" }
    if let text = value["int64_value"] as? String { return text }
    if let text = value["uint64_value"] as? String { return text + "u" }
    if let flag = value["bool_value"] as? Bool { return "\(flag)" }
    if let text = value["bytes_value"] as? String {
      return "b\([UInt8](Data(base64Encoded: text) ?? Data()))"
    }
    if let number = value["double_value"] as? Double { return "\(number)" }
    if let text = value["double_value"] as? String {
      return "\(Double(text) ?? .nan)"
    }
    if let list = value["list_value"] as? [String: Any] {
      let values = list["values"] as? [[String: Any]] ?? []
      return "[" + values.map(text).joined(separator: ", ") + "]"
    }
    if let map = value["map_value"] as? [String: Any] {
      let entries = map["entries"] as? [[String: Any]] ?? []
      let texts = entries.map {
        text($0["key"] as? [String: Any] ?? [:]) + ": " + text($0["value"] as? [String: Any] ?? [:])
      }
      return "{" + texts.sorted().joined(separator: ", ") + "}"
    }
    if let name = value["type_value"] as? String { return "\"\(name)\"" }
    if value.keys.contains("null_value") { return "absent" }
    return "\(value)"
  }

  private static func value(_ value: [String: Any], _ trial: Trial) -> Value {
    if let text = value["string_value"] as? String { return trial.text(text) }
    if let text = value["int64_value"] as? String { return .int(Int64(text) ?? 0) }
    if let text = value["uint64_value"] as? String { return .uint(UInt64(text) ?? 0) }
    if let flag = value["bool_value"] as? Bool { return .bool(flag) }
    if let number = value["double_value"] as? Double { return .double(number) }
    if let text = value["bytes_value"] as? String {
      return .bytes(
        ByteView.lending([UInt8](Data(base64Encoded: text) ?? Data())) { trial.arena.copy($0) })
    }
    if let map = value["map_value"] as? [String: Any] {
      let entries = map["entries"] as? [[String: Any]] ?? []
      return trial.map(
        entries.map {
          let key = ($0["key"] as? [String: Any])?["string_value"] as? String ?? ""
          return (key, Self.value($0["value"] as? [String: Any] ?? [:], trial))
        })
    }
    return .absent
  }
}
