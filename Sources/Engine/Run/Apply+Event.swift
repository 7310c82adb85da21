import Formats
import Records
import State

// One event: from what it carries to what comes of it.
extension Apply {
  /// What an event costs to apply again, beside the rows that it writes: to be read, and for each
  /// record that it makes. Measured on events of 285 bytes; by instructions, so about.
  private enum Cost {
    static let event = 200
    static let byte = 2
    static let record = 400
    static let outputByte = 1
  }

  /// What comes of an event in one journal.
  enum Outcome {
    case applied, filtered, redelivered, failed, unreadable, held
    /// For a window or a join, and all else came of it.
    case late
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
    /// Whether it has not been looked for a link for before.
    var isAsking: Bool {
      switch self {
      case .first: true
      case .waited(let event): event.identity == nil
      case .linked, .released: false
      }
    }
    /// The identity that it is gone through for alone; nil: for all that comes of it.
    var identity: Int? {
      switch self {
      case .first: nil
      case .linked(let event), .waited(let event): event.identity
      case .released(let identity, _): identity
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
    handed = nil
    outcome =
      event.payload == nil && input.isState
      ? undo(event, input, at: position, recordedMs: recordedMs, batch: batch, &isFirstJournal)
      : run(
        event, input, at: position, recordedMs: recordedMs, batch: batch, coming,
        isSilent: isSilent, &isFirstJournal)
    switch outcome {
    case .failed, .failedEverywhere:
      if let corrected { failed(corrected, at: position) }
      if let handed { failed(handed) }
      let fault = bench.takeFault()
      let extent = extentOfFailure(event)
      if holdsKeys { blocked.block(by: event, in: state) }
      if extent == .event && !isFirstJournal { break }
      batch.truncate(toEntry: entry, byte: byte)
      let origin = origin(event, input, at: position, recordedMs: recordedMs, extent)
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
    case .late:
      guard let lateness = bench.lateness else { break }
      batch.appendQuarantined(
        origin(event, input, at: position, recordedMs: recordedMs, extentOfFailure(event)),
        lateness, limit: plan.limits.quarantineBytesMax)
    case .applied, .filtered, .redelivered, .held: break
    }
    if !isSilent { count(coming, isFirstJournal) }
    state.noteWork(
      nanoseconds: Cost.event + Cost.byte * (event.payload?.count ?? 0)
        + Cost.record * (batch.count - entry) + Cost.outputByte * (batch.bytes.count - byte))
    return .applied
  }

  private func origin(
    _ event: JournalEvent, _ input: InputPlan, at position: Position, recordedMs: Int64,
    _ extent: Extent
  ) -> Origin {
    Origin(
      input: input, partition: event.partition, offset: event.offset, key: event.key,
      value: event.payload, time: event.time,
      correction: input.corrects ? Correction.headers(of: event) : .none, recordedMs: recordedMs,
      journaled: journaled(position, extent))
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
    return plan.stopsOnError || fault.stops
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
    case .failed, .failedEverywhere, .late: counted.quarantined += 1
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
    if work.isMarked { change.mark = event.origin.map { mark($0) } ?? mark(position) }
    var correction = Correction.none
    if input.corrects, let id = event.id {
      // A retraction is read as its original was; one that cannot be takes nothing back.
      let operation = Correction.operation(event.headers)
      if operation == Correction.retractName.view && !bench.keepsContract {
        bench.failContract(type)
        return .failedEverywhere
      }
      guard let key = journalKey(work.key, event) else { return .unreadable }
      switch meet(event, id, key, operation, at: position, time, coming) {
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
      if work.isCorrected {
        if !isDue(origin, coming) { return .redelivered }
        change.isTakenBack = origin.isTakenBack
      }
    } else if !work.identities.isEmpty, !identify(work, coming) {
      return .failed
    }
    var staged = StagedRows()
    for index in work.clauses.indices {
      if !work.clauses.lend(index, { run($0, change, &staged) }) { return .failed }
    }
    let emission = Emission(
      sourceKey: event.key, partition: partition,
      recordedMs: event.origin?.correction?.recordedMs ?? recordedMs, time: time,
      identity: .position(position), correction: correction)
    if event.origin?.isTakenBack ?? false { return keepLeft(&staged, emission, batch) }
    var emitted = Workbench.Emitted.nothing
    if !work.joins.isEmpty, !emitted.add(pair(work, emission, &staged, batch)) { return .failed }
    if !changes.isEmpty, staged.count > 0, !follow(time, &staged) { return .failed }
    if !emitted.add(publish(&staged, emission, batch)) { return .failed }
    let ofPorts =
      work.remembered == 0
      ? bench.emit(work.ports, emission, to: batch)
      : bench.emitRemembering(work.ports, emission, to: batch)
    if !emitted.add(ofPorts) { return .failed }
    if !changes.isEmpty, staged.count > 0,
      !emitted.add(publishChanges(staged, emission, batch))
    {
      return .failed
    }
    var isApplied = emitted == .record
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
    if bench.passed | bench.held != 0, coming.isAsking, event.origin == nil { countAsked(work) }
    if bench.passed & work.remembered != 0 {
      remember(event, work, at: position, recordedMs: recordedMs)
    }
    // Counted is what is quarantined as such, then what is applied, then what waits.
    let isLate = bench.lateness != nil
    if bench.held != 0 {
      hold(
        event, work, at: position, recordedMs: recordedMs,
        isCounted: work.counts && !isApplied && !isLate)
    }
    if isLate { return .late }
    return isApplied ? .applied : bench.held == 0 ? .filtered : .held
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
