import Kafka

/// What a loop does after an error: rules 7, 10 and 19 of librdkafka's behaviour as one function.
package enum Recovery: Hashable, Sendable {
  /// Abort the transaction, rewind to the committed offsets, go on with this producer.
  case rewind
  /// The outcome or the client is lost: a new producer, then read the committed offsets and rewind.
  case renewProducer
  /// Somebody may have taken over: find out, then stop or renew.
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
    if error.code == .fencedInstance { return .stop(.fenced) }
    if error.isAccessDenied { return .stop(.accessDenied(error)) }
    if error.isLoginRefused { return .stop(.loginRefused(error)) }
    if phase == .reading { return error.isFatal ? .rejoin : .rewind }
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

/// Why a product stopped while the domain's others go on.
package enum StopReason: Hashable, Sendable {
  /// It was asked to, and what it had begun is committed.
  case drained
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
  case failed(String)

  /// The command's exit code: 0 in order, 1 rejected, 3 stopped by fencing or policy, 4 internal.
  package var exitCode: Int32 {
    switch self {
    case .drained, .undrained: 0
    case .fenced, .policy: 3
    case .otherLogic, .refused, .accessDenied, .loginRefused: 1
    case .failed: 4
    }
  }

  /// For people: what happened, and what can be done.
  package var message: String {
    switch self {
    case .drained: "stopped as asked; everything it had taken is committed"
    case .undrained(let why):
      "stopped as asked; its last turn was not committed and will be done again: \(why)"
    case .fenced:
      "another worker runs this instance now; this one has stopped and published nothing more"
    case .policy(let text), .otherLogic(let text), .refused(let text), .failed(let text): text
    case .accessDenied(let error):
      "the broker denies access: \(error); grant it to the worker's user"
    case .loginRefused(let error):
      "the broker refuses the login: \(error); check the user, the password and the mechanism in"
        + " worker.yaml (SCRAM needs librdkafka 2.6.1 or newer against Kafka 3.8.1 or newer)"
    }
  }
}
