import Formats
import Records
import State

// Events that wait, and that go on when what they wait for has come.
extension Apply {
  /// Applies events that have waited for the event at `position`, in their order, until none is
  /// left; an answer when the caller has to do something first. Those that wait for a link come
  /// before those of a key, as the link may be what one of these has brought.
  func goOn(at position: Position, _ batch: OutputBatch, isSilent: Bool) -> Applied? {
    while true {
      if holding.releases { holding.begin(at: position) }
      let linked = holding.isReleasing(at: position) ? holding.next(in: state) : nil
      guard let event = linked ?? blocked.next(in: state) else { return nil }
      if batch.isFull {
        if !isSilent { return .full(next: position.index) }
        batch.clear()
      }
      if linked == nil, !blocked.isWaiting(event, in: state) {
        if !isSilent, event.isCounted { counted.held -= 1 }
        blocked.drop(event, in: state)
        continue
      }
      let result = apply(
        event.event, at: event.position, recordedMs: event.recordedMs, batch: batch,
        isSilent: isSilent, linked == nil ? .waited(event) : .linked(event))
      bench.onlyIdentity = -1
      if case .applied = result {} else { return result }
      if linked == nil { blocked.drop(event, in: state) } else { holding.drop(in: state) }
    }
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
    // That finds out which link it was.
    if case .linked = coming { _ = identify(work, coming) }
    if case .released(let identity, _) = coming { bench.onlyIdentity = identity ?? -1 }
    blocked.wait(
      HeldEvent(
        event: event, position: position, recordedMs: recordedMs,
        isCounted: coming.held?.isCounted ?? work.counts,
        identity: bench.onlyIdentity < 0 ? nil : bench.onlyIdentity), in: state)
  }
}
