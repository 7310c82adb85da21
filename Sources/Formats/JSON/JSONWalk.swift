import Records

/// Goes over what is in a list or an object of JSON, whose text a scanner has accepted, where it
/// stands and without a tape: for values that are looked into seldom, and not by a contract.
package struct JSONWalk {
  private let text: ByteView
  private var at = 1

  /// `text`: from the bracket that opens it to the one that closes it.
  package init(_ text: ByteView) { self.text = text }

  /// The text of the next element; in an object names and values take turns. Nil behind the last.
  /// Cost: in proportion to its length.
  package mutating func next() -> ByteView? {
    while at < text.count, isBetween(text[at]) { at += 1 }
    if at >= text.count || isClosing(text[at]) { return nil }
    let start = at
    switch text[at] {
    case UInt8(ascii: "\""): skipString()
    case UInt8(ascii: "["), UInt8(ascii: "{"): skipContainer()
    default: while at < text.count, !isBetween(text[at]), !isClosing(text[at]) { at += 1 }
    }
    return text[start..<at]
  }

  private mutating func skipString() {
    at += 1
    while text[at] != UInt8(ascii: "\"") { at += text[at] == UInt8(ascii: "\\") ? 2 : 1 }
    at += 1
  }

  private mutating func skipContainer() {
    var depth = 0
    repeat {
      switch text[at] {
      case UInt8(ascii: "\""):
        skipString()
        continue
      case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
      default: break
      }
      at += 1
    } while depth > 0
  }

  private func isClosing(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}")
  }

  private func isBetween(_ byte: UInt8) -> Bool {
    byte <= 0x20 || byte == UInt8(ascii: ",") || byte == UInt8(ascii: ":")
  }
}

/// The text of one JSON value that a scanner has accepted.
extension ByteView {
  /// What it is, by its first byte.
  package var jsonKind: JSONKind {
    switch self[0] {
    case UInt8(ascii: "{"): .object
    case UInt8(ascii: "["): .array
    case UInt8(ascii: "\""): .string
    case UInt8(ascii: "t"): .true
    case UInt8(ascii: "f"): .false
    case UInt8(ascii: "n"): .null
    default: .number
    }
  }

  /// Of a string or name, with its quotes: its bytes, escapes resolved. A part of this text when it
  /// has none, else a copy in `arena`.
  package func jsonString(into arena: Arena) -> ByteView {
    let written = self[1..<count - 1]
    return written.hasEscapes ? written.unescaped(into: arena) : written
  }

  /// Of a string or name, with its quotes: whether its bytes, escapes resolved, are `other`.
  package func isJSONString(_ other: ByteView) -> Bool {
    let written = self[1..<count - 1]
    return written.hasEscapes ? written.unescapes(to: other) : written == other
  }

  private var hasEscapes: Bool {
    for index in 0..<count where self[index] == UInt8(ascii: "\\") { return true }
    return false
  }
}
