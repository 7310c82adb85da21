import CRdKafka
import Records

/// An idempotent producer without transactions, for the catalog and for tools.
///
/// One thread owns it. Records are seen as soon as they are acknowledged. Nothing is known to have
/// arrived before ``flush(_:)`` returned.
@safe package final class PlainProducer {
  package let log: ClientLog

  private let client: OpaquePointer
  private let queue: OpaquePointer
  private let context: ClientContext
  private var handles: [Handle] = []
  private var deliveryError: KafkaError?

  @safe private struct Handle {
    let name: String
    let raw: OpaquePointer
    let partitions: Int32
  }

  /// - Throws: ``KafkaError`` for settings that librdkafka refuses.
  package init(settings: ClientSettings, log: ClientLog = ClientLog()) throws(KafkaError) {
    self.log = log
    context = ClientContext(log: log)
    let configuration = try Configuration(settings, role: .plainProducer)
    context.attach(configuration)
    unsafe configuration.lending { raw in
      unsafe rd_kafka_conf_set_events(raw, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR)
    }
    unsafe client = try configuration.makeClient(RD_KAFKA_PRODUCER)
    unsafe queue = rd_kafka_queue_get_main(client)
  }

  /// Drops what was not flushed.
  deinit {
    unsafe rd_kafka_purge(client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
    drainEvents(waitMilliseconds: 0)
    for handle in handles { unsafe rd_kafka_topic_destroy(handle.raw) }
    unsafe rd_kafka_queue_destroy(queue)
    unsafe rd_kafka_destroy(client)
  }

  /// Looks a topic up, so that records can be sent to it.
  /// - Throws: an error with ``KafkaError/isTopicMissing`` if it is not there.
  package func open(_ topic: String, _ deadline: Deadline) throws(KafkaError) -> TopicOrdinal {
    if let index = handles.firstIndex(where: { $0.name == topic }) { return TopicOrdinal(index) }
    guard let count = try unsafe partitionCount(client, topic, deadline), count > 0,
      let raw = unsafe topicHandle(client, topic, ordinal: handles.count)
    else {
      throw KafkaError(
        code: .unknownTopicOrPartition, operation: "write to \(topic)",
        message: "there is no such topic")
    }
    handles.append(unsafe Handle(name: topic, raw: raw, partitions: Int32(clamping: count)))
    return TopicOrdinal(handles.count - 1)
  }

  /// How many partitions an opened topic has.
  package func partitions(of topic: TopicOrdinal) -> Int32 { handles[topic.value].partitions }

  /// Queues one record; key and value are copied, headers are consumed.
  /// - Parameter partition: nil puts it where Java producers put the key; without a key, anywhere.
  package func produce(
    to topic: TopicOrdinal, _ partition: Partition?, key: ByteView?, value: ByteView?,
    timestamp: Int64? = nil, headers: consuming RecordHeaders? = nil, _ deadline: Deadline
  ) throws(KafkaError) {
    let list = unsafe headers.take()?.take()
    let place = partition?.value ?? RD_KAFKA_PARTITION_UA
    while true {
      let code = unsafe weft_produce(
        client, handles[topic.value].raw, place, value?.pointer, value?.count ?? 0, key?.pointer,
        key?.count ?? 0, timestamp ?? 0, list, nil)
      if code == RD_KAFKA_RESP_ERR_NO_ERROR { return }
      if code != RD_KAFKA_RESP_ERR__QUEUE_FULL || deadline.hasPassed {
        if let list = unsafe list { unsafe rd_kafka_headers_destroy(list) }
        throw KafkaError(code, operation: "write to \(handles[topic.value].name)")
      }
      drainEvents(waitMilliseconds: 2)
    }
  }

  /// Waits until everything is acknowledged.
  /// - Throws: why a record was not delivered (others may have been), or a retriable error at the
  ///   deadline.
  package func flush(_ deadline: Deadline) throws(KafkaError) {
    while true {
      drainEvents(waitMilliseconds: 0)
      if let error = deliveryError {
        deliveryError = nil
        throw error
      }
      if unsafe rd_kafka_outq_len(client) == 0 { return }
      if deadline.hasPassed {
        throw lastReason()
          ?? KafkaError(
            code: .timedOut, operation: "have records acknowledged", isRetriable: true)
      }
      unsafe rd_kafka_flush(client, deadline.atMost(milliseconds: 50).millisecondsLeft)
    }
  }

  /// What the client last said about its brokers: a better reason than "timed out".
  private func lastReason() -> KafkaError? {
    var last: KafkaError?
    for case .failed(let error, _) in context.events { last = error }
    context.events.removeAll()
    return last
  }

  private func drainEvents(waitMilliseconds: Int32) {
    var wait = waitMilliseconds
    while let event = unsafe rd_kafka_queue_poll(queue, wait) {
      wait = 0
      switch unsafe rd_kafka_event_type(event) {
      case RD_KAFKA_EVENT_DR:
        while let record = unsafe rd_kafka_event_message_next(event) {
          let code = unsafe record.pointee.err
          if code != RD_KAFKA_RESP_ERR_NO_ERROR && deliveryError == nil {
            deliveryError = KafkaError(code, operation: "have a record delivered")
          }
        }
      case RD_KAFKA_EVENT_ERROR:
        let text = unsafe rd_kafka_event_error_string(event).map { unsafe String(cString: $0) }
        let code = unsafe rd_kafka_event_error(event)
        context.note(.failed(KafkaError(code, operation: "reach Kafka", message: text), nil))
      default: break
      }
      unsafe rd_kafka_event_destroy(event)
    }
  }
}
