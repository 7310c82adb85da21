import Records

/// SHA-256 (FIPS 180-4), for originals that are too large to keep; far from the hot path, so that
/// the engine needs no library for it.
struct SHA256 {
  private var state: [UInt32] = [
    0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB,
    0x5BE0_CD19,
  ]

  /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
  private static let constants: [UInt32] = primes(64).map { prime in
    fraction(of: prime)
  }

  private static func primes(_ count: Int) -> [UInt64] {
    var found: [UInt64] = []
    var candidate: UInt64 = 2
    while found.count < count {
      if !found.contains(where: { candidate % $0 == 0 }) { found.append(candidate) }
      candidate += 1
    }
    return found
  }

  /// ⌊2^32 · ∛p⌋ mod 2^32, by bisection over exact integers.
  private static func fraction(of prime: UInt64) -> UInt32 {
    let target = UInt128(prime) << 96
    var low: UInt128 = 0
    var high: UInt128 = 1 << 36
    while high - low > 1 {
      let middle = (low + high) / 2
      if middle * middle * middle <= target { low = middle } else { high = middle }
    }
    return UInt32(truncatingIfNeeded: low)
  }

  /// The hash of `bytes` as 64 hexadecimal digits.
  static func hexadecimal(_ bytes: ByteView) -> String {
    var hash = SHA256()
    var index = 0
    while index + 64 <= bytes.count {
      hash.block(bytes[index..<index + 64].copied())
      index += 64
    }
    var tail = bytes.suffix(from: index).copied()
    tail.append(0x80)
    while tail.count % 64 != 56 { tail.append(0) }
    let bits = UInt64(bytes.count) * 8
    for shift in stride(from: 56, through: 0, by: -8) {
      tail.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift)))
    }
    for start in stride(from: 0, to: tail.count, by: 64) {
      hash.block(Array(tail[start..<start + 64]))
    }
    return hash.state.map { word in
      let text = String(word, radix: 16)
      return String(repeating: "0", count: 8 - text.count) + text
    }.joined()
  }

  private mutating func block(_ bytes: [UInt8]) {
    var words = [UInt32](repeating: 0, count: 64)
    for index in 0..<16 {
      for place in 0..<4 { words[index] = words[index] << 8 | UInt32(bytes[index * 4 + place]) }
    }
    for index in 16..<64 {
      let early = words[index - 15]
      let late = words[index - 2]
      let first = rotate(early, 7) ^ rotate(early, 18) ^ early >> 3
      let second = rotate(late, 17) ^ rotate(late, 19) ^ late >> 10
      words[index] = words[index - 16] &+ first &+ words[index - 7] &+ second
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    for index in 0..<64 {
      let upper = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
      let choice = (e & f) ^ (~e & g)
      let one = h &+ upper &+ choice &+ SHA256.constants[index] &+ words[index]
      let lower = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
      let majority = (a & b) ^ (a & c) ^ (b & c)
      (h, g, f, e, d, c, b, a) = (g, f, e, d &+ one, c, b, a, one &+ lower &+ majority)
    }
    for (place, word) in [a, b, c, d, e, f, g, h].enumerated() {
      state[place] = state[place] &+ word
    }
  }

  private func rotate(_ word: UInt32, _ distance: UInt32) -> UInt32 {
    word >> distance | word << (32 - distance)
  }
}
