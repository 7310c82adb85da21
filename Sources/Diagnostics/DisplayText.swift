/// How text looks on a terminal: safe to print, and how wide it is.
package enum DisplayText {
  /// Columns between tab stops in a source line.
  package static let tabWidth = 4

  /// Columns that a scalar takes: 0 for combining marks, 2 for wide East Asian letters and
  /// pictures. The ranges are the blocks of Unicode's East Asian Width that matter; a stray symbol
  /// may be off.
  package static func width(of scalar: Unicode.Scalar) -> Int {
    if scalar.value < 0x300 { return 1 }
    switch scalar.value {
    case 0x300...0x36F, 0x200B...0x200F, 0x20D0...0x20FF, 0xFE00...0xFE0F, 0xFE20...0xFE2F: return 0
    case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
      0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1FAFF,
      0x20000...0x3FFFD:
      return 2
    default: return 1
    }
  }

  /// Columns that a printable text takes.
  package static func width(of text: String) -> Int {
    text.unicodeScalars.reduce(0) { $0 + width(of: $1) }
  }

  /// The text without anything a terminal would obey: a control character, or one that turns the
  /// direction of writing, becomes its picture or `\u{…}`. Line breaks stay when asked to.
  package static func printable(_ text: String, keepingLineBreaks: Bool = false) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x0A where keepingLineBreaks: result.append(scalar)
      case 0...0x1F: result.append(Unicode.Scalar(0x2400 + scalar.value) ?? " ")
      case 0x7F...0x9F, 0x200E...0x200F, 0x202A...0x202E, 0x2028...0x2029, 0x2066...0x2069:
        result.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
      default: result.append(scalar)
      }
    }
    return String(result)
  }

  /// The beginning of the text in at most `columns` columns, ending in `…` when something was cut.
  package static func truncated(_ text: String, to columns: Int) -> String {
    if width(of: text) <= columns { return text }
    var result = String.UnicodeScalarView()
    var used = 0
    for scalar in text.unicodeScalars {
      let width = width(of: scalar)
      if used + width > columns - 1 { break }
      used += width
      result.append(scalar)
    }
    result.append("…")
    return String(result)
  }
}
