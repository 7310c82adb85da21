import Diagnostics
import Product
import Records
import Testing

@testable import Expressions

/// Fields that a stream has masked, as expressions behind it see them.
@Suite struct MaskTests {
  private static let scope: Scope = {
    var scope = Sample.scope
    scope.masks = [
      FieldPath(["event", "kind"]): .mask, FieldPath(["event", "note"]): .pseudonym,
      FieldPath(["event", "customer", "country"]): .drop, FieldPath(["event", "tags"]): .drop,
    ]
    return scope
  }()

  private func trial(note: String?) -> Trial {
    let trial = Trial()
    trial.set("event.kind", trial.text("CHARGE"))
    trial.set("event.note", note.map { trial.text($0) } ?? .absent)
    trial.set("event.customer.id", trial.text("c1"))
    return trial
  }

  @Test(arguments: [
    ("event.kind", "\"***\""), ("event.kind == 'CHARGE'", "false"), ("event['kind']", "\"***\""),
    ("event.kind + event.customer.id", "\"***c1\""),
    ("event.?note.orValue('') == pseudonym('x')", "true"), ("has(event.note)", "true"),
    ("has(event.note) && event.note == pseudonym('x')", "true"),
    ("has(event.note) ? event.note.size() : 0", "64"),
  ]) func `what is masked is seen as its mask has it`(text: String, value: String) {
    #expect(trial(note: "x").evaluate(text, in: Self.scope) == value)
  }

  @Test func `what is absent stays absent behind a mask`() {
    let trial = trial(note: nil)
    #expect(trial.evaluate("event.note", in: Self.scope) == "absent")
    #expect(trial.evaluate("event.?note.orValue('none')", in: Self.scope) == "\"none\"")
    #expect(trial.evaluate("has(event.note)", in: Self.scope) == "false")
  }

  @Test(arguments: [
    ("event.note + 'x'", "`event.note` may be absent"),
    ("event.customer.country", "`event.customer.country` is dropped by a stream on the way"),
    ("has(event.customer.country)", "`event.customer.country` is dropped"),
    ("event.?tags.orValue([]).size()", "`event.?tags` is dropped"),
    ("[event.customer]", "`event.customer` cannot be read as a whole: `event.customer.country`"),
    ("event", "`event` cannot be read as a whole: `event.customer.country` is masked"),
  ]) func `nothing shows what a mask hides`(text: String, problem: String) {
    let result = Trial().evaluate(text, in: Self.scope)
    #expect(result.hasPrefix("rejected: \(problem)"), "\(result)")
  }

  @Test func `what is masked is read, and is no path that could be copied`() {
    var diagnostics: [Diagnostic] = []
    let parsed = ParsedExpression.parse(Sample.span("event.kind"), into: &diagnostics)
    let checked = parsed.flatMap {
      Checker.check($0, in: Self.scope, allowsOptional: true, into: &diagnostics)
    }
    #expect(checked?.path == nil && checked?.uses == [FieldPath(["event", "kind"])])
  }

  @Test(arguments: [
    ("mask", ["W0204 transform.yaml:13:12 `mask` is no mask of `event.customer`, which is pii"]),
    ("pseudonym", []), ("drop", []),
  ]) func `a field is masked as mesh.yaml has it for its class`(mask: String, problems: [String])
    throws
  {
    var files = ProductFiles.shop
    files["mesh.yaml"] = "kind: Mesh\nname: trade\nmasks: {pii: [pseudonym, drop, encrypt]}\n"
    let contract = files["contracts/orders.odcs.yaml"]
    files["contracts/orders.odcs.yaml"] = contract?.replacing(
      "name: customer,", with: "name: customer, classification: pii,")
    let stream = "streams:\n  seen:\n    from: orders\n    mask: {customer: \(mask)}\n"
    files["transform.yaml"] = files["transform.yaml"]?.replacing(
      "streams:\n", with: stream)
    let made = try ProductFiles(files)
    #expect(told(LoadedDomain.load(made.directory).diagnostics) == problems)
  }
}
