/// 32 bytes that name the logic of a product: a SHA-256 over all that can change what it publishes.
///
/// Each journal block and each state's stamp carries one. Records only keeps and compares the
/// bytes; which files go into them is the business of the product's files.
package struct LogicDigest: Hashable, Sendable {
  package static let byteCount = 32

  private let words: (UInt64, UInt64, UInt64, UInt64)

  /// No logic at all: what an empty state is stamped with.
  package static let none = LogicDigest(words: (0, 0, 0, 0))

  private init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

  /// The 32 bytes of a hash; nil when there are more or fewer.
  package init?(_ bytes: ByteView) {
    var reader = ByteReader(bytes)
    guard bytes.count == LogicDigest.byteCount, let first = reader.littleEndian(UInt64.self),
      let second = reader.littleEndian(UInt64.self), let third = reader.littleEndian(UInt64.self),
      let fourth = reader.littleEndian(UInt64.self)
    else { return nil }
    self.init(words: (first, second, third, fourth))
  }

  /// Reads 64 hexadecimal digits; nil when the text is not that.
  package init?(hexadecimal text: ByteView) {
    if text.count != 2 * LogicDigest.byteCount { return nil }
    let bytes = ByteBuffer(capacity: LogicDigest.byteCount)
    for index in 0..<LogicDigest.byteCount {
      guard let high = digit(text[2 * index]), let low = digit(text[2 * index + 1])
      else { return nil }
      bytes.append(high << 4 | low)
    }
    self.init(bytes.view)
  }

  package static func == (left: LogicDigest, right: LogicDigest) -> Bool {
    left.words == right.words
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.1)
  }
}

private func digit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case 0x30...0x39: byte - 0x30
  case 0x61...0x66: byte - 0x61 + 10
  case 0x41...0x46: byte - 0x41 + 10
  default: nil
  }
}

extension ByteBuffer {
  /// The 32 bytes of the digest.
  package func append(_ digest: LogicDigest) {
    digest.forEachWord { append(littleEndian: $0) }
  }

  /// Overwrites the 32 bytes that begin at `index`; they must be there.
  package func replace(at index: Int, _ digest: LogicDigest) {
    var place = index
    digest.forEachWord {
      replace(at: place, littleEndian: $0)
      place += 8
    }
  }

  /// The digest as 64 hexadecimal digits.
  package func append(hexadecimal digest: LogicDigest) {
    let digits: StaticString = "0123456789abcdef"
    let start = count
    append(digest)
    let bytes = view.suffix(from: start).copied()
    truncate(to: start)
    for byte in bytes {
      append(digits.view[Int(byte >> 4)])
      append(digits.view[Int(byte & 15)])
    }
  }
}

extension LogicDigest: CustomStringConvertible {
  fileprivate func forEachWord(_ body: (UInt64) -> Void) {
    body(words.0)
    body(words.1)
    body(words.2)
    body(words.3)
  }

  package var description: String {
    let buffer = ByteBuffer(capacity: 64)
    buffer.append(hexadecimal: self)
    return buffer.view.text
  }
}
