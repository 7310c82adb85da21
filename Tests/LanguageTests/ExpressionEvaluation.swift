import Diagnostics
import Records

@testable import Expressions

/// Runs an expression over values given by path, for tests.
final class Trial {
  let arena = Arena()
  private var paths: [FieldPath: Int] = [:]
  private var values: [Value] = []

  func set(_ path: String, _ value: Value) {
    paths[FieldPath(path.split(separator: ".").map(String.init))] = values.count
    values.append(value)
  }

  func text(_ text: String) -> Value { .string(ByteView.lending(text) { arena.copy($0) }) }

  func list(_ values: [Value]) -> Value { .list(run(values)) }
  func object(_ values: [Value]) -> Value { .object(run(values)) }
  func map(_ entries: [(String, Value)]) -> Value {
    .map(run(entries.flatMap { [text($0.0), $0.1] }))
  }

  private func run(_ values: [Value]) -> ValueRun {
    let run = arena.values(values.count)
    for (index, value) in values.enumerated() { run[index] = value }
    return run
  }

  /// The value as text, a failure as `code at marked text`, or the first problem of the check.
  func evaluate(
    _ expression: String, in scope: Scope = Sample.scope, known: Set<FieldPath> = []
  ) -> String {
    var scope = scope
    scope.known.formUnion(known)
    return shown(expression, nil, scope)
  }

  /// The same; objects as maps by the names of `type`'s fields, when it is given.
  func shown(_ expression: String, _ type: ValueType?, _ scope: Scope) -> String {
    let span = Sample.span(expression)
    var diagnostics: [Diagnostic] = []
    guard let parsed = ParsedExpression.parse(span, into: &diagnostics),
      let checked = Checker.check(parsed, in: scope, allowsOptional: true, into: &diagnostics)
    else { return "rejected: \(diagnostics.first?.message ?? "")" }
    let program: Program
    do throws(CompileFailure) {
      program = try Program.compile(checked) { paths[$0] }
    } catch {
      return "not compiled: \(error.message)"
    }
    let frame = Frame(slots: Slots(count: values.count), arena: arena)
    for (index, value) in values.enumerated() { frame.slots[index] = value }
    let result = program.evaluate(frame)
    guard let failure = program.describe(result) else { return Trial.show(result, type) }
    let marked = Array(expression.utf8)[failure.span.range]
    return "\(failure.code) at \(String(decoding: marked, as: UTF8.self))"
  }

  /// Text that tells kinds apart, such as `1`, `1u`, `1.0`, `"x"`, `decimal 1.50`.
  static func show(_ value: Value, _ type: ValueType? = nil) -> String {
    switch value.kind {
    case .absent: "absent"
    case .null: "null"
    case .bool: "\(value.bool)"
    case .int: "\(value.int)"
    case .uint: "\(value.uint)u"
    case .double: "\(value.double)"
    case .decimal: "decimal \(value.decimal)"
    case .string: "\"\(value.view.text)\""
    case .bytes: "b\(value.view.copied())"
    case .timestamp: "\(value.timestamp)"
    case .date: "day \(value.dateDays)"
    case .duration: "duration \(value.totalNanoseconds)"
    case .list:
      if case .list(let element) = type {
        "[" + elements(value.run, element).joined(separator: ", ") + "]"
      } else {
        "[" + elements(value.run).joined(separator: ", ") + "]"
      }
    case .object:
      if case .object(let object) = type {
        fields(value.run, object)
      } else {
        "{" + elements(value.run).joined(separator: ", ") + "}"
      }
    case .map: "map " + elements(value.run).joined(separator: ", ")
    case .json: "json \(value.view.text)"
    case .error: "error"
    }
  }

  private static func elements(_ run: ValueRun, _ type: ValueType? = nil) -> [String] {
    (0..<run.count).map { show(run[$0], type) }
  }

  private static func fields(_ run: ValueRun, _ object: ObjectType) -> String {
    let texts = object.fields.enumerated().compactMap { index, field in
      run[index].isAbsent ? nil : "\"\(field.name)\": \(show(run[index], field.type))"
    }
    return "{" + texts.sorted().joined(separator: ", ") + "}"
  }
}
