import Formats
import Records
import State

// Events that went out under another global id than their link says now, or under none: what they
// made is taken back and made anew.
extension Apply {
  /// Remembers the event at hand for the links that may come or change, as far as its streams ask
  /// for that.
  func remember(
    _ event: JournalEvent, _ work: WorkPlan, at position: Position, recordedMs: Int64
  ) {
    for index in work.identities.indices where bench.passed & 1 << UInt64(index) != 0 {
      work.identities.lend(index) { identity in
        let isUnmapped = bench.unmapped & 1 << UInt64(index) != 0
        if isUnmapped ? !identity.isProvisional : identity.repairableMs < 0 { return }
        let local = identity.local.evaluate(bench.frame)
        holding.setKey(identity.identifier, identity.system.view, local.view)
        var held = HeldEvent(event: event, position: position, recordedMs: recordedMs)
        held.identity = index
        held.isOut = true
        held.made = bench.made.view
        if isUnmapped {
          holding.hold(held, in: state)
        } else {
          history.add(
            .init(
              held: held, global: bench.slots[identity.slot].view,
              keptMs: identity.repairableMs),
            of: holding.key.view, in: state)
        }
      }
    }
  }

  /// What became of an event that is brought under another global id.
  private enum Relinked {
    case made
    /// It went to quarantine: nothing of it is left, or all as it was.
    case failed
    case stop(Applied)
  }

  /// Brings an event that waited for its link under the global id that has come.
  func relinkHeld(
    _ held: HeldEvent, to global: ByteView, at position: Position, recordedMs: Int64,
    _ batch: OutputBatch, isSilent: Bool
  ) -> Applied? {
    if let answer = makeRoom(batch, at: position, isSilent: isSilent) { return answer }
    let id = holding.released
    switch relink(held, from: nil, to: global, recordedMs: recordedMs, batch, isSilent: isSilent) {
    case .stop(let answer): return answer
    case .failed: return nil
    case .made:
      if relinkedKeptMs < 0 { return nil }
      var now = held
      now.round += 1
      now.made = bench.made.view
      history.add(.init(held: now, global: global, keptMs: relinkedKeptMs), of: id, in: state)
      return nil
    }
  }

  /// Brings the events of the id whose link has changed under the new global id, as far back as is
  /// asked for; an answer when the caller has to do something first.
  func repair(
    to global: ByteView, at position: Position, recordedMs: Int64, _ batch: OutputBatch,
    isSilent: Bool
  ) -> Applied? {
    let id = holding.released
    for number in history.numbers(of: id, in: state) {
      guard var entry = history.entry(number, in: state), entry.isKept(at: recordedClockMs),
        entry.global != global
      else { continue }
      if let answer = makeRoom(batch, at: position, isSilent: isSilent) { return answer }
      let relinked = relink(
        entry.held, from: entry.global, to: global, recordedMs: recordedMs, batch,
        isSilent: isSilent)
      switch relinked {
      case .stop(let answer): return answer
      case .failed: entry.keptMs = -1
      case .made:
        entry.global = global
        entry.held.round += 1
        entry.held.made = bench.made.view
      }
      history.replace(number, entry, of: id, in: state)
    }
    return nil
  }

  private func relink(
    _ held: HeldEvent, from old: ByteView?, to new: ByteView, recordedMs: Int64,
    _ batch: OutputBatch, isSilent: Bool
  ) -> Relinked {
    let entry = batch.count
    let byte = batch.bytes.count
    defer {
      state.noteWork(
        nanoseconds: Apply.relinkNanoseconds * (1 + batch.count - entry)
          + batch.bytes.count - byte)
    }
    if attempt(held, from: old, to: new, recordedMs: recordedMs, batch, isSilent: isSilent) {
      return .made
    }
    let fault = bench.takeFault()
    batch.truncate(toEntry: entry, byte: byte)
    // It cannot be made anew: what it made goes all the same, if that can be.
    if !attempt(held, from: old, to: nil, recordedMs: recordedMs, batch, isSilent: isSilent) {
      _ = bench.takeFault()
      batch.truncate(toEntry: entry, byte: byte)
    }
    if holdsKeys { blocked.block(by: held.event, in: state) }
    let event = held.event
    let extent = held.identity.map(Extent.identity) ?? .journal
    return inputs.lend(event.input) { input in
      let origin = Origin(
        input: input, partition: event.partition, offset: event.offset, key: event.key,
        value: event.payload, time: event.time, correction: .none, recordedMs: held.recordedMs,
        journaled: journaled(held.position, extent))
      if !isSilent && (plan.stopsOnError || fault.stops) {
        return .stop(.stop(fault.stop(origin)))
      }
      batch.appendQuarantined(origin, fault, limit: plan.limits.quarantineBytesMax)
      return .failed
    }
  }

  /// What it takes about to read an event and to make a record of it.
  private static let relinkNanoseconds = 600

  /// Takes back what an event made under `old`, and makes it anew under `new`; nil: under no id, or
  /// not at all. False: it failed, and no row is changed.
  private func attempt(
    _ held: HeldEvent, from old: ByteView?, to new: ByteView?, recordedMs: Int64,
    _ batch: OutputBatch, isSilent: Bool
  ) -> Bool {
    let event = held.event
    return inputs.lend(event.input) { input in
      bench.begin()
      rows.clear()
      let number = bench.read(event.payload, of: input, .whole)
      if number < 0 { return false }
      let time = event.time ?? Timestamp(milliseconds: held.recordedMs)
      bench.setVariables(
        time: time, recordedMs: held.recordedMs, key: event.key, topic: input.topic.view,
        partition: event.partition, offset: event.offset)
      bench.unmapped = 0
      bench.onlyIdentity = held.identity ?? -1
      return input.events.lend(number) { type in
        type.work.lend(journal) { work in
          if holdsKeys { _ = noteKey(work, event) }
          let slot = work.identities.lend(bench.onlyIdentity) { identity in
            relinkedKeptMs = identity.repairableMs
            return identity.slot
          }
          let ids = Relinking(
            slot: slot, old: old.map { .string(arena.copy($0)) } ?? .absent,
            new: new.map { .string(arena.copy($0)) })
          let emission = Emission(
            sourceKey: event.key, partition: partition, recordedMs: recordedMs, time: time,
            identity: .corrected(held.position, round: held.round + 1))
          return change(work, held, ids, emission, batch, isSilent: isSilent)
        }
      }
    }
  }

  /// The global ids of an event, and where they go.
  private struct Relinking {
    let slot: Int
    let old: Value
    /// Nil: it is not made anew.
    let new: Value?
  }

  private func change(
    _ work: WorkPlan, _ held: HeldEvent, _ ids: Relinking, _ emission: Emission,
    _ batch: OutputBatch, isSilent: Bool
  ) -> Bool {
    var staged = StagedRows()
    var change = RowChange(time: emission.time, mark: mark(held.position), isTakenBack: true)
    bench.slots[ids.slot] = ids.old
    for index in work.clauses.indices {
      if !work.clauses.lend(index, { run($0, change, &staged) }) { return false }
    }
    if let new = ids.new {
      change.isTakenBack = false
      bench.slots[ids.slot] = new
      for index in work.clauses.indices {
        if !work.clauses.lend(index, { run($0, change, &staged) }) { return false }
      }
    }
    settle(&staged)
    if ids.new == nil {
      if !publishLeft(&staged, emission, batch) { return false }
    } else if publish(&staged, emission, batch) == .failed {
      return false
    }
    if !correct(work, held, ids, emission, batch) { return false }
    if !work.handovers.isEmpty, !handOn(work, held, ids, emission, isSilent: isSilent) {
      return false
    }
    _ = keepRows(staged)
    return true
  }

  /// Hands on that the event is not what it was, and then what it is; false: it failed, and nothing
  /// was.
  private func handOn(
    _ work: WorkPlan, _ held: HeldEvent, _ ids: Relinking, _ emission: Emission, isSilent: Bool
  ) -> Bool {
    func stage(_ id: Value?) -> ContiguousArray<StagedHandover>? {
      handovers.removeAll(keepingCapacity: true)
      guard let id else { return handovers }
      bench.slots[ids.slot] = id
      return stageHandovers(work) ? handovers : nil
    }
    guard let old = stage(ids.old), let new = stage(ids.new) else { return false }
    for (all, id, isTakenBack) in [(old, ids.old, true), (new, ids.new ?? .absent, false)] {
      bench.slots[ids.slot] = id
      handovers = all
      handOn(
        held.event, work, at: held.position, recordedMs: held.recordedMs, isSilent: isSilent,
        JournalCorrection(
          round: isTakenBack ? held.round : held.round + 1, isTakenBack: isTakenBack,
          recordedMs: emission.recordedMs))
    }
    return true
  }

  /// Publishes rows that something was taken from. One that may not be shown as it is now is taken
  /// back from where it is published.
  func publishLeft(
    _ staged: inout StagedRows, _ emission: Emission, _ batch: OutputBatch
  ) -> Bool {
    for index in 0..<staged.count {
      let entry = batch.count
      let byte = batch.bytes.count
      guard publish(index, &staged, emission, batch) == .failed else { continue }
      _ = bench.takeFault()
      batch.truncate(toEntry: entry, byte: byte)
      let row = staged[index]
      let withdrawn = tables.lend(row.table) { withdraw(row, $0, emission, batch) }
      if case .failed = withdrawn { return false }
      rows.replace(at: row.bytes.lowerBound, uint32: 0)
    }
    return true
  }

  /// Rows that are as they were are not published again.
  func settle(_ staged: inout StagedRows) {
    for index in 0..<staged.count {
      var row = staged[index]
      let old = state.get(Spaces.table(row.table), keys[row.key])
      if row.isDeleted {
        row.isChanged = old != nil
        row.isDirty = old != nil
      } else if let old {
        let new = rows[row.bytes]
        row.isDirty = old != new
        let isSame = tables.lend(row.table) { $0.layout.showsSame(old, new) }
        row.isChanged = !isSame
      }
      staged[index] = row
    }
  }

  /// Publishes at event ports what an event made under the old id as taken back, and what it makes
  /// under the new one, but where both are the same. What stands then is in the bench's `made`.
  private func correct(
    _ work: WorkPlan, _ held: HeldEvent, _ ids: Relinking, _ emission: Emission,
    _ batch: OutputBatch
  ) -> Bool {
    var known = ByteReader(held.made)
    bench.made.clear()
    for index in work.ports.indices {
      let old = MadeRecords(code: known.varint() ?? 0)
      let now = work.ports.lend(index) { port in
        port.branch.identity == held.identity
          ? correct(port, old, held, ids, emission, batch) : old
      }
      guard let now else { return false }
      bench.made.append(varint: now.code)
    }
    return true
  }

  /// Nil: it failed.
  private func correct(
    _ port: EventPortPlan, _ old: MadeRecords, _ held: HeldEvent, _ ids: Relinking,
    _ given: Emission, _ batch: OutputBatch
  ) -> MadeRecords? {
    let ordinal = Int(port.port.ordinal)
    let sequence = bench.headers.sequence(ofPort: ordinal)
    let (first, byte) = (batch.count, batch.bytes.count)
    var emission = given
    if old.isThere {
      bench.slots[ids.slot] = ids.old
      emission.correction = .retract(
        held.position, round: old.round, shift: old.first - (sequence + 1))
      if case .failed = bench.emit(port, emission, to: batch) { return nil }
    }
    guard let new = ids.new else { return MadeRecords.none }
    let middle = batch.count
    let made = MadeRecords(
      round: held.round + 1, first: bench.headers.sequence(ofPort: ordinal) + 1)
    bench.slots[ids.slot] = new
    emission.correction = .assert
    switch bench.emit(port, emission, to: batch) {
    case .failed: return nil
    case .nothing: return MadeRecords.none
    case .record: break
    }
    if batch.count - middle == middle - first,
      (first..<middle).allSatisfy({ batch.areAlike($0, $0 + middle - first) })
    {
      batch.truncate(toEntry: first, byte: byte)
      bench.headers.forget(port: ordinal, behind: sequence)
      return old
    }
    return made
  }
}

extension OutputBatch {
  /// Whether two records have the same key and value.
  func areAlike(_ left: Int, _ right: Int) -> Bool {
    let (one, other) = (self[left], self[right])
    guard one.hasKey == other.hasKey, bytes[one.key] == bytes[other.key] else { return false }
    switch (one.value, other.value) {
    case (nil, nil): return true
    case (let one?, let other?): return bytes[one] == bytes[other]
    default: return false
    }
  }
}
