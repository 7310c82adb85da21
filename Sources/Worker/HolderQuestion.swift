/// Decides from looks at a group whether another process holds this instance.
///
/// A stranger under the instance's name need not be a successor: the answer that told this very
/// member its new id may have been lost with a broker, or a coordinator that took over may know the
/// id of a process that has died. Such a ghost sends no heartbeats, and the group forgets it after
/// the session's time-out; a successor stays. (A `client.id` would not tell: when a static member
/// is replaced, the broker goes on showing that of the first.)
package struct HolderQuestion {
  package enum Answer: Hashable, Sendable {
    case another, nobodyElse
    /// Look again in a moment.
    case notYet
  }

  /// What one look has shown.
  package enum Sight: Hashable, Sendable {
    /// The members of the instance's name.
    case members([String])
    /// The group was in no broker's list: gone, or its coordinator could not be asked.
    case noGroup
    case noAnswer
  }

  private let patienceMs: Int64
  private let isBelieved: Bool
  /// What was seen in every look since, and when first.
  private var seen: Sight = .noAnswer
  private var sinceMs: Int64 = 0

  /// - Parameter sessionMs: the session's time-out.
  /// - Parameter isBelieved: whether a group that shows nobody of the name counts as held by
  ///   another: it has put this member out for one, and the ids that it gives do not tell names. A
  ///   broker whose ids do shows nobody because a ghost has just been forgotten.
  package init(sessionMs: Int64, isBelieved: Bool) {
    patienceMs = sessionMs + 2000
    self.isBelieved = isBelieved
  }

  /// - Parameter ownIds: all ids that the group has given this member.
  package mutating func answer(_ sight: Sight, ownIds: Set<String>, nowMs: Int64) -> Answer {
    var stranger = sight
    if case .members(let ids) = sight {
      let others = ids.filter { !ownIds.contains($0) }
      if others.isEmpty {
        if case .members = seen { return .nobodyElse }
        return isBelieved && ids.isEmpty ? .another : .nobodyElse
      }
      stranger = .members(others)
    }
    if stranger != seen {
      seen = stranger
      sinceMs = nowMs
    }
    if nowMs - sinceMs < patienceMs { return .notYet }
    switch stranger {
    case .members: return .another
    case .noGroup: return .nobodyElse
    case .noAnswer: return .notYet
    }
  }
}
