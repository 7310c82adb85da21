import CCrypto
import Records

/// Hashes by libcrypto. Each asks it for its algorithm anew, about a microsecond.
extension Evaluation {
  func hash(_ instruction: Instruction, _ a: Value, _ frame: Frame) -> Value {
    frame.text.clear()
    if instruction.opcode != .uuid5 {
      if instruction.opcode == .sha256 {
        frame.text.append(sha256: a.view)
      } else {
        frame.text.append(hmac: load(instruction.b).view, key: a.view)
      }
      let hash = frame.arena.copy(frame.text.view)
      frame.text.clear()
      frame.text.append(hexadecimal: hash)
      return .string(frame.arena.copy(frame.text.view))
    }
    // RFC 9562, 5.5: SHA-1 over the namespace's 16 bytes and the name; version and variant set.
    guard frame.text.append(uuid: a.view) else { return .failure(.badConversion) }
    frame.text.append(load(instruction.b).view)
    let input = frame.arena.copy(frame.text.view)
    frame.text.clear()
    frame.text.append(sha1: input)
    frame.text.truncate(to: 16)
    frame.text.replace(at: 6, littleEndian: frame.text.view[6] & 0x0F | 0x50)
    frame.text.replace(at: 8, littleEndian: frame.text.view[8] & 0x3F | 0x80)
    let hash = frame.arena.copy(frame.text.view)
    frame.text.clear()
    for (start, end) in [(0, 4), (4, 6), (6, 8), (8, 10), (10, 16)] {
      if start > 0 { frame.text.append(UInt8(ascii: "-")) }
      frame.text.append(hexadecimal: hash[start..<end])
    }
    return .string(frame.arena.copy(frame.text.view))
  }
}

/// `unsafe` because libcrypto reads from and writes to plain memory: the bytes are lent for longer,
/// and there is room for as many as the function writes.
extension ByteBuffer {
  /// The 32 bytes of the hash.
  package func append(sha256 bytes: ByteView) {
    let place = unsafe reserve(32)
    _ = unsafe SHA256(bytes.pointer, bytes.count, place)
    advance(by: 32)
  }

  /// The 32 bytes of HMAC-SHA256.
  package func append(hmac bytes: ByteView, key: ByteView) {
    let place = unsafe reserve(32)
    _ = unsafe HMAC(
      EVP_sha256(), key.pointer, Int32(clamping: key.count), bytes.pointer, bytes.count, place, nil)
    advance(by: 32)
  }

  /// The 20 bytes of the hash.
  fileprivate func append(sha1 bytes: ByteView) {
    let place = unsafe reserve(20)
    _ = unsafe SHA1(bytes.pointer, bytes.count, place)
    advance(by: 20)
  }
}

extension ByteBuffer {
  /// Two lower-case digits a byte.
  package func append(hexadecimal bytes: ByteView) {
    let digits = ("0123456789abcdef" as StaticString).view
    for index in 0..<bytes.count {
      append(digits[Int(bytes[index] >> 4)])
      append(digits[Int(bytes[index] & 15)])
    }
  }

  /// The 16 bytes of a UUID's text; false when it is none.
  fileprivate func append(uuid text: ByteView) -> Bool {
    guard text.count == 36 else { return false }
    var index = 0
    while index < 36 {
      if index == 8 || index == 13 || index == 18 || index == 23 {
        if text[index] != UInt8(ascii: "-") { return false }
        index += 1
        continue
      }
      guard let high = hexValue(text[index]), let low = hexValue(text[index + 1]) else {
        return false
      }
      append(UInt8(high << 4 | low))
      index += 2
    }
    return true
  }
}
