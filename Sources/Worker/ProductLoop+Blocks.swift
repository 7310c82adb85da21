import Engine
import Kafka
import Records
import State

// Blocks that the loop itself writes: those of ingest, and of chained journals those that apply
// hands on; and which of them it applies in the turn that wrote them.
extension ProductLoop {
  /// Writes what ingest has gathered, and applies of it what may be applied in this turn; then what
  /// that has handed on.
  func writeBlocks(_ consumer: World.Consumer, _ limit: Deadline) throws(LoopFailure) {
    ingest.seal(recordedMs: recordedMs)
    if knowsEnds {
      readRecordedTime()
      ingest.sealTicks(recordedMs: recordedMs)
    }
    chained.seal()
    try writeSealed(limit)
    // What the last turn left has come back meanwhile, or the next turns would lag behind for ever.
    try takeBlocks(consumer)
    try settleOwnBlocks(isFinal: true)
    while chained.isOpen || chainedDone < chained.sealed.count {
      chained.seal()
      try writeSealed(limit)
      try settleOwnBlocks(isFinal: true)
    }
  }

  /// Writes the blocks that are finished, and waits until it is known where they are.
  private func writeSealed(_ limit: Deadline) throws(LoopFailure) {
    try publishBlocks(limit)
    hurryReadAhead()
    guard settledBlocks < ownBlocks.count, let producer = publisher?.producer else { return }
    do {
      try producer.flush(limit)
    } catch {
      throw .kafka(error, .writing)
    }
  }

  /// Writes blocks that are finished: those of ingest, then those that apply hands on.
  func publishBlocks(_ limit: Deadline) throws(LoopFailure) {
    while sealedDone < ingest.sealed.count {
      try publish(ingest.sealed[sealedDone], limit)
      sealedDone += 1
    }
    while chainedDone < chained.sealed.count {
      let block = chained.sealed[chainedDone]
      try publish(block, limit)
      meter.add(outputBytes: block.bytes.count)
      chainedDone += 1
    }
  }

  private func publish(_ block: SealedBlock, _ limit: Deadline) throws(LoopFailure) {
    let publisher = try begin()
    let tag: RecordTag
    do {
      tag = try publisher.publish(
        block: block.bytes, journal: block.journal, partition: block.partition,
        recordedMs: block.recordedMs, limit)
    } catch {
      throw .kafka(error, .writing)
    }
    guard let slot = owned.slot(block.journal, block.partition) else { return }
    slot.cursor.wrote()
    slot.apply.expect(bytes: block.bytes)
    ownBlocks.append(OwnBlock(block: block, tag: tag))
  }

  /// Applies own blocks that are acknowledged where they were expected, in the order of writing;
  /// those that a full turn leaves come back in later ones.
  /// Before the turn's end only as far as acknowledgements have come, and rows from the disk: what
  /// is taken in meanwhile names more of them, and together they cost less.
  func settleOwnBlocks(isFinal: Bool) throws(LoopFailure) {
    guard let publisher else { return }
    while settledBlocks < ownBlocks.count {
      let own = ownBlocks[settledBlocks]
      let offset = publisher.producer.offset(of: own.tag)
      if offset == nil && !isFinal { return }
      let block = own.block
      guard let slot = owned.slot(block.journal, block.partition) else {
        settledBlocks += 1
        continue
      }
      let bytes = block.bytes
      let isFull = meter.isFull(nowMs: world.monotonicMs())
      if !isFinal && !isFull && slot.apply.isOutstanding(bytes: bytes) {
        let waiting = (ownBlocks.count - settledBlocks) / owned.slotCount
        if waiting >= Self.blocksGathered { slot.state.hurryReadAhead() }
        // What comes of blocks closes a turn, too; so they do not wait for all that is taken in.
        if waiting < 2 * Self.blocksGathered { return }
      }
      let decision =
        isFull ? slot.cursor.leaveOwn(at: offset) : slot.cursor.own(at: offset, isFinal: isFinal)
      if decision == .wait { return }
      settledBlocks += 1
      guard decision == .apply, let offset else { continue }
      try apply(bytes, slot, at: offset)
      appliedAtOnceInTurn += 1
      try hold(slot, bytes.count)
    }
  }

  /// Once a turn has applied a block of its own, nothing can come from that partition before the
  /// turn ends: what lies before is in the state, and what lies behind is not stable. But a broker
  /// that holds a fetch answers it the moment the turn commits, with all that was just applied. So
  /// the reader is held, and then goes on behind it: nothing is fetched and unpacked only to be
  /// skipped. Small turns are not worth the calls.
  private func hold(_ slot: JournalSlot, _ bytes: Int) throws(LoopFailure) {
    let before = slot.ownBytes
    slot.ownBytes += bytes
    if before >= settings.holdBytes || slot.ownBytes < settings.holdBytes { return }
    let place = owned.place(of: slot)
    do {
      try consumer?.pause([place])
    } catch {
      throw .kafka(error, .reading)
    }
    heldJournals.append(place)
  }

  /// Readers that were held go on behind what is in the states. After a commit.
  func releaseJournals(_ consumer: World.Consumer) throws(LoopFailure) {
    if heldJournals.isEmpty { return }
    let slots = heldJournals.compactMap { place in
      owned.journal(place.topic).flatMap { owned.slot($0, place.partition) }
    }
    let ends = slots.map { PartitionOffset(owned.place(of: $0), $0.cursor.next) }
    consumer.seekSoon(ends)
    try resume(heldJournals, consumer)
    heldJournals.removeAll(keepingCapacity: true)
    // Once more: it wakes the fetcher, which else may sleep on what others write.
    consumer.seekSoon(ends)
  }
}
