import CRdKafka

/// What went wrong in a call to Kafka, as a value, and what the caller is to do about it.
///
/// Never holds a configured secret: librdkafka's texts name hosts and topics, and the one place
/// where they can repeat a configured value is handled in ``ClientSettings``.
package struct KafkaError: Error, Hashable, Sendable {
  /// librdkafka's number: below 0 its own, above 0 the broker's.
  package let code: KafkaErrorCode
  /// The call that failed, such as `commit the transaction`.
  package let operation: String
  /// librdkafka's text, for people.
  package let message: String
  /// The client is finished: it must be destroyed and made anew.
  package let isFatal: Bool
  /// The same call may be made again, with the same arguments.
  package let isRetriable: Bool
  /// The open transaction must be aborted.
  package let requiresAbort: Bool

  package init(
    code: KafkaErrorCode, operation: String, message: String? = nil, isFatal: Bool = false,
    isRetriable: Bool = false, requiresAbort: Bool = false
  ) {
    self.code = code
    self.operation = operation
    self.message = message ?? code.text
    self.isFatal = isFatal
    self.isRetriable = isRetriable
    self.requiresAbort = requiresAbort
  }

  /// Takes librdkafka's error over: it is read, and destroyed on every path.
  init(taking error: OpaquePointer, operation: String) {
    defer { unsafe rd_kafka_error_destroy(error) }
    self.init(
      code: KafkaErrorCode(unsafe rd_kafka_error_code(error)), operation: operation,
      message: unsafe String(cString: rd_kafka_error_string(error)),
      isFatal: unsafe rd_kafka_error_is_fatal(error) != 0,
      isRetriable: unsafe rd_kafka_error_is_retriable(error) != 0,
      requiresAbort: unsafe rd_kafka_error_txn_requires_abort(error) != 0)
  }

  init(_ code: rd_kafka_resp_err_t, operation: String, message: String? = nil) {
    let code = KafkaErrorCode(code)
    self.init(
      code: code, operation: operation, message: message, isFatal: code == .fatal,
      isRetriable: code.isTransient)
  }
}

/// What an error in a transaction requires (rules 7 and 19 of librdkafka's behaviour).
package enum KafkaReaction: Hashable, Sendable {
  /// Make the same call again, with the same arguments.
  case retry
  /// Abort the transaction, go back to the committed offsets, begin again.
  case abort
  /// Destroy the client, make a new one, read the committed offsets, roll back, go on. Where the
  /// error says ``KafkaError/isFenced``, first find out whether somebody else took over.
  case recreate
  /// Trying again cannot help: somebody else holds this instance, or access is denied.
  case stop
}

extension KafkaError {
  /// What to do. Fatal, or no flag at all: a new client. That is an ordinary path, not a surprise.
  package var reaction: KafkaReaction {
    if code == .fencedInstance || isAccessDenied || isLoginRefused { return .stop }
    if isFatal { return .recreate }
    if requiresAbort { return .abort }
    return isRetriable ? .retry : .recreate
  }

  /// Another producer with this transactional id came, or the broker gave this one's transaction
  /// up, which looks the same.
  package var isFenced: Bool {
    code == .fenced || code == .invalidProducerEpoch || code == .producerFenced
      || code == .fencedInstance
  }

  /// The broker refuses this user the topic, group, transactional id or cluster.
  package var isAccessDenied: Bool {
    [29, 30, 31, 53].contains(code.value)
  }

  /// The broker refuses the login: user, password or mechanism.
  package var isLoginRefused: Bool { code.value == -169 || code.value == 58 || code.value == 33 }

  /// The record itself is refused, or any record by the topic's settings: the same records would be
  /// refused again.
  package var isRecordRefused: Bool {
    // MSG_SIZE_TOO_LARGE, TOPIC_EXCEPTION, RECORD_LIST_TOO_LARGE, INVALID_TIMESTAMP,
    // INVALID_CONFIG, UNSUPPORTED_FOR_MESSAGE_FORMAT, POLICY_VIOLATION,
    // UNSUPPORTED_COMPRESSION_TYPE, INVALID_RECORD
    [10, 17, 18, 32, 40, 43, 44, 76, 87].contains(code.value)
  }

  /// There is no such topic or partition.
  package var isTopicMissing: Bool {
    code == .unknownTopicOrPartition || code.value == -188 || code.value == -190
  }

  /// No broker could be reached, or none answered in time.
  package var isUnreachable: Bool {
    code == .transport || code == .timedOut || code == .allBrokersDown || code == .resolve
      || code == .timedOutInQueue
  }
}

extension KafkaError: CustomStringConvertible {
  package var description: String { "could not \(operation): \(message) (\(code.name))" }
}

/// librdkafka's number for an error.
package struct KafkaErrorCode: Hashable, Sendable {
  package let value: Int32

  package init(value: Int32) { self.value = value }
  init(_ code: rd_kafka_resp_err_t) { value = code.rawValue }

  private var raw: rd_kafka_resp_err_t { rd_kafka_resp_err_t(rawValue: value) }
  /// Its symbol, such as `_QUEUE_FULL`.
  package var name: String { unsafe String(cString: rd_kafka_err2name(raw)) }
  /// Its meaning in a few words.
  package var text: String { unsafe String(cString: rd_kafka_err2str(raw)) }

  package static let none = KafkaErrorCode(value: 0)
  package static let transport = KafkaErrorCode(value: -195)
  package static let resolve = KafkaErrorCode(value: -193)
  package static let partitionEnd = KafkaErrorCode(value: -191)
  package static let allBrokersDown = KafkaErrorCode(value: -187)
  package static let invalidArgument = KafkaErrorCode(value: -186)
  package static let timedOut = KafkaErrorCode(value: -185)
  package static let queueFull = KafkaErrorCode(value: -184)
  package static let timedOutInQueue = KafkaErrorCode(value: -166)
  package static let state = KafkaErrorCode(value: -172)
  package static let fatal = KafkaErrorCode(value: -150)
  package static let pollTooSeldom = KafkaErrorCode(value: -147)
  package static let fenced = KafkaErrorCode(value: -144)
  package static let noOffset = KafkaErrorCode(value: -168)
  package static let offsetReset = KafkaErrorCode(value: -140)
  package static let offsetOutOfRange = KafkaErrorCode(value: 1)
  package static let unknownTopicOrPartition = KafkaErrorCode(value: 3)
  package static let illegalGeneration = KafkaErrorCode(value: 22)
  package static let unknownMember = KafkaErrorCode(value: 25)
  package static let topicExists = KafkaErrorCode(value: 36)
  package static let invalidProducerEpoch = KafkaErrorCode(value: 47)
  package static let concurrentTransactions = KafkaErrorCode(value: 51)
  package static let invalidTransactionTimeout = KafkaErrorCode(value: 50)
  package static let fencedInstance = KafkaErrorCode(value: 82)
  package static let unstableOffsets = KafkaErrorCode(value: 88)
  package static let producerFenced = KafkaErrorCode(value: 90)

  /// Errors of calls that carry no flags: those that pass by themselves.
  var isTransient: Bool {
    [-195, -193, -187, -185, -180, -166, 5, 6, 7, 9, 13, 14, 15, 16, 27, 41, 51, 88]
      .contains(value)
  }
}
