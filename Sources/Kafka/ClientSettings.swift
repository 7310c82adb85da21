import CRdKafka

/// How to reach a cluster: bootstrap addresses and any other librdkafka properties.
///
/// Values may be secrets, so no description of any kind shows a value; names only. Sendable, so
/// that a loop can be made on its own thread from it.
package struct ClientSettings: Sendable {
  /// `host:port`, comma separated.
  package let bootstrap: String
  /// By name, in the order in which they are set.
  let properties: [Property]

  struct Property: Sendable {
    let name: String
    let value: String
  }

  /// - Parameter properties: librdkafka's own names, such as `security.protocol`; a
  ///   `bootstrap.servers` among them is ignored in favour of `bootstrap`.
  package init(bootstrap: String, properties: [String: String] = [:]) {
    self.bootstrap = bootstrap
    self.properties = properties.filter { $0.key != "bootstrap.servers" }
      .sorted { $0.key < $1.key }.map { Property(name: $0.key, value: $0.value) }
  }

  private init(bootstrap: String, list: [Property]) {
    self.bootstrap = bootstrap
    properties = list
  }

  /// The same with one property more, which wins over an earlier one of that name.
  package func with(_ name: String, _ value: String) -> ClientSettings {
    ClientSettings(bootstrap: bootstrap, list: properties + [Property(name: name, value: value)])
  }

  /// The largest record that a producer takes, in bytes.
  package var messageBytesMax: Int { number("message.max.bytes") ?? 16_777_216 }

  /// The largest batch that a producer makes, in bytes; one record alone may be larger.
  /// librdkafka's own default.
  package var batchBytesMax: Int { number("batch.size") ?? 1_000_000 }

  /// After so long without a heartbeat the group counts a member as dead, in milliseconds.
  package var sessionMs: Int64 { Int64(number("session.timeout.ms") ?? ClientRole.sessionMs) }

  /// After so long a broker gives an open transaction up, in milliseconds.
  package var transactionMs: Int64 {
    Int64(number("transaction.timeout.ms") ?? ClientRole.transactionMs)
  }

  /// What is fetched ahead into one queue at most, in bytes and (librdkafka's default) records.
  var queuedBytesMax: Int {
    (number("queued.max.messages.kbytes") ?? ClientRole.queuedKilobytes) * 1024
  }
  var queuedRecordsMax: Int { number("queued.min.messages") ?? 100_000 }

  private func number(_ name: String) -> Int? {
    properties.last { $0.name == name }.flatMap { Int($0.value) }
  }

  /// Properties on which exactly-once rests. They cannot be set from outside.
  package static let reserved: Set<String> = [
    "enable.auto.commit", "enable.auto.offset.store", "isolation.level", "transactional.id",
    "group.id", "group.instance.id", "enable.idempotence", "delivery.report.only.error",
    "auto.offset.reset", "enable.partition.eof", "enable.gapless.guarantee", "acks",
    "request.required.acks", "log.queue", "partitioner",
  ]

  /// Whether the value of `name` must never be shown.
  package static func isSecret(_ name: String) -> Bool {
    ["password", "secret", "token", "jaas", "oauthbearer.config", "pem", "ssl.keystore"]
      .contains { name.contains($0) }
  }
}

extension ClientSettings: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String {
    let names = properties.map(\.name).joined(separator: ", ")
    return names.isEmpty ? bootstrap : "\(bootstrap) (with \(names))"
  }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

/// What kind of client is made; each has defaults of its own (rule 12 and the speed notes).
enum ClientRole {
  /// The bound on what is fetched ahead, for each of a group consumer's two queues. As long as
  /// nobody sets `fetch.max.bytes`, librdkafka bounds a whole response by it too, compressed as it
  /// comes.
  static let queuedKilobytes = 8192
  /// Long enough for a restart to keep its partitions, short enough that the dead are replaced.
  static let sessionMs = 10_000
  /// A dead producer's open transaction holds readers back for so long.
  static let transactionMs = 10_000

  case groupConsumer, reader, transactionalProducer, plainProducer, admin

  var type: rd_kafka_type_t {
    switch self {
    case .groupConsumer, .reader: RD_KAFKA_CONSUMER
    case .transactionalProducer, .plainProducer, .admin: RD_KAFKA_PRODUCER
    }
  }

  /// Which may be overridden by the user's properties, with the reason for each.
  var defaults: [(String, String)] {
    let all = [
      ("client.id", "weft"), ("socket.nagle.disable", "true"),
      ("log.connection.close", "false"),
      // A broker that is away is tried again soon, but not in a busy loop.
      ("reconnect.backoff.ms", "50"), ("reconnect.backoff.max.ms", "1000"),
      // A topic made a moment ago is found without waiting for the next regular refresh.
      ("topic.metadata.refresh.fast.interval.ms", "100"),
    ]
    switch self {
    case .groupConsumer:
      return all + consuming + [
        // `queued.min.messages` below its default starves.
        ("queued.max.messages.kbytes", "\(ClientRole.queuedKilobytes)"),
        ("partition.assignment.strategy", "cooperative-sticky"),
        ("session.timeout.ms", "\(ClientRole.sessionMs)"), ("heartbeat.interval.ms", "1000"),
      ]
    case .reader:
      // Nobody wakes its fetcher, so as much as a second takes lies in its queue.
      return all + consuming + [("queued.max.messages.kbytes", "65536")]
    case .transactionalProducer:
      return all + producing + [
        // Back-to-back transactions wait for this between CONCURRENT_TRANSACTIONS and the next try.
        ("retry.backoff.ms", "5"),
        // What a dead producer left open blocks readers for so long.
        ("transaction.timeout.ms", "\(ClientRole.transactionMs)"),
      ]
    case .plainProducer: return all + producing
    case .admin: return all
    }
  }

  private var consuming: [(String, String)] {
    [
      // Some brokers ignore fetch limits; a response may then be as large as this.
      ("receive.message.max.bytes", "134217728"),
      ("fetch.wait.max.ms", "100"), ("fetch.error.backoff.ms", "50"),
      ("allow.auto.create.topics", "false"),
    ]
  }

  private var producing: [(String, String)] {
    [
      ("compression.codec", "lz4"), ("linger.ms", "5"), ("batch.num.messages", "10000"),
      // At least twice a transaction of 50,000, so that one is never stopped by the one before.
      ("queue.buffering.max.messages", "200000"), ("queue.buffering.max.kbytes", "98304"),
      ("message.max.bytes", "16777216"),
    ]
  }

  /// Which may not be overridden.
  var fixed: [(String, String)] {
    switch self {
    case .groupConsumer, .reader:
      [
        ("enable.auto.commit", "false"), ("enable.auto.offset.store", "false"),
        ("isolation.level", "read_committed"), ("auto.offset.reset", "error"),
        ("enable.partition.eof", "true"),
      ]
    // Else nobody is told, not even this client (``TransactionalProducer/connectionLoss()``).
    case .transactionalProducer:
      writing + [("log.connection.close", "true"), ("socket.max.fails", "1")]
    case .plainProducer: writing
    case .admin: []
    }
  }

  private var writing: [(String, String)] {
    [
      ("enable.idempotence", "true"), ("delivery.report.only.error", "true"),
      ("partitioner", "murmur2_random"),
    ]
  }
}

/// A librdkafka configuration while it is being filled; a client takes it over.
@safe struct Configuration: ~Copyable {
  private let raw: OpaquePointer

  /// - Throws: ``KafkaError`` for a property that librdkafka does not know, that has a value it
  ///   does not take, or that is reserved. The text repeats no secret.
  init(_ settings: ClientSettings, role: ClientRole, extra: [(String, String)] = [])
    throws(KafkaError)
  {
    unsafe raw = rd_kafka_conf_new()
    try set("bootstrap.servers", settings.bootstrap)
    for (name, value) in role.defaults { try set(name, value) }
    for property in settings.properties {
      if ClientSettings.reserved.contains(property.name) {
        throw KafkaError(
          code: .invalidArgument, operation: "set \(property.name)",
          message: "exactly-once rests on this property, so Weft sets it itself")
      }
      try set(property.name, property.value)
    }
    for (name, value) in role.fixed + extra { try set(name, value) }
  }

  deinit { unsafe rd_kafka_conf_destroy(raw) }

  private func set(_ name: String, _ value: String) throws(KafkaError) {
    var text = [CChar](repeating: 0, count: 512)
    let result = unsafe rd_kafka_conf_set(raw, name, value, &text, text.count)
    if result == RD_KAFKA_CONF_OK { return }
    let said = string(text)
    throw KafkaError(
      code: .invalidArgument, operation: "set \(name)",
      message: ClientSettings.isSecret(name) ? "this value is not accepted" : said)
  }

  /// Lends the configuration, for the setters of callbacks.
  borrowing func lending(_ body: (OpaquePointer) -> Void) { unsafe body(raw) }

  /// Makes the client, which takes the configuration over.
  consuming func makeClient(_ type: rd_kafka_type_t) throws(KafkaError) -> OpaquePointer {
    var text = [CChar](repeating: 0, count: 512)
    if let client = unsafe rd_kafka_new(type, raw, &text, text.count) {
      discard self
      return unsafe client
    }
    let error = KafkaError(
      code: KafkaErrorCode(rd_kafka_last_error()), operation: "make a client",
      message: string(text))
    _ = consume self
    throw error
  }
}

/// The text up to its end mark.
func string(_ characters: [CChar]) -> String {
  String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
