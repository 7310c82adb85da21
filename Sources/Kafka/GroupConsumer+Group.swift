import CRdKafka
import Records

// The group as a whole: who has what, and having it divided anew.
extension GroupConsumer {
  /// Asks the group's coordinator for its members; ``groupAnswer()`` has the answer. Does not wait,
  /// and does nothing while an earlier question is open.
  package func askForGroup() {
    if groupQuestion == nil { groupQuestion = unsafe GroupQuestion(client, group) }
  }

  /// Whether an answer is being waited for.
  package var isAskingForGroup: Bool { groupQuestion != nil }

  /// The answer, once it has come. Does not wait.
  /// - Throws: ``KafkaError`` when the question failed, such as for want of a right.
  package func groupAnswer() throws(KafkaError) -> GroupDescription? {
    guard let question = groupQuestion else { return nil }
    do {
      guard let answer = try question.answer() else { return nil }
      groupQuestion = nil
      return answer
    } catch {
      groupQuestion = nil
      throw error
    }
  }

  /// Has the group divide all its partitions anew, by two rebalances: one in which this member
  /// subscribes to `topic` as well, one in which it no longer does. A static member that comes back
  /// is given what it had; only a changed subscription makes the group divide anew, and librdkafka
  /// has no other way to ask for that.
  ///
  /// Nothing of `topic` is ever read. The owner answers the rebalances as any other.
  /// - Parameter topic: one that is there and is none of ``topics``.
  package func divideAnew(with topic: String) throws(KafkaError) {
    if isDividingAnew { return }
    try subscribe(to: topics + [topic])
    isDividingAnew = true
  }

  /// When the first of the two rebalances has come.
  func endDividingAnew() {
    guard isDividingAnew else { return }
    // Fails only with the whole client, and of that the owner learns by itself.
    if (try? subscribe()) != nil { isDividingAnew = false }
  }

  /// Those of `counts` partitions, in the order of ``topics``, that nobody of the group has.
  package func unowned(in group: GroupDescription, counts: [Int]) -> [TopicPartition] {
    var owned: Set<TopicPartition> = []
    for member in group.members {
      for named in member.partitions {
        guard let topic = ordinal(named: named.topic) else { continue }
        owned.insert(TopicPartition(topic: topic, partition: named.partition))
      }
    }
    var result: [TopicPartition] = []
    for (topic, count) in counts.enumerated() {
      for partition in 0..<Int32(clamping: count) {
        let at = TopicPartition(topic: TopicOrdinal(topic), partition: Partition(partition))
        if !owned.contains(at) { result.append(at) }
      }
    }
    return result
  }
}

/// A request to describe a group, while it is under way.
@safe final class GroupQuestion {
  private static let limitMs: Int32 = 3000

  private let operation: String
  private let queue: OpaquePointer?

  init(_ client: OpaquePointer, _ group: String) {
    operation = "describe group \(group)"
    unsafe queue = rd_kafka_queue_new(client)
    guard let queue = unsafe queue,
      let options = unsafe rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_ANY)
    else { return }
    defer { unsafe rd_kafka_AdminOptions_destroy(options) }
    var text = [CChar](repeating: 0, count: 256)
    unsafe rd_kafka_AdminOptions_set_request_timeout(
      options, GroupQuestion.limitMs, &text, text.count)
    unsafe describeGroup(client, group, options, queue)
  }

  deinit { if let queue = unsafe queue { unsafe rd_kafka_queue_destroy(queue) } }

  /// Nil while there is none.
  func answer() throws(KafkaError) -> GroupDescription? {
    guard let queue = unsafe queue else { throw KafkaError(code: .state, operation: operation) }
    guard let event = unsafe rd_kafka_queue_poll(queue, 0) else { return nil }
    defer { unsafe rd_kafka_event_destroy(event) }
    let code = unsafe rd_kafka_event_error(event)
    if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaError(code, operation: operation) }
    guard let (group, error) = unsafe Admin.description(in: event, operation) else {
      throw KafkaError(code: .state, operation: operation)
    }
    if let error { throw error }
    return group
  }
}

/// Sends the question; its answer comes to `queue`.
func describeGroup(
  _ client: OpaquePointer, _ group: String, _ options: OpaquePointer, _ queue: OpaquePointer
) {
  unsafe group.withCString { name in
    var names: [UnsafePointer<CChar>?] = unsafe [name]
    unsafe rd_kafka_DescribeConsumerGroups(client, &names, 1, options, queue)
  }
}
