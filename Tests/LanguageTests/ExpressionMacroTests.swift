import Diagnostics
import Records
import Testing

@testable import Expressions

@Suite struct ExpressionMacroTests {
  private func trial() -> Trial {
    let trial = Trial()
    trial.set("event.paid", .bool(true))
    trial.set("event.lines", .int(3))
    trial.set("event.kind", trial.text("b"))
    trial.set("event.tags", .absent)
    let items: [(String, Int64, Int128)] = [("a", 1, 150), ("b", 2, 225), ("c", 3, 10)]
    trial.set(
      "event.items",
      trial.list(
        items.map { sku, quantity, cents in
          let price = Value.decimal(Decimal(mantissa: cents, scale: 2))
          return trial.object([trial.text(sku), .int(quantity), price, .absent])
        }))
    trial.set(
      "row.labs",
      trial.map([
        ("x", trial.object([trial.text("i"), trial.text("DE")])),
        ("y", trial.object([trial.text("j"), .absent])),
      ]))
    return trial
  }

  @Test func `what is made and hashed in a loop is bounded as well`() {
    let trial = Trial()
    let body = String(repeating: "x", count: 60_000)
    trial.set("event.tags", trial.list((0..<2000).map { _ in trial.text(body) }))
    let known: Set = [FieldPath(["event", "tags"])]
    for text in [
      "event.tags.map(t, t + t).size()", "event.tags.map(t, sha256(t)).size()",
      "event.tags.map(t, event.tags + event.tags).size()", "event.tags.map(t, size(t)).size()",
      "event.tags.map(t, event.tags.map(u, u)).size()",
      "event.tags.exists(t, uuid5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', t) == 'x')",
    ] {
      #expect(trial.evaluate(text, known: known).hasPrefix("too-much-work at "), "\(text)")
    }
  }

  @Test(arguments: [
    ("event.items.all(i, i.qty > 0)", "true"), ("event.items.all(i, i.qty > 1)", "false"),
    ("event.items.exists(i, i.sku == event.kind)", "true"),
    ("event.items.exists(i, i.sku == 'z') || event.lines == 3", "true"),
    ("event.items.exists_one(i, i.qty >= 2)", "false"),
    ("event.items.exists_one(i, i.qty == 2) && event.paid", "true"),
    ("event.items.filter(i, i.qty != 2).map(i, i.sku)", "[\"a\", \"c\"]"),
    ("event.items.map(i, i.qty > 1, i.price).sum()", "decimal 2.35"),
    ("event.items.filter(i, i.qty > 5).size()", "0"),
    ("event.items.transformList(n, i, n + i.qty)", "[1, 3, 5]"),
    ("event.items.exists(n, i, n == 1 && i.sku == 'b')", "true"),
    ("event.?tags.orValue([]).all(t, t == 'x')", "true"),
    ("row.labs.all(k, k in ['x', 'y'])", "true"), ("row.labs.exists(k, k == 'z')", "false"),
    ("row.labs.filter(k, k != 'x')", "[\"y\"]"), ("row.labs.map(k, k + '!')", "[\"x!\", \"y!\"]"),
    ("row.labs.exists(k, v, has(v.country) && v.country == 'DE')", "true"),
    ("row.labs.transformList(k, v, !has(v.country), k + v.id)", "[\"yj\"]"),
    ("row.labs.exists_one(k, k == 'x') ? row.labs.size() : 0", "2"),
    ("!event.items.all(i, i.qty > 1) && !row.labs.exists(k, k == 'z')", "true"),
    ("event.items.all(i, event.items.exists(j, j.qty == i.qty))", "true"),
    ("{event.kind: 7, 'c': 8}[event.kind] + {1: 2, 3: 4}[event.lines]", "11"),
    ("{'a': 1, 'b': 2}[event.kind] + size({true: 1})", "3"), ("event.kind in {'b': 1}", "true"),
    ("{1u: 'x'}[?2u].orValue('none')", "\"none\""),
  ]) func `a macro goes over a list, or over the keys of a map`(text: String, value: String) {
    #expect(trial().evaluate(text) == value)
  }

  @Test(arguments: [
    ("event.items.all(i, 6 / (i.qty - 2) > 0)", "false"),
    ("event.items.exists(i, 6 / (i.qty - 2) > 0)", "true"),
    ("event.items.all(i, 6 / (i.qty - 2) != 0)", "division-by-zero at 6 / (i.qty - 2)"),
    ("event.items.exists(i, 6 / (i.qty - 2) == 0)", "division-by-zero at 6 / (i.qty - 2)"),
    ("event.items.exists(i, 6 / (i.qty - 2) == 0) || event.paid", "true"),
    ("event.items.exists_one(i, 6 / (i.qty - 2) > 0)", "division-by-zero at 6 / (i.qty - 2)"),
    ("event.items.filter(i, 6 / (i.qty - 2) > 0).size()", "division-by-zero at 6 / (i.qty - 2)"),
    ("{event.kind: 1, 'b': 2}.size()", "repeated-key at {event.kind: 1, 'b': 2}"),
  ]) func `only all and exists absorb failures, when another element decides`(
    text: String, value: String
  ) {
    #expect(trial().evaluate(text) == value)
  }

  @Test func `macros end after a bounded number of steps`() {
    let trial = Trial()
    trial.set("event.tags", trial.list((0..<200).map { _ in trial.text("x") }))
    let known: Set = [FieldPath(["event", "tags"])]
    for inner in ["all(d, d == 'x')", "filter(d, d == 'x').size() > 0", "exists_one(d, true)"] {
      let text =
        "event.tags.all(a, event.tags.all(b, event.tags.all(c, event.tags.\(inner) || true)))"
      #expect(trial.evaluate(text, known: known).hasPrefix("too-much-work at "), "\(inner)")
    }
  }

  @Test(arguments: [
    ("event.items.all(i, i.qty > 0)", "event.items.[].qty"),
    ("event.items.filter(i, i.qty > 0)", "event.items event.items.[].qty"),
    ("event.items.exists(n, i, n > 0)", "event.items"),
    ("event.items.exists(i, event.paid)", "event.items event.paid"),
    (
      "event.paid && event.items.map(i, event.kind).size() > 1", "event.items event.kind event.paid"
    ),
    ("row.labs.exists(k, v, v.id == k)", "row.labs"),
  ]) func `what a macro reads is known down to the last field`(text: String, uses: String) {
    let found = Sample.check(text).0?.uses.map { $0.parts.joined(separator: ".") }.sorted()
    #expect(found?.joined(separator: " ") == uses)
  }

  @Test func `what a filter has asked for is there behind it`() {
    #expect(Sample.problems("event.items.map(i, has(i.discount), i.discount)") == [])
    #expect(Sample.problems("event.items.map(i, i.qty > 1, i.discount)").count == 1)
  }
}
