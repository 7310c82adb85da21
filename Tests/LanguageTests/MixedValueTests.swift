import Diagnostics
import Records
import Testing

@testable import Expressions

/// Fields of mixed type (`dyn`), whose values are JSON as it came.
@Suite struct MixedValueTests {
  static let extra = """
    {"a": {"b": [1, 2.5, "x", null, {"c": true}]}, "n": 7, "price": 12.50, "big": 12345678901234567890,
     "name": "gr\\u00fcn", "at": "2024-02-29T12:00:00Z", "none": null, "flag": true, "n": 8,
     "tags": ["p", "q"], "by": {"k": 1, "l": 2, "k": 3}, "qu\\"ote": 5, "whole": 5.0, "e": []}
    """

  private func evaluate(_ text: String) -> String {
    let trial = Trial()
    trial.set("event.extra", .json(ByteView.lending(Self.extra) { trial.arena.copy($0) }))
    trial.set("event.lines", .int(3))
    trial.set("event.rate", .double(1.5))
    trial.set("event.kind", trial.text("p"))
    trial.set("event.tags", trial.list([trial.text("p"), trial.text("z")]))
    let known: Set = [FieldPath(["event", "extra"]), FieldPath(["event", "tags"])]
    return trial.evaluate(text.replacing("$", with: "event.extra"), known: known)
  }

  @Test(arguments: [
    ("$.a.b[1]", "json 2.5"), ("$['a'][\"b\"][4].c", "json true"), ("$.a.b[dyn(2)] == 'x'", "true"),
    ("$.n", "json 8"), ("$['qu\"ote']", "json 5"), ("$.missing", "no-such-key at $.missing"),
    ("$.a.b[5]", "no-such-element at $.a.b[5]"), ("$.n.x", "wrong-type at $.n.x"),
    ("has($.a)", "true"), ("has($.a.b)", "true"), ("has($.none)", "false"),
    ("has($.x.y.z)", "false"), ("has($.n.x)", "false"),
    ("$.?a.?b[?0].orValue(9)", "json 1"), ("$.?x.b.orValue('none')", "json \"none\""),
    ("$.?none.hasValue()", "false"), ("$.none == null", "true"), ("$.a.b[3] == null", "true"),
    ("$.none", "absent"), ("$.?x", "absent"), ("$.none + 1", "no-value at $.none"),
  ]) func `what is in a mixed value is reached by name and place`(text: String, value: String) {
    #expect(evaluate(text) == value.replacing("$", with: "event.extra"))
  }

  @Test(arguments: [
    ("type($.n) == int", "true"), ("type($.price) == double", "true"),
    ("type($.name) in [int, string]", "true"), ("type($.a) == map", "true"),
    ("type($.tags) == list", "true"), ("type($.none) == null_type", "true"),
    ("string(type($.flag))", "\"bool\""), ("type(event.lines) == type($.n)", "true"),
    ("int($.n)", "8"), ("int($.price)", "12"), ("int('4')", "4"), ("uint($.n)", "8u"),
    ("uint($.big)", "12345678901234567890u"), ("int($.big)", "integer-overflow at int($.big)"),
    ("double($.n)", "8.0"), ("decimal($.price)", "decimal 12.50"), ("string($.price)", "\"12.50\""),
    ("string($.name)", "\"grün\""), ("string($.flag)", "\"true\""), ("bool($.flag)", "true"),
    ("timestamp($.at)", "2024-02-29T12:00:00Z"),
    ("timestamp($.name)", "bad-conversion at timestamp($.name)"),
    ("decimal($.flag)", "wrong-type at decimal($.flag)"),
    ("int($.none)", "no-value at int($.none)"),
  ]) func `a conversion says of which type a mixed value is`(text: String, value: String) {
    #expect(evaluate(text) == value.replacing("$", with: "event.extra"))
  }

  @Test(arguments: [
    ("$.n + 1", "9"), ("$.n * event.rate", "12.0"), ("event.rate * $.n", "12.0"),
    ("$.price * decimal('1.1')", "decimal 13.750"), ("$.n + $.n", "json 16"),
    ("$.n + $.price", "json 20.5"), ("-$.n", "json -8"), ("$.n % 3", "2"),
    ("$.whole + 1", "6"), ("$.price + 1", "wrong-type at $.price"),
    ("$.name + '!'", "\"grün!\""), ("$.name + $.n", "wrong-type at $.name + $.n"),
    ("$.n / 0", "division-by-zero at $.n / 0"),
    ("$.tags + ['r']", "[json \"p\", json \"q\", json \"r\"]"),
    ("!$.flag", "false"), ("$.flag ? 1 : 2", "1"), ("$.n ? 1 : 2", "wrong-type at $.n"),
    ("$.flag && $.n > 7", "true"), ("$.n || true", "true"), ("$.name.startsWith('g')", "true"),
    ("sha256(string($.name)).size()", "64"),
    ("uuid5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', $.n)", "wrong-type at $.n"),
    ("dyn(5) * 1.5", "wrong-type at dyn(5)"), ("dyn(5) + 1", "6"),
  ]) func `mixed operands are of the type that the operator wants, or fail`(
    text: String, value: String
  ) { #expect(evaluate(text) == value.replacing("$", with: "event.extra")) }

  @Test(arguments: [
    ("$.n == 8", "true"), ("$.n == 8.0", "true"), ("$.n == 8u", "true"), ("$.n == '8'", "false"),
    ("$.n != '8'", "true"), ("$.price == decimal('12.5')", "true"), ("$.price == 12.5", "true"),
    ("$.price > 12", "true"), ("$.price < decimal('12.51')", "true"), ("$.big > 1", "true"),
    ("$.name < 'h'", "true"), ("$.name < 5", "wrong-type at $.name < 5"),
    ("$.none < 5", "no-value at $.none < 5"),
    ("timestamp($.at) > timestamp('2024-01-01T00:00:00Z')", "true"),
    ("$.tags == ['p', 'q']", "true"), ("$.by == dyn({'l': 2.0, 'k': 3})", "true"),
    ("$.a.b[4] == dyn({'c': true})", "true"), ("$.whole == 5", "true"), ("$.e == []", "true"),
    ("event.kind in $.tags", "true"), ("'l' in $.by", "true"), ("$.tags[0] in event.tags", "true"),
    ("$.n in [1, 8]", "true"), ("1 in $.n", "wrong-type at $.n"),
    ("dyn(decimal('1.0')) == 1", "true"),
    ("dyn(9007199254740993) == dyn(9007199254740992.0)", "true"),
    ("dyn(18446744073709551615u) > 1e19", "true"), ("dyn(1) < 0.0/0.0", "false"),
  ]) func `mixed values are compared by what they are`(text: String, value: String) {
    #expect(evaluate(text) == value.replacing("$", with: "event.extra"))
  }

  @Test(arguments: [
    ("size($.tags)", "2"), ("$.by.size()", "2"), ("$.name.size()", "4"),
    ("size($.n)", "wrong-type at size($.n)"),
    ("$.a.b.filter(x, type(x) == int)", "[json 1]"), ("$.by.map(k, k)", "[json \"l\", json \"k\"]"),
    ("$.tags.map(t, string(t))", "[\"p\", \"q\"]"),
    ("$.tags.transformList(i, t, string(i) + t)", "[\"0p\", \"1q\"]"),
    ("$.by.exists(k, v, k == 'k' && v == 3)", "true"), ("$.tags.all(t, t > 'o')", "true"),
    ("$.a.b.map(x, type(x) == int || type(x) == double, decimal(x)).sum()", "decimal 3.5"),
    ("$.n.map(x, x)", "wrong-type at $.n"), ("[].map(x, x + 1)", "[]"),
    ("['p', $.n]", "[json \"p\", json 8]"), ("{'x': $.n, 'y': 1}", "{json 8, 1}"),
    ("dyn([1, 'a', [2.5, null], {'k': event.lines}])", "json [1,\"a\",[2.5,null],{\"k\":3}]"),
    ("dyn({1: true, 'x': b'a'})", "json {\"1\":true,\"x\":\"YQ==\"}"),
    ("dyn(0.0 / 0.0)", "bad-conversion at dyn(0.0 / 0.0)"),
    ("has($.x) ? $.x : 'none'", "json \"none\""),
  ]) func `macros go over mixed lists and maps, and what leaves as mixed is JSON`(
    text: String, value: String
  ) { #expect(evaluate(text) == value.replacing("$", with: "event.extra")) }

  @Test(arguments: [
    ("has(event.extra) ? event.extra.n : 1", ValueType.int, "write `int("),
    ("event.?extra.?n.orValue(0)", .int, "write `int(event.?extra.?n.orValue(0))`"),
    ("event.?extra.?at", .timestamp, "write `timestamp(event.?extra.?at)`"),
    ("event.?extra.?tags.orValue([])", .list(.string), ".map(item, …)"),
  ]) func `a column of one type takes a mixed value only when it says so`(
    text: String, type: ValueType, help: String
  ) {
    let problem = Sample.problems(text, expecting: type).first ?? ""
    #expect(problem.contains("dyn stands where \(type) is wanted") && problem.contains(help))
  }

  @Test(arguments: [
    ("event.extra.n", "event.extra: `event.extra` may be absent"),
    (
      "has(event.extra) && sha256(event.extra) == ''",
      "say of which type it is, such as `string(event.extra)`"
    ),
    ("has(event.extra) && event.extra.getFullYear() == 1", "such as `string(event.extra)`"),
    ("dyn(event.customer)", "object `Customer` stands where dyn is wanted"),
    ("[event.?extra.orValue(1), event.customer]", "the elements of a list have one type"),
    ("event.?extra.map(x, x)", "may be absent"),
  ]) func `what a mixed value cannot be is told`(text: String, problem: String) {
    #expect(Sample.problems(text).first?.contains(problem) ?? false)
  }

  @Test func `a column of mixed type takes what says itself what it is`() {
    let column = Sample.check("event.tags", expecting: .dyn).0
    #expect(column?.type == .dyn && column?.path == nil)
    #expect(
      Sample.check("{'id': event.customer.id, 'n': [1, 'x']}", expecting: .dyn).0?.type == .dyn)
    #expect(Sample.check("event.customer", expecting: .dyn).0 == nil)
    #expect(Sample.check("event.extra", expecting: .dyn).0?.path == FieldPath(["event", "extra"]))
  }

  @Test func `no mixed value keeps a program busy for long`() {
    let trial = Trial()
    let list = "[" + Array(repeating: "[1,2,3]", count: 2000).joined(separator: ",") + "]"
    trial.set("event.extra", .json(ByteView.lending(list) { trial.arena.copy($0) }))
    let known: Set = [FieldPath(["event", "extra"])]
    #expect(
      trial.evaluate("event.extra.all(x, !event.extra.exists(y, y == [4]))", known: known)
        .hasPrefix("too-much-work"))
    #expect(
      trial.evaluate("dyn(event.extra.map(x, event.extra.map(y, event.extra)))", known: known)
        .hasPrefix("too-much-work"))
  }
}
