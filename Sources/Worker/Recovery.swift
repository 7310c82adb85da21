import Kafka

/// What a loop does after an error: rules 7, 10 and 19 of librdkafka's behaviour as one function.
package enum Recovery: Hashable, Sendable {
  /// Abort the transaction, rewind to the committed offsets, go on with this producer.
  case rewind
  /// The outcome or the client is lost: a new producer, then read the committed offsets and rewind.
  case renewProducer
  /// Somebody may have taken over: find out, then stop or make anew what is finished.
  case askWhoHolds
  /// The consumer is finished: leave, and join anew.
  case rejoin
  /// Trying again cannot help.
  case stop(StopReason)

  /// Which call the error came from.
  package enum Phase: Hashable, Sendable {
    /// The consumer: polling, assigning, asking for offsets.
    case reading
    /// The producer, with a transaction open.
    case writing
    /// Ending the transaction: when that fails nobody knows how it ended.
    case ending
  }

  package static func from(_ error: KafkaError, in phase: Phase) -> Recovery {
    if error.code == .fencedInstance { return .askWhoHolds }
    if error.isAccessDenied { return .stop(.accessDenied(error)) }
    if error.isLoginRefused { return .stop(.loginRefused(error)) }
    if phase == .reading { return error.isFatal ? .rejoin : .rewind }
    if error.isRecordRefused { return .stop(.recordRefused("\(error)")) }
    if error.isFenced { return .askWhoHolds }
    switch error.reaction {
    case .abort: return .rewind
    // Retried until its deadline: an abort may be tried while nothing was decided, but the end of a
    // transaction that did not answer can be anything, and may still come (rule 10).
    case .retry: return .renewProducer
    case .recreate: return .renewProducer
    case .stop: return .stop(.failed("\(error)"))
    }
  }
}

/// Counts failures of writing at the same offsets. What fails again and again although Kafka
/// answers lies in the records or in a setting, and only a person can help.
package struct Repeats: Hashable, Sendable {
  /// After so many the product stops; with the pauses in between this takes half a minute.
  package static let max = 20

  private var count = 0

  package init() {}

  /// Notes a failure; true once it was one too many. Brokers that are away and groups that change
  /// are waited out for as long as it takes.
  package mutating func isTooMany(_ error: KafkaError, in phase: Recovery.Phase) -> Bool {
    // 22, 25, 27: the group goes on to another generation; -192: not delivered in time.
    let passes =
      error.isUnreachable || error.isRetriable || error.isFenced
      || [22, 25, 27, -192].contains(error.code.value)
    if phase == .reading || passes { return false }
    count += 1
    return count >= Repeats.max
  }

  /// A turn was committed: other offsets now.
  package mutating func reset() { count = 0 }
}

/// Why a product stopped while the domain's others go on.
package enum StopReason: Hashable, Sendable {
  /// It was asked to, and what it had begun is committed.
  case drained
  /// It was asked to, and what it had taken is in its journal, of which so many partitions have
  /// blocks that have not come back in time to be applied.
  case unapplied(partitions: Int)
  /// It was asked to before it had joined its group: there was no turn; says what it waited for.
  case unbegun(String)
  /// It was asked to, but its last turn could not be committed; says why.
  case undrained(String)
  /// Another worker holds this instance; it has taken over.
  case fenced
  /// `onError: stop` met a record that cannot be processed.
  case policy(String)
  /// The journal or the committed offsets are of other logic than the files.
  case otherLogic(String)
  /// What the product needs on the broker is not as it must be; says what to do.
  case refused(String)
  case accessDenied(KafkaError)
  case loginRefused(KafkaError)
  /// A topic does not take what the product writes, and would not the next time; says which.
  case recordRefused(String)
  case failed(String)

  /// The command's exit code: 0 in order, 1 rejected, 3 stopped by fencing or policy, 4 internal.
  package var exitCode: Int32 {
    switch self {
    case .drained, .unapplied, .undrained, .unbegun: 0
    case .fenced, .policy: 3
    case .otherLogic, .refused, .accessDenied, .loginRefused, .recordRefused: 1
    case .failed: 4
    }
  }

  /// For people: what happened, and what can be done.
  package var message: String {
    switch self {
    case .drained: "stopped as asked; everything it had taken is committed"
    case .unapplied(let count):
      "stopped as asked; what it had taken is in the journal, of which \(count)"
        + " partition\(count == 1 ? " has" : "s have") blocks still to be applied: another instance, or"
        + " the next start, applies and publishes them"
    case .unbegun(let why):
      "stopped as asked, before anything was begun: \(why)"
    case .undrained(let why):
      "stopped as asked; its last turn was not committed and will be done again: \(why)"
    case .fenced:
      "another worker runs this instance now; this one has stopped and published nothing more"
    case .policy(let text), .otherLogic(let text), .refused(let text), .failed(let text): text
    case .recordRefused(let text):
      "the broker does not take a record of the product: \(text); the same records would be refused"
        + " again. Compare the topic's settings, such as max.message.bytes, and message.max.bytes in"
        + " worker.yaml with what the product writes"
    case .accessDenied(let error):
      "the broker denies access: \(error); grant it to the worker's user"
    case .loginRefused(let error):
      "the broker refuses the login: \(error); check the user, the password and the mechanism in"
        + " worker.yaml (SCRAM needs librdkafka 2.6.1 or newer against Kafka 3.8.1 or newer)"
    }
  }
}
