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

  private let state: PartitionState
  private var counted = Counts()
  private let bench: Workbench
  /// The largest recorded time of a block so far, in milliseconds: the clock of horizons. It is
  /// kept in the state, and so goes back with it.
  private var clockMs: Int64 = 0

  package init(_ plan: ProductPlan, journal: Int, partition: Partition, state: PartitionState) {
    self.plan = plan
    self.journal = journal
    self.partition = partition
    self.state = state
    bench = plan.workbench
  }

  package func clearCounts() { counted = Counts() }

  /// The state was rolled back. All that apply remembers between events stands in the state, so
  /// there is nothing more to do.
  package func rolledBack() {}

  /// Applies the block that lies at `offset` of the journal partition, within a turn of the state.
  /// With a batch, output is appended to it and events are counted; with nil it is re-applied
  /// silently. When the answer is not `.applied`, the caller takes the turn back: rows of the block
  /// may be changed and records of it be in the batch.
  package func apply(bytes: ByteView, at offset: Offset, publishing: OutputBatch?) -> Applied {
    let block: JournalBlock
    do {
      block = try JournalBlock(bytes)
    } catch {
      return .unreadable("\(error.message) (at byte \(error.offset))")
    }
    return apply(block, at: offset, publishing: publishing)
  }

  /// As ``apply(bytes:at:publishing:)``, for a block that the caller has read.
  package func apply(_ block: JournalBlock, at offset: Offset, publishing: OutputBatch?) -> Applied
  {
    if block.kind != .events { return .unreadable("the block is not one of events") }
    if block.digest != plan.logicDigest { return .otherLogic }
    setClock(block.recordedMs)
    let batch = publishing ?? bench.discarded
    var events = block.events
    var index: UInt32 = 0
    while true {
      do {
        if try !events.next() { break }
      } catch {
        return .unreadable("\(error.message) (at byte \(error.offset))")
      }
      let result = apply(
        events.event, at: Position(block: offset, index: index), recordedMs: block.recordedMs,
        batch: batch, isSilent: publishing == nil)
      if case .applied = result {} else { return result }
      index += 1
    }
    if publishing == nil { batch.clear() }
    return .applied
  }

  private func setClock(_ recordedMs: Int64) {
    let row = state.upsert(Spaces.clock, .empty, length: 8).row
    clockMs = max(row.int64(at: 0), recordedMs)
    row.set(int64: clockMs, at: 0)
    for index in plan.inputs.indices {
      guard let horizon = plan.inputs[index].horizonMs else { continue }
      let space = Spaces.ids(ofInput: index, tables: plan.tables.count)
      state.forget(space, before: clockMs &- horizon)
    }
  }

  // MARK: One event

  private enum Outcome { case applied, filtered, redelivered, failed, unreadable }

  private func apply(
    _ event: JournalEvent, at position: Position, recordedMs: Int64, batch: OutputBatch,
    isSilent: Bool
  ) -> Applied {
    guard plan.inputs.indices.contains(event.input) else {
      return .unreadable("an event names input \(event.input), which the product does not have")
    }
    let input = plan.inputs[event.input]
    let entry = batch.count
    let byte = batch.bytes.count
    bench.begin()
    bench.rows.clear()
    let number = bench.read(event.payload, of: input)
    guard number >= 0, let work = input.events[number].work[journal]
    else {
      _ = bench.takeFault()
      return .unreadable("event \(position.index) is none that ingest would have journaled")
    }
    let outcome = run(
      event, input, input.events[number], work, at: position, recordedMs: recordedMs, batch: batch)
    if case .failed = outcome {
      batch.truncate(toEntry: entry, byte: byte)
      let origin = Origin(
        input: input, partition: event.partition, offset: event.offset, key: event.key,
        value: event.payload, recordedMs: recordedMs)
      let fault = bench.takeFault()
      if !isSilent && (plan.stopsOnError || fault.stops) { return .stop(fault.stop(origin)) }
      batch.appendQuarantined(origin, fault, limit: plan.limits.quarantineBytesMax)
    } else if case .unreadable = outcome {
      _ = bench.takeFault()
      return .unreadable("event \(position.index) has no key, though ingest found one")
    }
    if !isSilent && work.counts { count(outcome) }
    return .applied
  }

  private func count(_ outcome: Outcome) {
    switch outcome {
    case .applied: counted.applied += 1
    case .filtered: counted.filtered += 1
    case .redelivered: counted.redelivered += 1
    case .failed: counted.quarantined += 1
    case .unreadable: break
    }
  }

  private func run(
    _ event: JournalEvent, _ input: InputPlan, _ type: EventPlan, _ work: WorkPlan,
    at position: Position, recordedMs: Int64, batch: OutputBatch
  ) -> Outcome {
    let keepsContract = bench.decoder.read(type.decode.shape)
    let time = event.time ?? Timestamp(milliseconds: recordedMs)
    bench.setVariables(
      time: time, recordedMs: recordedMs, key: event.key, topic: input.topic.view,
      partition: event.partition, offset: event.offset)
    guard let key = journalKey(work.key, event) else { return .unreadable }
    // What breaks its contract is seen all the same: its redelivery has no effect either.
    if let id = event.id, input.horizonMs != nil, !isFirst(id, key, event.input) {
      return .redelivered
    }
    if !keepsContract {
      bench.failContract(type)
      return .failed
    }
    if !bench.isDue(time, recordedMs: recordedMs, futureMsMax: plan.futureMsMax) { return .failed }
    var staged = StagedRows()
    for index in work.clauses.indices {
      if !run(work.clauses[index], time, &staged) { return .failed }
    }
    let emission = Emission(
      sourceKey: event.key, partition: partition, recordedMs: recordedMs,
      time: time, identity: .position(position), bytesMax: plan.limits.outputBytesMax)
    var isApplied = false
    for index in 0..<staged.count {
      switch publish(index, &staged, emission, batch) {
      case .record: isApplied = true
      case .nothing: break
      case .failed: return .failed
      }
    }
    for index in work.ports.indices {
      switch bench.emit(work.ports[index], emission, to: batch) {
      case .record: isApplied = true
      case .nothing: break
      case .failed: return .failed
      }
    }
    if keepRows(staged) { isApplied = true }
    return isApplied ? .applied : .filtered
  }

  /// The key under which the event was journaled; lent by the bench's keys or the event.
  private func journalKey(_ key: KeyPlan, _ event: JournalEvent) -> ByteView? {
    if key.isSource { return event.key }
    let keys = bench.keys
    let start = keys.count
    if !bench.appendKey(key.parts, to: keys) { return nil }
    return keys[start..<keys.count]
  }

  /// Remembers the event; false when it was seen before under the same key.
  private func isFirst(_ id: ByteView, _ key: ByteView, _ input: Int) -> Bool {
    let keys = bench.rows
    let start = keys.count
    keys.append(varint: UInt64(key.count))
    keys.append(key)
    keys.append(id)
    let space = Spaces.ids(ofInput: input, tables: plan.tables.count)
    let isFirst = state.remember(space, keys[start..<keys.count], recordedMs: clockMs)
    keys.truncate(to: start)
    return isFirst
  }

  // MARK: Rows

  /// Runs the event at hand through one clause of a table; false: it failed.
  private func run(_ clause: ClausePlan, _ time: Timestamp, _ staged: inout StagedRows) -> Bool {
    switch bench.follow(clause.branch) {
    case .on: break
    case .out: return true
    case .failed: return false
    }
    let keys = bench.keys
    let keyStart = keys.count
    if !bench.appendKey(clause.key, to: keys) { return false }
    let keyRange = keyStart..<keys.count
    let known =
      staged.count == 0
      ? -1 : staged.index(ofTable: clause.table.ordinal, key: keys[keyRange], in: keys)
    var row: StagedRows.Row
    if known >= 0 {
      row = staged[known]
      load(known, &staged)
    } else {
      row = begin(clause, keyRange, &staged)
    }
    var isTouched = known >= 0
    let slots = bench.rowSlots
    for index in clause.updates.indices {
      switch bench.update(clause, index, time, slots) {
      case .out: break
      case .failed: return false
      case .touched: isTouched = true
      case .dirty:
        isTouched = true
        row.isDirty = true
      case .changed:
        isTouched = true
        row.isDirty = true
        row.isChanged = true
      }
    }
    if !isTouched {
      // No update's condition held: the row does not come to be.
      keys.truncate(to: keyStart)
      return true
    }
    write(row, clause.table, known, &staged)
    return true
  }

  /// Brings the row of a key from the state, or a new one, to the row frame.
  private func begin(_ clause: ClausePlan, _ key: Range<Int>, _ staged: inout StagedRows)
    -> StagedRows.Row
  {
    let table = clause.table
    let slots = bench.rowSlots
    bench.loadKey(clause, slots)
    staged.setCurrent(-1)
    let rowStart = bench.rows.count
    var isNew = false
    if let old = state.get(Spaces.table(table.ordinal), bench.keys[key]) {
      bench.rows.append(uint32: old.uint32(at: 0))
      table.layout.read(old, into: slots, from: table.columnSlot, arena: bench.arena)
    } else {
      isNew = true
      bench.rows.append(uint32: 0)
      bench.clearRow(table, slots)
    }
    return StagedRows.Row(
      table: table.ordinal, key: key, bytes: rowStart..<bench.rows.count,
      parts: bench.keepKey(table, slots), isChanged: isNew, isDirty: isNew)
  }

  /// Brings a staged row back to the row frame.
  private func load(_ index: Int, _ staged: inout StagedRows) {
    if staged.current == index { return }
    let row = staged[index]
    let table = plan.tables[row.table]
    let slots = bench.rowSlots
    for part in 0..<row.parts.count { slots[TablePlan.keySlot + part] = row.parts[part] }
    // A copy, as writing a row ends what the rows lend.
    let bytes = bench.arena.copy(bench.rows[row.bytes])
    table.layout.read(bytes, into: slots, from: table.columnSlot, arena: bench.arena)
    bench.setRow(table, slots)
    staged.setCurrent(index)
  }

  /// Writes the row of the row frame behind those that are staged.
  private func write(
    _ given: StagedRows.Row, _ table: TablePlan, _ known: Int, _ staged: inout StagedRows
  ) {
    var row = given
    let flags = bench.rows[row.bytes].uint32(at: 0)
    let start = bench.rows.count
    table.layout.write(bench.rowSlots, from: table.columnSlot, flags: flags, into: bench.rows)
    row.bytes = start..<bench.rows.count
    if known >= 0 {
      staged[known] = row
      staged.setCurrent(known)
    } else {
      staged.append(row)
      bench.setRow(table, bench.rowSlots)
    }
  }

  /// Publishes a staged row at the table's state ports, when what it shows has changed.
  private func publish(
    _ index: Int, _ staged: inout StagedRows, _ emission: Emission, _ batch: OutputBatch
  ) -> Workbench.Emitted {
    let row = staged[index]
    let table = plan.tables[row.table]
    if !row.isChanged || table.statePorts.isEmpty { return .nothing }
    load(index, &staged)
    bench.setRowVariables(emission)
    var flags = bench.rows[row.bytes].uint32(at: 0)
    var result = Workbench.Emitted.nothing
    for number in table.statePorts.indices {
      let port = table.statePorts[number]
      var isPublished = flags & port.bit != 0
      switch bench.emit(
        port, key: bench.keys[row.key], isPublished: &isPublished, emission, to: batch)
      {
      case .record: result = .record
      case .nothing: break
      case .failed: return .failed
      }
      flags = isPublished ? flags | port.bit : flags & ~port.bit
    }
    bench.rows.replace(at: row.bytes.lowerBound, uint32: flags)
    return result
  }

  /// Puts the staged rows into the state; whether there was anything to put.
  private func keepRows(_ staged: StagedRows) -> Bool {
    var isAny = false
    for index in 0..<staged.count {
      let row = staged[index]
      if !row.isDirty { continue }
      isAny = true
      state.put(
        Spaces.table(row.table), bench.keys[row.key], bench.rows[row.bytes])
    }
    return isAny
  }
}
