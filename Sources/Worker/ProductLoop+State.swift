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
  func openSlot(_ at: TopicPartition, journal: Int, committed: Offset, incarnation: UInt64?)
    throws(LoopFailure) -> JournalSlot
  {
    let check = StateCheck(
      digest: plan.logicDigest, incarnation: incarnation, committed: committed)
    let directory = settings.state.directory(product, journal: journal, at.partition)
    let state = try openState(directory, check, at)
    let cursor = JournalCursor(
      stamp: state.stamp.position, committed: committed,
      checksOffset: settings.unsafe.keeps(.offsetRule))
    return JournalSlot(
      plan: plan, journal: journal, partition: at.partition, state: state,
      incarnation: incarnation ?? world.drawNumber(), cursor: cursor)
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
      let found = store.moment.flatMap { check.objection(to: $0.stamp) }
      guard let found else { return PartitionState(store) }
      objection = found
    } catch {
      if error.kind != .damaged { throw .state(error) }
      objection = .damaged(error.detail)
    }
    if case .ahead(let committed) = objection {
      throw .stop(.refused(stateAhead(at, of: committed, directory)))
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
      try writeBack(entry.slot)
    }
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
      StateStatus(
        journal: product.journals[slot.journal].name, partition: slot.partition,
        position: slot.cursor.next.value, rows: Int64(slot.rowCount),
        fileBytes: Int64(slot.state.fileBytes), memoryBytes: Int64(slot.state.bytesUsed))
    }
  }

  /// What goes with an offset of the partition when it is committed.
  func offsetMetadata(_ at: TopicPartition) -> String {
    guard let journal = owned.journal(at.topic), let slot = owned.slot(journal, at.partition)
    else { return logic }
    return OffsetMetadata(logic: logic, incarnation: slot.incarnation).text
  }
}
