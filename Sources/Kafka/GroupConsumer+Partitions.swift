import CRdKafka
import Records

// What the loop does with partitions: assign, rewind, pause. All of it on the owner's thread.
extension GroupConsumer {
  /// Answers an assignment: reading begins at the offsets given, which must be concrete; there is
  /// no reset policy behind them.
  package func assign(_ offsets: [PartitionOffset], incremental: Bool) throws(KafkaError) {
    for entry in offsets where asideTopics.contains(entry.at.topic) { setAside(entry.at) }
    let list = makeList(offsets)
    if incremental {
      try unsafe consume(rd_kafka_incremental_assign(client, list.raw), "take partitions over")
    } else {
      try check(unsafe rd_kafka_assign(client, list.raw), "take partitions over")
      assigned.removeAll()
    }
    assigned.formUnion(offsets.map(\.at))
    isRebalanceUnanswered = false
  }

  /// Once the application has set where a partition's records go, librdkafka leaves it so.
  private func setAside(_ at: TopicPartition) {
    let partition = at.partition.value
    guard let own = unsafe rd_kafka_queue_get_partition(client, name(of: at.topic), partition)
    else { return }
    unsafe rd_kafka_queue_forward(own, asideQueue)
    unsafe rd_kafka_queue_destroy(own)
  }

  /// Answers a revocation. Not incremental: everything is given back.
  package func unassign(_ partitions: [TopicPartition], incremental: Bool) throws(KafkaError) {
    if incremental {
      let list = makeList(partitions)
      try unsafe consume(rd_kafka_incremental_unassign(client, list.raw), "give partitions back")
    } else {
      try check(unsafe rd_kafka_assign(client, nil), "give partitions back")
      assigned.removeAll()
    }
    assigned.subtract(partitions)
    isRebalanceUnanswered = false
  }

  /// Reading goes on at these offsets; what was fetched ahead is dropped. Partitions that are just
  /// being started are tried again until the deadline.
  package func seek(_ offsets: [PartitionOffset], _ deadline: Deadline) throws(KafkaError) {
    var left = offsets
    while !left.isEmpty {
      let list = makeList(left)
      // librdkafka 2.0.2 takes this time-out as microseconds (rule 11).
      let error = unsafe rd_kafka_seek_partitions(client, list.raw, 5_000_000)
      if let error = unsafe error { throw unsafe KafkaError(taking: error, operation: "rewind") }
      var failed: [PartitionOffset] = []
      var last = RD_KAFKA_RESP_ERR_NO_ERROR
      for index in 0..<list.count {
        let entry = list.entry(index)
        if entry.error != RD_KAFKA_RESP_ERR_NO_ERROR {
          failed.append(left[index])
          last = entry.error
        }
      }
      left = failed
      if !left.isEmpty && deadline.hasPassed { throw KafkaError(last, operation: "rewind") }
    }
  }

  /// Reading goes on at these offsets, soon: nobody waits for it, and where it does not come to
  /// pass, reading goes on where it is. What was fetched ahead is dropped, and fetching wakes.
  package func seekSoon(_ offsets: [PartitionOffset]) {
    if offsets.isEmpty { return }
    let list = makeList(offsets)
    if let error = unsafe rd_kafka_seek_partitions(client, list.raw, 0) {
      unsafe rd_kafka_error_destroy(error)
    }
  }

  /// Stops fetching these; what was fetched ahead is dropped, and read again after ``resume(_:)``.
  package func pause(_ partitions: [TopicPartition]) throws(KafkaError) {
    let list = makeList(partitions)
    try check(unsafe rd_kafka_pause_partitions(client, list.raw), "pause partitions")
  }

  /// Only for what was paused: resuming anything else rewinds it (rule 4). It wakes no fetcher: one
  /// without anything else to fetch sleeps for up to a second. A ``seekSoon(_:)`` behind it does.
  package func resume(_ partitions: [TopicPartition]) throws(KafkaError) {
    let list = makeList(partitions)
    try check(unsafe rd_kafka_resume_partitions(client, list.raw), "resume partitions")
  }

  /// What the group has committed for these, in their order. Waits while a transaction that would
  /// move them is pending (the rule of stable offsets), at most until the deadline; then it throws
  /// a retriable error.
  package func committed(_ partitions: [TopicPartition], _ deadline: Deadline)
    throws(KafkaError) -> [CommittedOffset]
  {
    let list = makeList(partitions)
    let code = unsafe rd_kafka_committed(client, list.raw, deadline.millisecondsLeft)
    try check(code, "read the committed offsets of \(group)")
    var result: [CommittedOffset] = []
    for index in 0..<list.count {
      let entry = list.entry(index)
      try check(entry.error, "read the committed offsets of \(group)")
      result.append(
        CommittedOffset(
          at: partitions[index], offset: entry.offset < 0 ? nil : Offset(entry.offset),
          metadata: entry.metadata))
    }
    return result
  }

  /// The first offset of a partition and the one after the last that is committed (while a
  /// transaction is open: where it begins).
  package func watermarks(_ at: TopicPartition, _ deadline: Deadline)
    throws(KafkaError) -> Range<Int64>
  {
    try unsafe Kafka.watermarks(client, name(of: at.topic), at.partition, deadline)
  }

  /// The first offsets whose records are not older than `milliseconds` since 1970, in the order of
  /// `partitions`; the end of the partition where there is none.
  package func offsets(
    _ partitions: [TopicPartition], notOlderThan milliseconds: Int64, _ deadline: Deadline
  ) throws(KafkaError) -> [Offset] {
    try unsafe Kafka.offsets(
      client, partitions.map { (name(of: $0.topic), $0.partition) }, notOlderThan: milliseconds,
      deadline)
  }

  /// The topics' partition counts, in their order; nil for a topic that is not there.
  package func partitionCounts(_ deadline: Deadline) throws(KafkaError) -> [Int?] {
    var result: [Int?] = []
    for index in topics.indices {
      result.append(try unsafe Kafka.partitionCount(client, topics[index], deadline))
    }
    return result
  }

  private func makeList(_ partitions: [TopicPartition]) -> PartitionList {
    let list = PartitionList(capacity: partitions.count)
    for at in partitions { list.add(name(of: at.topic), at.partition) }
    return list
  }

  private func makeList(_ offsets: [PartitionOffset]) -> PartitionList {
    let list = PartitionList(capacity: offsets.count)
    for entry in offsets {
      list.add(name(of: entry.at.topic), entry.at.partition, offset: entry.offset.value)
    }
    return list
  }

  private func consume(_ error: OpaquePointer?, _ operation: String) throws(KafkaError) {
    guard let error = unsafe error else { return }
    throw unsafe KafkaError(taking: error, operation: operation)
  }
}
