import CRdKafka
import Records

/// A topic to be made.
package struct NewTopic: Hashable, Sendable {
  package var name: String
  package var partitions: Int
  /// Nil: the broker's default.
  package var replicas: Int?
  /// Such as `cleanup.policy`.
  package var configs: [String: String]

  package init(
    name: String, partitions: Int, replicas: Int? = nil, configs: [String: String] = [:]
  ) {
    self.name = name
    self.partitions = partitions
    self.replicas = replicas
    self.configs = configs
  }
}

/// One setting of a topic as the broker has it.
package struct TopicConfig: Hashable, Sendable {
  package let name: String
  /// Nil where the broker does not say.
  package let value: String?
  /// Whether it was set for this topic, rather than inherited.
  package let isOverride: Bool
}

/// What became of one item of a request that had several.
package struct ItemResult: Hashable, Sendable {
  package let name: String
  /// Nil: it was done.
  package let error: KafkaError?
}

/// The cluster's topics, settings and groups. One thread owns it; every call blocks, at most until
/// its deadline.
@safe package final class Admin {
  package let log: ClientLog
  let client: OpaquePointer
  private let context: ClientContext

  /// - Parameter readsUncommitted: ``watermarks(_:_:_:)`` then tells where a partition really ends,
  ///   also while a transaction is open.
  /// - Throws: ``KafkaError`` for settings that librdkafka refuses.
  package init(
    settings: ClientSettings, readsUncommitted: Bool = false, log: ClientLog = ClientLog()
  ) throws(KafkaError) {
    self.log = log
    context = ClientContext(log: log)
    // Consumers' properties by their documentation, but these questions go by them in any client.
    var extra = [("allow.auto.create.topics", "false")]
    if readsUncommitted { extra.append(("isolation.level", "read_uncommitted")) }
    let configuration = try Configuration(settings, role: .admin, extra: extra)
    context.attach(configuration)
    unsafe client = try configuration.makeClient(RD_KAFKA_PRODUCER)
  }

  deinit { unsafe rd_kafka_destroy(client) }

  /// All topics.
  package func topics(_ deadline: Deadline) throws(KafkaError) -> [TopicDescription] {
    do {
      return try unsafe metadata(client, topic: nil, deadline)
    } catch {
      throw reason(error)
    }
  }

  /// One topic; nil if there is none of that name.
  ///
  /// Asks for all first: some brokers make a topic that they are asked for by name, even if they
  /// are asked not to.
  /// - Throws: an error with ``KafkaError/isAccessDenied`` where the user may not describe the
  ///   topic. Among all topics it is left out, as if it were not there.
  package func topic(_ name: String, _ deadline: Deadline) throws(KafkaError) -> TopicDescription? {
    if let found = try topics(deadline).first(where: { $0.name == name }) { return found }
    do {
      return try unsafe metadata(client, topic: name, deadline).first
    } catch {
      throw reason(error)
    }
  }

  /// While a broker is away a call says "timed out"; why, such as a refused login, comes as an
  /// event. The login is the better answer.
  private func reason(_ error: KafkaError) -> KafkaError {
    unsafe rd_kafka_poll(client, 0)
    var better = error
    for case .failed(let noticed, _) in context.events where noticed.isLoginRefused {
      better = noticed
    }
    context.events.removeAll()
    return better
  }

  /// Whether the brokers answer: for a first message to people.
  package func check(_ deadline: Deadline) throws(KafkaError) { _ = try topics(deadline) }

  /// The first offset of a partition and the one after the last that is committed; see
  /// `readsUncommitted`.
  package func watermarks(_ topic: String, _ partition: Partition, _ deadline: Deadline)
    throws(KafkaError) -> Range<Int64>
  {
    try unsafe Kafka.watermarks(client, topic, partition, deadline)
  }

  /// The first offsets not older than `milliseconds` since 1970; the end where there is none.
  package func offsets(
    _ topic: String, _ partitions: [Partition], notOlderThan milliseconds: Int64,
    _ deadline: Deadline
  ) throws(KafkaError) -> [Offset] {
    try unsafe Kafka.offsets(
      client, partitions.map { (topic, $0) }, notOlderThan: milliseconds, deadline)
  }

  /// Asks until the answer is not "try again", such as from a coordinator that is just loading.
  func settled<Result>(
    _ deadline: Deadline, _ ask: () throws(KafkaError) -> (Result, KafkaError?)
  ) throws(KafkaError) -> Result {
    while true {
      let (result, error) = try ask()
      guard let error else { return result }
      if !error.isRetriable || deadline.hasPassed { throw error }
      // Serves the client's callbacks, and waits a little between two questions.
      unsafe rd_kafka_poll(client, 20)
    }
  }

  /// Sends a request and lends its answer to `read`, once, on this thread.
  func request<Result>(
    _ operation: String, _ deadline: Deadline,
    send: (_ options: OpaquePointer, _ queue: OpaquePointer) -> Void,
    read: (_ answer: OpaquePointer) -> Result?
  ) throws(KafkaError) -> Result {
    guard let queue = unsafe rd_kafka_queue_new(client),
      let options = unsafe rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_ANY)
    else { throw KafkaError(code: .state, operation: operation) }
    defer {
      unsafe rd_kafka_AdminOptions_destroy(options)
      unsafe rd_kafka_queue_destroy(queue)
    }
    var text = [CChar](repeating: 0, count: 256)
    let milliseconds = max(1, deadline.millisecondsLeft)
    unsafe rd_kafka_AdminOptions_set_request_timeout(
      options, min(milliseconds, 3_600_000), &text, text.count)
    unsafe send(options, queue)
    // The request ends by itself at its time-out; the second that is added is for its answer.
    guard let event = unsafe rd_kafka_queue_poll(queue, milliseconds + 1000) else {
      throw reason(KafkaError(code: .timedOut, operation: operation, isRetriable: true))
    }
    defer { unsafe rd_kafka_event_destroy(event) }
    let code = unsafe rd_kafka_event_error(event)
    if code != RD_KAFKA_RESP_ERR_NO_ERROR {
      let message = unsafe rd_kafka_event_error_string(event).map { unsafe String(cString: $0) }
      throw reason(KafkaError(code, operation: operation, message: message))
    }
    guard let result = unsafe read(event) else {
      throw KafkaError(code: .state, operation: operation)
    }
    return result
  }
}
