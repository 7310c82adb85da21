import Records

/// Which moment of a journal partition a state is: set with the changes it covers, never apart.
package struct Stamp: Hashable, Sendable {
  /// The build of the product's state and outputs.
  package let generation: UInt32
  /// The logic that made the rows.
  package let digest: LogicDigest
  /// Which making of the journal it was read from: a journal that is deleted and made anew has
  /// another, and its offsets mean something else.
  package let incarnation: UInt64
  /// The offset of the first journal block that is not in the state.
  package let position: Offset

  package init(
    generation: UInt32, digest: LogicDigest, incarnation: UInt64 = 0, position: Offset
  ) {
    self.generation = generation
    self.digest = digest
    self.incarnation = incarnation
    self.position = position
  }

  /// What an empty state has: nothing was applied yet.
  package static let empty = Stamp(generation: 0, digest: .none, position: Offset(0))
}

/// A numbered kind of rows: one table of the product, or the event ids of one input.
package struct Space: Hashable, Sendable {
  package let number: UInt8
  package init(_ number: UInt8) { self.number = number }
}

/// 128 bits over all that a state holds: equal contents give equal digests, in every process.
///
/// Made to compare states in tests and in `verify`, not to withstand forgery.
package struct StateDigest: Hashable, Sendable {
  package private(set) var low: UInt64 = 0
  package private(set) var high: UInt64 = 0

  /// Adds an entry; the order of entries does not matter.
  mutating func add(_ one: UInt64, _ other: UInt64) {
    low = low &+ one
    high = high &+ other
  }
}

/// Adds up the digest of a state.
final class ContentDigest {
  private static let one = HashSeed(first: 0x243F_6A88_85A3_08D3, second: 0x1319_8A2E_0370_7344)
  private static let other = HashSeed(
    first: 0xA409_3822_299F_31D0, second: 0x082E_FA98_EC4E_6C89)
  private(set) var digest = StateDigest()
  private let scratch = ByteBuffer()

  /// A row.
  func add(_ space: UInt8, _ key: ByteView, _ row: ByteView) {
    begin(space, key)
    scratch.append(row)
    add()
  }

  /// A remembered key: as a row that is its time.
  func add(_ space: UInt8, _ key: ByteView, _ time: Int64) {
    begin(space, key)
    scratch.append(int64: time)
    add()
  }

  private func begin(_ space: UInt8, _ key: ByteView) {
    scratch.clear()
    scratch.append(space)
    scratch.append(varint: UInt64(key.count))
    scratch.append(key)
  }

  private func add() {
    digest.add(
      scratch.view.hash(seed: ContentDigest.one), scratch.view.hash(seed: ContentDigest.other))
  }
}
