import Formats
import Records
import Testing

/// The strict scanner and what is read from its tape.
struct JSONTests {
  private func failure(_ text: [UInt8]) -> JSONFailure? {
    let tape = JSONTape()
    return ByteView.lending(text) { tape.parse($0) }
  }
  private func failure(_ text: String) -> JSONFailure? { failure(Array(text.utf8)) }

  @Test(arguments: [
    "null", " true ", "false", "0", "-0", "1.5e+3", "\"\"", "[]", "{}", "[ ]", "{ }", "[[],{}]",
    "{\"a\":{\"b\":[1,2,{\"c\":null}]}}", "\"\\u00e9\\ud83d\\ude00\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
    "\"\\u0000\"", "\"grüße 日本 😀\"", "[1 , 2\t,\r\n3]", "\"\u{7F}\"", "-1.0E-10",
  ])
  func `a valid document is accepted`(_ text: String) {
    #expect(failure(text) == nil)
  }

  @Test(arguments: [
    ("", JSONFailure.Reason.empty, 0), ("  \n", .empty, 3), ("x", .unexpectedByte, 0),
    ("{", .truncated, 1), ("[1", .truncated, 2), ("[1,", .truncated, 3),
    ("[1,]", .unexpectedByte, 3),
    ("{\"a\"", .truncated, 4), ("{\"a\":", .truncated, 5), ("{\"a\":1,}", .unexpectedByte, 7),
    ("{a:1}", .unexpectedByte, 1), ("{\"a\" 1}", .unexpectedByte, 5), ("[1}", .unexpectedByte, 2),
    ("{\"a\":1]", .unexpectedByte, 6), ("[1] 2", .trailingBytes, 4), ("nul", .truncated, 3),
    ("nulL", .unexpectedByte, 3), ("trueX", .trailingBytes, 4), ("01", .badNumber, 1),
    ("-", .badNumber, 1), ("1.", .badNumber, 2), ("1.e5", .badNumber, 2), ("1e", .badNumber, 2),
    ("1e+", .badNumber, 3), ("+1", .unexpectedByte, 0), (".5", .unexpectedByte, 0),
    ("NaN", .unexpectedByte, 0), ("\"a", .truncated, 2), ("\"\\x\"", .badEscape, 1),
    ("\"\\u12g4\"", .badEscape, 1), ("\"\\ud800\"", .loneSurrogate, 1),
    ("\"\\udc00\"", .loneSurrogate, 1), ("\"\\ud800\\u0041\"", .loneSurrogate, 1),
    ("\"\\ud800x\"", .loneSurrogate, 1), ("\"a\nb\"", .controlCharacter, 2),
    ("\"\u{0}\"", .controlCharacter, 1), ("\u{FEFF}1", .byteOrderMark, 0),
    ("[1\u{0}]", .unexpectedByte, 2), ("[1,,2]", .unexpectedByte, 3), ("'a'", .unexpectedByte, 0),
    ("{\"a\":1 \"b\":2}", .unexpectedByte, 7), ("//\n1", .unexpectedByte, 0),
    ("]", .unexpectedByte, 0),
  ])
  func `a broken document is refused with reason and place`(
    _ text: String, _ reason: JSONFailure.Reason, _ offset: Int
  ) {
    #expect(failure(text) == JSONFailure(reason, at: offset))
  }

  @Test(
    arguments: [
      [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80],
      [0xED, 0xBF, 0xBF],
      [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF],
      [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xC3, 0x28],
    ] as [[UInt8]])
  func `a string that is not UTF-8 is refused`(_ bytes: [UInt8]) {
    for padding in [0, 5, 14, 15, 16, 40] {
      let before = [UInt8](repeating: 0x61, count: padding)
      let text = [0x22] + before + bytes + [0x22]
      #expect(failure(text) == JSONFailure(.invalidUTF8, at: 1 + padding))
      #expect(ByteView.lending(before + bytes) { $0.isValidUTF8 } == false)
    }
  }

  @Test func `nesting beyond the limit is refused, however deep it goes`() {
    let limit = JSONTape.depthMax
    let fits = String(repeating: "[", count: limit) + String(repeating: "]", count: limit)
    #expect(failure(fits) == nil)
    #expect(failure("[" + fits + "]") == JSONFailure(.tooDeep, at: limit))
    #expect(failure(String(repeating: "[", count: 100_000))?.reason == .tooDeep)
    #expect(failure(String(repeating: "{\"a\":", count: 100_000))?.reason == .tooDeep)
    #expect(failure(String(repeating: "[", count: 100))?.reason == .truncated)
  }

  @Test func `a document of five megabytes is read, and a small one after it`() {
    let tape = JSONTape()
    let arena = Arena()
    let large = "[" + String(repeating: "1,", count: 2_500_000) + "1]"
    ByteView.lending(large) { text in
      #expect(tape.parse(text) == nil)
      #expect(tape.count == 2_500_002)
    }
    ByteView.lending("\"" + String(repeating: "é", count: 2_500_000) + "\"") { text in
      #expect(tape.parse(text) == nil)
      #expect(tape.string(at: 0, into: arena).count == 5_000_000)
    }
    ByteView.lending("[true]") { text in
      #expect(tape.parse(text) == nil)
      #expect(tape.kind(at: 1) == .true)
    }
  }

  @Test func `children are walked and skipped by index`() {
    let tape = JSONTape()
    ByteView.lending("{\"a\":[1,[2,3],{}],\"b\":{\"c\":\"x\"},\"a\":null} ") { text in
      #expect(tape.parse(text) == nil)
      var names: [String] = []
      let range = tape.children(of: 0)
      var at = range.lowerBound
      while at < range.upperBound {
        #expect(tape.kind(at: at) == .key)
        names.append(tape.rawText(at: at).text + tape.rawText(at: at + 1).text)
        at = tape.next(after: at + 1)
      }
      #expect(names == ["\"a\"[1,[2,3],{}]", "\"b\"{\"c\":\"x\"}", "\"a\"null"])
      #expect(
        tape.member(of: 0, named: ("a" as StaticString).view).map { tape.kind(at: $0) } == .null)
      #expect(tape.member(of: 0, named: ("z" as StaticString).view) == nil)
    }
  }

  @Test func `names with escapes are found in place`() {
    let many = String(repeating: #""\u0061":1,"#, count: 90_000)
    let text = "{" + many + #""\u00e9\ud83d\ude00\n":2,"\u0061b":3,"\u0061":4}"#
    let tape = JSONTape()
    ByteView.lending(text) { document in
      #expect(tape.parse(document) == nil)
      for (name, value) in [("a", "4"), ("é😀\n", "2"), ("ab", "3")] {
        let found = ByteView.lending(name) { tape.member(of: 0, named: $0) }
        #expect(found.map { tape.rawText(at: $0).text } == value)
      }
      for name in ["", "abc", "é", "é😀"] {
        #expect(ByteView.lending(name) { tape.member(of: 0, named: $0) } == nil)
      }
    }
  }

  @Test func `texts lose their escapes, and are lent when they have none`() {
    let tape = JSONTape()
    let arena = Arena()
    ByteView.lending(#"["plain","a\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00\u0000z"]"#) {
      text in
      #expect(tape.parse(text) == nil)
      #expect(tape.string(at: 1, into: arena).text == "plain")
      #expect(arena.used == 0)
      #expect(
        tape.string(at: 2, into: arena).text == "a\"\\/\u{8}\u{C}\n\r\tAé€😀\u{0}z")
    }
  }

  @Test func `a text of any length is written whole, with what must be escaped at any place`() {
    let buffer = ByteBuffer(capacity: 64)
    func written(_ bytes: [UInt8]) -> String {
      buffer.clear()
      ByteView.lending(bytes) { buffer.appendJSON(string: $0) }
      return buffer.view.text
    }
    for count in 0...50 {
      let plain = (0..<count).map { UInt8(ascii: "a") + UInt8($0 % 26) }
      #expect(written(plain) == "\"\(String(decoding: plain, as: UTF8.self))\"")
      for place in 0..<count {
        var bytes = plain
        bytes[place] = [UInt8(ascii: "\""), 0x0A, UInt8(ascii: "\\")][place % 3]
        let escape = ["\\\"", "\\n", "\\\\"][place % 3]
        let before = String(decoding: plain[..<place], as: UTF8.self)
        let behind = String(decoding: plain[(place + 1)...], as: UTF8.self)
        #expect(written(bytes) == "\"\(before)\(escape)\(behind)\"")
      }
    }
  }
}
