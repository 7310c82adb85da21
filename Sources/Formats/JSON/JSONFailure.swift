/// Why a text is no JSON document that Weft accepts, and where.
///
/// The reaction is always the same: the record goes to quarantine with ``code``, ``message`` and
/// ``offset``; nothing of the document is used.
package struct JSONFailure: Error, Hashable, Sendable {
  package enum Reason: UInt8, Hashable, Sendable {
    case empty, unexpectedByte, truncated, trailingBytes, byteOrderMark, invalidUTF8
    case controlCharacter, badEscape, loneSurrogate, badNumber, tooDeep, tooLarge
  }

  package let reason: Reason
  /// Where the fault begins, in bytes from 0.
  package let offset: Int

  package init(_ reason: Reason, at offset: Int) {
    self.reason = reason
    self.offset = offset
  }

  /// A stable word for programs, such as `invalid-utf8`.
  package var code: StaticString {
    switch reason {
    case .empty: "empty"
    case .unexpectedByte: "not-json"
    case .truncated: "truncated"
    case .trailingBytes: "trailing-bytes"
    case .byteOrderMark: "byte-order-mark"
    case .invalidUTF8: "invalid-utf8"
    case .controlCharacter: "control-character"
    case .badEscape: "bad-escape"
    case .loneSurrogate: "lone-surrogate"
    case .badNumber: "bad-number"
    case .tooDeep: "too-deep"
    case .tooLarge: "too-large"
    }
  }

  /// A sentence for people that stands alone; the offset is not in it.
  package var message: StaticString {
    switch reason {
    case .empty: "there is no JSON value, only white space or nothing"
    case .unexpectedByte: "this is not JSON: the byte here cannot stand in this place"
    case .truncated: "the JSON text ends before its value does"
    case .trailingBytes: "something follows the end of the JSON value"
    case .byteOrderMark: "JSON must not begin with a byte order mark"
    case .invalidUTF8: "the text is not valid UTF-8"
    case .controlCharacter: "a control character in a string must be written as an escape"
    case .badEscape: "this escape does not exist in JSON"
    case .loneSurrogate: "half of a surrogate pair stands alone and is no character"
    case .badNumber: "this is not a number as JSON writes it"
    case .tooDeep: "objects and lists are nested more than 128 deep"
    case .tooLarge: "the document is larger than 2 GiB"
    }
  }
}
