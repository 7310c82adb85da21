import Diagnostics
import Records
import Testing

@testable import Expressions

@Suite struct ExpressionEvaluationTests {
  private func trial() -> Trial {
    let trial = Trial()
    trial.set("event.kind", trial.text("CHARGE"))
    trial.set("event.amount", .absent)
    trial.set("event.payment", .decimal(Decimal(mantissa: 1250, scale: 2)))
    trial.set("event.lines", .int(3))
    trial.set("event.rate", .double(2.5))
    trial.set("event.paid", .bool(true))
    trial.set("event.extra", .json(trial.text("[1,{}]").view))
    trial.set("event.at", .timestamp(Timestamp(seconds: 1_700_000_000, nanoseconds: 5)))
    trial.set("event.born", .date(days: 19_782))
    trial.set("event.tags", .absent)
    trial.set("event.payer", trial.object([trial.text("p1"), .absent]))
    let items: [(String, Int64, Int128)] = [("a", 1, 150), ("b", 2, 225), ("c", 3, 10)]
    trial.set(
      "event.items",
      trial.list(
        items.map { sku, quantity, cents in
          let price = Value.decimal(Decimal(mantissa: cents, scale: 2))
          return trial.object([trial.text(sku), .int(quantity), price, .absent])
        }))
    trial.set("row.labs", trial.map([("x", trial.object([trial.text("i"), trial.text("DE")]))]))
    trial.set("named", .absent)
    return trial
  }

  @Test(arguments: [
    ("event.items.map(i, decimal(i.qty) * i.price).sum()", "decimal 6.30"),
    ("event.items.map(i, i.sku + '!')", "[\"a!\", \"b!\", \"c!\"]"),
    ("event.items.map(i, event.items.map(j, i.qty * j.qty).sum())", "[6, 12, 18]"),
    ("event.?tags.orValue([]).map(t, size(t)).sum()", "0"),
    ("event.items.map(i, has(i.discount) ? i.discount : decimal('0.5')).sum()", "decimal 1.5"),
    ("event.amount", "absent"), ("event.extra", "json [1,{}]"), ("event.payer", "{\"p1\", absent}"),
    ("event.kind == 'CHARGE' ? event.?amount.orValue(decimal('0')) : decimal('1')", "decimal 0"),
    ("-event.?payment.orValue(decimal('0'))", "decimal -12.50"),
    ("has(event.amount) && event.amount > decimal('1')", "false"),
    ("event.payment", "decimal 12.50"), ("decimal('1.50') == decimal('1.5')", "true"),
    ("decimal('1.50') * decimal('2.0') - decimal('1')", "decimal 2.000"),
    ("row.labs['x'].country", "\"DE\""), ("row.labs[?'y'].?id.orValue('none')", "\"none\""),
    ("event.items[?7].?sku", "absent"), ("event.kind in ['A', 'CHARGE']", "true"),
    ("'x' in row.labs && !('y' in row.labs)", "true"), ("has(row.labs.x)", "true"),
    ("{'a': event.lines, ?'b': event.?amount}", "{3, absent}"), ("mask(event.kind)", "\"***\""),
    ("size('añb😀')", "4"), ("'a' < 'B'", "false"), ("'\\u00e9' == 'e\\u0301'", "false"),
    ("event.at < timestamp('2024-01-01T00:00:00+01:00')", "true"),
    ("event.born == date('2024-02-29')", "true"), ("string(event.born)", "\"2024-02-29\""),
    ("named.orValue('x')", "\"x\""), ("named", "absent"), ("optional.none()", "absent"),
    ("string(event.lines) + string(decimal('1.0'))", "\"31.0\""),
    ("event.lines > 2 && event.kind != 'x' && event.paid", "true"),
    ("[1, event.lines] == [1, 3] && [[1]] != [[2]]", "true"),
  ]) func `an expression gives its value`(text: String, value: String) {
    #expect(trial().evaluate(text) == value)
  }

  @Test(arguments: [
    ("1/0 == 1 || event.paid", "true"), ("event.paid || 1/0 == 1", "true"),
    ("1/0 == 1 && !event.paid", "false"), ("!event.paid && 1/0 == 1", "false"),
    ("1/0 == 1 && event.paid", "division-by-zero at 1/0"),
    ("event.paid && 1/0 == 1", "division-by-zero at 1/0"),
    ("1/0 == 1 || 2%0 == 1", "division-by-zero at 1/0"),
    ("(1/0 == 1 && event.paid) || (2/0 == 1 || event.paid)", "true"),
    ("(1/0 == 1 || event.paid) && (2/0 == 1 && !event.paid)", "false"),
    ("!(1/0 == 1 && event.paid) || event.paid", "true"),
    ("event.paid ? 1 : 1/0", "1"), ("event.paid ? 1/0 : 1", "division-by-zero at 1/0"),
    ("(1/0 == 1 ? event.paid : event.paid) || event.paid", "true"),
    ("event.items.map(i, 6 / (i.qty - 2)).sum() == 0 || event.paid", "true"),
    ("event.items.map(i, 6 / (i.qty - 2)).sum()", "division-by-zero at 6 / (i.qty - 2)"),
    ("9223372036854775807 + event.lines", "integer-overflow at 9223372036854775807 + event.lines"),
    ("-(-9223372036854775808)", "integer-overflow at -(-9223372036854775808)"),
    ("-9223372036854775808 / -1", "integer-overflow at -9223372036854775808 / -1"),
    ("event.items[3].sku", "no-such-element at event.items[3]"),
    ("row.labs['y'].id", "no-such-key at row.labs['y']"),
    ("event.?amount.value()", "no-value at event.?amount.value()"),
    ("decimal(event.kind)", "bad-conversion at decimal(event.kind)"),
    (
      "decimal('99999999999999999999999999999999999999') + decimal('1')",
      "decimal-overflow at decimal('99999999999999999999999999999999999999') + decimal('1')"
    ),
  ]) func `only && and || absorb a failure, and a failure names its place`(
    text: String, value: String
  ) {
    #expect(trial().evaluate(text) == value)
  }

  @Test func `a field is not read as if there when the test for it failed`() {
    // `has` is false here, but what stands before it failed, so the right side is looked at too.
    let text =
      "(event.lines / 0 == 1 ? has(event.amount) : has(event.amount)) && event.amount > decimal('1')"
    #expect(trial().evaluate(text) == "division-by-zero at event.lines / 0")
    let other = "(event.lines / 0 == 1 ? has(event.amount) : has(event.amount)) "
    #expect(trial().evaluate(other + "&& event.amount == decimal('0')").hasPrefix("division"))
  }

  @Test func `loops in loops end after a bounded number of steps`() {
    let trial = Trial()
    trial.set("event.tags", trial.list((0..<200).map { _ in trial.text("x") }))
    let known: Set = [FieldPath(["event", "tags"])]
    let text =
      "event.tags.map(a, event.tags.map(b, event.tags.map(c, event.tags.map(d, 1).sum()).sum()).sum()).sum()"
    #expect(trial.evaluate(text, known: known).hasPrefix("too-much-work at "))
  }

  @Test func `a text that is made to be searched slowly is not`() {
    let trial = Trial()
    let known: Set = [FieldPath(["event", "note"])]
    trial.set("event.note", trial.text(String(repeating: "a", count: 1_000_000)))
    trial.set("event.eventId", trial.text(String(repeating: "a", count: 500_000) + "b"))
    trial.set("event.kind", trial.text(String(repeating: "a", count: 500_000)))
    #expect(trial.evaluate("event.note.contains(event.eventId)", known: known) == "false")
    #expect(trial.evaluate("event.note.contains(event.kind)", known: known) == "true")
  }

  @Test func `a field is found in an object when only that has a slot`() {
    let trial = Trial()
    trial.set("event", trial.object(Sample.event.fields.map { _ in .absent }))
    #expect(trial.evaluate("has(event.amount)") == "false")
    #expect(Trial().evaluate("event.kind") == "not compiled: no slot for `event.kind`")
  }

  @Test func `one frame serves all programs and grows to the largest`() throws {
    let frame = Frame(slots: Slots(count: 1), arena: Arena())
    frame.slots[0] = .int(1)
    let sum = (0..<60).map { "[\($0), key].map(x, x)" }.joined(separator: " + ")
    for (text, size) in [("key", -1), ("(\(sum)).size()", 120)] {
      var diagnostics: [Diagnostic] = []
      let parsed = try #require(ParsedExpression.parse(Sample.span(text), into: &diagnostics))
      let checked = try #require(
        Checker.check(
          parsed, in: Scope([.init("key", .int)]), allowsOptional: false, into: &diagnostics))
      let program = try Program.compile(checked) { _ in 0 }
      #expect(program.evaluate(frame).int == (size < 0 ? 1 : Int64(size)))
    }
  }
}
