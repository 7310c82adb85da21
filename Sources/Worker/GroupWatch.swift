import Kafka

/// Decides when a loop looks at its whole group, and whether the group has to be divided anew.
///
/// A static member that dies within a cooperative rebalance, after it gave partitions up and before
/// it joined again, comes back under its name and is handed the half-way assignment: no second half
/// follows, and what it gave up belongs to nobody. The same holds for partitions that were added
/// while the group's leader was a member that had come back, since it does not know that it leads.
package struct GroupWatch {
  /// Between looks until every partition was seen to have an owner.
  package static let eagerMs: Int64 = 2000
  /// Between looks after that.
  package static let calmMs: Int64 = 30_000
  /// In so many looks in a row the same partitions have to be without an owner: a member that is
  /// busy, or waits for a dead one's transaction, takes a while to go from the first half of a
  /// rebalance to the second.
  package static let looksMin = 4

  private var nextLookMs: Int64 = 0
  private var unowned: [TopicPartition] = []
  private var looks = 0
  private var divisions: Int64 = 0
  /// Not to divide again before. What a division itself brings about leaves it as it is.
  private var notBeforeMs: Int64 = 0

  package init() {}

  /// After a rebalance: soon, but not before the others have answered it.
  package mutating func rebalanced(nowMs: Int64) {
    nextLookMs = nowMs + GroupWatch.eagerMs
    looks = 0
  }

  package func isDue(nowMs: Int64) -> Bool { nowMs >= nextLookMs }

  /// The question was sent, so that it is not sent again at once, whatever becomes of it.
  package mutating func asked(nowMs: Int64) { nextLookMs = nowMs + GroupWatch.calmMs }

  /// Takes what a look has shown. True: this member is to have the group divided anew.
  /// - Parameter rank: this member's place among the group's members; one after the other tries, so
  ///   that not all do at once.
  package mutating func isDivisionDue(unowned now: [TopicPartition], rank: Int, nowMs: Int64)
    -> Bool
  {
    if now.isEmpty {
      unowned = []
      looks = 0
      divisions = 0
      notBeforeMs = 0
      return false
    }
    looks = now == unowned ? looks + 1 : 1
    unowned = now
    nextLookMs = nowMs + GroupWatch.eagerMs
    if looks < GroupWatch.looksMin + rank { return false }
    if nowMs < notBeforeMs { return false }
    looks = 0
    divisions += 1
    // Should it not help, the group must not be kept busy with it.
    notBeforeMs = nowMs + min(GroupWatch.eagerMs << min(divisions, 8), 10 * GroupWatch.calmMs)
    return true
  }
}
