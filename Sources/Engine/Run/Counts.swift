/// What became of the records of a turn. Every record that was read or ``released`` ends in exactly
/// one of the five behind ``read``.
package struct Counts: Sendable, Hashable {
  package var read: Int64 = 0
  /// Changed a row or made at least one record at a port.
  package var applied: Int64 = 0
  /// Accepted, but nothing in the product takes it (or a condition left it out everywhere).
  package var filtered: Int64 = 0
  /// Its event id was seen before under the same key.
  package var redelivered: Int64 = 0
  package var quarantined: Int64 = 0
  /// Waits for a link. An event that goes on once it has come is taken off again, so that this may
  /// be below zero, and is then counted as what it became.
  package var held: Int64 = 0
  /// Came back from quarantine, and ended once more in one of the five.
  package var released: Int64 = 0
  /// Stay in quarantine for good.
  package var discarded: Int64 = 0

  package init() {}

  package static func += (left: inout Counts, right: Counts) {
    left.read += right.read
    left.applied += right.applied
    left.filtered += right.filtered
    left.redelivered += right.redelivered
    left.quarantined += right.quarantined
    left.held += right.held
    left.released += right.released
    left.discarded += right.discarded
  }
}
