import Records

/// Which moment of a journal partition a state is: set with the changes it covers, never apart.
package struct Stamp: Hashable, Sendable {
  /// The build of the product's state and outputs.
  package let generation: UInt32
  /// The logic that made the rows.
  package let digest: LogicDigest
  /// The offset of the first journal block that is not in the state.
  package let position: Offset

  package init(generation: UInt32, digest: LogicDigest, position: Offset) {
    self.generation = generation
    self.digest = digest
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
