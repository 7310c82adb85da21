import Diagnostics
import Testing

@testable import Expressions

@Suite struct ExpressionCheckingTests {
  @Test func `a misspelt field is told as the house wants it`() {
    let (checked, diagnostics) = Sample.check("event.amout")
    #expect(checked == nil)
    #expect(diagnostics.count == 1)
    let problem = diagnostics.first
    #expect(problem?.code == DiagnosticCode("W0203"))
    #expect(problem?.message == "`amout` is not a field of event type `ClaimTransaction`")
    #expect(problem?.label == "decimal fields here: `amount`, `payment`")
    #expect(problem?.help == "did you mean `event.amount`?")
    #expect(problem?.span?.range == 0..<11)
  }

  @Test(arguments: [
    ("event.amount > decimal('0')", "event.amount: `event.amount` may be absent"),
    ("event.payer.id", "event.payer: `event.payer` may be absent"),
    ("has(event.payment) && event.amount > decimal('0')", "event.amount: `event.amount` may be"),
    ("has(event.amount) || event.amount > decimal('0')", "event.amount: `event.amount` may be"),
    ("event.note + 'x'", "event.note: `event.note` may be absent"),
    ("named + 'x'", "named: `named` may be absent"),
    ("event.items.map(i, i.discount)", "i.discount: `i.discount` may be absent"),
    ("size(event.tags)", "event.tags: `event.tags` may be absent"),
    ("event.amount.orValue(decimal('0'))", "event.amount: `event.amount` may be absent"),
    ("event.paid ? event.amount : event.payment", "event.amount: `event.amount` may be absent"),
    ("{'a': event.amount}", "event.amount: `event.amount` may be absent"),
    ("event.?amount + decimal('1')", "event.?amount: `event.?amount` may be absent"),
  ]) func `an optional value cannot be used as if it were there`(text: String, problem: String) {
    #expect(Sample.problems(text).first?.hasPrefix(problem) ?? false)
  }

  @Test(arguments: [
    "has(event.amount) && event.amount > decimal('0')",
    "!has(event.amount) || event.amount > decimal('0')",
    "has(event.amount) ? event.amount : decimal('0')",
    "!has(event.amount) ? decimal('0') : event.amount",
    "!(!has(event.amount)) && event.amount > decimal('0')",
    "event.paid && has(event.amount) && (event.lines > 1 || event.amount > decimal('0'))",
    "(has(event.amount) ? event.lines > 1 : false) && event.amount > decimal('0')",
    "has(event.payer.country) && event.payer.country == event.payer.id",
    "event.?amount.hasValue() && event.amount > decimal('0')",
    "event.items.map(i, has(i.discount) ? i.discount : i.price).sum() > decimal('0')",
    "event.?amount.orValue(decimal('0')) > decimal('0')", "event.?payer.id.orValue('') == ''",
    "event.?tags.orValue([]).size() == 0", "named.orValue('x') == 'x'",
    "has(event.extra)", "event.?payer.?country.or(event.?note).orValue('') == ''",
  ]) func `what has been asked for is there`(text: String) {
    #expect(Sample.problems(text) == [])
  }

  @Test func `what a where clause has asked for is known behind it`() {
    let text = "event.amount > decimal('0')"
    let known: Set = [FieldPath(["event", "amount"])]
    #expect(Sample.check(text, known: known).0?.type == .bool)
    let condition = Sample.check("event.kind == 'CHARGE' && has(event.amount)").0
    #expect(condition?.factsWhenTrue == known)
    #expect(Sample.check("event.paid || has(event.amount)").0?.factsWhenTrue == [])
  }

  @Test func `an optional field is a value of its own only where it may be absent`() {
    let checked = Sample.check("event.amount").0
    #expect(checked?.type == .decimal)
    #expect(checked?.isOptional == true)
    #expect(checked?.path == FieldPath(["event", "amount"]))
    #expect(Sample.check("event.amount", allowsOptional: false).0 == nil)
    #expect(Sample.check("event.?amount", allowsOptional: false).0 == nil)
    #expect(Sample.check("null", expecting: .decimal).0?.isOptional == true)
    #expect(Sample.check("null", expecting: .decimal, allowsOptional: false).0 == nil)
    #expect(Sample.check("event.extra").0?.type == .dyn)
  }

  @Test(arguments: [
    ("event.amount", "event.amount"), ("has(event.payer.id)", "event.payer.id"),
    (
      "event.items.map(i, decimal(i.qty) * i.price).sum()",
      "event.items.[].price event.items.[].qty"
    ),
    ("size(event.items)", "event.items"), ("event.items.map(i, 1).sum()", "event.items"),
    ("event.items[0].sku", "event.items"),
    ("event.paid ? key : event.kind", "event.kind event.paid key"),
    ("row.labs['x'].id", "row.labs"), ("event.customer", "event.customer"),
    ("event.?payer.country", "event.payer.country"),
  ]) func `what an expression reads is known down to the last field`(text: String, uses: String) {
    let found = Sample.check(text).0?.uses.map { $0.parts.joined(separator: ".") }.sorted()
    #expect(found?.joined(separator: " ") == uses)
  }

  @Test(arguments: [
    (
      "has(event.amount) && event.amount > 0", "0: `>` does not take decimal and int",
      "write `decimal(\"0\")`"
    ),
    (
      "event.items.map(i, i.qty * i.price)", "i.qty * i.price: `*` does not take int and decimal",
      "write `decimal(i.qty)`"
    ),
    ("event.rate * 2", "2: `*` does not take double and int", "write `2.0`"),
    (
      "event.rate * event.lines", "event.rate * event.lines: `*` does not take double and int",
      "write `double(event.lines)`"
    ),
    ("event.count + 1", "1: `+` does not take uint and int", "write `1u`"),
    (
      "event.at > '2024-01-01T00:00:00Z'",
      "'2024-01-01T00:00:00Z': `>` does not take timestamp and string",
      "write `timestamp('2024-01-01T00:00:00Z')`"
    ),
    (
      "'n: ' + event.lines", "'n: ' + event.lines: `+` does not take string and int",
      "write `string(event.lines)`"
    ),
    ("decimal(1.5)", "1.5: `decimal` does not take double", "write `decimal(\"1.5\")`"),
    (
      "event.kind == null", "event.kind == null: `==` does not take string and null",
      "`!has(event.kind)`"
    ),
    ("timestamp('2024-13-01')", "'2024-13-01': '2024-13-01' is no timestamp", "looks like"),
    ("decimal('1,5')", "'1,5': '1,5' is no decimal", "at most 38 digits"),
    ("event.extra == 'x'", "event.extra: `event.extra` may be absent", "has(event.extra)"),
    ("event.kind.matches('a+')", "matches: `matches` is not in Weft yet", ""),
    (
      "event.kind.startWith('a')", "startWith: there is no function `startWith`",
      "did you mean `startsWith`?"
    ),
    ("size(event.kind, 1)", "size: `size` takes 1 argument, not 2", ""),
    ("evnt.kind == 'x'", "evnt: there is no variable `evnt` here", "did you mean `event`?"),
    ("kind == 'x'", "kind: there is no variable `kind` here", "did you mean `event.kind`?"),
    ("event.lines && event.paid", "event.lines: `event.lines` is no condition", ""),
    ("event.kind.sku", "event.kind.sku: `event.kind` has no fields", ""),
    ("event.paid ? 1 : 'x'", "1 : 'x': the two sides of `:` have different types", ""),
    ("[1, 'x']", "'x': the elements of a list have one type", ""),
    ("has(event)", "event: `has` takes one field", ""),
    ("{event.rate: 1}", "event.rate: a key of a map is int, uint, bool or string", ""),
    ("{event.kind: 1, 'x': 'y'}", "'y': the values of a map have one type", "int before"),
    ("{1: 1, event.kind: 2}", "event.kind: the keys of a map have one type", "int before"),
    ("event.at.getHours('Europe/Berlin')", "'Europe/Berlin': named time zones", "+01:00"),
    ("event.at + event.at", "event.at + event.at: `+` is not there for timestamp", ""),
    ("event.tags.all(t, t == 'x')", "event.tags: `event.tags` may be absent", "orValue"),
    ("event.items.all(i, i.sku)", "i.sku: `i.sku` is no condition", ""),
    ("event.items.all(1, true)", "event.items.all(1, true): `all` takes a name", "items.all("),
    ("event.items.filter(a, b, true)", "event.items.filter(a, b, true): `filter` takes", ""),
    ("event.kind.exists(c, c == 'x')", "event.kind: `exists` goes over a list or a map", ""),
    ("duration('1d')", "'1d': '1d' is no duration", "1h30m"),
    ("uuid5(event.kind)", "uuid5: `uuid5` takes 2 arguments, not 1", ""),
  ]) func `a wrong type is told at the smallest place, with the edit that helps`(
    text: String, problem: String, help: String
  ) {
    let problems = Sample.problems(text)
    #expect(problems.count == 1)
    #expect(problems.first?.hasPrefix(problem) ?? false, "\(problems)")
    #expect(problems.first?.contains(help) ?? false, "\(problems)")
  }

  @Test func `all independent mistakes are told, and what follows from them is not`() {
    let problems = Sample.problems(
      "foo + 1 > evnt.x * 2 && event.amout == decimal('x') || 1 + 'a' == 2")
    #expect(problems.count == 5)
  }

  @Test func `a value must be of the type that the contract promises`() {
    #expect(Sample.problems("0", expecting: .decimal).first?.contains("decimal(\"0\")") ?? false)
    #expect(Sample.check("event.?tags.orValue([])", expecting: .list(.string)).0 != nil)
    let wanted = ValueType.object(
      ObjectType(
        name: "Reading",
        fields: [
          .init("unit", .string, isRequired: false), .init("value", .int, isRequired: true),
        ]))
    #expect(Sample.check("{'value': 1, ?'unit': event.?note}", expecting: wanted).0 != nil)
    #expect(Sample.check("{'value': 1}", expecting: wanted).0 != nil)
    #expect(Sample.problems("{'unit': 'x'}", expecting: wanted).first?.contains("`value`") ?? false)
    #expect(Sample.problems("{'value': 'x'}", expecting: wanted).count == 1)
  }
}
