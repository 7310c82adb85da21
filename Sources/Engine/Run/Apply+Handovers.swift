import Formats
import Records
import State

/// An event on its way to a chained journal, once all else that comes of it has succeeded.
struct StagedHandover {
  let journal: Int
  /// Place of what it was identified by in the work's identities.
  let identity: Int
  /// Where the chained journal's key stands in the bench's keys.
  let key: Range<Int>
}

// Chained journals: events that go on to one, and events that have come by one.
extension Apply {
  /// Takes the event at hand along the ways to chained journals; false: it failed. To one journal
  /// it goes once for each id that it is known by, however many of that one's tables want it.
  func stageHandovers(_ work: WorkPlan) -> Bool {
    for index in work.handovers.indices {
      if !work.handovers.lend(index, { stage($0) }) { return false }
    }
    return true
  }

  private func stage(_ handover: HandoverPlan) -> Bool {
    switch bench.follow(handover.branch) {
    case .on: break
    case .out, .held: return true
    case .failed: return false
    }
    let identity = handover.branch.identity
    if handovers.contains(where: { $0.journal == handover.journal && $0.identity == identity }) {
      return true
    }
    let start = keys.count
    if !bench.appendKey(handover.key, to: keys) { return false }
    let global = handover.branch.identityPlan.map { $0.global(bench.slots).count } ?? 0
    let size = max(keys.count - start, global)
    if size > Ingest.keyBytesMax {
      bench.failSize(ofHandedKey: size)
      return false
    }
    handovers.append(
      StagedHandover(journal: handover.journal, identity: identity, key: start..<keys.count))
    return true
  }

  /// Hands the event at hand on, unless it is applied again silently: then that was done before.
  /// - Parameter correction: what it says of what was handed on before; nil: nothing was.
  func handOn(
    _ event: JournalEvent, _ work: WorkPlan, at position: Position, recordedMs: Int64,
    isSilent: Bool, _ correction: JournalCorrection? = nil
  ) {
    if isSilent { return }
    guard let chained else { return }
    for handover in handovers {
      work.identities.lend(handover.identity) { identity in
        var handed = event
        identifiers.clear()
        identifiers.appendJournalIdentifier(identity.identifier, identity.global(bench.slots))
        handed.identifiers = identifiers.view
        handed.origin = JournalOrigin(
          journal: journal, way: identity.way, partition: partition, position: position,
          recordedMs: recordedMs, correction: correction)
        chained.append(handed, to: handover.journal, key: keys[handover.key], blockMs: blockMs)
      }
    }
  }

  /// Has the event at hand known by the id under which it was handed on; false: it bears none that
  /// this journal's tables and ports ask for.
  func recall(_ event: JournalEvent, _ origin: JournalOrigin, _ work: WorkPlan) -> Bool {
    bench.unmapped = 0
    for index in work.identities.indices {
      let isFound = work.identities.lend(index) { identity in
        if identity.way != origin.way { return false }
        var known = JournalIdentifiers(event.identifiers)
        while let entry = known.next() {
          if entry.identifier != identity.identifier { continue }
          // No global id is empty: it went on before it was known.
          bench.slots[identity.slot] =
            entry.global.isEmpty ? .absent : .string(arena.copy(entry.global))
          bench.onlyIdentity = index
          return true
        }
        return false
      }
      if isFound { return true }
    }
    return false
  }
}

extension Workbench {
  /// Fails an event whose key or id is too large for the journal that it would go on to.
  fileprivate func failSize(ofHandedKey size: Int) {
    fail(
      RunFault(
        reason: "key-too-large",
        message: "the event's key by what identifies it takes \(size) bytes, more than "
          + "\(Ingest.keyBytesMax)", place: ""))
  }
}
