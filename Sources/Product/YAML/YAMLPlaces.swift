import Diagnostics

/// Finds bytes by libyaml's lines and columns. Its lines also end at CR, NEL, LS and PS, and its
/// columns count characters, so a source's own lines do not serve.
struct YAMLPlaces {
  private let bytes: [UInt8]
  private var lineStarts: [Int]

  /// `start`: where the text begins behind a byte order mark.
  init(_ bytes: [UInt8], start: Int) {
    self.bytes = bytes
    lineStarts = [start]
    var index = start
    while index < bytes.count {
      let length = YAMLPlaces.breakLength(bytes, at: index)
      index += max(length, 1)
      if length > 0 { lineStarts.append(index) }
    }
  }

  /// The byte at a mark; past a line's end, the next line's beginning.
  func offset(of mark: YAMLMark) -> Int {
    guard mark.line < lineStarts.count else { return bytes.count }
    var index = lineStarts[mark.line]
    var column = 0
    while column < mark.column, index < bytes.count {
      index += 1
      while index < bytes.count, bytes[index] & 0xC0 == 0x80 { index += 1 }
      column += 1
    }
    return min(index, bytes.count)
  }

  /// Where the line after the byte's begins.
  func lineEnd(after offset: Int) -> Int {
    var index = offset
    while index < bytes.count {
      let length = YAMLPlaces.breakLength(bytes, at: index)
      if length > 0 { return index + length }
      index += 1
    }
    return bytes.count
  }

  /// Bytes of the line break at `index`; 0 when there is none.
  private static func breakLength(_ bytes: [UInt8], at index: Int) -> Int {
    func byte(_ ahead: Int) -> UInt8 { index + ahead < bytes.count ? bytes[index + ahead] : 0 }
    switch byte(0) {
    case 0x0A: return 1
    case 0x0D: return byte(1) == 0x0A ? 2 : 1
    case 0xC2: return byte(1) == 0x85 ? 2 : 0
    case 0xE2: return byte(1) == 0x80 && (byte(2) == 0xA8 || byte(2) == 0xA9) ? 3 : 0
    default: return 0
    }
  }
}
