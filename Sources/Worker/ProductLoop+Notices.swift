import Engine
import Kafka
import Observability
import Product
import Records

// What a loop tells though nothing failed, and what it waits for before it leaves.
extension ProductLoop {
  /// How long a loop that was asked to stop waits for its own blocks to come back.
  private static var ownBlocksMs: Int64 { 3000 }
  /// How long a question may take that nothing hangs on.
  private static var askMs: Int { 500 }
  /// A broker looks for transactions that timed out every ten seconds; then as much again.
  private static var sweepMs: Int64 { 20_000 }

  func tell(_ consumer: World.Consumer, nowMs: Int64) throws(LoopFailure) {
    if let records = notices.quarantineDue(nowMs: nowMs) { tellQuarantined(records) }
    if notices.isSpareDue(ownsNothing: owned.isEmpty, nowMs: nowMs) {
      settings.log.write(NoPartitions(product: product.name))
    }
    if isDirect { return }
    try tendIdleStates(nowMs: nowMs)
    if notices.isRestoreDue(isRestoring: isRestoring, nowMs: nowMs) {
      settings.log.write(
        StateRestoring(product: product.name, blocks: restoredBlocks, behind: restoreBehind))
      let states = stateStatuses
      monitor.update { $0.states = states }
    }
    let patienceMs = settings.kafka.transactionMs + Self.sweepMs
    let limit = Deadline.after(milliseconds: Self.askMs)
    for slot in owned.allSlots {
      if slot.probe.isDue(at: slot.cursor.next, nowMs: nowMs), slot.cursor.awaited == nil {
        askEnd(of: slot, consumer, limit)
      }
      if let seconds = slot.watch.silentSeconds(
        awaiting: slot.awaited, nowMs: nowMs, patienceMs: patienceMs,
        drains: blockDrains)
      {
        try mendSilence(of: slot, consumer, seconds: seconds)
        return
      }
    }
  }

  /// Up to where readers may have the journal; nothing changes where the brokers do not answer,
  /// which is told elsewhere.
  private func askEnd(of slot: JournalSlot, _ consumer: World.Consumer, _ limit: Deadline) {
    guard let range = try? consumer.watermarks(owned.place(of: slot), limit) else { return }
    slot.knownEnd = Offset(range.upperBound)
  }

  private func tellQuarantined(_ records: Int64) {
    settings.log.write(
      RecordsQuarantined(product: product.name, records: records, last: outputs.lastQuarantined))
  }

  /// Blocks are there and do not come. Where readers may have them, this one hangs: a new one reads
  /// the journal from where the state begins anew.
  private func mendSilence(of slot: JournalSlot, _ consumer: World.Consumer, seconds: Int64)
    throws(LoopFailure)
  {
    let at = owned.place(of: slot)
    askEnd(of: slot, consumer, .after(milliseconds: Self.startCallMs))
    let isHeld = slot.knownEnd < slot.awaitedEnd
    settings.log.write(
      JournalSilent(
        product: product.name, topic: consumer.topics[at.topic.value], partition: at.partition,
        seconds: seconds, isHeld: isHeld))
    if isHeld { return }
    try abortTurn()
    leave()
  }

  /// Waits for the blocks of earlier turns that could not be applied in them, so that a worker that
  /// left has published all that it took. Inputs are not taken any more.
  func awaitOwnBlocks() throws(LoopFailure) -> StopReason {
    defer { tellLastQuarantined() }
    guard let consumer else { return .drained }
    if needsRewind { return .undrained("what is committed had not been read again") }
    if isDirect { return .drained }
    let limit = Deadline.after(milliseconds: Self.askMs)
    for slot in owned.allSlots { askEnd(of: slot, consumer, limit) }
    try pauseInputs(consumer)
    let end = world.monotonicMs() + Self.ownBlocksMs
    while true {
      let missing = owned.allSlots.count { $0.awaited != nil }
      if missing == 0 { return .drained }
      if isRestoring || needsRewind || world.monotonicMs() >= end {
        return .unapplied(partitions: missing)
      }
      consumer.poll(into: batch, waitMilliseconds: 20)
      batch.clear()
      // Others apply what goes to them.
      if try handleEvents(consumer) { return .unapplied(partitions: missing) }
      try takeBlocks(consumer)
      try checkEnds()
      try closeTurn()
    }
  }

  private func tellLastQuarantined() {
    let late = world.monotonicMs() + LoopNotices.quarantineMs
    if let records = notices.quarantineDue(nowMs: late) { tellQuarantined(records) }
  }
}
