import Formats
import Records
import State

// Events that wait, and that go on when what they wait for has come.
extension Apply {
  /// Applies events that have waited for the event at `position`, in their order, until none is
  /// left; an answer when the caller has to do something first. Those that wait for a link come
  /// before those of a key, as the link may be what one of these has brought.
  /// - Parameter recordedMs: when the event at `position` was taken in.
  func goOn(
    at position: Position, recordedMs: Int64, _ batch: OutputBatch, isSilent: Bool
  ) -> Applied? {
    while true {
      if holding.releases { holding.begin(at: position) }
      if holding.isReleasing(at: position) {
        let answer = release(
          at: position, recordedMs: recordedMs, batch, isSilent: isSilent)
        if let answer { return answer }
      }
      guard let event = blocked.next(in: state) else { return nil }
      if blocked.isWaiting(event, in: state) {
        let answer = goOn(.waited(event), event, at: position, batch, isSilent: isSilent)
        if let answer { return answer }
      } else if !isSilent, event.isCounted {
        counted.held -= 1
      }
      blocked.drop(event, in: state)
    }
  }

  /// Whether what waited for the event at `position` has not all gone on yet.
  func isGoingOn(at position: Position) -> Bool {
    holding.isReleasing(at: position) || blocked.isGoingOn(at: position)
  }

  private func goOn(
    _ coming: Coming, _ event: HeldEvent, at position: Position, _ batch: OutputBatch,
    isSilent: Bool
  ) -> Applied? {
    if let answer = makeRoom(batch, at: position, isSilent: isSilent) { return answer }
    let result = apply(
      event.event, at: event.position, recordedMs: event.recordedMs, batch: batch,
      isSilent: isSilent, coming)
    bench.onlyIdentity = -1
    if case .applied = result { return nil }
    return result
  }

  /// Asks for a batch that is full to be published; of a silent one nobody wants anything.
  func makeRoom(_ batch: OutputBatch, at position: Position, isSilent: Bool) -> Applied? {
    if !batch.isFull { return nil }
    if !isSilent { return .full(next: position.index) }
    batch.clear()
    return nil
  }

  /// Has all go on that has waited for the link at `position`, and brings under the new global id
  /// what went out under another.
  private func release(
    at position: Position, recordedMs: Int64, _ batch: OutputBatch, isSilent: Bool
  ) -> Applied? {
    let global = holding.releasedGlobal(in: state)
    while let event = holding.next(in: state) {
      let answer =
        event.isOut
        ? relinkHeld(
          event, to: global, at: position, recordedMs: recordedMs, batch, isSilent: isSilent)
        : goOn(.linked(event), event, at: position, batch, isSilent: isSilent)
      if let answer { return answer }
      holding.drop(in: state)
    }
    if plan.repairs {
      let answer = repair(
        to: global, at: position, recordedMs: recordedMs, batch, isSilent: isSilent)
      if let answer { return answer }
    }
    holding.end()
    return nil
  }

  // MARK: Behind one in quarantine

  /// Finds the key of the event at hand, behind which others may wait, or it behind them. An event
  /// that brings nothing but a link does neither: what is in quarantine may need it. False: it has
  /// none, though ingest found one.
  func noteKey(_ work: WorkPlan, _ event: JournalEvent) -> Bool {
    let isLinkAlone =
      work.clauses.isEmpty && work.ports.isEmpty && work.handovers.isEmpty && work.joins.isEmpty
    if isLinkAlone {
      blocked.setKey(nil)
      return true
    }
    let start = keys.count
    guard let key = journalKey(work.key, event) else { return false }
    blocked.setKey(key)
    keys.truncate(to: start)
    return true
  }

  /// Whether the event at hand has to wait behind another of its key.
  func waits(_ coming: Coming, _ event: JournalEvent) -> Bool {
    switch coming {
    case .first, .linked: blocked.isBlocked(notBy: nil, in: state)
    case .released: blocked.isBlocked(notBy: event, in: state)
    case .waited: false
    }
  }

  /// Has it wait, whole or what of it has waited for a link.
  func wait(
    _ event: JournalEvent, _ work: WorkPlan, _ coming: Coming, at position: Position,
    recordedMs: Int64
  ) {
    blocked.wait(
      HeldEvent(
        event: event, position: position, recordedMs: recordedMs,
        isCounted: coming.held?.isCounted ?? work.counts, identity: coming.identity), in: state)
  }
}
