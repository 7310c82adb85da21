import CRdKafka
import Records

/// Reads partitions of one topic without a group: for `weft read`, the catalog and tests.
///
/// One thread owns it. Only committed records are seen. It knows the end as it stood when the
/// reader was made, so that a read of "everything there is" ends; following goes on after it.
@safe package final class TopicReader {
  /// Where reading begins.
  package enum Start: Hashable, Sendable {
    case earliest
    /// Only what is written from now on.
    case latest
    /// This offset in every partition that is read (moved to what is still there).
    case offset(Offset)
    /// The first records not older than this, in milliseconds since 1970.
    case time(milliseconds: Int64)
  }

  package let topic: String
  package let log: ClientLog
  /// How many partitions the topic has.
  package let partitionCount: Int

  private let client: OpaquePointer
  private let queue: OpaquePointer
  private let context: ClientContext
  private let handle: OpaquePointer?
  /// By partition number: what was still to be read when the reader was made.
  private var ends: [Int64]
  private var next: [Int64]
  private var isDone: [Bool]
  private var left = 0

  /// - Parameter partitions: nil reads all.
  /// - Throws: ``KafkaError``; ``KafkaError/isTopicMissing`` if there is no such topic.
  package init(
    settings: ClientSettings, topic: String, partitions: [Partition]? = nil, from start: Start,
    log: ClientLog = ClientLog(), _ deadline: Deadline
  ) throws(KafkaError) {
    self.topic = topic
    self.log = log
    context = ClientContext(log: log)
    // Partitions are assigned, nothing is committed: the group is a name that librdkafka wants.
    let configuration = try Configuration(
      settings, role: .reader, extra: [("group.id", "weft.reader")])
    context.attach(configuration)
    unsafe client = try configuration.makeClient(RD_KAFKA_CONSUMER)
    unsafe rd_kafka_poll_set_consumer(client)
    unsafe queue = rd_kafka_queue_get_consumer(client)
    unsafe handle = topicHandle(client, topic, ordinal: 0)
    var count = 0
    var failure: KafkaError?
    do {
      count = try unsafe Kafka.partitionCount(client, topic, deadline) ?? 0
    } catch {
      failure = error
    }
    partitionCount = count
    ends = Array(repeating: 0, count: count)
    next = Array(repeating: 0, count: count)
    isDone = Array(repeating: true, count: count)
    if let failure { throw failure }
    if count == 0 {
      throw KafkaError(
        code: .unknownTopicOrPartition, operation: "read \(topic)",
        message: "there is no such topic")
    }
    try begin(partitions ?? (0..<Int32(count)).map { Partition($0) }, start, deadline)
  }

  deinit {
    if let handle = unsafe handle { unsafe rd_kafka_topic_destroy(handle) }
    unsafe rd_kafka_queue_destroy(queue)
    unsafe rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
  }

  private func begin(_ partitions: [Partition], _ start: Start, _ deadline: Deadline)
    throws(KafkaError)
  {
    let list = PartitionList(capacity: partitions.count)
    var times: [Offset] = []
    if case .time(let milliseconds) = start {
      times = try unsafe offsets(
        client, partitions.map { (topic, $0) }, notOlderThan: milliseconds, deadline)
    }
    for (index, partition) in partitions.enumerated() {
      if partition.value < 0 || Int(partition.value) >= partitionCount {
        throw KafkaError(
          code: .unknownTopicOrPartition, operation: "read \(topic)",
          message: "it has \(partitionCount) partitions, none is \(partition.value)")
      }
      let range = try unsafe watermarks(client, topic, partition, deadline)
      let first =
        switch start {
        case .earliest: range.lowerBound
        case .latest: range.upperBound
        case .offset(let offset): min(max(offset.value, range.lowerBound), range.upperBound)
        case .time: times[index].value
        }
      list.add(topic, partition, offset: first)
      let place = Int(partition.value)
      ends[place] = range.upperBound
      next[place] = first
      isDone[place] = first >= range.upperBound
      if !isDone[place] { left += 1 }
    }
    let code = unsafe rd_kafka_assign(client, list.raw)
    if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaError(code, operation: "read \(topic)") }
  }

  /// Whether everything that was there when the reader was made has been handed out.
  package var isAtEnd: Bool { left == 0 }

  /// The offset of the next record to come of a partition.
  package func position(_ partition: Partition) -> Offset { Offset(next[Int(partition.value)]) }

  /// Fills `batch` with the next records: waits at most `waitMilliseconds` for the first.
  /// - Throws: an error that reading cannot go on after. A broker that is away is waited for.
  package func poll(into batch: RecordBatch, waitMilliseconds: Int) throws(KafkaError) {
    var failure: KafkaError?
    unsafe batch.fill(from: queue, waitMilliseconds: Int32(clamping: waitMilliseconds)) { other in
      if other.code == RD_KAFKA_RESP_ERR__PARTITION_EOF {
        if let at = other.at { reached(at.partition, Offset(other.offset)) }
      } else {
        let error = KafkaError(other.code, operation: "read \(topic)", message: other.message)
        if !error.isRetriable { failure = error }
      }
    }
    var index = 0
    while index < batch.count {
      reached(batch.partition(at: index), batch.offset(at: index).advanced(by: 1))
      index += 1
    }
    for case .failed(let error, _) in context.events where !error.isRetriable { failure = error }
    context.events.removeAll()
    if let failure { throw failure }
  }

  /// Markers occupy offsets, so that the end is known from where the next fetch begins too.
  private func reached(_ partition: Partition, _ offset: Offset) {
    let place = Int(partition.value)
    next[place] = max(next[place], offset.value)
    if !isDone[place] && next[place] >= ends[place] {
      isDone[place] = true
      left -= 1
    }
  }

  /// The same for as long as records come: a topic may be large, and its brokers go away.
  package func readToEnd(silenceMilliseconds: Int, _ body: (RecordBatch) -> Void)
    throws(KafkaError)
  {
    let batch = RecordBatch(capacity: 1000)
    var silence = Deadline.after(milliseconds: silenceMilliseconds)
    while !isAtEnd {
      try poll(into: batch, waitMilliseconds: 100)
      if !batch.isEmpty {
        body(batch)
        silence = Deadline.after(milliseconds: silenceMilliseconds)
      } else if silence.hasPassed {
        throw KafkaError(
          code: .timedOut, operation: "read \(topic)", message: "nothing came any more")
      }
    }
  }

  /// Reads to the end as it stood when the reader was made, and hands every batch to `body`.
  package func readToEnd(_ deadline: Deadline, _ body: (RecordBatch) -> Void) throws(KafkaError) {
    let batch = RecordBatch(capacity: 1000)
    while !isAtEnd {
      try poll(into: batch, waitMilliseconds: 100)
      if !batch.isEmpty { body(batch) }
      if !isAtEnd && deadline.hasPassed {
        throw KafkaError(
          code: .timedOut, operation: "read \(topic) to its end", isRetriable: true)
      }
    }
  }
}
