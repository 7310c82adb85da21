import Diagnostics
import Product
import Testing

@Suite struct YAMLReaderTests {
  func read(_ text: String) -> (root: YAMLNode?, problems: [Diagnostic]) {
    var problems: [Diagnostic] = []
    let source = SourceText(name: "t.yaml", bytes: Array(text.utf8))
    return (YAMLReader.read(source, into: &problems), problems)
  }

  func text(_ span: SourceSpan?) -> String? {
    span.map { String(decoding: $0.source.bytes[$0.range], as: UTF8.self) }
  }

  func place(_ problem: Diagnostic?) -> String {
    guard let span = problem?.span else { return "nowhere" }
    let place = span.source.place(of: span.range.lowerBound)
    return "\(place.line):\(place.column)"
  }

  @Test func `every node has its bytes behind letters of several bytes`() throws {
    let (root, problems) = read("größe: {ü: [é, \"ñ\"], ж: >\n}\n")
    #expect(root == nil && !problems.isEmpty)
    let (good, none) = read("größe: {ü: [é, \"ñ\"]}\nnext:\n  - ß\n  - {}\n# end\n")
    #expect(none.isEmpty)
    let root2 = try #require(good)
    let list = try #require(root2["größe"]?["ü"])
    #expect(text(list.span) == "[é, \"ñ\"]")
    guard case .sequence(let items) = list.content else { return #expect(Bool(false)) }
    #expect(items.map { text($0.span) } == ["é", "\"ñ\""])
    #expect(text(root2["next"]?.span) == "- ß\n  - {}")
  }

  @Test func `lines that end in CR or NEL do not move the places`() {
    let (root, problems) = read("a: 1\rb: 2\r\nc: \"\u{85}\"\nd: here\n")
    #expect(problems.isEmpty)
    #expect(text(root?["d"]?.span) == "here")
    let (marked, _) = read("\u{FEFF}a: here\n")
    #expect(text(marked?["a"]?.span) == "here")
  }

  @Test func `plain scalars follow the core schema of YAML 1,2`() {
    let expected: [(String, YAMLScalar)] = [
      ("yes", .text("yes")), ("on", .text("on")), ("True", .bool(true)), ("~", .null), ("", .null),
      ("0o17", .int("0o17")), ("0xFg", .text("0xFg")), ("017", .int("017")), ("-12", .int("-12")),
      ("1_000", .text("1_000")), ("12.50", .float("12.50")), (".5", .float(".5")),
      ("1.", .float("1.")), ("1e3", .float("1e3")), ("1e", .text("1e")), (".", .text(".")),
      (".inf", .float(".inf")), ("2024-01-01", .text("2024-01-01")), ("\"5\"", .text("5")),
      ("'true'", .text("true")), ("!!str 5", .text("5")), ("1:30", .text("1:30")),
    ]
    for (text, value) in expected {
      #expect(read("a: \(text)\n").root?["a"]?.scalar == value, "\(text)")
    }
  }

  @Test func `the text of an expression is found where it stands`() {
    let text = """
      plain: event.a == 1   # comment
      block: |   # not part
        a = 1  // one

        b = 2
      folded: >-
        x
      single: 'event.b'
      double: "say \\"x\\""
      anchored: &name event.c
      """
    let root = read(text).root
    #expect(self.text(root?["plain"]?.textSpan) == "event.a == 1")
    #expect(self.text(root?["block"]?.textSpan) == "  a = 1  // one\n\n  b = 2")
    #expect(self.text(root?["folded"]?.textSpan) == "  x")
    #expect(self.text(root?["single"]?.textSpan) == "event.b")
    #expect(self.text(root?["double"]?.textSpan) == "say \"x\"")
    #expect(root?["double"]?.textSpan?.source.name == "t.yaml:9 (quoted)")
    #expect(self.text(root?["anchored"]?.textSpan) == "event.c")
  }

  @Test func `a repeated key is told with the line of the first`() {
    let (root, problems) = read("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n")
    #expect(root != nil)
    #expect(problems.map(\.message) == ["`c` is set twice", "`a` is set twice"])
    #expect(problems.map(place) == ["4:3", "5:1"])
    #expect(problems.last?.label == "set before in line 1")
  }

  @Test func `what is wrong with the syntax is said in our words with both places`() {
    let expected: [(text: String, place: String, message: String, note: String?)] = [
      ("a:\n\tb: 1\n", "2:1", "a tab cannot indent YAML", nil),
      ("a: \"open\nb: 1\n", "1:4", "the quote `\"` that begins here is never closed", nil),
      (
        "a: [1, 2\nb: 1\n", "2:2", "expected `,` or `]` here",
        "the `[` that it would close stands in line 1, column 4"
      ),
      ("a: b: c\n", "1:5", "there is a second `:` here, or the line above is not complete", nil),
      ("a: @x\n", "1:4", "a plain value cannot begin with `@`", nil),
      (
        "a:\n b: x\n  c: y\n  d: z\n", "2:2",
        "line 3 is indented more than this, and so goes on with the value here", nil
      ),
      (
        "a:\n  - b: x\n\n     c: y\n    d: z\n", "4:6",
        "this is indented more than line 2, and so goes on with the value there", nil
      ),
      (
        "a:\n - b: x\n    c: y\n", "2:4",
        "line 3 is indented more than this, and so goes on with the value here", nil
      ),
      (
        "a:\n    b: 1\n  c: 2\n", "3:3", "this does not continue the map above it",
        "the map stands in line 1, column 1"
      ),
      ("a: 1\nrest\n", "2:1", "this line has no `:` behind its key", nil),
      ("a: 1\n--- \nb: 1\n", "2:1", "a second document begins here; one file holds one", nil),
      ("a: *nam\nb: &name 1\n", "1:4", "nothing before this is called `&nam`", nil),
      ("# nothing\n", "1:1", "this file is empty", nil),
      ("a: !python/object x\n", "1:4", "the tag `!python/object` means nothing here", nil),
      ("{a: 1}: 2\n", "1:1", "a key is a text, not a map", nil),
    ]
    for (text, place, message, note) in expected {
      let problems = read(text).problems
      #expect(problems.map(\.message) == [message], "\(text)")
      #expect(self.place(problems.first) == place, "\(text)")
      if let note { #expect(problems.first?.notes.contains(note) == true, "\(problems)") }
    }
  }

  @Test func `a line that has left its block is not called a key`() {
    let problems = read("a: |\n    x = 1\n  y = 2\nb: 1\n").problems
    #expect(problems.map(place) == ["3:3"])
    #expect(problems.first?.help == "indent it like the lines of the block above")
    let key = read("a:\n    b: 1\n  c: 2\n").problems
    #expect(key.first?.help == "indent it like the keys it belongs to")
  }

  @Test func `bytes that are not UTF-8 are named where they stand`() {
    var problems: [Diagnostic] = []
    let bytes = Array("a: ü\nb: ".utf8) + [0xFF, 0x0A]
    #expect(YAMLReader.read(SourceText(name: "t", bytes: bytes), into: &problems) == nil)
    #expect(problems.map(\.code.text) == ["W0102"])
    #expect(place(problems.first) == "2:4")
  }

  @Test func `a bomb of aliases and a tower of brackets are refused`() {
    var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...12 {
      let before = "*a\(level - 1)"
      bomb +=
        "a\(level): &a\(level) [\(Array(repeating: before, count: 10).joined(separator: ", "))]\n"
    }
    #expect(read(bomb).problems.map(\.code.text) == ["W0103"])
    let tower = String(repeating: "[", count: 100_000)
    #expect(read("a: " + tower).problems.map(\.code.text) == ["W0103"])
  }

  @Test func `an alias stands for the whole of what it names`() {
    let root = read("a: &x {n: 1}\nb: *x\n").root
    #expect(root?["b"]?["n"]?.scalar == .int("1"))
  }
}
