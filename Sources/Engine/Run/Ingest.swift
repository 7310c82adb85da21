import Formats
import Records

/// Takes input records into journal blocks: the first half of a journaled product.
///
/// A record is parsed strictly and its key, id and actual time are found; whether it keeps its
/// contract is apply's business. Blocks stay open until they are full or ``seal(recordedMs:)``.
package final class Ingest {
  package let plan: ProductPlan
  /// Blocks finished since the last ``clear()`` or ``discard()``.
  package var sealed: [SealedBlock] { blocks.sealed }
  /// What became of the records taken since the last ``clear()`` or ``discard()``: what was read,
  /// and what ended here; apply counts the rest.
  package var counts: Counts { counted }

  private var counted = Counts()
  private let blocks: OpenBlocks
  private let positions: InputPositions
  private let ticks: SourceTicks
  private let isClocked: Bool
  /// The actual time that the record at hand shows of its source.
  private var shownMs: Int64 = .min
  private let bench: Workbench
  // The plan's and the bench's, here as well as they are used for each record (README.md,
  // "References").
  private let inputs: Lent<InputPlan>
  private let keys: ByteBuffer
  /// The headers of the event at hand that are journaled.
  private let correctionHeaders = ByteBuffer(capacity: 64)
  /// The event at hand nearly fills what its topic takes: positions of partitions yet to come would
  /// not fit beside it.
  private var mustSeal = false

  /// - Parameter tickMs: how often journals are told of their sources, other than
  ///   ``SourceTicks/intervalMs`` only in tests and simulations.
  package init(_ plan: ProductPlan, tickMs: Int64? = nil) {
    self.plan = plan
    blocks = OpenBlocks(plan, kind: .events)
    ticks = SourceTicks(intervalMs: tickMs ?? SourceTicks.intervalMs)
    isClocked = plan.isClocked
    positions = InputPositions()
    inputs = plan.inputs
    bench = plan.workbench
    keys = bench.keys
  }

  /// Appends the record to the open block of each journal that takes it, or to `batch` as
  /// quarantined. `recordedMs` is the turn's clock. A block that is full is sealed at once.
  package func take(_ record: SourceRecord, recordedMs: Int64, into batch: OutputBatch) -> Intake {
    inputs.lend(record.input) { take(record, $0, recordedMs, batch) }
  }

  private func take(
    _ record: SourceRecord, _ input: InputPlan, _ recordedMs: Int64, _ batch: OutputBatch
  ) -> Intake {
    counted.read += 1
    bench.begin()
    shownMs = .min
    defer { if isClocked { ticks.note(record, shownMs: shownMs) } }
    if journal(record, input, recordedMs) {
      positions.note(record)
      if mustSeal {
        mustSeal = false
        seal(recordedMs: recordedMs)
      }
      return .taken
    }
    mustSeal = false
    let origin = Origin(
      input: input, partition: record.partition, offset: record.offset, key: record.key,
      value: record.value, time: record.ownTime,
      correction: record.correction, recordedMs: recordedMs)
    let fault = bench.takeFault()
    if plan.stopsOnError { return .stop(fault.stop(origin)) }
    batch.appendQuarantined(origin, fault, limit: plan.limits.quarantineBytesMax)
    counted.quarantined += 1
    positions.note(record)
    return .taken
  }

  /// False: the record cannot be journaled, and the bench holds the fault.
  private func journal(
    _ record: SourceRecord, _ input: InputPlan, _ recordedMs: Int64
  ) -> Bool {
    if record.value == nil && input.isState { return journalDeletion(record, input, recordedMs) }
    // A fault is not for ingest to judge; it may be why there is no key.
    let number = bench.read(record.value, of: input, .intake)
    if number < 0 { return false }
    if input.corrects, !bench.isWhole(record.correction) { return false }
    return input.events.lend(number) { journal(record, input, $0, recordedMs) }
  }

  private func journal(
    _ record: SourceRecord, _ input: InputPlan, _ event: EventPlan, _ recordedMs: Int64
  ) -> Bool {
    if event.journals.isEmpty {
      counted.filtered += 1
      return true
    }
    let time = bench.actualTime(slot: event.time.intake, record)
    if isClocked, bench.hasTime(slot: event.time.intake) { show(time, recordedMs) }
    if event.keysReadVariables {
      bench.setVariables(
        time: time, recordedMs: recordedMs, key: record.key, topic: input.topic.view,
        partition: record.partition, offset: record.offset)
    }
    var entry = JournalEvent(
      input: record.input, partition: record.partition, offset: record.offset, time: time,
      key: record.key, payload: record.value)
    let idStart = keys.count
    // An empty text names no event.
    if event.id.intake >= 0, keys.appendKeyPart(bench.slots[event.id.intake]),
      keys.count > idStart
    {
      if !isShortEnough(keys.count - idStart, "id") { return false }
      entry.id = bench.arena.copy(keys[idStart..<keys.count])
    }
    if input.corrects, !note(record.correction, in: &entry) { return false }
    if !isSmallEnough(entry) { return false }
    if event.hasLinks { return journalLink(entry, record, event, recordedMs) }
    return append(entry, to: event.journals, record, event.intake, recordedMs)
  }

  /// The record at hand shows how far its source has come in actual time.
  private func show(_ time: Timestamp, _ recordedMs: Int64) {
    if time.milliseconds &- recordedMs <= plan.futureMsMax { shownMs = time.milliseconds }
  }

  /// The same of a row of a state port that is deleted: its key is all there is.
  private func journalDeletion(
    _ record: SourceRecord, _ input: InputPlan, _ recordedMs: Int64
  ) -> Bool {
    guard let deletion = input.deletion else {
      counted.filtered += 1
      return true
    }
    let time = bench.actualTime(slot: -1, record)
    if isClocked { show(time, recordedMs) }
    if !bench.read(key: record.key, of: deletion) { return false }
    let entry = JournalEvent(
      input: record.input, partition: record.partition, offset: record.offset, time: time,
      key: record.key, payload: nil)
    return isSmallEnough(entry)
      && append(entry, to: deletion.journals, record, deletion.decode, recordedMs)
  }

  private func append(
    _ entry: JournalEvent, to journals: Lent<EventPlan.JournalKey>, _ record: SourceRecord,
    _ document: DecodePlan, _ recordedMs: Int64
  ) -> Bool {
    // All keys first: a record is in every journal that takes it, or in none.
    let start = keys.count
    for index in journals.indices {
      if !journals.lend(index, { appendKey($0.key, record, document) }) { return false }
    }
    if journals.count == 1 {
      let journal = journals.lend(0) { $0.journal }
      append(entry, journal, keys[start..<keys.count], recordedMs)
      return true
    }
    for index in journals.indices {
      let begin = keys.count
      let isAppended = journals.lend(index) {
        if !appendKey($0.key, record, document) { return false }
        append(entry, $0.journal, keys[begin..<keys.count], recordedMs)
        return true
      }
      if !isAppended { return false }
    }
    return true
  }

  /// Notes which record of its input an event is, or takes back.
  private func note(_ correction: CorrectionHeaders, in entry: inout JournalEvent) -> Bool {
    let isRetraction = correction.operation == Correction.retractName.view
    if let id = isRetraction ? correction.corrects : correction.id, !id.isEmpty {
      if !isShortEnough(id.count, "id") { return false }
      entry.id = id
    }
    guard let operation = correction.operation else { return true }
    correctionHeaders.clear()
    correctionHeaders.appendJournalHeader(CloudEventsHeader.operation.view, operation)
    entry.headers = correctionHeaders.view
    return true
  }

  /// The same of an event that some journals take for its link, if it is one of a system that they
  /// ask for.
  private func journalLink(
    _ entry: JournalEvent, _ record: SourceRecord, _ event: EventPlan, _ recordedMs: Int64
  ) -> Bool {
    var places: ContiguousArray<(journal: Int, key: Range<Int>)> = []
    for index in event.journals.indices {
      let isGood = event.journals.lend(index) { journal in
        if let link = journal.link, !link.isWanted(bench.frame) { return true }
        let start = keys.count
        if !appendKey(journal.key, record, event.intake) { return false }
        places.append((journal.journal, start..<keys.count))
        return true
      }
      if !isGood { return false }
    }
    if places.isEmpty { counted.filtered += 1 }
    for place in places { append(entry, place.journal, keys[place.key], recordedMs) }
    return true
  }

  private func appendKey(
    _ key: KeyPlan, _ record: SourceRecord, _ document: DecodePlan
  ) -> Bool {
    let start = keys.count
    if !key.isSource {
      if bench.appendKey(key, to: keys) { return isShortEnough(keys.count - start, "key") }
      bench.explainMissingKey(document)
      return false
    }
    if let key = record.key {
      keys.append(key)
      return isShortEnough(key.count, "key")
    }
    bench.fail(RunFault(reason: "missing-key", message: "the record has no Kafka key", place: ""))
    return false
  }

  /// The longest id or journal key of an event, in bytes: they are kept in rows and looked up.
  static let keyBytesMax = 16 * 1024

  private func isShortEnough(_ count: Int, _ what: String) -> Bool {
    if count <= Ingest.keyBytesMax { return true }
    bench.fail(
      RunFault(
        reason: "\(what)-too-large",
        message: "the event's \(what) takes \(count) bytes, more than \(Ingest.keyBytesMax)",
        place: ""))
    return false
  }

  /// Whether a block with this event alone fits the journal's topic.
  private func isSmallEnough(_ event: JournalEvent) -> Bool {
    if event.bytesMax < JournalBlockBuilder.bytesLimit { return true }
    let size =
      event.bytesMax + Ingest.framingBytesMax + max(positions.bytesMax, plan.handoverBytesMax)
    mustSeal = size + Ingest.positionsBytesMax > plan.limits.journalBytesMax
    if size <= plan.limits.journalBytesMax { return true }
    bench.fail(
      RunFault(
        reason: "too-large",
        message: "the record takes \(size) bytes in the journal, more than its topic allows",
        place: ""))
    return false
  }

  /// What block, batch and record around one event take at most, positions aside.
  private static let framingBytesMax = 1024
  /// Room for input positions noted after an event, before its block is sealed.
  private static let positionsBytesMax = 64 * 1024

  private func append(
    _ event: JournalEvent, _ journal: Int, _ key: ByteView, _ recordedMs: Int64
  ) {
    let partition = blocks.partition(of: key, journal)
    if blocks.append(event, journal, partition) { return }
    seal(journal, partition, recordedMs)
    _ = blocks.append(event, journal, partition)
  }

  /// Seals all open blocks, in the order of journals and partitions.
  package func seal(recordedMs: Int64) {
    blocks.sealAll { seal($0, $1, recordedMs) }
  }

  private func seal(_ journal: Int, _ partition: Partition, _ recordedMs: Int64) {
    blocks.seal(journal, partition, recordedMs: recordedMs, inputPositions: positions.all)
  }

  // MARK: Ticks

  /// An input has so many partitions, whoever reads them.
  package func expect(input: Int, partitions: Int) {
    if isClocked { ticks.expect(input, partitions: partitions) }
  }

  /// A partition of an input is read here, from wherever it is read next.
  package func begin(input: Int, partition: Partition) {
    if isClocked { ticks.begin(input, partition) }
  }

  /// A partition's reader has found nothing at `offset`, after all that it gave before.
  package func reachedEnd(input: Int, partition: Partition, at offset: Offset) {
    if isClocked { ticks.reachedEnd(input, partition, offset) }
  }

  /// Partitions are not asked for more: whether they are at their end is not known any longer.
  package func forgetEnds() {
    if isClocked { ticks.forgetEnds() }
  }

  /// Whether journals have to be told of their sources, be it by a turn that does nothing else.
  package func areTicksDue(recordedMs: Int64) -> Bool {
    isClocked && ticks.isDue(recordedMs: recordedMs)
  }

  /// Seals, behind all blocks of events, a block of ticks for each partition of each journal that
  /// has a clock, if they are due. All partitions of a journal get the same.
  package func sealTicks(recordedMs: Int64) {
    if !areTicksDue(recordedMs: recordedMs) { return }
    seal(recordedMs: recordedMs)
    for journal in plan.clockInputs.indices where !plan.clockInputs[journal].isEmpty {
      blocks.sealTicks(journal, recordedMs: recordedMs, inputPositions: positions.all) {
        ticks.append(to: $0, of: plan.clockInputs[journal])
      }
    }
    ticks.tell(recordedMs: recordedMs)
  }

  /// The turn was committed: its blocks and counts are forgotten, its input positions kept.
  package func clear() {
    blocks.clear()
    counted = Counts()
    positions.keep()
  }

  /// The turn was aborted: its blocks, counts and input positions are forgotten.
  package func discard() {
    blocks.discard()
    counted = Counts()
    positions.takeBack()
    ticks.takeBack()
  }

  /// The partition of an input went to another member: its position is no longer ours to tell.
  package func forget(input: Int, partition: Partition) {
    positions.forget(input, partition)
    if isClocked { ticks.forget(input, partition) }
  }
}
