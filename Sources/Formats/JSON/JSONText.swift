import CSIMD
import Records

/// Texts of JSON strings: from escapes to bytes and back, and what is valid UTF-8.
extension JSONTape {
  /// The bytes of the string or key at `index`, escapes resolved: a part of the document when it
  /// has none, else a copy in `arena`. Of any other node, its raw text.
  package func string(at index: Int, into arena: Arena) -> ByteView {
    let written = escapedText(at: index)
    return hasEscapes(at: index) ? written.unescaped(into: arena) : written
  }

  /// The string or key at `index` as a String. Allocates; not for the hot path.
  package func text(at index: Int) -> String {
    let arena = Arena()
    return withExtendedLifetime(arena) { string(at: index, into: arena).text }
  }

  /// Whether the key at `index`, escapes resolved, is `name`.
  func key(at index: Int, is name: ByteView) -> Bool {
    if !hasEscapes(at: index) { return escapedText(at: index) == name }
    return escapedText(at: index).unescapes(to: name)
  }
}

extension ByteView {
  /// This text of a string, accepted by the scanner, with its escapes resolved; lives as long as
  /// what `arena` lends.
  func unescaped(into arena: Arena) -> ByteView {
    // No escape is shorter than what it stands for.
    let place = unsafe arena.allocate(count).assumingMemoryBound(to: UInt8.self)
    var length = 0
    var index = 0
    while index < count {
      let byte = self[index]
      if byte != UInt8(ascii: "\\") {
        unsafe place[length] = byte
        length += 1
        index += 1
        continue
      }
      let (scalar, width) = escape(at: index)
      index += width
      for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
        unsafe place[length] = byte
        length += 1
      }
    }
    return unsafe ByteView(base: UnsafePointer(place), count: length)
  }

  /// Whether this text of a string, accepted by the scanner, is `other` with its escapes resolved.
  /// In place: a document may have an escape in each of 100,000 names.
  func unescapes(to other: ByteView) -> Bool {
    var place = 0
    var index = 0
    while index < count {
      let byte = self[index]
      if byte != UInt8(ascii: "\\") {
        if place == other.count || other[place] != byte { return false }
        place += 1
        index += 1
        continue
      }
      let (scalar, width) = escape(at: index)
      index += width
      for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
        if place == other.count || other[place] != byte { return false }
        place += 1
      }
    }
    return place == other.count
  }

  /// The character that the escape at `index` stands for, and how many bytes it takes.
  private func escape(at index: Int) -> (Unicode.Scalar, Int) {
    switch self[index + 1] {
    case UInt8(ascii: "b"): return ("\u{8}", 2)
    case UInt8(ascii: "f"): return ("\u{C}", 2)
    case UInt8(ascii: "n"): return ("\n", 2)
    case UInt8(ascii: "r"): return ("\r", 2)
    case UInt8(ascii: "t"): return ("\t", 2)
    case UInt8(ascii: "u"):
      let unit = unit(at: index + 2)
      if unit < 0xD800 || unit > 0xDFFF {
        return (Unicode.Scalar(unit) ?? "\u{FFFD}", 6)
      }
      let pair = 0x10000 + (unit - 0xD800) << 10 + (self.unit(at: index + 8) - 0xDC00)
      return (Unicode.Scalar(pair) ?? "\u{FFFD}", 12)
    case let byte: return (Unicode.Scalar(byte), 2)
    }
  }

  private func unit(at index: Int) -> UInt32 {
    var value: UInt32 = 0
    for place in index..<index + 4 { value = value << 4 | (hexadecimalDigit(self[place]) ?? 0) }
    return value
  }

  /// Whether the bytes are valid UTF-8 (shortest forms, no surrogates).
  package var isValidUTF8: Bool {
    let end = unsafe pointer + count
    var at = unsafe pointer
    while unsafe at < end {
      // Quotes, backslashes and controls are valid, they only end a run.
      unsafe at = weft_plain_text_end(at, pointer, end)
      if unsafe at == end { return true }
      let length = unsafe weft_utf8_length(at, end)
      if length == 0 { return false }
      unsafe at += length
    }
    return true
  }

  /// How many bytes at and after `start` a JSON string takes as they are.
  func plainLength(from start: Int) -> Int {
    let at = unsafe pointer + start
    return unsafe weft_escape_end(at, pointer, pointer + count) - at
  }
}

extension ByteBuffer {
  /// The text as a JSON string with its quotes. Only what must be escaped is: quote, backslash and
  /// controls. `text` must be valid UTF-8 (``ByteView/isValidUTF8``).
  package func appendJSON(string text: ByteView) {
    let place = unsafe reserve(text.count + 2)
    unsafe place.pointee = UInt8(ascii: "\"")
    let plain = unsafe weft_copy_unescaped(place + 1, text.pointer, text.count)
    if plain < text.count {
      advance(by: 1 + plain)
      appendEscaped(text, from: plain)
      return
    }
    unsafe place[1 + plain] = UInt8(ascii: "\"")
    advance(by: plain + 2)
  }

  /// The rest of a text, from a byte that must be escaped on, and its last quote.
  private func appendEscaped(_ text: ByteView, from first: Int) {
    var start = first
    while start < text.count {
      let length = text.plainLength(from: start)
      append(text[start..<start + length])
      start += length
      if start < text.count {
        appendEscape(of: text[start])
        start += 1
      }
    }
    append(UInt8(ascii: "\""))
  }

  package func appendJSON(string text: String) {
    ByteView.lending(text) { appendJSON(string: $0) }
  }

  private func appendEscape(of byte: UInt8) {
    append(UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(byte)
    case 0x08: append(UInt8(ascii: "b"))
    case 0x09: append(UInt8(ascii: "t"))
    case 0x0A: append(UInt8(ascii: "n"))
    case 0x0C: append(UInt8(ascii: "f"))
    case 0x0D: append(UInt8(ascii: "r"))
    default:
      let digits = ("0123456789abcdef" as StaticString).view
      append("u00")
      append(digits[Int(byte >> 4)])
      append(digits[Int(byte & 15)])
    }
  }
}
