import Formats
import Records
import State

/// Rows on disk that the events of a block will ask for, read together and beside the loop, which
/// works on what comes before meanwhile. Nothing else depends on it.
extension Apply {
  /// Fewer are as quickly read one by one.
  private static let eventsMin = 4
  /// One event in so many has to want something of the disk for it to pay to find the keys twice.
  private static let eventsForOne = 8

  /// So many rows may be read ahead more than twice those that events then asked for, of about the
  /// last so many.
  private static let namedInVain = 10_000
  private static let remembered = 100_000

  /// Says that a block will be applied soon: what it will ask for is read from now on. About a
  /// microsecond an event, and nothing where the rows are in memory anyway.
  package func expect(bytes: ByteView) {
    if !pays || !state.hasRoomAhead { return }
    // One that cannot be read is found by whoever applies it.
    guard let block = try? JournalBlock(bytes), !state.isReadingAhead(block.tag) else { return }
    expect(block)
  }

  /// Whether what an expected block asks for is yet to be read: who applies it now waits.
  package func isOutstanding(bytes: ByteView) -> Bool {
    guard state.readsAhead, let block = try? JournalBlock(bytes) else { return false }
    return state.isOutstanding(block.tag)
  }

  /// Has what a block asks for in memory, as far as that was or is worth reading together.
  func readAhead(_ block: JournalBlock) {
    if state.finishReadAhead(block.tag) || !pays || !state.hasRoomAhead { return }
    expect(block)
    state.finishReadAhead(block.tag)
  }

  private var pays: Bool {
    state.readsAhead
      && Apply.eventsForOne * (state.rowsAsked - lastBlock.asked) >= lastBlock.events
      && ahead.named <= 2 * ahead.wanted + Apply.namedInVain
  }

  private func expect(_ block: JournalBlock) {
    if block.kind != .events || block.count < Apply.eventsMin { return }
    lastBlock = (state.rowsAsked, block.count)
    var events = block.events
    while (try? events.next()) == true {
      let event = events.event
      guard inputs.indices.contains(event.input) else { break }
      inputs.lend(event.input) { expect(event, $0, recordedMs: block.recordedMs) }
    }
    let before = state.rowsNamed
    state.startReadAhead(block.tag)
    ahead.named += state.rowsNamed - before
    if max(ahead.named, ahead.wanted) > Apply.remembered {
      ahead = (ahead.named / 2, ahead.wanted / 2)
    }
  }

  /// Names the rows and the id of an event. What cannot be read, or has no key, asks for none.
  private func expect(_ event: JournalEvent, _ input: InputPlan, recordedMs: Int64) {
    bench.begin()
    let number = bench.read(event.payload, of: input, .intake)
    if number < 0 {
      _ = bench.takeFault()
      return
    }
    if event.origin != nil {
      input.events.lend(number) { $0.work.lend(journal) { expectHanded(event, $0) } }
      return
    }
    input.events.lend(number) { type in
      for index in type.journals.indices {
        type.journals.lend(index) {
          if $0.journal == journal { expect(event, input, type, $0.key, recordedMs: recordedMs) }
        }
      }
    }
  }

  private func expect(
    _ event: JournalEvent, _ input: InputPlan, _ type: EventPlan, _ key: KeyPlan, recordedMs: Int64
  ) {
    if type.keysReadVariables {
      bench.setVariables(
        time: event.time ?? Timestamp(milliseconds: recordedMs), recordedMs: recordedMs,
        key: event.key, topic: input.topic.view, partition: event.partition, offset: event.offset)
    }
    if key.isSource {
      guard let key = event.key else { return }
      keys.append(key)
    } else if !bench.appendKey(key, to: keys) {
      _ = bench.takeFault()
      return
    }
    type.work.lend(journal) { expect(event, input, $0, key, 0..<keys.count) }
  }

  /// Names the rows of a handed event whose key is its global id.
  private func expectHanded(_ event: JournalEvent, _ work: WorkPlan) {
    var known = JournalIdentifiers(event.identifiers)
    guard !work.globalKey.isEmpty, let global = known.next()?.global else { return }
    for index in work.clauses.indices {
      work.clauses.lend(index) {
        if $0.key.texts == work.globalKey {
          state.expectRow(Spaces.table($0.table.ordinal), global)
        }
      }
    }
  }

  /// - Parameter bytes: where the journal's key stands in the bench's keys.
  private func expect(
    _ event: JournalEvent, _ input: InputPlan, _ work: WorkPlan, _ key: KeyPlan,
    _ bytes: Range<Int>
  ) {
    var last = -1
    for index in work.clauses.indices {
      work.clauses.lend(index) { clause in
        let table = clause.table.ordinal
        // A key of more parts needs all of the document.
        if table == last || clause.key.texts != key.texts { return }
        last = table
        state.expectRow(Spaces.table(table), keys[bytes])
      }
    }
    for index in work.lookedUp.indices {
      state.expectRow(Spaces.table(work.lookedUp[index]), keys[bytes])
    }
    guard let id = event.id else { return }
    let space = Spaces.ids(ofInput: event.input, tables: tables.count)
    rows.clear()
    appendId(id, keys[bytes], to: rows)
    if input.corrects {
      state.expectRow(space, rows.view)
    } else if input.horizonMs != nil {
      state.expectId(space, rows.view)
    }
  }
}
