import Engine
import Kafka
import Observability
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

  /// The member that owns this partition begins, alone, all partitions that have no offset, those
  /// of other members as well and in one transaction. So a group has begun or it has not, and an
  /// offset that is not there in one that has is one that somebody has deleted.
  private static var first: TopicPartition {
    TopicPartition(topic: TopicOrdinal(0), partition: Partition(0))
  }

  func begins(_ places: [TopicPartition]) -> Bool { places.contains(Self.first) }

  /// Partitions that nobody has begun, and where they begin: all of them where the product has
  /// never run, and those that an input's topic got since.
  ///
  /// Where none has an offset, only beside empty journals: Kafka forgets the offsets of a group
  /// that is idle for `offsets.retention.minutes`, a week unless set.
  func missingStarts(_ consumer: World.Consumer) throws(LoopFailure) -> [PartitionOffset] {
    let counts = try patiently { limit throws(KafkaError) in try consumer.partitionCounts(limit) }
    let everything = allPartitions(counts.map { $0 ?? 0 })
    var committed = try committedOfAll(everything, consumer)
    if committed.allSatisfy({ $0.offset == nil }),
      let journal = try journalWithRecords(everything, consumer)
    {
      // Another member may have begun between the two looks; what it writes comes with its offsets.
      committed = try committedOfAll(everything, consumer)
      if committed.allSatisfy({ $0.offset == nil }) {
        throw .stop(.refused(offsetsForgotten(journal)))
      }
    }
    try checkLogic(committed)
    let missing = committed.filter { $0.offset == nil }.map(\.at)
    if missing.isEmpty { return [] }
    let isFirst = missing.count == committed.count
    if !isFirst {
      let begun = committed.filter { $0.offset != nil }.map(\.at)
      let gone = missing.filter { !isAdded($0, begun) }
      // Others may have been begun while these were asked for, one after the other.
      let again = gone.isEmpty ? [] : try committedOfAll(gone, consumer)
      if let deleted = again.first(where: { $0.offset == nil })?.at {
        throw .stop(.refused(offsetDeleted(deleted)))
      }
      if !again.isEmpty {
        throw .kafka(
          KafkaError(code: .timedOut, operation: "find where to begin", isRetriable: true), .reading
        )
      }
    }
    var starts: [PartitionOffset] = []
    for at in missing {
      starts.append(PartitionOffset(at, try firstOffset(at, isAdded: !isFirst, consumer)))
    }
    return starts
  }

  /// All at once, as a rule; in a busy group they may never be stable together.
  private func committedOfAll(_ places: [TopicPartition], _ consumer: World.Consumer)
    throws(LoopFailure) -> [CommittedOffset]
  {
    if let all = try? consumer.committed(places, .after(milliseconds: 1000)) { return all }
    var all: [CommittedOffset] = []
    for at in places {
      all += try patiently { limit throws(KafkaError) in try consumer.committed([at], limit) }
    }
    return all
  }

  private func journalWithRecords(_ places: [TopicPartition], _ consumer: World.Consumer)
    throws(LoopFailure) -> TopicPartition?
  {
    for at in places where !owned.isInput(at) {
      let range = try patiently { limit throws(KafkaError) in try consumer.watermarks(at, limit) }
      if range.upperBound > 0 { return at }
    }
    return nil
  }

  private func offsetsForgotten(_ journal: TopicPartition) -> String {
    "journal \(consumer?.topics[journal.topic.value] ?? "") has records, but group"
      + " \(consumer?.group ?? "") has no committed offsets: Kafka forgets those of an idle group"
      + " after offsets.retention.minutes (7 days unless set). Starting over would publish"
      + " everything twice; to do so from nothing, `weft apply --recreate \(product.name)`"
  }

  /// Whether a topic got the partition after the others of it were begun.
  private func isAdded(_ at: TopicPartition, _ begun: [TopicPartition]) -> Bool {
    let same = begun.filter { $0.topic == at.topic }
    return owned.isInput(at) && !same.isEmpty
      && same.allSatisfy { $0.partition.value < at.partition.value }
  }

  private func offsetDeleted(_ at: TopicPartition) -> String {
    "group \(consumer?.group ?? "") has no offset of \(consumer?.topics[at.topic.value] ?? ""),"
      + " partition \(at.partition.value), but others: somebody has deleted it (a group's offsets"
      + " are forgotten all together). Beginning it anew would count and publish twice; to start"
      + " over from nothing, `weft apply --recreate \(product.name)`"
  }

  /// Looks whether the member that begins has begun what this one was given, and if so goes on from
  /// there. Until then they are paused, and nothing else is done either.
  func awaitStart(_ consumer: World.Consumer, nowMs: Int64) throws(LoopFailure) {
    if nowMs < startAskedMs + Self.startIntervalMs { return }
    startAskedMs = nowMs
    let places = awaitingStart
    let committed = try patiently { limit throws(KafkaError) in
      try consumer.committed(places, limit)
    }
    try checkLogic(committed)
    if committed.contains(where: { $0.offset == nil }) { return }
    awaitingStart = []
    try takeBegun(places, consumer)
  }
  private static var startIntervalMs: Int64 { 50 }

  /// An input's offset that somebody has set is gone on from, as they have asked for it.
  func noteSetElsewhere(_ at: TopicPartition, _ offset: Offset) {
    if isDirect || !owned.isInput(at) { return }
    settings.log.write(
      OffsetSetElsewhere(
        product: product.name, topic: consumer?.topics[at.topic.value] ?? "",
        partition: at.partition, offset: offset))
  }

  /// Where a first start begins says the input's `start`; a partition that came after it is taken
  /// whole, or what was written before anybody saw it would be lost.
  private func firstOffset(_ at: TopicPartition, isAdded: Bool, _ consumer: World.Consumer)
    throws(LoopFailure) -> Offset
  {
    if !owned.isInput(at) { return Offset(0) }
    return try patiently { limit throws(KafkaError) in
      if isAdded { return Offset(try consumer.watermarks(at, limit).lowerBound) }
      return switch self.product.inputs[at.topic.value].start {
      case .earliest: Offset(try consumer.watermarks(at, limit).lowerBound)
      case .latest: Offset(try consumer.watermarks(at, limit).upperBound)
      case .timestamp(let milliseconds):
        try consumer.offsets([at], notOlderThan: milliseconds, limit)[0]
      }
    }
  }

  /// Writes down where partitions begin, before anything is taken: `latest` stays where it was, and
  /// a crash in the first turn is not taken for forgotten offsets.
  func commitStart(_ consumer: World.Consumer) throws(LoopFailure) {
    let membership = try membershipToCommit(consumer)
    let publisher = try begin()
    do {
      try publisher.producer.sendOffsets(
        uncommittedStarts, of: consumer, metadata: startMetadata, group: membership.metadata,
        deadline)
    } catch {
      throw .kafka(error, .writing)
    }
    do {
      try publisher.producer.commit(deadline)
    } catch {
      throw .kafka(error, .ending)
    }
    uncommittedStarts = []
  }

  /// A journal's partition gets its number from whoever begins it.
  private func startMetadata(_ at: TopicPartition) -> String {
    if let journal = owned.journal(at.topic), owned.slot(journal, at.partition) == nil {
      return OffsetMetadata(logic: logic, incarnation: world.drawNumber()).text
    }
    return offsetMetadata(at)
  }
}
