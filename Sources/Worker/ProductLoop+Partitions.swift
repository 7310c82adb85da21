import Engine
import Kafka
import Observability
import Product
import Records
import State

// Partitions that come and go, and going back to what is committed.
extension ProductLoop {
  /// Answers what the consumer told. True if the assignment changed: then what was gathered before
  /// is gone and the batch with it, because it may span two assignments (rule 8).
  func handleEvents(_ consumer: GroupConsumer) throws(LoopFailure) -> Bool {
    var hasChanged = false
    while let event = consumer.nextEvent() {
      switch event {
      case .assigned, .revoked:
        hasChanged = true
        watch.rebalanced(nowMs: Clock.monotonicMs())
        look = nil
        do {
          try answer(event, consumer)
        } catch {
          // A rebalance without an answer would hold the whole group up: leave, and join anew.
          leave()
          throw error
        }
      case .reachedEnd(let at, let end): ends.append(PartitionOffset(at, end))
      case .failed(let error, let at): try note(error, at)
      }
    }
    if hasChanged { ends.removeAll() }
    return hasChanged
  }

  private func answer(_ event: ConsumerEvent, _ consumer: GroupConsumer) throws(LoopFailure) {
    switch event {
    case .assigned(let partitions, let incremental):
      // One comes at the end of every rebalance, if only with nothing in it.
      membership = Membership(consumer)
      noteOwnId()
      try take(partitions, incremental: incremental, consumer)
    case .revoked(let partitions, let incremental, let lost):
      // Answering would join anew under this instance's name and put a newer one out.
      if lost, settings.unsafe.keeps(.fencing) {
        switch isHeldByAnother(mustKnow: true) {
        case true?: throw .stop(.fenced)
        case nil: throw .stop(.undrained("its partitions were taken away"))
        case false?: break
        }
      }
      try giveBack(partitions, incremental: incremental, consumer)
    case .reachedEnd, .failed: break
    }
  }

  private func note(_ error: KafkaError, _ at: TopicPartition?) throws(LoopFailure) {
    if let at, error.code == .offsetReset || error.code == .offsetOutOfRange {
      throw .stop(.refused(lostRecords(at, error)))
    }
    // The topic that dividing anew goes by is none of the consumer's own.
    let isAside =
      consumer?.isDividingAnew == true && error.message.contains(product.names.quarantineTopic)
    if error.isTopicMissing && !isAside {
      throw .stop(.refused("\(error): a topic of the product was deleted while it ran"))
    }
    if error.isFatal || error.isAccessDenied || error.isLoginRefused
      || error.code == .fencedInstance
    {
      throw .kafka(error, .reading)
    }
    // One broker of several is told of too, and then nobody tells when it is back.
    if error.code == .allBrokersDown { noteAway(error) }
  }

  private func lostRecords(_ at: TopicPartition, _ error: KafkaError) -> String {
    let name = consumer.map { $0.topics[at.topic.value] } ?? ""
    let place = "\(name), partition \(at.partition.value)"
    return owned.isInput(at)
      ? "records of \(place) that were not taken yet are gone (retention is shorter than the pause,"
        + " or the topic was made anew): \(error.message). Nothing is skipped silently; to go on"
        + " from what is left, `weft apply --recreate \(product.name)`"
      : "journal \(place) begins after the records that the state needs: \(error.message). Restore"
        + " the topic, or start over with `weft apply --recreate \(product.name)`"
  }

  private func take(
    _ partitions: [TopicPartition], incremental: Bool, _ consumer: GroupConsumer
  ) throws(LoopFailure) {
    if !settings.unsafe.keeps(.gatheredGeneration), meter.isOpen {
      try takeInTheMiddle(partitions, incremental: incremental, consumer)
      return
    }
    try abortTurn()
    try resumeInputs(consumer)
    if !incremental { forgetAll() }
    let starts = try restart(keeping: incremental, adding: partitions, consumer)
    do {
      try consumer.assign(starts.added, incremental: incremental)
      if !starts.kept.isEmpty { try consumer.seek(starts.kept, deadline) }
    } catch {
      throw .kafka(error, .reading)
    }
    try settle(consumer)
    partitionsChanged()
  }

  private func giveBack(
    _ partitions: [TopicPartition], incremental: Bool, _ consumer: GroupConsumer
  ) throws(LoopFailure) {
    let keepsTurn = !settings.unsafe.keeps(.gatheredGeneration) && meter.isOpen
    if keepsTurn {
      strayOffsets += owned.offsets.filter { partitions.contains($0.at) }
    } else {
      try abortTurn()
      try resumeInputs(consumer)
    }
    for at in partitions { forget(at) }
    if !incremental && !keepsTurn { forgetAll() }
    do {
      try consumer.unassign(partitions, incremental: incremental)
    } catch {
      throw .kafka(error, .reading)
    }
    if incremental && !keepsTurn && !owned.isEmpty { try rewind() }
    partitionsChanged()
  }

  private func partitionsChanged() {
    let inputs = owned.inputs.count
    let journals = owned.allSlots.count
    monitor.update {
      $0.inputPartitions = inputs
      $0.journalPartitions = journals
    }
  }

  func forget(_ at: TopicPartition) {
    owned.drop(at)
    if owned.isInput(at) { ingest.forget(input: at.topic.value, partition: at.partition) }
  }

  private func forgetAll() {
    for at in owned.offsets { forget(at.at) }
  }

  private func resumeInputs(_ consumer: GroupConsumer) throws(LoopFailure) {
    if pausedInputs.isEmpty { return }
    do {
      try consumer.resume(pausedInputs)
    } catch {
      throw .kafka(error, .reading)
    }
    pausedInputs = []
  }

  /// Goes back to what the group has committed: the open turn is taken back, positions are read
  /// anew and the states brought there.
  func rewind() throws(LoopFailure) {
    try abortTurn()
    guard let consumer else { return }
    try resumeInputs(consumer)
    if owned.isEmpty {
      needsRewind = false
      return
    }
    let starts = try restart(keeping: true, adding: [], consumer)
    do {
      try consumer.seek(starts.kept, deadline)
    } catch {
      throw .kafka(error, .reading)
    }
    try settle(consumer)
  }

  /// Reads the committed offsets of everything that is kept or added, and puts cursors and
  /// positions there. Returns where reading goes on.
  private func restart(
    keeping: Bool, adding: [TopicPartition], _ consumer: GroupConsumer
  ) throws(LoopFailure) -> (kept: [PartitionOffset], added: [PartitionOffset]) {
    let added = Set(adding)
    let kept = keeping ? owned.offsets.map(\.at).filter { !added.contains($0) } : []
    let all = kept + adding
    if all.isEmpty { return ([], []) }
    let committed = try patiently { limit throws(KafkaError) in
      try consumer.committed(all, limit)
    }
    try checkLogic(committed)
    let hasMissing = committed.contains { $0.offset == nil }
    if hasMissing { try checkFirstStart(consumer) }
    var starts: [PartitionOffset] = []
    for entry in committed {
      let offset =
        if let offset = entry.offset { offset } else { try firstOffset(entry.at, consumer) }
      starts.append(PartitionOffset(entry.at, place(entry.at, committed: offset)))
    }
    if hasMissing { hasUncommittedStart = true }
    return (Array(starts.prefix(kept.count)), Array(starts.dropFirst(kept.count)))
  }

  /// Puts an input's position or a journal's cursor to what is committed; returns where to read on.
  private func place(_ at: TopicPartition, committed: Offset) -> Offset {
    guard let journal = owned.journal(at.topic) else {
      owned.own(input: at.topic.value, at.partition, at: committed.value)
      return committed
    }
    if let slot = owned.slot(journal, at.partition), slot.state.stamp.position <= committed {
      slot.rollBack()
      slot.cursor.rollBack(stamp: slot.state.stamp.position, committed: committed)
      return slot.cursor.next
    }
    // A state ahead of what is committed cannot be (it is written after the commit), unless
    // somebody set the group's offsets back: then it is made anew.
    let cursor = JournalCursor(
      stamp: Offset(0), committed: committed,
      checksOffset: settings.unsafe.keeps(.offsetRule))
    owned.own(
      JournalSlot(plan: plan, journal: journal, partition: at.partition, cursor: cursor))
    return cursor.next
  }

  /// After positions were set: inputs wait while journals are re-applied.
  private func settle(_ consumer: GroupConsumer) throws(LoopFailure) {
    needsRewind = false
    let slots = owned.allSlots
    let behind = slots.reduce(Int64(0)) { $0 + $1.cursor.committed.value - $1.cursor.next.value }
    isRestoring = behind > 0
    let inputs = owned.inputs.map(\.at)
    settings.log.write(
      PartitionsTaken(
        product: product.name, inputs: inputs.count, journals: slots.count, behind: behind))
    if isRestoring {
      restoredBlocks = 0
      restoringSinceMs = Clock.monotonicMs()
      monitor.update { $0.phase = .restoring }
      if !inputs.isEmpty {
        do {
          try consumer.pause(inputs)
        } catch {
          throw .kafka(error, .reading)
        }
        pausedInputs = inputs
      }
    } else {
      monitor.update { $0.phase = .running }
    }
    if hasUncommittedStart { try commitStart(consumer) }
  }

  /// Every journal has been brought to what is committed: inputs go on.
  func finishRestoring(_ consumer: GroupConsumer) throws(LoopFailure) {
    if owned.allSlots.contains(where: { $0.cursor.isRestoring }) { return }
    isRestoring = false
    try resumeInputs(consumer)
    settings.log.write(
      StateRestored(
        product: product.name, blocks: restoredBlocks,
        durationMs: Clock.monotonicMs() - restoringSinceMs))
    monitor.update { $0.phase = .running }
  }

  /// A journal that was read to its end, after the records before it were taken, must have brought
  /// its state to what is committed. While the marker of the last commit is outstanding, readers
  /// see an earlier end than there is: then more will come.
  func checkEnds() throws(LoopFailure) {
    for end in ends {
      guard let journal = owned.journal(end.at.topic),
        let slot = owned.slot(journal, end.at.partition), slot.cursor.isRestoring
      else { continue }
      if end.offset < slot.cursor.committed,
        try realEnd(of: product.journals[journal].topic, end.at.partition) >= slot.cursor.committed
      {
        continue
      }
      throw .stop(
        .failed(
          "journal \(product.journals[journal].topic), partition \(end.at.partition.value) was read"
            + " to its end at \(end.offset.value), but the blocks up to the committed offset"
            + " \(slot.cursor.committed.value) are not in it: it has lost records, and the state"
            + " cannot be made"))
    }
    ends.removeAll(keepingCapacity: true)
  }

  /// Where a partition ends when open transactions are counted in.
  private func realEnd(of topic: String, _ partition: Partition) throws(LoopFailure) -> Offset {
    try patiently { limit throws(KafkaError) in
      let admin = try Admin(settings: self.settings.kafka, readsUncommitted: true)
      return Offset(try admin.watermarks(topic, partition, limit).upperBound)
    }
  }

  // MARK: First start

  private func checkLogic(_ committed: [CommittedOffset]) throws(LoopFailure) {
    for entry in committed where !entry.metadata.isEmpty && entry.metadata != logic {
      throw .stop(.otherLogic(otherLogic(entry.metadata)))
    }
  }

  /// Tells of another logic before anything that follows from it, and before the group is touched.
  /// Only a first look: what a transaction holds pending is not waited for, assignments look again.
  func checkLogicEarly(_ consumer: GroupConsumer, _ counts: [Int]) throws(LoopFailure) {
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

  /// No committed offset is a first start only beside an empty journal: Kafka forgets the offsets
  /// of a group that is idle for `offsets.retention.minutes`, a week unless set.
  private func checkFirstStart(_ consumer: GroupConsumer) throws(LoopFailure) {
    if isDirect { return }
    let counts = try patiently { limit throws(KafkaError) in try consumer.partitionCounts(limit) }
    let everything = allPartitions(counts.map { $0 ?? 0 })
    let committed = try patiently { limit throws(KafkaError) in
      try consumer.committed(everything, limit)
    }
    // Offsets go all together; where some are there, the group has begun, and a partition without
    // one was just never touched.
    if committed.contains(where: { $0.offset != nil }) { return }
    for at in everything where !owned.isInput(at) {
      let ends = try patiently { limit throws(KafkaError) in try consumer.watermarks(at, limit) }
      if ends.upperBound > 0 {
        throw .stop(
          .refused(
            "journal \(consumer.topics[at.topic.value]) has records, but group \(consumer.group)"
              + " has no committed offsets: Kafka forgets those of an idle group after"
              + " offsets.retention.minutes (7 days unless set). Starting over would publish"
              + " everything twice; to do so from nothing, `weft apply --recreate \(product.name)`"
          ))
      }
    }
  }

  /// Where a first start begins says the input's `start`; a partition that came after it is taken
  /// whole, or what was written before anybody saw it would be lost.
  private func isAddedLater(_ at: TopicPartition) -> Bool {
    begunInputs.contains(at.topic.value)
      || Int(at.partition.value) >= partitionsAtJoin[at.topic.value]
  }

  /// Notes, before joining, which inputs the group has begun and how many partitions they have. Not
  /// while in the group: members of a first start begin their partitions at the same time.
  func noteBegun(_ consumer: GroupConsumer, _ counts: [Int]) throws(LoopFailure) {
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

  private func firstOffset(_ at: TopicPartition, _ consumer: GroupConsumer) throws(LoopFailure)
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
  private func commitStart(_ consumer: GroupConsumer) throws(LoopFailure) {
    guard let publisher else { return }
    let membership = try membershipToCommit(consumer)
    do {
      try publisher.beginIfNeeded()
      try publisher.producer.sendOffsets(
        committedOffsets, of: consumer, metadata: logic, group: membership.metadata, deadline)
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

  /// What goes with the offsets so that nothing is committed by a member that the group has put out
  /// or that another has replaced.
  func membershipToCommit(_ consumer: GroupConsumer) throws(LoopFailure) -> Membership {
    let rules = settings.unsafe
    let fences = rules.keeps(.fencing)
    if !fences || !rules.keeps(.gatheredGeneration) {
      return Membership(unchecked: consumer, fences: fences)
    }
    if let membership, membership.memberId == consumer.memberId, !consumer.assignmentLost {
      return membership
    }
    throw .kafka(
      KafkaError(
        code: .unknownMember, operation: "commit as a member of the group", requiresAbort: true),
      .writing)
  }

  /// Without the rule of the gathered generation: new partitions come while the turn stays open.
  private func takeInTheMiddle(
    _ partitions: [TopicPartition], incremental: Bool, _ consumer: GroupConsumer
  ) throws(LoopFailure) {
    let starts = try restart(keeping: false, adding: partitions, consumer)
    do {
      try consumer.assign(starts.added, incremental: incremental)
    } catch {
      throw .kafka(error, .reading)
    }
    partitionsChanged()
    isRestoring = owned.allSlots.contains { $0.cursor.isRestoring }
  }
}
