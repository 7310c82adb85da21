import CRdKafka
import Records

/// A producer whose records are seen by read_committed readers together, with the offsets sent, or
/// not at all.
///
/// One thread owns it. The order of calls: ``initTransactions(_:)`` once (it fences whoever held
/// the transactional id before), then for each turn ``begin()``, produce,
/// ``sendOffsets(_:group:_:)``, ``commit(_:)``; or ``abort(_:)`` at any place. What an error
/// requires says ``KafkaError/reaction``; an error whose reaction is `retry` was retried here until
/// the deadline, so that past it the outcome is unknown: make a new producer.
@safe package final class TransactionalProducer {
  /// Journal blocks of one transaction whose offsets can be asked for.
  package static let tagsMax = 16_384

  package let transactionalId: String
  package let log: ClientLog
  /// The topics, in the order of their ordinals.
  package let topics: [String]

  private let client: OpaquePointer
  private let queue: OpaquePointer
  private let context: ClientContext
  private let acknowledgements: Acknowledgements
  private var handles: [OpaquePointer] = unsafe []
  private var partitionCounts: [Int32] = []
  /// Records of the open transaction, and those of them that asked for their offset.
  package private(set) var producedCount = 0
  private var tagged = 0
  /// Why a record of the open transaction was not delivered, if one was not.
  private var deliveryError: KafkaError?
  package private(set) var isInTransaction = false
  /// librdkafka refuses a second initialization, so what failed after it goes on after it.
  private var isInitialized = false
  private var lostConnection: String?

  /// - Parameter topics: all that this producer will write to.
  /// - Throws: ``KafkaError`` for settings that librdkafka refuses.
  package init(
    settings: ClientSettings, transactionalId: String, topics: [String],
    log: ClientLog = ClientLog()
  ) throws(KafkaError) {
    self.transactionalId = transactionalId
    self.topics = topics
    self.log = log
    context = ClientContext(log: log)
    acknowledgements = Acknowledgements(capacity: TransactionalProducer.tagsMax)
    let configuration = try Configuration(
      settings, role: .transactionalProducer, extra: [("transactional.id", transactionalId)])
    context.attach(configuration)
    acknowledgements.attach(configuration)
    unsafe configuration.lending { raw in
      // Failed deliveries come as events, so that flush can wait on a condition instead of in
      // steps of ten milliseconds.
      unsafe rd_kafka_conf_set_events(raw, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR)
    }
    unsafe client = try configuration.makeClient(RD_KAFKA_PRODUCER)
    unsafe queue = rd_kafka_queue_get_main(client)
    for index in topics.indices {
      if let handle = unsafe topicHandle(client, topics[index], ordinal: index) {
        unsafe handles.append(handle)
      }
    }
  }

  /// Destroys the client: what is queued is dropped, an open transaction is left to be fenced.
  deinit {
    unsafe rd_kafka_purge(client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
    drainEvents(waitMilliseconds: 0)
    unsafe handles.forEach { unsafe rd_kafka_topic_destroy($0) }
    unsafe rd_kafka_queue_destroy(queue)
    unsafe rd_kafka_destroy(client)
  }

  /// Fences the predecessor, waits for what it left open to be aborted, and learns the partition
  /// counts of all topics, which also warms them up. Everything else comes after it (rule 6).
  /// After an error that is retriable it may be called again: it goes on where it was.
  /// - Throws: an error with ``KafkaError/isTopicMissing`` that names the first missing topic.
  package func initTransactions(_ deadline: Deadline) throws(KafkaError) {
    if !isInitialized {
      try unsafe repeating("become the only \(transactionalId)", deadline) { milliseconds in
        unsafe rd_kafka_init_transactions(client, milliseconds)
      }
      isInitialized = true
    }
    for topic in topics.dropFirst(partitionCounts.count) {
      guard let count = try unsafe partitionCount(client, topic, deadline), count > 0 else {
        throw KafkaError(
          code: .unknownTopicOrPartition, operation: "write to \(topic)",
          message: "there is no such topic")
      }
      partitionCounts.append(Int32(clamping: count))
    }
  }

  /// How many partitions a topic has; known after ``initTransactions(_:)``.
  package func partitions(of topic: TopicOrdinal) -> Int32 { partitionCounts[topic.value] }

  /// Begins a transaction; local, costs no round trip.
  package func begin() throws(KafkaError) {
    producedCount = 0
    tagged = 0
    deliveryError = nil
    acknowledgements.reset()
    if let error = unsafe rd_kafka_begin_transaction(client) {
      throw unsafe KafkaError(taking: error, operation: "begin a transaction")
    }
    isInTransaction = true
  }

  /// Queues one record; key and value are copied. A nil value is a tombstone.
  ///
  /// A full queue is back-pressure: waits here for room until the deadline (rule 13).
  /// - Parameter timestamp: milliseconds since 1970; nil takes librdkafka's clock and the cheapest
  ///   call (0.7 instead of 1.1 µs).
  package func produce(
    to topic: TopicOrdinal, _ partition: Partition, key: ByteView?, value: ByteView?,
    timestamp: Int64?, _ deadline: Deadline
  ) throws(KafkaError) {
    try unsafe send(topic, partition, key, value, timestamp, headers: nil, tag: 0, deadline)
  }

  /// The same with headers, which it consumes.
  package func produce(
    to topic: TopicOrdinal, _ partition: Partition, key: ByteView?, value: ByteView?,
    timestamp: Int64?, headers: consuming RecordHeaders, _ deadline: Deadline
  ) throws(KafkaError) {
    let list = unsafe headers.take()
    do {
      try unsafe send(topic, partition, key, value, timestamp, headers: list, tag: 0, deadline)
    } catch {
      // librdkafka takes the headers over only when it takes the record.
      unsafe rd_kafka_headers_destroy(list)
      throw error
    }
  }

  /// Queues a record whose offset will be asked for by ``offset(of:)``.
  package func produceTagged(
    to topic: TopicOrdinal, _ partition: Partition, key: ByteView?, value: ByteView?,
    timestamp: Int64?, _ deadline: Deadline
  ) throws(KafkaError) -> RecordTag {
    if tagged == TransactionalProducer.tagsMax {
      throw KafkaError(
        code: .queueFull, operation: "write to \(topics[topic.value])",
        message: "more than \(TransactionalProducer.tagsMax) blocks in a transaction",
        requiresAbort: true)
    }
    acknowledgements.willUse(tagged)
    try unsafe send(
      topic, partition, key, value, timestamp, headers: nil, tag: tagged + 1, deadline)
    tagged += 1
    return RecordTag(index: tagged - 1)
  }

  /// Where the broker put the record: nil while it is not acknowledged, if it failed, or where
  /// librdkafka does not know (after a retry). Ask after ``flush(_:)``.
  package func offset(of tag: RecordTag) -> Offset? { acknowledgements.offset(of: tag) }

  private func send(
    _ topic: TopicOrdinal, _ partition: Partition, _ key: ByteView?, _ value: ByteView?,
    _ timestamp: Int64?, headers: OpaquePointer?, tag: Int, _ deadline: Deadline
  ) throws(KafkaError) {
    // Checked first: a partition that does not exist makes librdkafka wait for it.
    guard topic.value < partitionCounts.count, partition.value >= 0,
      partition.value < partitionCounts[topic.value]
    else {
      throw KafkaError(
        code: .unknownTopicOrPartition, operation: "write to partition \(partition.value)",
        message: "there is no such partition", requiresAbort: true)
    }
    let opaque = unsafe UnsafeMutableRawPointer(bitPattern: tag)
    while true {
      let code: rd_kafka_resp_err_t
      if timestamp == nil, unsafe headers == nil {
        let result = unsafe rd_kafka_produce(
          handles[topic.value], partition.value, RD_KAFKA_MSG_F_COPY,
          UnsafeMutableRawPointer(mutating: value?.pointer), value?.count ?? 0, key?.pointer,
          key?.count ?? 0, opaque)
        code = result == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_last_error()
      } else {
        code = unsafe weft_produce(
          client, handles[topic.value], partition.value, value?.pointer, value?.count ?? 0,
          key?.pointer, key?.count ?? 0, timestamp ?? 0, headers, opaque)
      }
      if code == RD_KAFKA_RESP_ERR_NO_ERROR {
        producedCount += 1
        return
      }
      if code != RD_KAFKA_RESP_ERR__QUEUE_FULL || deadline.hasPassed {
        throw produceError(code, topic)
      }
      drainEvents(waitMilliseconds: 2)
    }
  }

  private func produceError(_ code: rd_kafka_resp_err_t, _ topic: TopicOrdinal) -> KafkaError {
    if let fatalError { return fatalError }
    // A refused record leaves a hole in the transaction, so that it must not be committed.
    return KafkaError(
      code: KafkaErrorCode(code), operation: "write to \(topics[topic.value])",
      requiresAbort: true)
  }

  /// Waits until everything produced is acknowledged, without waiting for batches to fill.
  /// - Throws: why a record was not delivered, or a retriable error at the deadline.
  package func flush(_ deadline: Deadline) throws(KafkaError) {
    while true {
      drainEvents(waitMilliseconds: 0)
      if let fatalError { throw fatalError }
      if let deliveryError { throw deliveryError }
      if unsafe rd_kafka_outq_len(client) == 0 { return }
      if deadline.hasPassed {
        throw KafkaError(
          code: .timedOut, operation: "have records acknowledged", isRetriable: true)
      }
      // Ends at once when the last record is acknowledged; failures are looked for in between.
      unsafe rd_kafka_flush(client, deadline.atMost(milliseconds: 50).millisecondsLeft)
    }
  }

  /// Adds offsets to the transaction: those of inputs and journal together, every time.
  ///
  /// - Parameter metadata: the text that is stored with a partition's offset.
  /// - Parameter group: the generation under which the whole turn was gathered.
  package func sendOffsets(
    _ offsets: [PartitionOffset], of consumer: GroupConsumer,
    metadata: (TopicPartition) -> String, group: GroupMetadata, _ deadline: Deadline
  ) throws(KafkaError) {
    let list = PartitionList(capacity: offsets.count)
    for entry in offsets {
      list.add(
        consumer.name(of: entry.at.topic), entry.at.partition, offset: entry.offset.value,
        metadata: metadata(entry.at))
    }
    let raw = unsafe group.raw
    try unsafe repeating("send offsets", deadline) { milliseconds in
      unsafe rd_kafka_send_offsets_to_transaction(client, list.raw, raw, milliseconds)
    }
  }

  /// Commits. After it returns, everything produced and the offsets are decided.
  /// - Throws: `abort`: nothing was committed. Anything else, a retriable error at the deadline
  ///   too: the outcome is unknown; make a new producer and read the committed offsets (rule 10).
  package func commit(_ deadline: Deadline) throws(KafkaError) {
    try flush(deadline)
    try unsafe repeating("commit the transaction", deadline) { _ in
      unsafe rd_kafka_commit_transaction(client, -1)
    }
    isInTransaction = false
  }

  /// Aborts: nothing of this transaction will be seen.
  ///
  /// Waits first for what is under way, because an abort while the first record is in flight can
  /// be fatal (rule 9).
  package func abort(_ deadline: Deadline) throws(KafkaError) {
    if producedCount > 0 && !acknowledgements.hasAny {
      let patience = deadline.atMost(milliseconds: 3000)
      while !acknowledgements.hasAny && !patience.hasPassed && fatalError == nil {
        unsafe rd_kafka_flush(client, 20)
        drainEvents(waitMilliseconds: 0)
      }
    }
    try unsafe repeating("abort the transaction", deadline) { _ in
      // In slices, and drained in between: the call waits for purged records until their failures
      // have been taken from the queue that only this thread drains. It may be resumed.
      drainEvents(waitMilliseconds: 0)
      return unsafe rd_kafka_abort_transaction(client, 50)
    }
    drainEvents(waitMilliseconds: 0)
    isInTransaction = false
  }

  /// The error that finished this client, if one did.
  package var fatalError: KafkaError? {
    var text = [CChar](repeating: 0, count: 512)
    let code = unsafe rd_kafka_fatal_error(client, &text, text.count)
    if code == RD_KAFKA_RESP_ERR_NO_ERROR { return nil }
    return KafkaError(
      code: KafkaErrorCode(code), operation: "go on as \(transactionalId)", message: string(text),
      isFatal: true)
  }

  /// Records that are queued or in flight.
  package var unacknowledgedCount: Int { unsafe Int(rd_kafka_outq_len(client)) }

  /// What librdkafka has said of a connection that was lost after it had been up; nil: none was.
  ///
  /// From then on the same epoch is not to be trusted with another transaction: the end of the last
  /// one may come twice, asked for again by librdkafka or by one broker of another because the
  /// first answer was lost. Both name an epoch, not a transaction (KIP-890, whose protocol
  /// librdkafka does not speak), so that the second may end the next transaction early. A new
  /// producer has a new epoch, and brokers refuse what names an old one. librdkafka tells of the
  /// loss before it asks again, so that it is known when ``commit(_:)`` returns. A connection
  /// between brokers that is lost is not seen here, but where one of them has died.
  package func connectionLoss() -> String? {
    drainEvents(waitMilliseconds: 0)
    return lostConnection
  }

  /// Makes a call until it succeeds, fails for good, or the deadline has passed.
  private func repeating(
    _ operation: String, _ deadline: Deadline, _ call: (Int32) -> OpaquePointer?
  ) throws(KafkaError) {
    while true {
      let slice = max(1, deadline.atMost(milliseconds: 10_000).millisecondsLeft)
      guard let raised = unsafe call(slice) else { return }
      let error = unsafe KafkaError(taking: raised, operation: operation)
      if error.reaction != .retry || deadline.hasPassed { throw error }
      drainEvents(waitMilliseconds: 1)
    }
  }

  private func drainEvents(waitMilliseconds: Int32) {
    var wait = waitMilliseconds
    while let event = unsafe rd_kafka_queue_poll(queue, wait) {
      wait = 0
      switch unsafe rd_kafka_event_type(event) {
      case RD_KAFKA_EVENT_DR: unsafe noteDeliveries(event)
      case RD_KAFKA_EVENT_ERROR:
        let code = unsafe rd_kafka_event_error(event)
        let text = unsafe rd_kafka_event_error_string(event).map { unsafe String(cString: $0) }
        // librdkafka says at the end of such a text which state the connection was in.
        if let text, text.contains(" in state UP") { lostConnection = lostConnection ?? text }
        context.note(.failed(KafkaError(code, operation: "reach Kafka", message: text), nil))
      default: break
      }
      unsafe rd_kafka_event_destroy(event)
    }
  }

  private func noteDeliveries(_ event: OpaquePointer) {
    while let record = unsafe rd_kafka_event_message_next(event) {
      let code = unsafe record.pointee.err
      if code == RD_KAFKA_RESP_ERR_NO_ERROR || deliveryError != nil { continue }
      if code == RD_KAFKA_RESP_ERR__PURGE_QUEUE || code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT {
        continue
      }
      let topic = unsafe record.pointee.rkt.map { unsafe String(cString: rd_kafka_topic_name($0)) }
      deliveryError = KafkaError(
        code: KafkaErrorCode(code), operation: "write to \(topic ?? "a topic")",
        requiresAbort: true)
    }
  }
}

/// Names a record of the open transaction whose offset can be asked for.
package struct RecordTag: Hashable, Sendable {
  package let index: Int

  package init(index: Int) { self.index = index }
}

/// The fixed array into which librdkafka's threads store acknowledged offsets.
@safe final class Acknowledgements {
  private let all: UnsafeMutablePointer<weft_acknowledgements>
  private let capacity: Int

  init(capacity: Int) {
    self.capacity = capacity
    let offsets = UnsafeMutablePointer<Int64>.allocate(capacity: capacity)
    unsafe offsets.initialize(repeating: Int64(weft_offset_pending), count: capacity)
    unsafe all = .allocate(capacity: 1)
    unsafe all.initialize(
      to: weft_acknowledgements(offsets: offsets, capacity: Int64(capacity), any: 0))
  }

  deinit {
    unsafe all.pointee.offsets.deallocate()
    unsafe all.deallocate()
  }

  func attach(_ configuration: borrowing Configuration) {
    unsafe configuration.lending { raw in unsafe weft_store_acknowledgements(raw, all) }
  }

  private var used = 0

  /// Between transactions, when nothing is in flight.
  func reset() {
    for index in 0..<used { unsafe weft_acknowledgement_clear(all, Int64(index)) }
    used = 0
    unsafe weft_acknowledged_none(all)
  }

  var hasAny: Bool { unsafe weft_acknowledged_any(all) != 0 }

  func willUse(_ index: Int) { used = max(used, index + 1) }

  func offset(of tag: RecordTag) -> Offset? {
    let value = unsafe weft_acknowledged_offset(all, Int64(tag.index))
    return value < 0 ? nil : Offset(value)
  }
}
