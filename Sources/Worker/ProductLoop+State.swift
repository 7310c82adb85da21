import Engine
import Kafka
import Observability
import Product
import Records
import State

// States on disk: opened with their partition, brought to disk between turns.
extension ProductLoop {
  /// A disk that damages states again and again is not to be worked on.
  private static var damagesMax: Int { 3 }
  private static var tendMs: Int64 { 1000 }

  /// A slot over the state that the disk has of a partition, or over an empty one where that is of
  /// no use.
  func openSlot(_ at: TopicPartition, journal: Int, _ position: CommittedPosition)
    throws(LoopFailure) -> JournalSlot
  {
    let check = position.check(plan.logicDigest, incarnation: position.incarnation)
    let directory = settings.state.directory(product, journal: journal, at.partition)
    let state = try openState(directory, check, at)
    let isChained = !product.journals[journal].handovers.isEmpty
    let cursor = JournalCursor(
      stamp: state.stamp.position, committed: position.offset,
      checksOffset: settings.unsafe.keeps(isChained ? .chainedOffset : .offsetRule))
    return JournalSlot(
      plan: plan, journal: journal, partition: at.partition, state: state,
      incarnation: position.isSetElsewhere
        ? state.stamp.incarnation : position.incarnation ?? world.drawNumber(),
      cursor: cursor, handingTo: chained,
      handsOnAgain: !settings.unsafe.keeps(.silentHandovers))
  }

  private func openState(_ directory: String, _ check: StateCheck, _ at: TopicPartition)
    throws(LoopFailure) -> PartitionState
  {
    let memory = settings.state.memory
    let objection: StateCheck.Objection
    do throws(StoreFailure) {
      // One whose rows could not be read opens all the same, and fails at the same row again.
      if let failure = damagedStates.removeValue(forKey: directory) { throw failure }
      let store = try world.openRows(directory, memory)
      let found = check.objection(to: store.moment?.stamp ?? .empty)
      guard let found else { return PartitionState(store) }
      objection = found
    } catch {
      if error.kind != .damaged { throw .state(error) }
      objection = .damaged(error.detail)
    }
    switch objection {
    case .ahead(let committed):
      throw .stop(.refused(stateAhead(at, of: committed, directory)))
    case .setElsewhere(let committed, let state):
      throw .stop(.refused(setElsewhere(at, to: committed, state: state)))
    default: try checkWhole(at, objection)
    }
    settings.log.write(
      StateDiscarded(
        product: product.name, journal: consumer?.topics[at.topic.value] ?? "",
        partition: at.partition, directory: directory, objection: objection))
    do {
      try world.destroyRows(directory)
      return PartitionState(try world.openRows(directory, memory))
    } catch {
      throw .state(error)
    }
  }

  /// Before a state is thrown away: the journal has to have all that it was made of.
  private func checkWhole(_ at: TopicPartition, _ objection: StateCheck.Objection)
    throws(LoopFailure)
  {
    guard let consumer else { return }
    let range = try patiently { limit throws(KafkaError) in try consumer.watermarks(at, limit) }
    if range.lowerBound == 0 { return }
    throw .stop(
      .refused(
        "the state of journal \(consumer.topics[at.topic.value]), partition \(at.partition.value),"
          + " \(objection.text), and cannot be made anew: the journal begins at offset"
          + " \(range.lowerBound). It was left as it is; start over with"
          + " `weft apply --recreate \(product.name)`"))
  }

  private func setElsewhere(_ at: TopicPartition, to committed: Offset, state: Offset) -> String {
    "offset \(committed.value) of journal \(consumer?.topics[at.topic.value] ?? ""), partition"
      + " \(at.partition.value), was not committed to group \(consumer?.group ?? "") by a worker"
      + " (kafka-consumer-groups?), and the state here is at \(state.value): going on from there"
      + " could publish twice or leave out. If the worker was stopped in order before, set the"
      + " offset to \(state.value), else start over with `weft apply --recreate \(product.name)`"
  }

  private func stateAhead(
    _ at: TopicPartition, of committed: Offset, _ directory: String
  ) -> String {
    "the state of journal \(consumer?.topics[at.topic.value] ?? ""), partition"
      + " \(at.partition.value), in \(directory) is ahead of what group \(consumer?.group ?? "") has"
      + " committed, offset \(committed.value): somebody set the group's offsets back, or Kafka has"
      + " lost some. What lies above was published, and would be published again. Set the offsets"
      + " to where they were, or start over with `weft apply --recreate \(product.name)`; only where"
      + " readers may have it twice, remove that directory"
  }

  /// Between turns, when what the stamps cover is committed: brings to disk what is due. States
  /// with the most to apply again come first, until all of them together are within their bound: so
  /// steps are large and few, and the rest waits, as all at once would be a pause that readers see.
  func writeBackStates() throws(LoopFailure) {
    if isDirect { return }
    let slots = owned.allSlots.map { (slot: $0, work: $0.state.reapplyShare) }
    var work = slots.reduce(0) { $0 + $1.work }
    for entry in slots.sorted(by: { $0.work > $1.work }) {
      if work <= Double(slots.count) && entry.slot.state.changedShare < 1 { continue }
      work -= entry.work
      awaitMerges(of: entry.slot)
      try writeBack(entry.slot)
    }
  }

  /// So many files that no merge has sorted in yet are as many as a read may have to look into.
  private static var looseFilesMax: Int { 64 }
  private static var mergesMs: Int64 { 2000 }

  /// On a disk that does not keep up, files would become ever more, and every read dearer: the turn
  /// waits for merges, for two seconds at most, and so takes in less.
  private func awaitMerges(of slot: JournalSlot) {
    if slot.state.looseFiles <= Self.looseFilesMax { return }
    let startMs = world.monotonicMs()
    while slot.state.looseFiles > Self.looseFilesMax,
      world.monotonicMs() < startMs + Self.mergesMs, !control.isStopping
    {
      world.pause(milliseconds: 20)
    }
    if startMs < mergesSaidMs + 30_000 { return }
    mergesSaidMs = startMs
    settings.log.write(
      MergesBehind(
        product: product.name, topic: product.journals[slot.journal].topic,
        partition: slot.partition, files: slot.state.looseFiles))
  }

  /// Once a second: partitions on which nothing happens keep to their share of the memory, which
  /// becomes smaller when this worker's other products open states.
  func tendIdleStates(nowMs: Int64) throws(LoopFailure) {
    if nowMs - tendedMs < Self.tendMs { return }
    tendedMs = nowMs
    if !meter.isOpen { try writeBackStates() }
    do {
      for slot in owned.allSlots { try slot.tend() }
    } catch {
      throw .state(error)
    }
  }

  func writeBackIfDue(_ slot: JournalSlot) throws(LoopFailure) {
    if slot.state.isWriteBackDue { try writeBack(slot) }
  }

  private func writeBack(_ slot: JournalSlot) throws(LoopFailure) {
    do {
      try slot.state.writeBack()
    } catch {
      throw .state(error)
    }
  }

  /// A state could not be read or written. One that is damaged is made anew; anything else needs a
  /// person, and the journal keeps what the state lacks.
  func recover(from failure: StoreFailure) -> StopReason? {
    damagesSeen += 1
    if failure.kind != .damaged || damagesSeen > Self.damagesMax {
      return .failed("\(failure)")
    }
    damagedStates[failure.directory] = failure
    return nil
  }

  /// The states as they stand between turns.
  var stateStatuses: [StateStatus] {
    owned.allSlots.map { slot in
      let waiting = slot.apply.waiting
      return StateStatus(
        journal: product.journals[slot.journal].name, partition: slot.partition,
        position: slot.cursor.next.value, rows: Int64(slot.rowCount),
        fileBytes: Int64(slot.state.fileBytes), memoryBytes: Int64(slot.state.bytesUsed),
        held: slot.apply.held, waiting: waiting.count, waitingSinceMs: waiting.sinceMs)
    }
  }

  /// What goes with an offset of the partition when it is committed.
  func offsetMetadata(_ at: TopicPartition) -> String {
    guard let journal = owned.journal(at.topic), let slot = owned.slot(journal, at.partition)
    else { return logic }
    return OffsetMetadata(logic: logic, incarnation: slot.incarnation).text
  }
}
