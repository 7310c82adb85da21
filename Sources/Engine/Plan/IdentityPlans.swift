import Expressions
import Product
import Records

/// A global id that events of one type are to be known by, in one journal.
final class IdentityPlan {
  let identifier: Int
  let system: ByteBuffer
  let local: Term
  /// Where the global id goes; absent while there is no link.
  let slot: Int
  /// Events without a link are quarantined, or go on without a global id; else they wait.
  let rejects: Bool
  let isProvisional: Bool
  /// How far back a link that changes is repaired, in milliseconds of recorded time; below 0: not
  /// at all.
  let repairableMs: Int64
  /// For messages: the identifier's name.
  let name: String
  /// Its place in ``ProductDefinition/identifications(of:)``.
  let way: Int

  init(_ found: Identification, local: Term, slot: Int, way: Int) {
    self.way = way
    identifier = found.identifier
    system = ByteBuffer(capacity: 32)
    system.append(found.system)
    self.local = local
    self.slot = slot
    rejects = found.unmapped == .reject
    isProvisional = found.unmapped == .provisional
    repairableMs = found.repairableMs ?? -1
    name = found.name
  }

  /// The global id of the event at hand; empty, as none is, where there is no link.
  func global(_ slots: ValueRun) -> ByteView {
    slots[slot].kind == .string ? slots[slot].view : .empty
  }

  /// Whether events that went out are remembered, to be corrected.
  var remembers: Bool { isProvisional || repairableMs >= 0 }
}

/// A way that events go on to a chained journal.
final class HandoverPlan {
  let journal: Int
  let branch: BranchPlan
  let key: KeyPlan

  init(journal: Int, branch: BranchPlan, key: KeyPlan) {
    self.journal = journal
    self.branch = branch
    self.key = key
  }
}

/// A link that a journal takes: which local id is which global one.
final class LinkPlan {
  let identifier: Int
  let system: Term
  let systems: ContiguousArray<ByteBuffer>
  let local: Term
  let global: Term
  let name: String

  init(
    identifier: Int, system: Term, systems: Set<String>, local: Term, global: Term, name: String
  ) {
    self.identifier = identifier
    self.system = system
    self.systems = ContiguousArray(
      systems.sorted().map { name in
        let bytes = ByteBuffer(capacity: 32)
        bytes.append(name)
        return bytes
      })
    self.local = local
    self.global = global
    self.name = name
  }

  /// Whether it is of a system whose ids are asked for.
  func isWanted(_ frame: Frame) -> Bool {
    let value = system.evaluate(frame)
    return value.kind == .string && systems.contains { $0.view == value.view }
  }
}
