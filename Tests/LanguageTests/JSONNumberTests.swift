import Formats
import Records
import Testing

/// Numbers from their text, and values written as text.
struct JSONNumberTests {
  private func number<Result>(_ text: String, _ read: (JSONTape) -> Result) -> Result {
    let tape = JSONTape()
    return ByteView.lending(text) { view in
      #expect(tape.parse(view) == nil)
      return read(tape)
    }
  }
  private func written(_ write: (ByteBuffer) -> Void) -> String {
    let buffer = ByteBuffer()
    write(buffer)
    return buffer.view.text
  }

  @Test(
    arguments: [
      ("0", 0), ("-0", 0), ("-0.0", 0), ("0e999999999999", 0), ("1", 1), ("-17", -17), ("1.0", 1),
      ("1e2", 100), ("1.5e1", 15), ("100e-2", 1), ("-12.3400e2", -1234), ("1E+3", 1000),
      ("9223372036854775807", .max), ("-9223372036854775808", .min),
      ("9223372036854775807.000", .max),
      ("922337203685477580.7e1", .max), ("-922337203685477580.8e1", .min), ("0.001e3", 1),
      ("123456789012345678", 123_456_789_012_345_678),
      ("1" + String(repeating: "0", count: 500) + "e-500", 1),
      ("0." + String(repeating: "0", count: 499) + "1e500", 1),
    ] as [(String, Int64)])
  func `an integer is read however it is written`(_ text: String, _ expected: Int64) {
    #expect(number(text) { $0.int64(at: 0) } == expected)
  }

  @Test(arguments: [
    ("1.5", JSONNumberFault.notIntegral), ("1e-1", .notIntegral), ("0.0001", .notIntegral),
    ("9223372036854775808", .outOfRange), ("-9223372036854775809", .outOfRange),
    ("1e19", .outOfRange), ("1e400", .outOfRange), ("99999999999999999999999", .outOfRange),
    ("1e999999999999999999999999", .outOfRange), ("12345678901234567890123.5", .notIntegral),
    ("\"1\"", .notANumber), ("null", .notANumber), ("[1]", .notANumber),
  ])
  func `what is no 64-bit integer is refused with its reason`(
    _ text: String, _ fault: JSONNumberFault
  ) {
    #expect(number(text) { $0.int64(at: 0) } == nil)
    #expect(number(text) { $0.integerFault(at: 0) } == fault)
  }

  @Test func `doubles are rounded correctly`() {
    let texts = [
      "0", "-0.0", "0.1", "9.99", "123456789012345", "1.7976931348623157e308", "5e-324", "2.5e-324",
      "9007199254740993", "0.1000000000000000055511151231257827", "1e22", "1e23", "12345.678e-300",
      "179769313486231580793728971405301e276", "2.2250738585072011e-308", "1e-400",
      "0.00000000000000000000001", "8.98846567431158e307",
    ]
    for text in texts {
      let expected = Double(text)
      #expect(number(text) { $0.double(at: 0)?.bitPattern } == expected?.bitPattern, "\(text)")
    }
    #expect(number("1e400") { $0.double(at: 0) } == nil)
    #expect(number("-1e400") { $0.double(at: 0) } == nil)
    #expect(number("true") { $0.double(at: 0) } == nil)
    var state: UInt64 = 88_172_645_463_325_252
    for _ in 0..<20_000 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      let text = "\(state % 1_000_000_000).\(state >> 40)"
      #expect(number(text) { $0.double(at: 0) } == Double(text))
    }
  }

  @Test func `a decimal keeps its digits and places`() {
    #expect(number("12.50") { $0.decimal(at: 0)?.description } == "12.50")
    #expect(number("-0.1") { $0.decimal(at: 0)?.description } == "-0.1")
    let long = "12345678901234567890123456789012345.678"
    #expect(number(long) { $0.decimal(at: 0)?.description } == long)
    #expect(number("1" + long) { $0.decimal(at: 0) } == nil)
    #expect(number("\"1\"") { $0.decimal(at: 0) } == nil)
  }

  @Test func `a double is written with the fewest digits that read back`() {
    var values: [Double] = [
      0, -0.0, 1, -1, 12, 0.1, 9.99, 0.001, 0.0009, 1e14, 1e15, 1e16, 123_456.789, 1.0 / 3,
      0.1 + 0.2,
      .leastNonzeroMagnitude, .greatestFiniteMagnitude, 999_999_999_999_999, 0.000001, 1.0000001,
      100_000_000.125,
    ]
    var state: UInt64 = 1
    for _ in 0..<50_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      values.append(
        Double(state >> 30) / [1.0, 10, 100, 1000, 1e6, 1e7][Int(state >> 20 & 63) % 6])
      values.append(Double(bitPattern: state))
    }
    for value in values where value.isFinite {
      let text = written { _ = $0.appendJSON(double: value) }
      #expect(text == value.description)
      #expect(number(text) { $0.double(at: 0)?.bitPattern } == value.bitPattern)
    }
    let buffer = ByteBuffer()
    #expect(!buffer.appendJSON(double: .infinity))
    #expect(!buffer.appendJSON(double: .nan))
    #expect(buffer.isEmpty)
  }

  @Test func `strings are escaped where JSON asks for it and nowhere else`() {
    #expect(
      written { $0.appendJSON(string: "a\"b\\c/\u{8}\t\n\u{C}\r\u{0}\u{1F}\u{7F}é😀") }
        == #""a\"b\\c/\b\t\n\f\r\u0000\u001f"# + "\u{7F}é😀\"")
    for length in 0..<70 {
      for place in 0...length {
        let text =
          String(repeating: "x", count: place) + "\"" + String(repeating: "é", count: length)
        let json = written { $0.appendJSON(string: text) }
        #expect(number(json) { $0.text(at: 0) } == text)
      }
    }
  }

  @Test func `the other values have their text`() {
    #expect(written { $0.appendJSON(bool: true) } == "true")
    #expect(written { $0.appendJSON(bool: false) } == "false")
    #expect(written { $0.appendJSONNull() } == "null")
    #expect(
      written { $0.appendJSON(timestamp: Timestamp(milliseconds: -1)) }
        == "\"1969-12-31T23:59:59.999Z\"")
    #expect(written { $0.appendJSON(days: 19_782) } == "\"2024-02-29\"")
    let bases = ["": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foobar": "Zm9vYmFy"]
    for (bytes, text) in bases {
      ByteView.lending(bytes) { view in
        #expect(written { $0.appendJSON(base64: view) } == "\"\(text)\"")
      }
    }
    #expect(
      ByteView.lending([0xFB, 0xFF]) { view in written { $0.append(base64: view) } } == "+/8=")
  }
}
