import Expressions
import Records

/// SHA-256 as text, for originals that are too large to keep.
enum SHA256 {
  /// The hash of `bytes` as 64 hexadecimal digits.
  static func hexadecimal(_ bytes: ByteView) -> String {
    let hash = ByteBuffer(capacity: 64)
    hash.append(sha256: bytes)
    let text = ByteBuffer(capacity: 64)
    text.append(hexadecimal: hash.view)
    return text.view.text
  }
}
