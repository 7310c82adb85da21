import Formats
import Records
import Testing

/// Bytes nobody would write: no trap, and what is accepted means the same when it is written again.
struct JSONFuzzTests {
  private static let seeds = [
    #"{"order_id":"o-1","customer":{"id":7,"email":"u@example.com"},"amount":12.50,"ok":true}"#,
    #"[1,-2.5e+10,0,null,false,"a\"b\\c\/\u00e9\ud83d\ude00\n",[[],{}],{"":{"":[]}}]"#,
    "[\"grüße 日本 😀 \u{7F}\", \"plain text that is longer than sixteen bytes\" , -0.0 ]",
    " \t\r\n{ \"a\" : [ 1 , 2 ] , \"a\" : \"\" } \n",
  ].map { Array($0.utf8) }

  @Test func `mutated documents never trap, and survive being written again`() {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    func random(_ bound: Int) -> Int {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Int(state % UInt64(bound))
    }
    let interesting =
      Array("{}[]\",:\\u09aAeE.+-tfn \u{1}".utf8) + [0, 0x80, 0xC3, 0xE2, 0xED, 0xF0, 0xFF]
    var accepted = 0
    for _ in 0..<60_000 {
      var bytes = JSONFuzzTests.seeds[random(JSONFuzzTests.seeds.count)]
      for _ in 0..<random(4) {
        let place = random(bytes.count)
        switch random(3) {
        case 0: bytes[place] = interesting[random(interesting.count)]
        case 1: bytes.insert(interesting[random(interesting.count)], at: place)
        default: bytes.remove(at: place)
        }
      }
      if random(10) == 0 { bytes.removeLast(random(bytes.count)) }
      guard let value = ByteView.lending(bytes, { try? JSONValue(parsing: $0) }) else { continue }
      accepted += 1
      #expect((try? JSONValue(parsing: value.description)) == value)
      #expect((try? JSONValue(parsing: value.indented)) == value)
    }
    #expect(accepted > 10_000)
  }

  /// The scan looks at sixteen bytes at once, but never outside of the text.
  @Test func `a string may end anywhere in the text`() {
    for length in 0..<70 {
      for ending in ["\"", "\\\"\"", "é\"", ""] {
        let bytes = Array(("\"" + String(repeating: "x", count: length) + ending).utf8)
        // A block of its own for each text, so that the address sanitizer sees a step outside.
        let tape = JSONTape()
        ByteView.lending(bytes) { text in
          #expect((tape.parse(text) == nil) == !ending.isEmpty)
        }
      }
    }
  }
}
