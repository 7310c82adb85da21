import Formats
import Records
import State

/// Takes the events of one journal partition in order: the second half of a journaled product.
///
/// Deterministic: the same blocks over the same state give the same bytes, in any batches,
/// published or re-applied silently. An event is all or nothing: if one part of it fails, none of
/// its rows and records stay, only its quarantine record.
package final class Apply {
  package let plan: ProductPlan
  package let journal: Int
  package let partition: Partition
  /// What became of the events published since the last ``clearCounts()``. `read` is ingest's.
  package var counts: Counts { counted }

  let state: PartitionState
  private var counted = Counts()
  let bench: Workbench
  // The plan's and the bench's, here as well as they are used for each event (README.md,
  // "References").
  let inputs: Lent<InputPlan>
  let tables: Lent<TablePlan>
  let changes: Lent<ChangePlan>
  let joins: Lent<JoinPlan>
  /// What the event at hand adds to sides of joins.
  var sides: ContiguousArray<StagedSide> = []
  let keys: ByteBuffer
  let rows: ByteBuffer
  let arena: Arena
  let holdsKeys: Bool
  /// What came of the last event.
  private(set) var outcome = Outcome.applied
  /// The largest recorded time of a block so far, in milliseconds: the clock of horizons. It is
  /// kept in the state, and so goes back with it.
  private(set) var recordedClockMs: Int64 = 0
  /// How far actual time has come, while a block is applied.
  let clock: PartitionClock
  /// Whether anything asks for it.
  let isClocked: Bool
  let schedule: Schedule
  /// How many rows the state had asked its store for before the last block, and its events.
  var lastBlock = (asked: 0, events: 0)
  /// How many rows and ids were named to be read ahead, and how many events have asked for.
  var ahead = (named: 0, wanted: 0)
  /// Events that wait for links, and their release.
  let holding = Holding()
  /// Events that wait behind one of their key that is in quarantine.
  let blocked = BlockedKeys()
  /// The record that the event at hand is or takes back, of an input whose records may be.
  private var corrected: Corrected?
  /// Takes what goes on to chained journals; nil: nobody wants it.
  let chained: ChainedBlocks?
  /// Of the event at hand.
  var handovers: ContiguousArray<StagedHandover> = []
  let identifiers = ByteBuffer(capacity: 128)
  /// The recorded time of the block at hand.
  private(set) var blockMs: Int64 = 0

  /// - Parameter chained: where to what is handed on goes; without it, nothing is.
  package init(
    _ plan: ProductPlan, journal: Int, partition: Partition, state: PartitionState,
    handingTo chained: ChainedBlocks? = nil
  ) {
    self.chained = chained
    self.plan = plan
    self.journal = journal
    self.partition = partition
    self.state = state
    clock = PartitionClock(inputs: plan.clockInputs[journal])
    isClocked = !plan.clockInputs[journal].isEmpty
    schedule = Schedule(state)
    inputs = plan.inputs
    tables = plan.tables
    changes = plan.changes[journal]
    joins = plan.joins
    bench = plan.workbench
    keys = bench.keys
    rows = bench.rows
    arena = bench.arena
    holdsKeys = plan.holdsKeys
  }

  package func clearCounts() { counted = Counts() }

  /// How many events wait behind one of their key that is in quarantine, and since when the first
  /// of them does, in milliseconds of recorded time.
  package var waiting: (count: Int64, sinceMs: Int64?) {
    holdsKeys ? blocked.total(in: state) : (0, nil)
  }

  /// The state was rolled back: what apply remembers between calls is of no use.
  package func rolledBack() {
    holding.forgetRelease()
    blocked.forgetProgress()
  }

  /// Applies the block that lies at `offset` of the journal partition, within a turn of the state.
  /// With a batch, output is appended to it and events are counted; with nil it is re-applied
  /// silently. After `.full` the caller goes on with the same block `from` the event that it names;
  /// after any other answer but `.applied` it takes the turn back: rows of the block may be changed
  /// and records of it be in the batch.
  package func apply(
    bytes: ByteView, at offset: Offset, publishing: OutputBatch?, from first: UInt32 = 0
  ) -> Applied {
    let block: JournalBlock
    do {
      block = try JournalBlock(bytes)
    } catch {
      return .unreadable("\(error.message) (at byte \(error.offset))")
    }
    return apply(block, at: offset, publishing: publishing, from: first)
  }

  /// As ``apply(bytes:at:publishing:)``, for a block that the caller has read.
  package func apply(
    _ block: JournalBlock, at offset: Offset, publishing: OutputBatch?, from first: UInt32 = 0
  ) -> Applied {
    if block.digest != plan.logicDigest { return .otherLogic }
    bench.state = state
    defer { bench.state = nil }
    // An operator's clock is not a worker's: it moves no horizon.
    setClock(block.kind == .control ? .min : block.recordedMs)
    blockMs = block.kind == .control ? recordedClockMs : block.recordedMs
    let batch = publishing ?? bench.discarded
    if block.kind == .ticks {
      let applied = tick(block, at: offset, batch, isSilent: publishing == nil, from: first)
      if publishing == nil { batch.clear() }
      return applied
    }
    if first == 0 && state.readsAhead { readAhead(block) }
    var events = block.events
    var index: UInt32 = 0
    while true {
      do {
        if try !events.next() { break }
      } catch {
        return .unreadable("\(error.message) (at byte \(error.offset))")
      }
      if index < first {
        index += 1
        continue
      }
      let position = Position(block: offset, index: index)
      if index == first, holding.isReleasing(at: position) || blocked.isGoingOn(at: position) {
        // The event itself was applied; what has waited for it was not all of it.
        if let answer = goOn(at: position, batch, isSilent: publishing == nil) { return answer }
        index += 1
        continue
      }
      if index > first && batch.isFull {
        // Of a silent batch nobody wants anything.
        if publishing != nil { return .full(next: index) }
        batch.clear()
      }
      let result =
        if let control = events.control {
          settle(
            control, events.event, at: position, recordedMs: block.recordedMs, batch: batch,
            isSilent: publishing == nil)
        } else {
          apply(
            events.event, at: position,
            recordedMs: events.event.origin?.recordedMs ?? block.recordedMs, batch: batch,
            isSilent: publishing == nil, .first)
        }
      if case .applied = result {} else { return result }
      if holding.releases || blocked.isGoingOn(at: position) {
        if let answer = goOn(at: position, batch, isSilent: publishing == nil) { return answer }
      }
      index += 1
    }
    if publishing == nil { batch.clear() }
    return .applied
  }

  /// What an event costs to apply again, beside the rows that it writes: to be read, and for each
  /// record that it makes. Measured on events of 285 bytes; by instructions, so about.
  private enum Cost {
    static let event = 200
    static let byte = 2
    static let record = 400
    static let outputByte = 1
  }

  private func setClock(_ recordedMs: Int64) {
    let row = state.upsert(Spaces.clock, .empty, length: 8).row
    recordedClockMs = max(row.int64(at: 0), recordedMs)
    row.set(int64: recordedClockMs, at: 0)
    for index in inputs.indices {
      guard let horizon = inputs[index].horizonMs else { continue }
      let space = Spaces.ids(ofInput: index, tables: tables.count)
      state.forget(space, before: recordedClockMs &- horizon)
    }
    if isClocked { clock.load(from: state) }
  }

  /// How many of the state's rows are none of its tables': clocks, and what falls due.
  package var innerRowCount: Int {
    let own = [Spaces.clock, Spaces.schedule].count { state.get($0, .empty) != nil }
    let ofJoins = state.get(Spaces.joins, .empty) == nil ? 0 : 1 + sideCount
    return own + (clock.isStored(in: state) ? 1 : 0) + schedule.count + ofJoins
  }

  // MARK: One event

  /// What comes of an event in one journal.
  enum Outcome {
    case applied, filtered, redelivered, failed, unreadable, held
    /// Ingest would not have journaled it.
    case foreign
    /// For a reason that each journal finds that takes the event: the first one quarantines it.
    case failedEverywhere
  }

  /// How an event comes to be applied.
  enum Coming {
    /// As its block has it.
    case first
    /// It has waited for a link.
    case linked(HeldEvent)
    /// It has waited behind another of its key.
    case waited(HeldEvent)
    /// It has been in quarantine. See ``JournalControl``; whether its id was remembered before.
    case released(identity: Int?, isRemembered: Bool)

    var isRemembered: Bool {
      switch self {
      case .first, .released(_, false): false
      case .linked, .waited, .released(_, true): true
      }
    }
    /// What has waited; nil: it comes for the first time, or from quarantine.
    var held: HeldEvent? {
      switch self {
      case .linked(let event), .waited(let event): event
      case .first, .released: nil
      }
    }
  }

  func apply(
    _ event: JournalEvent, at position: Position, recordedMs: Int64, batch: OutputBatch,
    isSilent: Bool, _ coming: Coming
  ) -> Applied {
    guard inputs.indices.contains(event.input) else {
      return .unreadable("an event names input \(event.input), which the product does not have")
    }
    return inputs.lend(event.input) {
      apply(
        event, $0, at: position, recordedMs: recordedMs, batch: batch, isSilent: isSilent, coming)
    }
  }

  private func apply(
    _ event: JournalEvent, _ input: InputPlan, at position: Position, recordedMs: Int64,
    batch: OutputBatch, isSilent: Bool, _ coming: Coming
  ) -> Applied {
    let entry = batch.count
    let byte = batch.bytes.count
    bench.begin()
    rows.clear()
    var isFirstJournal = false
    corrected = nil
    outcome =
      event.payload == nil && input.isState
      ? undo(event, input, at: position, recordedMs: recordedMs, batch: batch, &isFirstJournal)
      : run(
        event, input, at: position, recordedMs: recordedMs, batch: batch, coming,
        isSilent: isSilent, &isFirstJournal)
    switch outcome {
    case .failed, .failedEverywhere:
      if let corrected { failed(corrected, at: position) }
      let fault = bench.takeFault()
      let extent = extentOfFailure(event)
      if holdsKeys { blocked.block(by: event, in: state) }
      if extent == .event && !isFirstJournal { break }
      batch.truncate(toEntry: entry, byte: byte)
      let origin = Origin(
        input: input, partition: event.partition, offset: event.offset, key: event.key,
        value: event.payload, time: event.time,
        correction: input.corrects ? Correction.headers(of: event) : .none, recordedMs: recordedMs,
        journaled: journaled(position, extent))
      if !isSilent && stops(fault, coming) { return .stop(fault.stop(origin)) }
      batch.appendQuarantined(origin, fault, limit: plan.limits.quarantineBytesMax)
    case .unreadable:
      _ = bench.takeFault()
      return .unreadable(
        event.origin == nil
          ? "event \(position.index) has no key, though ingest found one"
          : "event \(position.index) was handed on in a way that the product does not have")
    case .foreign:
      _ = bench.takeFault()
      return .unreadable("event \(position.index) is none that ingest would have journaled")
    case .applied, .filtered, .redelivered, .held: break
    }
    if !isSilent { count(coming, isFirstJournal) }
    state.noteWork(
      nanoseconds: Cost.event + Cost.byte * (event.payload?.count ?? 0)
        + Cost.record * (batch.count - entry) + Cost.outputByte * (batch.bytes.count - byte))
    return .applied
  }

  /// How much of the event at hand came to nothing.
  private func extentOfFailure(_ event: JournalEvent) -> Extent {
    if outcome == .failedEverywhere { return .event }
    if let handed = HandedOrigin(event) { return .handed(handed) }
    return bench.onlyIdentity < 0 ? .journal : .identity(bench.onlyIdentity)
  }

  /// Whether the product stops at an event that fails. It does not at one that an operator has
  /// released, as it would again at each start: that goes back to quarantine.
  private func stops(_ fault: RunFault, _ coming: Coming) -> Bool {
    if case .released = coming { return false }
    // What comes late is nobody's error.
    return plan.stopsOnError && fault.reason != "late" || fault.stops
  }

  private func count(_ coming: Coming, _ isFirstJournal: Bool) {
    switch coming {
    case .first:
      if !isFirstJournal { return }
    case .linked(let held), .waited(let held):
      if !held.isCounted { return }
      counted.held -= 1
    case .released:
      if !isFirstJournal { return }
      counted.released += 1
    }
    switch outcome {
    case .applied: counted.applied += 1
    case .filtered: counted.filtered += 1
    case .redelivered: counted.redelivered += 1
    case .failed, .failedEverywhere: counted.quarantined += 1
    case .held: counted.held += 1
    case .unreadable, .foreign: break
    }
  }

  private func run(
    _ event: JournalEvent, _ input: InputPlan, at position: Position, recordedMs: Int64,
    batch: OutputBatch, _ coming: Coming, isSilent: Bool,
    _ isFirstJournal: inout Bool
  ) -> Outcome {
    let number = bench.read(event.payload, of: input, .whole)
    if number < 0 { return .foreign }
    return input.events.lend(number) { type in
      type.work.lend(journal) { work in
        if work.isNothing { return .foreign }
        isFirstJournal = work.counts
        return run(
          event, input, type, work, at: position, recordedMs: recordedMs, batch: batch, coming,
          isSilent: isSilent)
      }
    }
  }

  /// A quarantined event stays out.
  func countDiscarded() { counted.discarded += 1 }

  private func run(
    _ event: JournalEvent, _ input: InputPlan, _ type: EventPlan, _ work: WorkPlan,
    at position: Position, recordedMs: Int64, batch: OutputBatch, _ coming: Coming, isSilent: Bool
  ) -> Outcome {
    let time = event.time ?? Timestamp(milliseconds: recordedMs)
    bench.setVariables(
      time: time, recordedMs: recordedMs, key: event.key, topic: input.topic.view,
      partition: event.partition, offset: event.offset)
    // Whoever hands an event on has found its key.
    if work.key.isSource && event.key == nil && event.origin == nil { return .unreadable }
    if holdsKeys && !noteKey(work, event) { return .unreadable }
    // What breaks its contract is seen all the same: its redelivery has no effect either. Where one
    // was handed on, the first journal has seen to it.
    if let id = event.id, input.horizonMs != nil, !coming.isRemembered, event.origin == nil {
      guard let key = journalKey(work.key, event) else { return .unreadable }
      if !isFirst(id, key, event.input) { return .redelivered }
    }
    if holdsKeys, waits(coming, event) {
      wait(event, work, coming, at: position, recordedMs: recordedMs)
      return .held
    }
    var change = RowChange(time: time)
    var correction = Correction.none
    if input.corrects, let id = event.id {
      // A retraction is read as its original was; one that cannot be takes nothing back.
      let isRetraction = Correction.operation(event.headers) == Correction.retractName.view
      if isRetraction && !bench.keepsContract {
        bench.failContract(type)
        return .failedEverywhere
      }
      guard let key = journalKey(work.key, event) else { return .unreadable }
      switch meet(event, id, key, at: position, time, coming) {
      case .known: return .redelivered
      case .early: return .filtered
      case .goesOn(let record, let itsChange, let itsCorrection):
        (corrected, change, correction) = (record, itsChange, itsCorrection)
      }
    }
    if !bench.keepsContract {
      bench.failContract(type)
      return .failedEverywhere
    }
    if !bench.isDue(time, recordedMs: recordedMs, futureMsMax: plan.futureMsMax) {
      return .failedEverywhere
    }
    if let origin = event.origin {
      if !recall(event, origin, work) { return .unreadable }
    } else if !work.identities.isEmpty, !identify(work, coming) {
      return .failed
    }
    var staged = StagedRows()
    for index in work.clauses.indices {
      if !work.clauses.lend(index, { run($0, change, &staged) }) { return .failed }
    }
    let emission = Emission(
      sourceKey: event.key, partition: partition, recordedMs: recordedMs,
      time: time, identity: .position(position), correction: correction)
    var isApplied = false
    if !work.joins.isEmpty {
      switch pair(work, emission, &staged, batch) {
      case .record: isApplied = true
      case .nothing: break
      case .failed: return .failed
      }
    }
    if !changes.isEmpty, staged.count > 0, !follow(time, &staged) { return .failed }
    switch publish(&staged, emission, batch) {
    case .record: isApplied = true
    case .nothing: break
    case .failed: return .failed
    }
    for index in work.ports.indices {
      switch work.ports.lend(index, { bench.emit($0, emission, to: batch) }) {
      case .record: isApplied = true
      case .nothing: break
      case .failed: return .failed
      }
    }
    if !changes.isEmpty, staged.count > 0 {
      switch publishChanges(staged, emission, batch) {
      case .record: isApplied = true
      case .nothing: break
      case .failed: return .failed
      }
    }
    if !work.handovers.isEmpty {
      handovers.removeAll(keepingCapacity: true)
      if !stageHandovers(work) { return .failed }
      if !handovers.isEmpty { isApplied = true }
    }
    if keepRows(staged) { isApplied = true }
    if !work.joins.isEmpty, keepSides() { isApplied = true }
    if !work.links.isEmpty {
      switch keepLink(work) {
      case .kept: isApplied = true
      case .known: break
      case .failed: return .failed
      }
    }
    if !work.handovers.isEmpty {
      handOn(event, work, at: position, recordedMs: recordedMs, isSilent: isSilent)
    }
    if bench.held == 0 { return isApplied ? .applied : .filtered }
    hold(event, work, at: position, recordedMs: recordedMs, isCounted: work.counts && !isApplied)
    return isApplied ? .applied : .held
  }

  /// The key under which the event was journaled; lent by the bench's keys or the event.
  func journalKey(_ key: KeyPlan, _ event: JournalEvent) -> ByteView? {
    if key.isSource { return event.key }
    let start = keys.count
    if !bench.appendKey(key, to: keys) { return nil }
    return keys[start..<keys.count]
  }

  /// An id as it is remembered: under its key.
  func appendId(_ id: ByteView, _ key: ByteView, to bytes: ByteBuffer) {
    bytes.append(varint: UInt64(key.count))
    bytes.append(key)
    bytes.append(id)
  }

  /// Remembers the event; false when it was seen before under the same key.
  private func isFirst(_ id: ByteView, _ key: ByteView, _ input: Int) -> Bool {
    let start = rows.count
    ahead.wanted += 1
    appendId(id, key, to: rows)
    let space = Spaces.ids(ofInput: input, tables: tables.count)
    let isFirst = state.remember(space, rows[start..<rows.count], recordedMs: recordedClockMs)
    rows.truncate(to: start)
    return isFirst
  }
}
