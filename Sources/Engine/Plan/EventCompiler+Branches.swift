import Expressions
import Product
import Records

/// Where a branch's expressions find what it begins with, and the first slot behind that.
struct SourceSlots {
  let slot: (FieldPath) -> Int?
  let end: Int
}

extension DecodePlan {
  /// An event: its fields and the variables of its record.
  var source: SourceSlots {
    SourceSlots(
      slot: { [slots] path in
        path.parts.first == "event"
          ? slots[Array(path.parts.dropFirst())] : Variable.slot(path.parts)
      }, end: slotEnd)
  }
}

// Branches, and what they are identified by.
extension EventCompiler {
  /// - Parameter ids: slots of global ids by the identifier's name.
  private func resolver(_ source: SourceSlots, _ binds: [String: Int], _ ids: [String: Int])
    -> (FieldPath) -> Int?
  {
    { path in
      if path.parts.count == 2, path.parts[0] == "ids" { return ids[path.parts[1]] }
      if path.parts.count == 1, let slot = binds[path.parts[0]] { return slot }
      return source.slot(path)
    }
  }

  /// A branch, and where its expressions find what they name.
  struct CompiledBranch {
    var plan: BranchPlan
    var slot: (FieldPath) -> Int?
    /// The first slot that is free.
    var next: Int
  }

  mutating func branch(
    _ branch: Branch, _ source: SourceSlots, _ identities: inout Identities
  ) throws(PlanFailure) -> CompiledBranch {
    var binds: [String: Int] = [:]
    var ids: [String: Int] = [:]
    var identity = -1
    var next = identities.slotEnd
    var steps: ContiguousArray<BranchPlan.Step> = []
    var lookups: ContiguousArray<LookupPlan> = []
    for step in branch.steps {
      switch step {
      case .filter(let expression):
        let term = try Term(expression, slot: resolver(source, binds, ids))
        steps.append(.init(kind: .filter, term: term, slot: -1))
      case .bind(let name, let expression), .explode(let name, let expression):
        let term = try Term(expression, slot: resolver(source, binds, ids))
        let kind: BranchPlan.Step.Kind = if case .explode = step { .explode } else { .bind }
        steps.append(.init(kind: kind, term: term, slot: next, name: name))
        binds[name] = next
        next += 1
      case .lookup(let lookup):
        steps.append(
          .init(kind: .lookup, term: .none, slot: next, lookup: lookups.count, name: lookup.name))
        lookups.append(try self.lookup(lookup, slot: resolver(source, binds, ids)))
        binds[lookup.name] = next
        next += 1
      case .identify(let found):
        let term = try Term(found.local, slot: resolver(source, [:], [:]))
        let way = definition.identifications(of: reference).firstIndex { $0.isSame(as: found) }
        identity = identities.place(of: found, term, way: way ?? 0)
        ids[found.name] = identities.plans[identity].slot
        steps.append(.init(kind: .identify, term: .none, slot: -1))
      }
    }
    slotEnd = max(slotEnd, next)
    return CompiledBranch(
      plan: BranchPlan(
        steps: steps, lookups: lookups, identity: identity,
        identityPlan: identity < 0 ? nil : identities.plans[identity]),
      slot: resolver(source, binds, ids), next: next)
  }

  private func lookup(_ lookup: Lookup, slot: @escaping (FieldPath) -> Int?) throws(PlanFailure)
    -> LookupPlan
  {
    guard let table = definition.tables.firstIndex(where: { $0.name == lookup.table }) else {
      throw PlanFailure("there is no table `\(lookup.table)` to look up")
    }
    return LookupPlan(table: tables[table], key: try KeyPlan(lookup.key, slot: slot))
  }

  /// What the branches of one event type in one journal are identified by; each has a slot of its
  /// own, of as many as there may be.
  struct Identities {
    var plans: ContiguousArray<IdentityPlan> = []
    let firstSlot: Int
    let slotEnd: Int

    /// - Parameter branches: all that will be compiled.
    init(_ branches: [Branch], firstSlot: Int) {
      let count = branches.count { $0.identification != nil }
      self.firstSlot = firstSlot
      slotEnd = firstSlot + count
    }

    /// - Parameter way: see ``ProductDefinition/identifications(of:)``.
    mutating func place(of found: Identification, _ local: Term, way: Int) -> Int {
      if let known = plans.firstIndex(where: { $0.way == way }) { return known }
      plans.append(IdentityPlan(found, local: local, slot: firstSlot + plans.count, way: way))
      return plans.count - 1
    }
  }
}
