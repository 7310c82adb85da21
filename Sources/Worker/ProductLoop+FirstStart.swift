import Engine
import Kafka
import Product
import Records

// What a loop checks before it goes on from what is committed, and where it begins when nothing is.
extension ProductLoop {
  func checkLogic(_ committed: [CommittedOffset]) throws(LoopFailure) {
    for entry in committed {
      let found = OffsetMetadata(entry.metadata).logic
      if !found.isEmpty && found != logic { throw .stop(.otherLogic(otherLogic(found))) }
    }
  }

  /// Tells of another logic before anything that follows from it, and before the group is touched.
  /// Only a first look: what a transaction holds pending is not waited for, assignments look again.
  func checkLogicEarly(_ consumer: World.Consumer, _ counts: [Int]) throws(LoopFailure) {
    let all = allPartitions(counts)
    guard let committed = try? consumer.committed(all, .after(milliseconds: 1000)) else { return }
    try checkLogic(committed)
  }

  private func allPartitions(_ counts: [Int]) -> [TopicPartition] {
    counts.enumerated().flatMap { topic, count in
      (0..<count).map {
        TopicPartition(topic: TopicOrdinal(topic), partition: Partition(Int32(clamping: $0)))
      }
    }
  }

  func otherLogic(_ digest: String) -> String {
    "the product's files have logic \(logic.prefix(12)), but what it has published was made by logic"
      + " \(digest.prefix(12)); put the files back as they were, or start over from the inputs with"
      + " `weft apply --recreate \(product.name)`"
  }

  /// Partitions without a committed offset are begun only by the files that began the others, and
  /// where none has one, only beside an empty journal: Kafka forgets the offsets of a group that is
  /// idle for `offsets.retention.minutes`, a week unless set.
  func checkFirstStart(_ consumer: World.Consumer) throws(LoopFailure) {
    let counts = try patiently { limit throws(KafkaError) in try consumer.partitionCounts(limit) }
    let everything = allPartitions(counts.map { $0 ?? 0 })
    // The journals before the offsets: another member may begin between the two looks, and what it
    // writes comes with its offsets.
    var journal: TopicPartition?
    for at in everything where journal == nil && !owned.isInput(at) {
      let ends = try patiently { limit throws(KafkaError) in try consumer.watermarks(at, limit) }
      if ends.upperBound > 0 { journal = at }
    }
    // One by one: in a busy group they would hardly be stable all at once.
    for at in everything {
      let committed = try patiently { limit throws(KafkaError) in
        try consumer.committed([at], limit)
      }
      if committed.allSatisfy({ $0.offset == nil }) { continue }
      // Offsets go all together; where some are there, the group has begun, and a partition without
      // one was just never touched.
      try checkLogic(committed)
      return
    }
    guard let journal else { return }
    throw .stop(
      .refused(
        "journal \(consumer.topics[journal.topic.value]) has records, but group \(consumer.group)"
          + " has no committed offsets: Kafka forgets those of an idle group after"
          + " offsets.retention.minutes (7 days unless set). Starting over would publish"
          + " everything twice; to do so from nothing, `weft apply --recreate \(product.name)`"
      ))
  }

  /// Where a first start begins says the input's `start`; a partition that came after it is taken
  /// whole, or what was written before anybody saw it would be lost.
  private func isAddedLater(_ at: TopicPartition) -> Bool {
    begunInputs.contains(at.topic.value)
      || Int(at.partition.value) >= partitionsAtJoin[at.topic.value]
  }

  /// Notes, before joining, which inputs the group has begun and how many partitions they have. Not
  /// while in the group: members of a first start begin their partitions at the same time.
  func noteBegun(_ consumer: World.Consumer, _ counts: [Int]) throws(LoopFailure) {
    partitionsAtJoin = counts
    begunInputs = []
    var inputs: [TopicPartition] = []
    for input in product.inputs.indices where product.inputs[input].start != .earliest {
      for partition in 0..<counts[input] {
        inputs.append(
          TopicPartition(
            topic: TopicOrdinal(input), partition: Partition(Int32(clamping: partition))))
      }
    }
    if inputs.isEmpty { return }
    let committed = try patiently { limit throws(KafkaError) in
      try consumer.committed(inputs, limit)
    }
    for entry in committed where entry.offset != nil { begunInputs.insert(entry.at.topic.value) }
  }

  func firstOffset(_ at: TopicPartition, _ consumer: World.Consumer) throws(LoopFailure)
    -> Offset
  {
    if !owned.isInput(at) { return Offset(0) }
    let isNew = isAddedLater(at)
    return try patiently { limit throws(KafkaError) in
      if isNew { return Offset(try consumer.watermarks(at, limit).lowerBound) }
      return switch self.product.inputs[at.topic.value].start {
      case .earliest: Offset(try consumer.watermarks(at, limit).lowerBound)
      case .latest: Offset(try consumer.watermarks(at, limit).upperBound)
      case .timestamp(let milliseconds):
        try consumer.offsets([at], notOlderThan: milliseconds, limit)[0]
      }
    }
  }

  /// Writes down where a first start begins, before anything is taken: `latest` stays where it was,
  /// and a crash in the first turn is not taken for forgotten offsets.
  func commitStart(_ consumer: World.Consumer) throws(LoopFailure) {
    let membership = try membershipToCommit(consumer)
    let publisher = try begin()
    do {
      try publisher.producer.sendOffsets(
        committedOffsets, of: consumer, metadata: offsetMetadata, group: membership.metadata,
        deadline)
    } catch {
      throw .kafka(error, .writing)
    }
    do {
      try publisher.producer.commit(deadline)
    } catch {
      throw .kafka(error, .ending)
    }
    hasUncommittedStart = false
  }

  private var committedOffsets: [PartitionOffset] {
    owned.inputs
      + owned.allSlots.map { PartitionOffset(owned.place(of: $0), $0.cursor.committed) }
  }
}
