import Formats
import Product
import Records
import State

// What operators want done with quarantined events.
extension Apply {
  /// Releases or discards a quarantined event, once: a second control record of its place in
  /// quarantine has no effect, whoever wrote it and however late. What came of it goes to
  /// quarantine in the same transaction, so that whoever waits for it learns it there.
  func settle(
    _ control: JournalControl, _ event: JournalEvent, at position: Position, recordedMs: Int64,
    batch: OutputBatch, isSilent: Bool
  ) -> Applied {
    guard inputs.indices.contains(event.input) else {
      return .unreadable(
        "a control record names input \(event.input), which the product does not have")
    }
    if !isFirst(control, of: event) { return .applied }
    let result: SettlementRecord.Result
    switch control.action {
    case .discard:
      if !isSilent { countDiscarded() }
      result = .discarded
      if holdsKeys {
        blocked.discard(event, identity: control.identity, in: state)
        blocked.free(by: event, at: position, in: state)
      }
    case .admit, .release, .releaseHanded:
      let coming = Coming.released(
        identity: control.identity, isRemembered: control.action != .admit)
      let applied = apply(
        event, at: position, recordedMs: recordedMs, batch: batch, isSilent: isSilent, coming)
      guard case .applied = applied else { return applied }
      result = outcome.settlement
      if holdsKeys, !outcome.isFailure {
        blocked.free(by: event, at: position, in: state)
      }
    }
    batch.appendSettlement(
      control, event, result, journaled(position, .journal), input: inputs[event.input],
      recordedMs: recordedMs)
    return .applied
  }

  /// Where an event stands, for quarantine.
  func journaled(_ position: Position, _ extent: Extent) -> Origin.Journaled {
    Origin.Journaled(
      journal: plan.definition.journals[journal].name, partition: partition, position: position,
      extent: extent)
  }

  /// Remembers what was settled, for as long as the state is.
  private func isFirst(_ control: JournalControl, of event: JournalEvent) -> Bool {
    let start = rows.count
    defer { rows.truncate(to: start) }
    rows.append(int64: control.quarantine.value)
    // A quarantine topic that was deleted begins anew at 0.
    rows.append(varint: UInt64(event.input))
    rows.append(uint32: UInt32(bitPattern: event.partition.value))
    rows.append(int64: event.offset.value)
    let end = rows.count
    if state.get(Spaces.settled, rows[start..<end]) != nil { return false }
    rows.append(control.action.rawValue)
    state.put(Spaces.settled, rows[start..<end], rows[end..<rows.count])
    return true
  }
}

extension Apply.Outcome {
  fileprivate var isFailure: Bool {
    switch self {
    case .failed, .failedEverywhere, .unreadable, .foreign: true
    case .applied, .filtered, .redelivered, .held, .late: false
    }
  }

  fileprivate var settlement: SettlementRecord.Result {
    switch self {
    case .applied: .applied
    case .filtered: .filtered
    case .redelivered: .redelivered
    case .held: .held
    case .failed, .failedEverywhere, .late, .unreadable, .foreign: .quarantined
    }
  }
}
