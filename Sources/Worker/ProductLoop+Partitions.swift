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
  func handleEvents(_ consumer: World.Consumer) throws(LoopFailure) -> Bool {
    var hasChanged = false
    while let event = consumer.nextEvent() {
      switch event {
      case .assigned, .revoked:
        hasChanged = true
        watch.rebalanced(nowMs: world.monotonicMs())
        look = nil
        do {
          try answer(event, consumer)
        } catch {
          // A rebalance without an answer would hold the whole group up: leave, and join anew.
          leave()
          throw error
        }
      case .reachedEnd(let at, let end):
        ends.append(PartitionOffset(at, end))
        if owned.isInput(at) {
          ingest.reachedEnd(input: at.topic.value, partition: at.partition, at: end)
        }
      case .failed(let error, let at): try note(error, at)
      }
    }
    if hasChanged {
      // They were told of positions that have been set anew since.
      ends.removeAll()
      ingest.forgetEnds()
    }
    return hasChanged
  }

  private func answer(_ event: ConsumerEvent, _ consumer: World.Consumer) throws(LoopFailure) {
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
    _ partitions: [TopicPartition], incremental: Bool, _ consumer: World.Consumer
  ) throws(LoopFailure) {
    if !settings.unsafe.keeps(.gatheredGeneration), meter.isOpen {
      try takeInTheMiddle(partitions, incremental: incremental, consumer)
      return
    }
    try abortTurn()
    try resumeAll(consumer)
    if !incremental { forgetAll() }
    if try isToBegin(partitions, consumer) {
      do {
        let anywhere = partitions.map { PartitionOffset($0, Offset(0)) }
        try consumer.assign(anywhere, incremental: incremental)
        try consumer.pause(partitions)
      } catch {
        throw .kafka(error, .reading)
      }
      awaitingStart += partitions
      partitionsChanged()
      monitor.update {
        $0.phase = .waiting("another instance has yet to write down where the product begins")
      }
      return
    }
    let starts = try restart(keeping: incremental, adding: partitions, consumer, isNew: true)
    do {
      try consumer.assign(starts.added, incremental: incremental)
      if !starts.kept.isEmpty { try consumer.seek(starts.kept, deadline) }
    } catch {
      throw .kafka(error, .reading)
    }
    try settle(consumer)
    partitionsChanged()
  }

  /// Goes on with partitions that were assigned before, now that they are begun.
  func takeBegun(_ partitions: [TopicPartition], _ consumer: World.Consumer) throws(LoopFailure) {
    try abortTurn()
    let starts = try restart(keeping: true, adding: partitions, consumer)
    do {
      try consumer.resume(partitions)
      // In this order: a partition that is resumed is fetched only once it is sought.
      try consumer.seek(starts.kept + starts.added, deadline)
    } catch {
      throw .kafka(error, .reading)
    }
    try settle(consumer)
    partitionsChanged()
  }

  /// Whether another member has yet to begin some of these.
  private func isToBegin(_ partitions: [TopicPartition], _ consumer: World.Consumer)
    throws(LoopFailure) -> Bool
  {
    if partitions.isEmpty || begins(owned.offsets.map(\.at) + partitions) { return false }
    let committed = try patiently { limit throws(KafkaError) in
      try consumer.committed(partitions, limit)
    }
    try checkLogic(committed)
    return committed.contains { $0.offset == nil }
  }

  private func giveBack(
    _ partitions: [TopicPartition], incremental: Bool, _ consumer: World.Consumer
  ) throws(LoopFailure) {
    let keepsTurn = !settings.unsafe.keeps(.gatheredGeneration) && meter.isOpen
    if keepsTurn {
      strayOffsets += owned.offsets.filter { partitions.contains($0.at) }
    } else {
      try abortTurn()
      try resumeAll(consumer)
    }
    awaitingStart.removeAll { partitions.contains($0) }
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
    let states = stateStatuses
    monitor.update {
      $0.states = states
      $0.inputPartitions = inputs
      $0.journalPartitions = journals
    }
  }

  func forget(_ at: TopicPartition) {
    if let journal = owned.journal(at.topic), let slot = owned.slot(journal, at.partition) {
      do throws(StoreFailure) {
        try slot.close()
      } catch {
        settings.log.write(
          StateNotWritten(
            product: product.name, topic: product.journals[journal].topic,
            partition: at.partition, failure: error))
      }
    }
    owned.drop(at)
    if owned.isInput(at) { ingest.forget(input: at.topic.value, partition: at.partition) }
  }

  private func forgetAll() {
    awaitingStart = []
    for at in owned.offsets { forget(at.at) }
  }

  func pauseInputs(_ consumer: World.Consumer) throws(LoopFailure) {
    let inputs = owned.inputs.map(\.at)
    if inputs.isEmpty { return }
    do {
      try consumer.pause(inputs)
    } catch {
      throw .kafka(error, .reading)
    }
    pausedInputs = inputs
  }

  /// Resumes all that is owned, within a rebalance: also what this loop takes for resumed, since
  /// librdkafka drops a resume that a pause of its own overtakes. Only there, where it has paused
  /// everything itself: what is resumed without having been paused would be fetched from where
  /// positions were last set, and records may be gone there.
  private func resumeAll(_ consumer: World.Consumer) throws(LoopFailure) {
    try resume(owned.offsets.map(\.at), consumer)
    pausedInputs = []
    heldJournals = []
  }

  func resume(_ places: [TopicPartition], _ consumer: World.Consumer) throws(LoopFailure) {
    if places.isEmpty { return }
    do {
      try consumer.resume(places)
    } catch {
      throw .kafka(error, .reading)
    }
  }

  /// Goes back to what the group has committed: the open turn is taken back, positions are read
  /// anew and the states brought there.
  func rewind() throws(LoopFailure) {
    try abortTurn()
    guard let consumer else { return }
    try resume(pausedInputs + heldJournals, consumer)
    pausedInputs = []
    heldJournals = []
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
  /// - Parameter isNew: with a new assignment, in which there may be partitions to begin.
  private func restart(
    keeping: Bool, adding: [TopicPartition], _ consumer: World.Consumer, isNew: Bool = false
  ) throws(LoopFailure) -> (kept: [PartitionOffset], added: [PartitionOffset]) {
    // What was to begin under another assignment may have been begun since.
    uncommittedStarts = []
    let added = Set(adding)
    let kept = keeping ? owned.offsets.map(\.at).filter { !added.contains($0) } : []
    let all = kept + adding
    if all.isEmpty { return ([], []) }
    var committed = try patiently { limit throws(KafkaError) in
      try consumer.committed(all, limit)
    }
    try checkLogic(committed)
    let hasMissing = committed.contains { $0.offset == nil }
    if begins(all + awaitingStart) {
      if isNew || hasMissing { uncommittedStarts = try missingStarts(consumer) }
      // Another may have begun them between the two looks.
      if hasMissing {
        committed = try patiently { limit throws(KafkaError) in
          try consumer.committed(all, limit)
        }
      }
    }
    var starts: [PartitionOffset] = []
    for entry in committed {
      guard
        let offset = entry.offset ?? uncommittedStarts.first(where: { $0.at == entry.at })?.offset
      else {
        throw .kafka(
          KafkaError(code: .timedOut, operation: "find where to begin", isRetriable: true), .reading
        )
      }
      let position = CommittedPosition(
        offset, OffsetMetadata(entry.metadata), isCommitted: entry.offset != nil)
      if position.isSetElsewhere { noteSetElsewhere(entry.at, offset) }
      starts.append(PartitionOffset(entry.at, try place(entry.at, position)))
    }
    return (Array(starts.prefix(kept.count)), Array(starts.dropFirst(kept.count)))
  }

  /// Puts an input's position or a journal's cursor to what is committed; returns where to read on.
  private func place(_ at: TopicPartition, _ position: CommittedPosition) throws(LoopFailure)
    -> Offset
  {
    guard let journal = owned.journal(at.topic) else {
      owned.own(input: at.topic.value, at.partition, at: position.offset.value)
      ingest.begin(input: at.topic.value, partition: at.partition)
      return position.offset
    }
    if goOn(owned.slot(journal, at.partition), position) {
      return owned.slot(journal, at.partition)?.cursor.next ?? position.offset
    }
    let partitions = product.journals[journal].partitions
    if at.partition.value >= partitions {
      let topic = product.journals[journal].topic
      throw .stop(.refused(wrongCount(topic, Int(at.partition.value) + 1, partitions)))
    }
    // Its directory is opened anew, so it has to be closed.
    forget(at)
    let slot = try openSlot(at, journal: journal, position)
    owned.own(slot)
    return slot.cursor.next
  }

  /// Whether the slot's state serves on: then its cursor is put to what is committed.
  private func goOn(_ slot: JournalSlot?, _ position: CommittedPosition) -> Bool {
    guard let slot, slot.state.failure == nil else { return false }
    slot.rollBack()
    let stamp = slot.state.stamp
    let check = position.check(plan.logicDigest, incarnation: slot.incarnation)
    if position.incarnation != nil && position.incarnation != slot.incarnation
      || check.objection(to: stamp) != nil
    {
      return false
    }
    slot.cursor.rollBack(stamp: stamp.position, committed: position.offset)
    slot.reachedEnd = stamp.position
    return true
  }

  /// After positions were set: inputs wait while journals are re-applied.
  private func settle(_ consumer: World.Consumer) throws(LoopFailure) {
    needsRewind = false
    meter.expectFirst()
    let slots = owned.allSlots
    let behind = restoreBehind
    isRestoring = behind > 0
    let inputs = owned.inputs.map(\.at)
    settings.log.write(
      PartitionsTaken(
        product: product.name, inputs: inputs.count, journals: slots.count, behind: behind))
    if isRestoring {
      restoredBlocks = 0
      restoringSinceMs = world.monotonicMs()
      monitor.update { $0.phase = .restoring }
      try pauseInputs(consumer)
    } else {
      monitor.update { $0.phase = .running }
    }
    if !uncommittedStarts.isEmpty { try commitStart(consumer) }
  }

  /// Offsets of journals that lie between states and what is committed; markers and aborted blocks
  /// count as well.
  var restoreBehind: Int64 {
    owned.allSlots.reduce(0) { $0 + max(0, $1.cursor.committed.value - $1.cursor.next.value) }
  }

  /// Every journal has been brought to what is committed: inputs go on.
  func finishRestoring() {
    if owned.allSlots.contains(where: { $0.cursor.isRestoring }) { return }
    isRestoring = false
    settings.log.write(
      StateRestored(
        product: product.name, blocks: restoredBlocks,
        durationMs: world.monotonicMs() - restoringSinceMs))
    let states = stateStatuses
    monitor.update {
      $0.phase = .running
      $0.states = states
    }
  }

  /// A journal that was read to its end, after the records before it were taken, must have brought
  /// its state to what is committed. While the marker of the last commit is outstanding, readers
  /// see an earlier end than there is: then more will come.
  func checkEnds() throws(LoopFailure) {
    // A full turn leaves blocks that came before the ends to the next one.
    if ends.isEmpty || blocksTaken < blocks.count { return }
    for end in ends {
      guard let journal = owned.journal(end.at.topic),
        let slot = owned.slot(journal, end.at.partition)
      else { continue }
      slot.reachedEnd = end.offset
      if !slot.cursor.isRestoring { continue }
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
      let admin = try self.world.makeAdmin(readsUncommitted: true)
      return Offset(try admin.watermarks(topic, partition, limit).upperBound)
    }
  }

  /// What goes with the offsets so that nothing is committed by a member that the group has put out
  /// or that another has replaced.
  func membershipToCommit(_ consumer: World.Consumer) throws(LoopFailure) -> Membership<
    World.Consumer
  > {
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
    _ partitions: [TopicPartition], incremental: Bool, _ consumer: World.Consumer
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
