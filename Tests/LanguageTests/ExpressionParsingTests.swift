import Diagnostics
import Testing

@testable import Expressions

@Suite struct ExpressionParsingTests {
  private func parse(_ text: String) -> (ParsedExpression?, [Diagnostic]) {
    var diagnostics: [Diagnostic] = []
    let parsed = ParsedExpression.parse(Sample.span(text), into: &diagnostics)
    return (parsed, diagnostics)
  }

  private func block(_ text: String) -> ([Assignment], [Diagnostic]) {
    var diagnostics: [Diagnostic] = []
    let assignments = AssignmentBlock(parsing: Sample.span(text), into: &diagnostics)
    return (assignments.assignments, diagnostics)
  }

  @Test func `places are those of the file that holds the expression`() {
    let file = "kind: Transform\nwhere: event.kind == #\n"
    let source = SourceText(name: "transform.yaml", bytes: Array(file.utf8))
    var diagnostics: [Diagnostic] = []
    let parsed = ParsedExpression.parse(SourceSpan(source, 23..<38), into: &diagnostics)
    #expect(parsed == nil)
    let place = source.place(of: diagnostics.first?.span?.range.lowerBound ?? 0)
    #expect(place == (2, 22))
    #expect(diagnostics.count == 1)
    #expect(diagnostics.first?.help == "comments begin with `//`")
  }

  @Test(arguments: [
    ("1 +", "expected a value, found the end"), ("(1", "expected `)`, found the end"),
    ("a b", "expected an operator or the end, found `b`"),
    ("a = 1", "expected an operator or the end, found `=`"),
    ("'abc", "this text has no closing quote"), (#"'\q'"#, #"`\q` is no escape sequence"#),
    ("'\\ud800'", "U+D800 is no character"), ("1x", "`1x` is no number"),
    ("9223372036854775808", "`9223372036854775808` does not fit into an int of 64 bits"),
    ("18446744073709551616u", "`18446744073709551616u` is above the largest uint, 2^64 - 1"),
    ("1e999", "`1e999` is above the largest double"), ("for", "expected a value, found `for`"),
    ("a ? b", "expected `:` and what holds otherwise, found the end"),
    ("Type{a: 1}", "messages such as `Type{…}` are not in Weft"),
    ("", "expected a value, found the end"),
  ]) func `what is no expression is told once, in words`(text: String, message: String) {
    let (parsed, diagnostics) = parse(text)
    #expect(parsed == nil)
    #expect(diagnostics.map(\.message) == [message])
  }

  @Test func `a call can be taken apart`() {
    let call = parse("sum(event.amount) ").0?.call
    #expect(call?.name == "sum")
    #expect(call?.arguments.map(\.path) == [FieldPath(["event", "amount"])])
    #expect(parse("1 + 2").0?.call == nil)
    #expect(parse("event.items.sum()").0?.call == nil)
    #expect(parse("event.?amount").0?.path == nil)
    #expect(parse("'x'").0?.stringLiteral == "x")
  }

  @Test func `a block is one assignment a line, however long the line goes on`() {
    let (assignments, diagnostics) = block(
      """
        status  = latest("submitted")   // how it stands
        charged = sum(event.amount)
                  if event.kind == "CHARGE"
                     && has(event.amount)
        ...row
        labs[event.loinc] = latest({"value": event.value})
        labs[event.other] = latest({"value": event.value})
        total = a
          + b
      """)
    #expect(diagnostics == [])
    #expect(assignments.map(\.name) == ["status", "charged", "row", "labs", "labs", "total"])
    #expect(assignments.map(\.isSpread) == [false, false, true, false, false, false])
    #expect(assignments.map { $0.condition != nil } == [false, true, false, false, false, false])
    #expect(assignments[3].mapKey?.path == FieldPath(["event", "loinc"]))
    #expect(assignments[1].value.call?.name == "sum")
  }

  @Test func `all broken lines of a block are told, and the others read`() {
    let (assignments, diagnostics) = block(
      """
      a = 1
      b == 2
      c = )
      d = 4 5
      a = 6
      e = 'x
      f = 7
      """)
    #expect(assignments.map(\.name) == ["a", "f"])
    #expect(
      diagnostics.map(\.message).sorted()
        == [
          "`a` is set twice", "expected `=` behind `b`, found `==`",
          "expected a value, found `)`", "expected an operator or the next line, found `5`",
          "this text has no closing quote",
        ].sorted())
    #expect(diagnostics.last?.label == "set before in line 1")
  }

  @Test(arguments: [
    ("a = event.a +\nb = 1", "+ expected a value, found the end of the line"),
    ("a = f(x\nb = 1", "x expected `,` or `)`, found the end of the line"),
    ("a =\nb = 1", "= expected a value, found the end of the line"),
    ("a = 1 +\n  // more\n", "+ expected a value, found the end of the line"),
    (
      "a = x ? y\n...row\nb = 1",
      "y expected `:` and what holds otherwise, found the end of the line"
    ),
    ("a\nb = 1", "a expected `=` behind `a`, found the end of the line"),
    ("a = [1,\nb = 1", ", expected a value, found the end of the line"),
  ]) func `a line that is not complete is told on that line, and the next is read`(
    text: String, expected: String
  ) {
    var diagnostics: [Diagnostic] = []
    let read = AssignmentBlock(parsing: Sample.span(text), into: &diagnostics)
    let told = diagnostics.map { problem in
      let range = problem.span?.range ?? 0..<0
      return String(decoding: Array(text.utf8)[range], as: UTF8.self) + " " + problem.message
    }
    #expect(told == [expected])
    #expect(read.brokenNames == ["a"] && !read.hasNameless && !read.isWhole)
    #expect(read.assignments.map(\.name).contains("b") == text.contains("b = "))
  }

  @Test func `no depth and no length of nonsense breaks the parser`() {
    for text in [
      String(repeating: "(", count: 100_000), String(repeating: "[", count: 50_000),
      String(repeating: "-", count: 60_000) + "1", String(repeating: "!", count: 60_000),
      String(repeating: "a.", count: 30_000) + "b", String(repeating: "1+", count: 30_000) + "1",
      String(repeating: "a?b:", count: 10_000) + "c", String(repeating: "f(", count: 20_000),
      String(repeating: "{'a':", count: 10_000), String(repeating: "x ", count: 70_000),
      "[" + String(repeating: "1,", count: 20_000) + "]",
    ] {
      let (parsed, diagnostics) = parse(text)
      #expect(parsed == nil)
      #expect(diagnostics.count == 1)
    }
  }

  @Test func `no bytes break the parser or the checker`() {
    var state: UInt64 = 7
    let words = [
      "event", ".", ".?", "amount", "(", ")", "[", "]", "{", "}", "'", "\"", "\\", "1", "u", "e",
      "&&", "||", "?", ":", ",", "has", "map", "items", "i", "\n", "...", "=", "`", "\u{FF}", "é",
      "null", "==", "-", "0x", "r'", "b\"", "'''", "orValue", "in", " ",
    ]
    for _ in 0..<3000 {
      var text = ""
      for _ in 0..<12 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        text += words[Int(state >> 33) % words.count]
      }
      let (checked, diagnostics) = Sample.check(text)
      #expect((checked == nil) == !diagnostics.isEmpty)
      _ = block(text)
    }
  }
}
