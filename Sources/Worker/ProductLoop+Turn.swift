import Engine
import Kafka
import Observability
import Product
import Records
import State

// One turn: poll, ingest, apply, publish, commit; all of it visible together or not at all.
extension ProductLoop {
  /// Polls once and does with the records what they ask for; closes the turn when it is due.
  func step() throws(LoopFailure) {
    guard let consumer else { return }
    // Blocks that come end the wait, but not those that were left from the last time.
    let wait = needsRewind || !blocks.isEmpty ? 0 : meter.waitMs(nowMs: world.monotonicMs())
    consumer.poll(into: batch, waitMilliseconds: Int(wait))
    if try handleEvents(consumer), settings.unsafe.keeps(.gatheredGeneration) {
      batch.clear()
      dropBlocks()
      return
    }
    if needsRewind {
      // After the events: what has to be rewound may just have gone.
      ends.removeAll()
      try rewind()
      return
    }
    if !awaitingStart.isEmpty {
      batch.clear()
      let now = world.monotonicMs()
      try awaitStart(consumer, nowMs: now)
      watchGroup(consumer, nowMs: now)
      return
    }
    if !batch.isEmpty || !ends.isEmpty { noteBack() }
    if !batch.isEmpty { try gather() }
    if !isDirect { try takeBlocks(consumer) }
    if meter.isOpen { try publishEarly() }
    try settleOwnBlocks(isFinal: false)
    try checkEnds()
    if isRestoring { finishRestoring() }
    try resumeInputs(consumer)
    let now = world.monotonicMs()
    openForTicks(nowMs: now)
    if meter.shouldClose(nowMs: now) { try closeTurn() }
    watchGroup(consumer, nowMs: now)
    try tell(consumer, nowMs: now)
  }

  private func gather() throws(LoopFailure) {
    readRecordedTime()
    let inputCount = product.inputs.count
    var taken = 0
    var bytes = 0
    var index = 0
    while index < batch.count {
      let topic = batch.topic(at: index).value
      if topic < inputCount, try take(index, input: topic) {
        taken += 1
        bytes += batch.bytes(at: index)
        if outputs.isFull { try publishOutputs(deadline) }
      }
      index += 1
    }
    if taken > 0 {
      hasRecordedTime = true
      meter.add(records: taken, bytes: bytes, nowMs: world.monotonicMs())
    }
    batch.clear()
  }

  /// A turn's recorded time is the wall clock's when it takes its first input, or before it tells
  /// of sources.
  func readRecordedTime() {
    if !hasRecordedTime { recordedMs = max(recordedMs, world.wallMs()) }
  }

  /// Journals are told of their sources while nothing comes, too: else windows would stay open.
  private func openForTicks(nowMs: Int64) {
    if meter.isOpen || !knowsEnds { return }
    readRecordedTime()
    if ingest.areTicksDue(recordedMs: recordedMs) { meter.add(records: 0, bytes: 0, nowMs: nowMs) }
  }

  /// Whether inputs are being read: of those that wait nobody knows whether they are at their end.
  var knowsEnds: Bool { pausedInputs.isEmpty && !isRestoring }

  /// Takes journal blocks that came back. They have a queue of their own, so that they do not stand
  /// behind what was fetched of the inputs. When the turn is full, the rest waits for the next one.
  func takeBlocks(_ consumer: World.Consumer) throws(LoopFailure) {
    if blocksTaken >= blocks.count {
      consumer.pollAside(into: blocks)
      if blocks.count < Self.blocksMax { blockDrains += 1 }
      blocksTaken = 0
      expectBlocks()
    }
    while blocksTaken < blocks.count && !meter.isFull(nowMs: world.monotonicMs()) {
      let index = blocksTaken
      blocksTaken += 1
      let journal = blocks.topic(at: index).value - product.inputs.count
      if journal >= 0 { try readBack(index, journal: journal) }
    }
  }

  /// What the blocks that have come will ask of the disk is read while those before are applied.
  private func expectBlocks() {
    if blocks.isEmpty { return }
    for index in 0..<blocks.count {
      let journal = blocks.topic(at: index).value - product.inputs.count
      if journal < 0 { continue }
      owned.slot(journal, blocks.partition(at: index))?
        .expect(blocks.value(at: index) ?? .empty, at: blocks.offset(at: index))
    }
    hurryReadAhead()
  }

  /// Nobody waits any more for rows to be read together with others.
  func hurryReadAhead() {
    for slot in owned.allSlots { slot.state.hurryReadAhead() }
  }

  private func dropBlocks() {
    blocks.clear()
    blocksTaken = 0
  }

  /// Hands an input record to ingest, or to the program of a direct product. False if it is not the
  /// loop's to take: of a partition that went, or of before a rewind.
  private func take(_ index: Int, input: Int) throws(LoopFailure) -> Bool {
    let partition = batch.partition(at: index)
    let offset = batch.offset(at: index)
    guard let next = owned.nextOffset(input: input, partition), offset.value >= next
    else { return false }
    if isRestoring {
      // Inputs are paused then. Should one come all the same, it must come again.
      needsRewind = true
      return false
    }
    let record = SourceRecord(
      input: input, partition: partition, offset: offset, key: batch.key(at: index),
      value: batch.value(at: index), timestampMs: batch.timestamp(at: index) ?? recordedMs,
      time: isPort[input] || corrects[input] ? batch.cloudEventsTime(at: index) : nil,
      correction: corrects[input] ? batch.correction(at: index) : .none)
    let intake =
      isDirect
      ? direct.take(record, recordedMs: recordedMs, into: outputs)
      : ingest.take(record, recordedMs: recordedMs, into: outputs)
    if case .stop(let stop) = intake { throw .stop(.policy(policy(stop))) }
    owned.advance(input: input, partition, to: offset.value + 1)
    takenInTurn[input] += 1
    return true
  }

  private func readBack(_ index: Int, journal: Int) throws(LoopFailure) {
    let offset = blocks.offset(at: index)
    guard let slot = owned.slot(journal, blocks.partition(at: index)) else { return }
    let step = slot.cursor.readBack(offset)
    if step == .skip { return }
    let bytes = blocks.value(at: index) ?? .empty
    if step == .reapply {
      try check(slot.reapply(bytes, at: offset), slot, offset)
      restoredBlocks += 1
    } else {
      try apply(bytes, slot, at: offset)
      readBackInTurn += 1
      // Its events were counted as records by the turn that took them in; here it counts by size.
      meter.add(
        records: 1 + bytes.count / 256, bytes: bytes.count, nowMs: world.monotonicMs())
    }
    if step == .reapply { try writeBackIfDue(slot) }
  }

  /// Applies a block in the open turn, and publishes whenever the batch is full.
  func apply(_ bytes: ByteView, _ slot: JournalSlot, at offset: Offset)
    throws(LoopFailure)
  {
    let stateBytes = slot.state.turnBytes
    defer {
      meter.add(
        stateBytes: slot.state.turnBytes - stateBytes,
        of: owned.slotCount * settings.state.memory.turnBytes)
    }
    var event: UInt32 = 0
    while true {
      let applied = slot.apply(bytes, at: offset, publishing: outputs, from: event)
      if outputs.isFull { try publishOutputs(deadline) }
      guard case .full(let next) = applied else { return try check(applied, slot, offset) }
      event = next
    }
  }

  private func check(_ applied: Applied, _ slot: JournalSlot, _ offset: Offset)
    throws(LoopFailure)
  {
    // A row that could not be read was taken for absent: nothing of it may get out.
    if let failure = slot.state.failure { throw .state(failure) }
    let topic = product.journals[slot.journal].topic
    let place = "\(topic), partition \(slot.partition.value), offset \(offset.value)"
    switch applied {
    case .applied, .full: return
    case .stop(let stop): throw .stop(.policy(policy(stop)))
    case .otherLogic:
      throw .stop(
        .otherLogic(
          "journal block \(place) was taken in under other logic than the product's files have"
            + " (\(logic.prefix(12))); put the files back as they were, or start over from the"
            + " inputs with `weft apply --recreate \(product.name)`"))
    case .unreadable(let why):
      throw .stop(.failed("journal block \(place) cannot be read: \(why)"))
    }
  }

  private func policy(_ stop: Stop) -> String {
    let place = stop.place.isEmpty ? "" : " at \(stop.place)"
    return "stopped before \(stop.topic), partition \(stop.partition), offset \(stop.offset)"
      + " (input \(stop.input)), as onError: stop asks: \(stop.message)\(place) [\(stop.reason)]"
  }

  // MARK: Publishing

  /// What can go out before the turn closes goes now, so that librdkafka's threads work beside this
  /// one: full blocks, and what was applied.
  private func publishEarly() throws(LoopFailure) {
    let limit = deadline
    if !isDirect { try publishBlocks(limit) }
    try publishOutputs(limit)
  }

  /// Publishes what the batch holds, also amid the turn, so that it stays small. The producer's
  /// queue has a bound of its own, and waits.
  private func publishOutputs(_ limit: Deadline) throws(LoopFailure) {
    if outputs.isEmpty { return }
    let publisher = try begin()
    meter.add(outputBytes: outputs.bytes.count)
    do {
      publishedInTurn += Int64(try publisher.publish(outputs, limit))
    } catch {
      throw .kafka(error, .writing)
    }
    outputs.clear()
  }

  /// Whether blocks are known to be in the journal that the state has yet to take.
  private var isBehind: Bool {
    blocksTaken < blocks.count || owned.allSlots.contains { $0.cursor.awaited != nil }
  }

  /// Inputs are paused while journals are re-applied, and when a turn that was full has left blocks
  /// to later ones: were more taken in meanwhile, the journal would run ever further ahead of what
  /// comes out of it. They go on when all of it is applied that is known; a loop that has gone back
  /// knows of nothing.
  private func resumeInputs(_ consumer: World.Consumer) throws(LoopFailure) {
    if pausedInputs.isEmpty || isBehind { return }
    try resume(pausedInputs, consumer)
    pausedInputs = []
    consumer.seekSoon(owned.inputs)
  }

  // MARK: The end of a turn

  /// Seals, writes, applies what may be applied, publishes, sends offsets and commits. Nothing is
  /// written when nothing was gathered.
  func closeTurn() throws(LoopFailure) {
    guard meter.isOpen, let consumer else { return }
    let membership = try membershipToCommit(consumer)
    let started = world.monotonicMicroseconds()
    let limit = deadline
    if !isDirect { try writeBlocks(consumer, limit) }
    try publishOutputs(limit)
    let wasFull = meter.isFull(nowMs: world.monotonicMs())
    let publisher = try begin()
    do {
      let offsets =
        settings.unsafe.keeps(.gatheredGeneration) ? owned.offsets : owned.offsets + strayOffsets
      try publisher.producer.sendOffsets(
        offsets, of: consumer, metadata: offsetMetadata, group: membership.metadata, limit)
      try publisher.producer.flush(limit)
    } catch {
      throw .kafka(error, .writing)
    }
    do {
      try publisher.producer.commit(limit)
    } catch {
      throw .kafka(error, .ending)
    }
    noteCommit(microseconds: world.monotonicMicroseconds() - started)
    try releaseJournals(consumer)
    if wasFull && isBehind && pausedInputs.isEmpty { try pauseInputs(consumer) }
    try writeBackStates()
  }

  private func noteCommit(microseconds: Int64) {
    var counts = isDirect ? direct.counts : ingest.counts
    for slot in owned.allSlots {
      counts += slot.apply.counts
      slot.commit()
    }
    notices.quarantined(counts.quarantined)
    let (published, readBack, atOnce) = (publishedInTurn, readBackInTurn, appliedAtOnceInTurn)
    let (states, now) = (stateStatuses, world.wallMs())
    let taken = takenInTurn
    monitor.update {
      $0.states = states
      $0.lastCommitMs = now
      $0.counts += counts
      if $0.readOfInputs.isEmpty { $0.readOfInputs = taken.map { _ in 0 } }
      for index in taken.indices { $0.readOfInputs[index] += taken[index] }
      $0.published += published
      $0.blocksReadBack += readBack
      $0.blocksAppliedAtOnce += atOnce
      $0.commits += 1
      $0.commitLatency.record(microseconds: microseconds)
    }
    direct.clearCounts()
    ingest.clear()
    chained.clear()
    meter.committed()
    resetTurn()
    noteSuccess()
  }

  /// Takes the open turn back, here and at the broker. What comes next has another epoch.
  func abortTurn() throws(LoopFailure) {
    let wasOpen = meter.isOpen
    rollBackTurn()
    guard let producer = publisher?.producer, producer.isInTransaction else { return }
    do {
      try producer.abort(deadline)
    } catch {
      throw .kafka(error, .ending)
    }
    if settings.unsafe.keeps(.epochAfterAbort) { publisher = nil }
    if wasOpen { monitor.update { $0.aborts += 1 } }
  }

  /// Takes the open turn back here: states are where their stamps say. What was sent is aborted, or
  /// fenced with its producer.
  func rollBackTurn() {
    for slot in owned.allSlots { slot.rollBack() }
    ingest.discard()
    chained.discard()
    direct.clearCounts()
    outputs.clear()
    batch.clear()
    dropBlocks()
    resetTurn()
  }

  private func resetTurn() {
    meter.reset()
    hasRecordedTime = false
    ownBlocks.removeAll(keepingCapacity: true)
    settledBlocks = 0
    sealedDone = 0
    chainedDone = 0
    publishedInTurn = 0
    readBackInTurn = 0
    appliedAtOnceInTurn = 0
    for index in takenInTurn.indices { takenInTurn[index] = 0 }
    strayOffsets.removeAll()
  }
}
