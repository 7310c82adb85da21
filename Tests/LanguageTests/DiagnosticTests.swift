import Diagnostics
import Testing

@Suite struct DiagnosticTests {
  private func source(_ text: String, name: String = "claims/transform.yaml") -> SourceText {
    SourceText(name: name, bytes: Array(text.utf8))
  }

  /// The span of the first occurrence of `part`.
  private func span(of part: String, in source: SourceText) throws -> SourceSpan {
    let bytes = Array(part.utf8)
    let start = try #require(
      source.bytes.indices.first { source.bytes[$0...].starts(with: bytes) })
    return SourceSpan(source, start..<start + bytes.count)
  }

  @Test func `a diagnostic shows its code, place, line, caret and help`() throws {
    let text = source("\n\n\n\n\n\n\n\n\n        charged  = sum(event.amout) if x\n")
    let diagnostic = Diagnostic(
      DiagnosticCode("W0203"), "`amout` is not a field of event type `ClaimTransaction`",
      at: try span(of: "event.amout", in: text),
      label: "decimal fields here: `amount`, `payment`",
      help: "did you mean `event.amount`?")
    let expected = """
      error[W0203]: `amout` is not a field of event type `ClaimTransaction`
        --> claims/transform.yaml:10:24
         |
      10 |         charged  = sum(event.amout) if x
         |                        ^^^^^^^^^^^ decimal fields here: `amount`, `payment`
         |
         = help: did you mean `event.amount`?

      """
    #expect(TextRenderer(colours: false).render(diagnostic) == expected)
  }

  @Test func `the caret stands under wide letters and behind tabs`() throws {
    let text = source("a: 1\nb:\t\"日本é\" wrong\n")
    let diagnostic = Diagnostic(
      DiagnosticCode("W0101"), "m", at: try span(of: "wrong", in: text))
    let expected = """
      error[W0101]: m
       --> claims/transform.yaml:2:10
        |
      2 | b:  "日本é" wrong
        |             ^^^^^

      """
    #expect(TextRenderer(colours: false).render(diagnostic) == expected)
  }

  @Test func `a span of several lines has a bracket and its label at the foot`() throws {
    let text = source("a:\n  b: 1\n  c: 2\nd: 3\n")
    let diagnostic = Diagnostic(
      DiagnosticCode("W0102"), "m", at: try span(of: "a:\n  b: 1\n  c: 2\n", in: text),
      label: "here", notes: ["first\nsecond"], severity: .warning)
    let expected = """
      warning[W0102]: m
       --> claims/transform.yaml:1:1
        |
      1 | / a:
      2 | |   b: 1
      3 | |   c: 2
        | |______^ here
        |
        = note: first
                second

      """
    #expect(TextRenderer(colours: false).render(diagnostic) == expected)
  }

  @Test func `a wide line is shown around the place only`() throws {
    let text = source(
      String(repeating: "x", count: 4_000) + "HERE" + String(repeating: "y", count: 9))
    let rendered = TextRenderer(colours: false).render(
      Diagnostic(DiagnosticCode("W0101"), "m", at: try span(of: "HERE", in: text)))
    let lines = rendered.split(separator: "\n")
    #expect(lines.allSatisfy { $0.count < 150 })
    let line = try #require(lines.first { $0.contains("HERE") })
    let carets = try #require(lines.first { $0.contains("^^^^") })
    #expect(
      line.distance(from: line.startIndex, to: line.firstIndex(of: "H") ?? line.endIndex)
        == carets.distance(
          from: carets.startIndex, to: carets.firstIndex(of: "^") ?? carets.endIndex))
  }

  @Test func `spans at the end, in an empty text and beyond it are shown, not a crash`() {
    for (text, range) in [("", 0..<0), ("a", 1..<1), ("a\n", 2..<2), ("é", 1..<9), ("a", 7..<9)] {
      let diagnostic = Diagnostic(
        DiagnosticCode("W0101"), "m", at: SourceSpan(source(text), range))
      #expect(TextRenderer(colours: false).render(diagnostic).contains("transform.yaml:"))
      #expect(JSONRenderer().render(diagnostic).contains("\"line\":"))
    }
  }

  @Test func `what is quoted cannot give orders to the terminal`() throws {
    let text = source("\u{1B}[2J\u{202E}evil\n")
    let rendered = TextRenderer(colours: false).render(
      Diagnostic(DiagnosticCode("W0101"), "\u{1B}[31m", at: try span(of: "evil", in: text)))
    #expect(!rendered.unicodeScalars.contains("\u{1B}"))
    #expect(!rendered.unicodeScalars.contains("\u{202E}"))
  }

  @Test func `colours are painted only when asked for`() {
    let diagnostic = Diagnostic(DiagnosticCode("W0401"), "m", help: "h")
    #expect(TextRenderer(colours: true).render(diagnostic).contains("\u{1B}[1;31merror"))
    #expect(!TextRenderer(colours: false).render(diagnostic).contains("\u{1B}"))
  }

  @Test func `problems print in reading order, once each, twenty at most`() throws {
    let text = source(String(repeating: "x\n", count: 30))
    var found: [Diagnostic] = []
    for line in (0..<25).reversed() {
      let span = SourceSpan(text, line * 2..<line * 2 + 1)
      found.append(Diagnostic(DiagnosticCode("W0101"), "problem \(line)", at: span))
      found.append(Diagnostic(DiagnosticCode("W0101"), "problem \(line)", at: span))
    }
    let rendered = TextRenderer(colours: false).render(found)
    let first = try #require(rendered.split(separator: "\n").first)
    #expect(first.contains("problem 0"))
    #expect(rendered.contains("problem 19\n"))
    #expect(!rendered.contains("problem 20\n"))
    #expect(rendered.hasSuffix("25 errors, and 5 more are not shown\n"))
    #expect(JSONRenderer().render(found).split(separator: "\n").count == 25)
  }

  @Test func `machines get the same fields as one object a line`() throws {
    let text = source("a: é\n")
    let diagnostic = Diagnostic(
      DiagnosticCode("W0201"), "say \"so\"", at: try span(of: "é", in: text), label: "l",
      notes: ["n"], help: "h\n")
    #expect(
      JSONRenderer().render(diagnostic)
        == #"{"code":"W0201","severity":"error","message":"say \"so\"","#
        + #""file":"claims/transform.yaml","line":1,"column":4,"endLine":1,"endColumn":5,"#
        + #""label":"l","notes":["n"],"help":"h\n"}"#)
  }

  @Test func `the name that was meant is at most two edits away`() {
    let names = ["amount", "payment", "kind", "Amount2"]
    #expect(closest(to: "amout", among: names) == "amount")
    #expect(closest(to: "amuont", among: names) == "amount")
    #expect(closest(to: "PAYMENT", among: names) == "payment")
    #expect(closest(to: "kid", among: names) == "kind")
    #expect(closest(to: "charge", among: names) == nil)
    #expect(closest(to: "x", among: ["y", "xy"]) == nil)
    #expect(closest(to: "", among: names) == nil)
  }
}
