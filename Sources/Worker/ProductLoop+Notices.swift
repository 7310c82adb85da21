import Engine
import Kafka
import Observability
import Product
import Records

// What a loop tells though nothing failed, and what it waits for before it leaves.
extension ProductLoop {
  /// How long a loop that was asked to stop waits for its own blocks to come back.
  private static var ownBlocksMs: Int64 { 3000 }
  /// A broker looks for transactions that timed out every ten seconds; then as much again.
  private static var sweepMs: Int64 { 20_000 }

  func tell(_ consumer: World.Consumer, nowMs: Int64) throws(LoopFailure) {
    if let records = notices.quarantineDue(nowMs: nowMs) { tellQuarantined(records) }
    if notices.isSpareDue(ownsNothing: owned.isEmpty, nowMs: nowMs) {
      settings.log.write(NoPartitions(product: product.name))
    }
    if isDirect { return }
    if notices.isRestoreDue(isRestoring: isRestoring, nowMs: nowMs) {
      settings.log.write(
        StateRestoring(product: product.name, blocks: restoredBlocks, behind: restoreBehind))
    }
    let patienceMs = settings.kafka.transactionMs + Self.sweepMs
    for slot in owned.allSlots {
      let awaited = slot.cursor.awaited
      if let seconds = slot.watch.silentSeconds(
        awaiting: awaited, nowMs: nowMs, patienceMs: patienceMs)
      {
        try mendSilence(of: slot, consumer, seconds: seconds)
        return
      }
    }
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
    let stable: Int64
    do throws(KafkaError) {
      stable = try consumer.watermarks(at, .after(milliseconds: Self.startCallMs)).upperBound
    } catch {
      // The brokers are away, and that is told elsewhere.
      return
    }
    let isHeld = stable <= slot.cursor.next.value
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
    let end = world.monotonicMs() + Self.ownBlocksMs
    while let consumer, !isRestoring, !needsRewind {
      let missing = owned.allSlots.count { $0.cursor.awaited != nil }
      if missing == 0 { break }
      if world.monotonicMs() >= end { return .unapplied(partitions: missing) }
      consumer.poll(into: batch, waitMilliseconds: 20)
      batch.clear()
      // Others apply what goes to them.
      if try handleEvents(consumer) { break }
      try takeBlocks(consumer)
      try closeTurn()
    }
    if let records = notices.quarantineDue(nowMs: end + LoopNotices.quarantineMs) {
      tellQuarantined(records)
    }
    return .drained
  }
}
