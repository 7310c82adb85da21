/// The place of a record in a partition, as Kafka counts it.
package struct Offset: Hashable, Comparable, Sendable {
  package let value: Int64
  package init(_ value: Int64) { self.value = value }
  package static func < (left: Offset, right: Offset) -> Bool { left.value < right.value }
  /// The offset `distance` further on.
  package func advanced(by distance: Int64) -> Offset { Offset(value + distance) }
}

/// The number of a partition of a topic.
package struct Partition: Hashable, Comparable, Sendable {
  package let value: Int32
  package init(_ value: Int32) { self.value = value }
  package static func < (left: Partition, right: Partition) -> Bool { left.value < right.value }
}

/// A moment in a journal partition: the block's offset and the event's index in it.
package struct Position: Hashable, Comparable, Sendable {
  package let block: Offset
  package let index: UInt32
  package init(block: Offset, index: UInt32) {
    self.block = block
    self.index = index
  }
  package static func < (left: Position, right: Position) -> Bool {
    (left.block, left.index) < (right.block, right.index)
  }
}

/// Which partition Java producers give a key to: murmur2, its sign dropped, modulo the count.
/// The algorithm is Kafka's own (seed 0x9747b28c), so that equal keys meet whoever wrote them.
package func partition(ofKey key: ByteView, among partitions: Int32) -> Partition {
  Partition(Int32(bitPattern: murmur2(key) & 0x7FFF_FFFF) % partitions)
}

func murmur2(_ key: ByteView) -> UInt32 {
  let multiplier: UInt32 = 0x5BD1_E995
  var hash: UInt32 = 0x9747_B28C ^ UInt32(truncatingIfNeeded: key.count)
  var index = 0
  while index + 4 <= key.count {
    var word =
      UInt32(key[index]) | UInt32(key[index + 1]) << 8 | UInt32(key[index + 2]) << 16
      | UInt32(key[index + 3]) << 24
    word &*= multiplier
    word ^= word >> 24
    word &*= multiplier
    hash = hash &* multiplier ^ word
    index += 4
  }
  let rest = key.count - index
  if rest == 3 { hash ^= UInt32(key[index + 2]) << 16 }
  if rest >= 2 { hash ^= UInt32(key[index + 1]) << 8 }
  if rest >= 1 { hash = (hash ^ UInt32(key[index])) &* multiplier }
  hash ^= hash >> 13
  hash &*= multiplier
  hash ^= hash >> 15
  return hash
}
