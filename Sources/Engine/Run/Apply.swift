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
  var counted = Counts()
  let bench: Workbench
  // The plan's and the bench's, here as well as they are used for each event (README.md,
  // "References").
  let inputs: Lent<InputPlan>
  let tables: Lent<TablePlan>
  let changes: Lent<ChangePlan>
  let joins: Lent<JoinPlan>
  let keys: ByteBuffer
  let rows: ByteBuffer
  let arena: Arena
  let holdsKeys: Bool
  /// Takes what goes on to chained journals; nil: nobody wants it.
  let chained: ChainedBlocks?

  // MARK: What is kept in the state

  /// The largest recorded time of a block so far, in milliseconds: the clock of horizons. It is
  /// kept in the state, and so goes back with it.
  private(set) var recordedClockMs: Int64 = 0
  /// How far actual time has come, while a block is applied.
  let clock: PartitionClock
  /// Whether anything asks for it.
  let isClocked: Bool
  let schedule: Schedule
  /// Where tables have sessions.
  let sessions: OpenSessions
  /// Events that wait for links, and their release.
  let holding = Holding()
  /// Events that a link which changes is to repair.
  let history = History()
  /// Events that wait behind one of their key that is in quarantine.
  let blocked = BlockedKeys()

  // MARK: Of the block at hand

  /// Its recorded time.
  private(set) var blockMs: Int64 = 0
  /// How many rows the state had asked its store for before the last block, and its events.
  var lastBlock = (asked: 0, events: 0)
  /// How many rows and ids were named to be read ahead, and how many events have asked for.
  var ahead = (named: 0, wanted: 0)

  // MARK: Of the event at hand

  /// How long it is kept for repairs, where it is brought under another global id; below 0: not.
  var relinkedKeptMs: Int64 = -1
  /// What came of it.
  var outcome = Outcome.applied
  /// The record that it is or takes back, of an input whose records may be.
  var corrected: Corrected?
  /// Where another journal has it, which has handed it on and may take it back.
  var handed: JournalOrigin?
  /// What it adds to sides of joins.
  var sides: ContiguousArray<StagedSide> = []
  /// Its ways to chained journals.
  var handovers: ContiguousArray<StagedHandover> = []
  /// The id by which it is handed on.
  let identifiers = ByteBuffer(capacity: 128)

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
    sessions = OpenSessions(state)
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

  // MARK: Blocks

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
    // Once a block, however often the caller comes back to it.
    if first == 0, !isGoingOn(at: Position(block: offset, index: 0)) {
      holding.forgetAsked()
      if plan.repairs { history.forget(at: recordedClockMs, in: state) }
    }
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
      if index == first, isGoingOn(at: position) {
        // The event itself was applied; what has waited for it was not all of it.
        let answer = goOn(
          at: position, recordedMs: block.recordedMs, batch, isSilent: publishing == nil)
        if let answer { return answer }
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
        let answer = goOn(
          at: position, recordedMs: block.recordedMs, batch, isSilent: publishing == nil)
        if let answer { return answer }
      }
      index += 1
    }
    holding.keepAsked(in: state)
    if publishing == nil { batch.clear() }
    return .applied
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

  /// How many of the state's rows are there for time: clocks, what falls due, which sessions there
  /// are, and what sides of joins keep until then; and to tell how many events are identified.
  package var innerRowCount: Int {
    let own = [Spaces.clock, Spaces.schedule].count { state.get($0, .empty) != nil }
    let ofJoins = state.get(Spaces.joins, .empty) == nil ? 0 : 1 + sideCount
    let ofSessions = state.get(Spaces.sessions, .empty) == nil ? 0 : 1 + sessions.keyCount
    let ofTime = (clock.isStored(in: state) ? 1 : 0) + schedule.count
    return own + held.count + ofTime + ofSessions + ofJoins
  }
}
