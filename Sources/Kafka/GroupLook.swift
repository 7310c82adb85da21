import CRdKafka
import Dispatch
import Records
import Synchronization

/// A look at a group and at how many partitions its topics have, taken by a thread and a client of
/// its own, so that whoever asks does not wait for brokers that are away. It lets go of both when
/// it ends, at the latest some seconds later.
package final class GroupLook: Sendable {
  private static let limitMs = 3000

  package struct Outcome: Sendable {
    package let group: GroupDescription
    /// In the order of the topics that were asked for; 0 for one that is not there.
    package let counts: [Int]

    package init(group: GroupDescription, counts: [Int]) {
      self.group = group
      self.counts = counts
    }
  }

  private enum Progress {
    case underWay
    case over(Outcome?)
  }
  private let progress = Mutex(Progress.underWay)

  package init(settings: ClientSettings, group: String, topics: [String]) {
    DispatchQueue.global().async { [self] in
      let limit = Deadline.after(milliseconds: GroupLook.limitMs)
      let outcome = GroupLook.take(settings, group, topics, limit)
      progress.withLock { $0 = .over(outcome) }
    }
  }

  /// Nil when the brokers did not answer, or not all of it, such as for want of a right.
  private static func take(
    _ settings: ClientSettings, _ group: String, _ topics: [String], _ limit: Deadline
  ) -> Outcome? {
    do {
      let admin = try Admin(settings: settings)
      guard let seen = try admin.group(group, limit) else { return nil }
      return Outcome(
        group: seen,
        counts: try topics.map { try admin.topic($0, limit)?.partitions ?? 0 })
    } catch {
      return nil
    }
  }

  package var isOver: Bool {
    progress.withLock {
      switch $0 {
      case .underWay: false
      case .over: true
      }
    }
  }

  /// What was seen; nil while it is under way, and when nothing was.
  package var outcome: Outcome? {
    progress.withLock {
      switch $0 {
      case .underWay: nil
      case .over(let outcome): outcome
      }
    }
  }
}
