import Diagnostics

/// The text of an expression without what means nothing in it: comments, line breaks, spaces. Two
/// expressions are the same to the logic digest and to journals' keys when these texts are.
package enum CanonicalText {
  static func of(_ span: SourceSpan) -> String { text(span, spaced: false) }

  /// For people: on one line, without comments, with a space where something stood between.
  package static func shown(_ span: SourceSpan) -> String { text(span, spaced: true) }

  private static func text(_ span: SourceSpan, spaced: Bool) -> String {
    let bytes = Array(span.source.bytes[span.range])
    var result: [UInt8] = []
    var index = 0
    var needsSpace = false
    while index < bytes.count {
      let byte = bytes[index]
      if [0x20, 0x09, 0x0A, 0x0D].contains(byte) {
        needsSpace = true
        index += 1
      } else if byte == UInt8(ascii: "/"), index + 1 < bytes.count, bytes[index + 1] == byte {
        while index < bytes.count, bytes[index] != 0x0A { index += 1 }
        needsSpace = true
      } else {
        if needsSpace, let last = result.last, spaced || isWord(last) && isWord(byte) {
          result.append(0x20)
        }
        needsSpace = false
        let end = isQuote(byte) ? literalEnd(bytes, index, raw: isRaw(result)) : index + 1
        for byte in bytes[index..<end] {
          result += spaced && byte == 0x0A ? Array("\\n".utf8) : [byte]
        }
        index = end
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == 0x5F
      || byte >= 0x80
  }

  private static func isQuote(_ byte: UInt8) -> Bool { byte == 0x22 || byte == 0x27 }

  private static func isRaw(_ before: [UInt8]) -> Bool {
    let prefix = before.reversed().prefix { ($0 | 0x20) == 0x72 || ($0 | 0x20) == 0x62 }
    return prefix.contains { ($0 | 0x20) == 0x72 }
  }

  /// Behind the literal whose first quote stands at `start`; three quotes make it span lines.
  private static func literalEnd(_ bytes: [UInt8], _ start: Int, raw: Bool) -> Int {
    let quote = bytes[start]
    let isTriple = start + 2 < bytes.count && bytes[start + 1] == quote && bytes[start + 2] == quote
    let length = isTriple ? 3 : 1
    var index = start + length
    while index < bytes.count {
      if bytes[index] == 0x5C, !raw {
        index += 2
      } else if bytes[index] == quote, index + length <= bytes.count,
        bytes[index..<(index + length)].allSatisfy({ $0 == quote })
      {
        return index + length
      } else {
        index += 1
      }
    }
    return bytes.count
  }
}
