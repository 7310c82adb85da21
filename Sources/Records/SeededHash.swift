/// A secret by which one process hashes keys, so that nobody can pick keys that collide in it.
///
/// Nothing that is written or published may depend on it: only the place of a row in memory does.
package struct HashSeed: Sendable {
  let first: UInt64
  let second: UInt64

  package init(first: UInt64, second: UInt64) {
    self.first = first
    self.second = second
  }

  /// A seed drawn from the system.
  package static func random() -> HashSeed {
    HashSeed(first: .random(in: .min ... .max), second: .random(in: .min ... .max))
  }
}

extension ByteView {
  /// A hash for tables in memory, different in each process by `seed`: sixteen bytes a step, each
  /// half hidden by a secret word before they are multiplied and folded (the construction of
  /// wyhash, with both secrets drawn at random, so that no half can be made zero from outside).
  /// A key of 70 bytes takes about 4 ns.
  package func hash(seed: HashSeed) -> UInt64 {
    let raw = unsafe UnsafeRawPointer(base)
    var state = seed.first
    var low: UInt64 = 0
    var high: UInt64 = 0
    if count >= 16 {
      var index = 0
      while index + 16 < count {
        unsafe state = ByteView.folded(
          word(raw, index) ^ seed.second, word(raw, index + 8) ^ state)
        index += 16
      }
      unsafe low = word(raw, count - 16)
      unsafe high = word(raw, count - 8)
    } else if count >= 8 {
      unsafe low = word(raw, 0)
      unsafe high = word(raw, count - 8)
    } else if count >= 4 {
      unsafe low = UInt64(raw.loadUnaligned(as: UInt32.self))
      unsafe high = UInt64(raw.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self))
    } else if count > 0 {
      unsafe low = UInt64(base[0]) | UInt64(base[count >> 1]) << 8
      unsafe high = UInt64(base[count - 1])
    }
    let length = UInt64(truncatingIfNeeded: count)
    let mixed = ByteView.folded(low ^ seed.second, high ^ state)
    return ByteView.folded(mixed ^ 0xA076_1D64_78BD_642F, length ^ seed.first)
  }

  @inline(__always)
  static func folded(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }
}

@inline(__always)
private func word(_ raw: UnsafeRawPointer, _ offset: Int) -> UInt64 {
  unsafe raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
}
