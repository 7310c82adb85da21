/// What a node of a ``JSONTape`` is.
package enum JSONKind: UInt8, Sendable, BitwiseCopyable {
  case object, array
  /// The name of a member; its value is the node after it.
  case key
  case string, number, `true`, `false`, null
}

/// One entry of the tape: 16 bytes, so that four share a cache line.
struct JSONNode: BitwiseCopyable {
  /// Of strings and keys, that there is a backslash in the text.
  static let escaped: UInt8 = 1
  /// Of numbers, that there is a fraction or an exponent.
  static let fractional: UInt8 = 1

  /// Where the text begins, quotes left out.
  var start: UInt32
  /// One behind the text's last byte, quotes left out.
  var end: UInt32
  /// The node behind this one and all that is in it. While a container is open: its parent.
  var next: UInt32
  var kind: JSONKind
  var flags: UInt8
}
