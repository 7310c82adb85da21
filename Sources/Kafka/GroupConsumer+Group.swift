import Records

// The group as a whole: who has what, and having it divided anew.
extension GroupConsumer {
  /// Has the group divide all its partitions anew, by two rebalances: one in which this member
  /// subscribes to `topic` as well, one in which it no longer does. A static member that comes back
  /// is given what it had; only a changed subscription makes the group divide anew, and librdkafka
  /// has no other way to ask for that.
  ///
  /// Nothing of `topic` is ever read. The owner answers the rebalances as any other.
  /// - Parameter topic: one that is there and is none of ``topics``.
  /// - Returns: false if nothing was done: the last time is not over, or the topic is not there.
  package func divideAnew(with topic: String, _ deadline: Deadline) throws(KafkaError) -> Bool {
    if isDividingAnew { return false }
    // Asked for first, so that librdkafka knows the topic and does not stop to ask itself: while it
    // does it sends no heartbeats, and if that fails it tries again only minutes later.
    if try unsafe partitionCount(client, topic, deadline) == nil { return false }
    try subscribe(to: topics + [topic])
    isDividingAnew = true
    return true
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
