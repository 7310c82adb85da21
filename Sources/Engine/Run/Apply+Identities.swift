import Formats
import Product
import Records
import State

// Global ids: found in the links that have come, waited for where there is none.
extension Apply {
  /// How many events wait for links, by identifier; of those that any event has asked for.
  package var held: [Held] {
    plan.definition.identifiers.indices.compactMap { identifier in
      let total = holding.total(identifier, in: state)
      let asked = holding.asked(identifier, in: state)
      if asked == 0 { return nil }
      return Held(
        identifier: plan.definition.identifiers[identifier].name, count: total.count, asked: asked,
        sinceMs: total.sinceMs)
    }
  }

  /// Counts the event at hand, which has come for the first time, as one that is identified.
  func countAsked(_ work: WorkPlan) {
    let ways = bench.passed | bench.held
    for index in work.identities.indices where ways & 1 << UInt64(index) != 0 {
      holding.ask(work.identities[index].identifier)
    }
  }

  /// Finds the global ids of the event at hand. False: it failed.
  func identify(_ work: WorkPlan, _ coming: Coming) -> Bool {
    bench.unmapped = 0
    bench.onlyIdentity = coming.identity ?? -1
    for index in work.identities.indices {
      let isFound = work.identities.lend(index) { identity -> Bool? in
        let local = identity.local.evaluate(bench.frame)
        if local.kind != .string {
          if local.isError { bench.fail(identity.local.fault(local)) }
          return local.isError ? nil : false
        }
        holding.setKey(identity.identifier, identity.system.view, local.view)
        guard let global = holding.global(in: state) else {
          bench.slots[identity.slot] = .absent
          return false
        }
        bench.slots[identity.slot] = .string(arena.copy(global))
        return true
      }
      guard let isFound else { return false }
      if !isFound { bench.unmapped |= 1 << UInt64(index) }
    }
    return true
  }

  enum Linked { case kept, known, failed }

  /// Keeps the links of the event at hand.
  func keepLink(_ work: WorkPlan) -> Linked {
    var result = Linked.known
    for index in work.links.indices {
      let linked = work.links.lend(index) { link -> Linked in
        if !link.isWanted(bench.frame) { return .known }
        let local = link.local.evaluate(bench.frame)
        let global = link.global.evaluate(bench.frame)
        guard local.kind == .string, global.kind == .string, !global.view.isEmpty else {
          bench.failLink(link, local, global)
          return .failed
        }
        let system = link.system.evaluate(bench.frame)
        holding.setKey(link.identifier, system.view, local.view)
        let time = bench.slots[Variable.time].timestamp
        return holding.link(to: global.view, at: time, in: state) ? .kept : .known
      }
      switch linked {
      case .kept: result = .kept
      case .known: break
      case .failed: return .failed
      }
    }
    return result
  }

  /// Has the event at hand wait for every link that its branches have asked for.
  func hold(
    _ event: JournalEvent, _ work: WorkPlan, at position: Position, recordedMs: Int64,
    isCounted: Bool
  ) {
    for index in work.identities.indices where bench.held & 1 << UInt64(index) != 0 {
      work.identities.lend(index) { identity in
        let local = identity.local.evaluate(bench.frame)
        holding.setKey(identity.identifier, identity.system.view, local.view)
      }
      holding.hold(
        HeldEvent(
          event: event, position: position, recordedMs: recordedMs, isCounted: isCounted,
          identity: index),
        in: state)
    }
  }
}

extension Workbench {
  /// Fails an event whose id has no link and that may not wait for one.
  func failUnmapped(_ identity: IdentityPlan) {
    let local = RunFault.shortened(identity.local.evaluate(frame).view)
    fail(
      RunFault(
        reason: "unmapped",
        message: "`\(local)` of `\(identity.system.view.text)` is linked to no "
          + "`\(identity.name)`", place: ""))
  }

  func failLink(_ link: LinkPlan, _ local: Value, _ global: Value) {
    if local.isError { return fail(link.local.fault(local)) }
    if global.isError { return fail(link.global.fault(global)) }
    fail(
      RunFault(
        reason: "missing-key", message: "a link to `\(link.name)` has no id", place: ""))
  }
}
