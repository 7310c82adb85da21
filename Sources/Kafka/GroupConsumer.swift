import CRdKafka
import Records
import Synchronization

/// What a consumer tells its loop besides records. Rebalances are only told: the loop answers each
/// by ``GroupConsumer/assign(_:incremental:)`` or ``GroupConsumer/unassign(_:incremental:)``, after
/// it has done with the partitions what it has to do.
package enum ConsumerEvent: Sendable {
  /// These partitions come (incremental: in addition) once the loop assigns them.
  case assigned([TopicPartition], incremental: Bool)
  /// These go once the loop unassigns them. `lost`: they are gone already, somebody else may have
  /// them; abort, and drop what is not committed.
  case revoked([TopicPartition], incremental: Bool, lost: Bool)
  /// Everything committed so far has been read; more may come.
  case reachedEnd(TopicPartition, Offset)
  /// An error that concerns the client or a partition.
  case failed(KafkaError, TopicPartition?)
}

/// A member of a consumer group that reads committed records only and never commits by itself.
///
/// One thread owns it and calls everything on it, but for ``WakeHandle/wake()``. Closing blocks,
/// so it is a call with a deadline and not left to the end of the object's life.
@safe package final class GroupConsumer {
  /// The topics, in the order of their ordinals.
  package let topics: [String]
  package let group: String
  /// Lines that librdkafka wrote.
  package let log: ClientLog
  package let wakeHandle: WakeHandle

  let client: OpaquePointer
  private let queue: OpaquePointer
  /// What ``pollAside(into:)`` reads.
  let asideQueue: OpaquePointer
  let asideTopics: Set<TopicOrdinal>
  private let context: ClientContext
  private let ordinals: [String: TopicOrdinal]
  /// Held so that messages carry our ordinal: the first to name a topic decides its opaque.
  private var handles: [OpaquePointer] = unsafe []
  private var pending: [ConsumerEvent] = []
  private var isClosed = false
  private var isAbandoned = false
  private var pace: FetchPace
  private var asidePace: FetchPace
  /// What was assigned and not given back.
  package internal(set) var assigned: Set<TopicPartition> = []
  /// Whether librdkafka waits for the answer to a rebalance.
  var isRebalanceUnanswered = false
  /// Whether this member subscribes to a topic more, so that the group divides its partitions anew.
  package internal(set) var isDividingAnew = false

  /// Makes the member; joins with ``subscribe()``.
  /// - Parameter instance: its static membership (`group.instance.id`), which makes a restart
  ///   cheap and a second holder fatal for the first; nil for a dynamic member.
  /// - Parameter aside: topics whose records are read by ``pollAside(into:)``, so that they do not
  ///   stand behind those of the others; when some come, a waiting poll ends.
  /// - Throws: ``KafkaError`` for settings that librdkafka refuses.
  package init(
    settings: ClientSettings, group: String, instance: String?, topics: [String],
    aside: Set<TopicOrdinal> = [], log: ClientLog = ClientLog()
  ) throws(KafkaError) {
    self.topics = topics
    asideTopics = aside
    pace = FetchPace(
      queueBytes: settings.queuedBytesMax, queueRecords: settings.queuedRecordsMax)
    asidePace = pace
    self.group = group
    self.log = log
    context = ClientContext(log: log)
    var ordinals: [String: TopicOrdinal] = [:]
    for (index, topic) in topics.enumerated() { ordinals[topic] = TopicOrdinal(index) }
    self.ordinals = ordinals
    var extra = [("group.id", group)]
    if let instance { extra.append(("group.instance.id", instance)) }
    let configuration = try Configuration(settings, role: .groupConsumer, extra: extra)
    context.attach(configuration)
    unsafe configuration.lending { raw in
      unsafe rd_kafka_conf_set_rebalance_cb(raw) { client, code, list, opaque in
        unsafe GroupConsumer.note(client, code, list, opaque)
      }
    }
    unsafe client = try configuration.makeClient(RD_KAFKA_CONSUMER)
    unsafe rd_kafka_poll_set_consumer(client)
    unsafe queue = rd_kafka_queue_get_consumer(client)
    unsafe context.queue = queue
    wakeHandle = unsafe WakeHandle(queue)
    unsafe asideQueue = rd_kafka_queue_new(client)
    unsafe weft_wake_for(asideQueue, queue)
    for index in topics.indices {
      if let handle = unsafe topicHandle(client, topics[index], ordinal: index) {
        unsafe handles.append(handle)
      }
    }
  }

  deinit {
    wakeHandle.end()
    unsafe weft_wake_no_more(asideQueue)
    if isAbandoned { return }
    unsafe handles.forEach { unsafe rd_kafka_topic_destroy($0) }
    unsafe rd_kafka_queue_destroy(asideQueue)
    unsafe rd_kafka_queue_destroy(queue)
    // What was not closed leaves without a word: a static member keeps its place anyway.
    unsafe rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
  }

  /// Joins the group for all topics.
  package func subscribe() throws(KafkaError) { try subscribe(to: topics) }

  func subscribe(to topics: [String]) throws(KafkaError) {
    let list = PartitionList(capacity: topics.count)
    for topic in topics { list.add(topic, Partition(-1)) }
    let code = unsafe rd_kafka_subscribe(client, list.raw)
    try check(code, "subscribe to \(topics.joined(separator: ", "))")
  }

  /// Fills `batch` with the next records, and notes events for ``nextEvent()``.
  ///
  /// Waits at most `waitMilliseconds` for the first record, then takes what is there. Returns early
  /// after ``WakeHandle/wake()`` and after a rebalance. A batch in whose poll a rebalance was
  /// noticed may span two assignments, so it is to be discarded (rule 8).
  package func poll(into batch: RecordBatch, waitMilliseconds: Int) {
    unsafe fill(batch, from: queue, Int32(clamping: waitMilliseconds))
    if !context.events.isEmpty { translateEvents() }
    if pace.isDue(records: batch.count, bytes: batch.byteCount) { wakeFetchers(aside: false) }
  }

  /// Fills `batch` with the next records of the topics that are read aside, without waiting. A
  /// rebalance is never noticed here.
  package func pollAside(into batch: RecordBatch) {
    unsafe fill(batch, from: asideQueue, 0)
    if asidePace.isDue(records: batch.count, bytes: batch.byteCount) { wakeFetchers(aside: true) }
  }

  private func fill(_ batch: RecordBatch, from queue: OpaquePointer, _ waitMilliseconds: Int32) {
    unsafe batch.fill(from: queue, waitMilliseconds: waitMilliseconds) { other in
      if other.code == RD_KAFKA_RESP_ERR__PARTITION_EOF {
        if let at = other.at { pending.append(.reachedEnd(at, Offset(other.offset))) }
      } else {
        let error = KafkaError(other.code, operation: "read", message: other.message)
        pending.append(.failed(fatalDetail(error), other.at))
      }
    }
  }

  /// The oldest event that was not taken yet.
  package func nextEvent() -> ConsumerEvent? {
    pending.isEmpty ? nil : pending.removeFirst()
  }

  /// Whether a rebalance waits to be answered.
  package var hasRebalance: Bool {
    pending.contains {
      switch $0 {
      case .assigned, .revoked: true
      case .reachedEnd, .failed: false
      }
    }
  }

  private func translateEvents() {
    let events = context.events
    context.events.removeAll()
    let incremental = usesIncrementalRebalance
    for event in events {
      switch event {
      case .rebalance(let assigned, let named, let lost):
        isRebalanceUnanswered = true
        let partitions = named.compactMap { ordinal(of: $0) }
        if assigned { endDividingAnew() }
        pending.append(
          assigned
            ? .assigned(partitions, incremental: incremental)
            : .revoked(partitions, incremental: incremental, lost: lost))
      case .failed(let error, let at):
        pending.append(.failed(fatalDetail(error), at.flatMap { ordinal(of: $0) }))
      }
    }
  }

  /// A fatal error arrives as `_FATAL`; what it was must be asked for.
  private func fatalDetail(_ error: KafkaError) -> KafkaError {
    error.code == .fatal ? fatalError ?? error : error
  }

  private func ordinal(of named: NamedPartition) -> TopicPartition? {
    ordinals[named.topic].map { TopicPartition(topic: $0, partition: named.partition) }
  }

  private var usesIncrementalRebalance: Bool {
    guard let name = unsafe rd_kafka_rebalance_protocol(client) else { return false }
    return unsafe String(cString: name) == "COOPERATIVE"
  }

  /// Runs inside poll, on the owner's thread: notes, and ends the wait (rule 5).
  private static func note(
    _ client: OpaquePointer?, _ code: rd_kafka_resp_err_t,
    _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?,
    _ opaque: UnsafeMutableRawPointer?
  ) {
    guard let client = unsafe client, let context = unsafe ClientContext.of(opaque) else { return }
    let named = unsafe list.map { unsafe NamedPartition.reading($0) } ?? []
    if context.isClosing {
      context.awaitsAnswer = true
      return
    }
    if code != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS
      && code != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS
    {
      // An error in place of a rebalance asks for the assignment to be dropped.
      unsafe rd_kafka_assign(client, nil)
      return
    }
    context.note(
      .rebalance(
        assigned: code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, named,
        lost: unsafe rd_kafka_assignment_lost(client) != 0))
    // librdkafka looks at rd_kafka_yield only after ops that it did not handle, so a poll that
    // waits would go on waiting; what ends its wait is the queue's own flag.
    if let queue = unsafe context.queue { unsafe rd_kafka_queue_yield(queue) }
  }

  /// Whether the assignment was lost: the group has given the partitions away already.
  package var assignmentLost: Bool { unsafe rd_kafka_assignment_lost(client) != 0 }

  /// The error that finished this client, if one did: such as another holder of its instance.
  package var fatalError: KafkaError? {
    var text = [CChar](repeating: 0, count: 512)
    let code = unsafe rd_kafka_fatal_error(client, &text, text.count)
    if code == RD_KAFKA_RESP_ERR_NO_ERROR { return nil }
    return KafkaError(
      code: KafkaErrorCode(code), operation: "stay in the group", message: string(text),
      isFatal: true)
  }

  /// The id that the group's coordinator gave this member; nil before it has joined.
  package var memberId: String? {
    guard let text = unsafe rd_kafka_memberid(client) else { return nil }
    defer { unsafe rd_kafka_mem_free(client, text) }
    let id = unsafe String(cString: text)
    return id.isEmpty ? nil : id
  }

  /// The group's generation as this member knows it now; nil while it has no place in the group.
  /// Take it *before* gathering what is to be committed under it (rule 8).
  package func groupMetadata() -> GroupMetadata? {
    guard let raw = unsafe rd_kafka_consumer_group_metadata(client) else { return nil }
    return unsafe GroupMetadata(taking: raw)
  }

  /// Leaves: waits for the group's protocol until the deadline, then gives up, because a
  /// cooperative close can hang (rule 11). False if it gave up; the client is then left as it is,
  /// for the process to end with.
  @discardableResult
  package func close(_ deadline: Deadline) -> Bool {
    if isClosed { return true }
    isClosed = true
    context.isClosing = true
    // Before the close: a group that has ended answers no question any more, such as by which
    // protocol it rebalances. From here on the callback notes only that there was one.
    if !context.events.isEmpty { translateEvents() }
    if let error = unsafe rd_kafka_consumer_close_queue(client, queue) {
      _ = unsafe KafkaError(taking: error, operation: "close")
      return true
    }
    context.awaitsAnswer = isRebalanceUnanswered
    let batch = RecordBatch(capacity: 100)
    var rounds = 0
    while unsafe rd_kafka_consumer_closed(client) == 0 {
      if deadline.hasPassed {
        isAbandoned = true
        // The client lives on and goes on calling back, so what it calls must live on too.
        _ = unsafe Unmanaged.passRetained(context)
        return false
      }
      unsafe batch.fill(from: queue, waitMilliseconds: 10) { _ in }
      if !context.awaitsAnswer { continue }
      // The close waits for the answer to a rebalance, if that is not one of before: then the group
      // ends at once, and an answer to a group that has ended is waited for without an end. While
      // closing, librdkafka takes any assignment for "none", by either protocol.
      rounds += 1
      if unsafe rounds < 3 || rd_kafka_consumer_closed(client) != 0 { continue }
      rounds = 0
      context.awaitsAnswer = false
      unsafe rd_kafka_assign(client, nil)
    }
    return true
  }

  func check(_ code: rd_kafka_resp_err_t, _ operation: @autoclosure () -> String)
    throws(KafkaError)
  {
    if code == RD_KAFKA_RESP_ERR_NO_ERROR { return }
    throw fatalDetail(KafkaError(code, operation: operation()))
  }

  func name(of topic: TopicOrdinal) -> String { topics[topic.value] }
  func ordinal(named topic: String) -> TopicOrdinal? { ordinals[topic] }
}

/// A handle whose records carry `ordinal`; nil if librdkafka refuses the name.
func topicHandle(_ client: OpaquePointer, _ name: String, ordinal: Int) -> OpaquePointer? {
  // Not a new one: that would bring back librdkafka's own defaults, such as resetting to the end.
  guard let configuration = unsafe rd_kafka_default_topic_conf_dup(client) else { return nil }
  unsafe rd_kafka_topic_conf_set_opaque(
    configuration, UnsafeMutableRawPointer(bitPattern: ordinal + 1))
  if let handle = unsafe rd_kafka_topic_new(client, name, configuration) { return unsafe handle }
  unsafe rd_kafka_topic_conf_destroy(configuration)
  return nil
}

/// Ends a consumer's wait from any thread; the one thing of a consumer that is Sendable.
@safe package final class WakeHandle: Sendable {
  @safe private struct Target: @unchecked Sendable {
    // rd_kafka_queue_yield is documented as callable from any thread; `end()` takes it away before
    // the consumer goes.
    var queue: OpaquePointer?
  }
  private let target: Mutex<Target>

  init(_ queue: OpaquePointer) { target = unsafe Mutex(Target(queue: queue)) }

  /// Makes the current or the next poll return at once. Nothing happens once the consumer is gone.
  package func wake() {
    target.withLock { if let queue = unsafe $0.queue { unsafe rd_kafka_queue_yield(queue) } }
  }

  func end() { target.withLock { unsafe $0.queue = nil } }
}

/// The group's generation and member at one moment; goes with offsets into a transaction so that a
/// member that the group has replaced cannot commit.
@safe package final class GroupMetadata {
  let raw: OpaquePointer

  init(taking raw: OpaquePointer) { unsafe self.raw = raw }
  /// Metadata that names the group alone and so fences nobody: for groups of one reader that
  /// assigns partitions itself, and for the tests that show why the real one is needed.
  package init(group: String) { unsafe raw = rd_kafka_consumer_group_metadata_new(group) }
  deinit { unsafe rd_kafka_consumer_group_metadata_destroy(raw) }
}
