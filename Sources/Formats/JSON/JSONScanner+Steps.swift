import Records

/// Steps of those who scan a document value by value and want no tape: each node is written over
/// the one before.
extension JSONScanner {
  /// The node that was scanned last, and its text.
  @inline(__always)
  var last: JSONNode { unsafe nodes[0] }
  @inline(__always)
  var lastText: ByteView {
    let node = last
    return unsafe ByteView(base: begin + Int(node.start), count: Int(node.end) - Int(node.start))
  }

  @inline(__always)
  func isAt(_ byte: UInt8) -> Bool { unsafe at < end && at.pointee == byte }

  /// The colon behind a key, with the white space around it.
  @inline(__always)
  mutating func colon() -> Bool {
    skipSpace()
    if !isAt(UInt8(ascii: ":")) { return false }
    unsafe at += 1
    skipSpace()
    return true
  }

  /// Behind a value: whether a comma follows, and then to what is behind it.
  @inline(__always)
  mutating func goesOn() -> Bool {
    skipSpace()
    if !isAt(UInt8(ascii: ",")) { return false }
    unsafe at += 1
    skipSpace()
    return true
  }

  /// A value of any kind, which is only looked at to be JSON.
  mutating func skip() -> Bool {
    count = 0
    open = JSONScanner.none
    return value()
  }

  /// The text of the first member called `name` of the document, where it is a string without
  /// escapes and the members before it are in order.
  consuming func text(ofMember name: ByteView) -> ByteView? {
    if !start() || !isAt(UInt8(ascii: "{")) { return nil }
    unsafe at += 1
    depth = 1
    skipSpace()
    repeat {
      if !isAt(UInt8(ascii: "\"")) { return nil }
      count = 0
      if !string(.key) { return nil }
      let isIt = last.flags == 0 && lastText == name
      if !colon() { return nil }
      if isIt {
        count = 0
        guard isAt(UInt8(ascii: "\"")), string(.string), last.flags == 0 else { return nil }
        return lastText
      }
      if !skip() { return nil }
    } while goesOn()
    return nil
  }
}
