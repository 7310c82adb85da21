import Formats
import Records

/// Reads one document after another into slots, by a ``DecodePlan``.
///
/// One walk of the tape does it all: each contract field is checked, whether a program reads it or
/// not; unknown members are passed over. Texts are lent by the document or the arena. Nothing is
/// allocated. A fault does not end the walk: what can be read is read, as ingest needs the key of a
/// document that breaks its contract.
final class Decoder {
  let tape = JSONTape()
  let arena: Arena
  let slots: ValueRun
  /// The first fault of the document decoded last.
  private(set) var fault = DecodeFault.none

  init(slots: ValueRun, arena: Arena) {
    self.slots = slots
    self.arena = arena
  }

  /// Reads the document on the tape. True when it keeps its contract; else ``fault`` says more.
  func decode(_ plan: DecodePlan) -> Bool {
    fault = .none
    if tape.kind(at: 0) != .object {
      clear(plan.objects[0])
      if plan.rootSlot >= 0 { slots[Int(plan.rootSlot)] = .absent }
      fault = DecodeFault(reason: .notAnObject, field: -1, node: 0)
      return false
    }
    if plan.rootSlot >= 0 {
      let run = arena.values(Int(plan.objects[0].count))
      object(plan, 0, at: 0, into: run)
      slots[Int(plan.rootSlot)] = .object(run)
    } else {
      object(plan, 0, at: 0, into: .empty)
    }
    return fault.reason == .none
  }

  private func fail(_ reason: DecodeFault.Reason, _ field: Int, _ node: Int) -> Value {
    if fault.reason == .none {
      fault = DecodeFault(reason: reason, field: Int32(field), node: Int32(node))
    }
    return .absent
  }

  private func clear(_ object: ObjectPlan) {
    var slot = Int(object.slotFirst)
    while slot < Int(object.slotEnd) {
      slots[slot] = .absent
      slot += 1
    }
  }

  /// Reads the members of an object; `target` takes all of them, or is empty.
  private func object(_ plan: DecodePlan, _ index: Int, at node: Int, into given: ValueRun) {
    let object = plan.objects[index]
    clear(object)
    var target = given
    if object.isWide && target.count == 0 { target = arena.values(Int(object.count)) }
    let isWhole = target.count > 0
    var seen: UInt64 = 0
    let set = plan.sets[index]
    var members = set.members(of: node, in: tape)
    while members.next(set, tape) {
      let ordinal = members.field
      if ordinal < 0 { continue }
      let place = Int(object.first) + ordinal
      let field = plan.fields[place]
      let isWanted = isWhole || field.slot >= 0
      let value = value(plan, field, place, at: members.value, isWanted: isWanted)
      if field.slot >= 0 { slots[Int(field.slot)] = value }
      if isWhole { target[ordinal] = value }
      // Of members with one name the last counts, also when it is null.
      seen = value.isAbsent ? seen & ~field.requiredBit : seen | field.requiredBit
    }
    if seen != object.requiredMask || object.isWide { findMissing(plan, object, seen, target) }
  }

  private func findMissing(
    _ plan: DecodePlan, _ object: ObjectPlan, _ seen: UInt64, _ target: ValueRun
  ) {
    for ordinal in 0..<Int(object.count) {
      let place = Int(object.first) + ordinal
      let field = plan.fields[place]
      let isMissing =
        object.isWide
        ? plan.isRequired[place] && target[ordinal].isAbsent
        : field.requiredBit & ~seen != 0
      if isMissing {
        _ = fail(.missing, place, -1)
        return
      }
    }
  }

  /// The value at `node`, checked; absent for null and for what breaks the contract. A value that
  /// nobody wants is only checked, and is then anything but absent.
  @inline(__always)
  private func value(
    _ plan: DecodePlan, _ field: FieldPlan, _ place: Int, at node: Int, isWanted: Bool
  ) -> Value {
    switch field.kind {
    case .string:
      if tape.kind(at: node) == .string {
        return isWanted ? .string(tape.string(at: node, into: arena)) : .null
      }
    case .int:
      if let value = tape.int64(at: node) { return .int(value) }
    case .decimal:
      if let value = tape.decimal(at: node), fits(value, field) { return .decimal(value) }
    default:
      return otherValue(plan, field, place, at: node, isWanted: isWanted)
    }
    return refuse(field, place, node)
  }

  @inline(__always)
  private func fits(_ value: Decimal, _ field: FieldPlan) -> Bool {
    if value.scale <= field.scale && value.mantissa.magnitude < UInt128(field.mantissaSafe) {
      return true
    }
    return field.precision == 0
      || value.fits(precision: Int(field.precision), scale: Int(field.scale))
  }

  private func otherValue(
    _ plan: DecodePlan, _ field: FieldPlan, _ place: Int, at node: Int, isWanted: Bool
  ) -> Value {
    let kind = tape.kind(at: node)
    switch field.kind {
    case .bool:
      if kind == .true || kind == .false { return .bool(kind == .true) }
    case .double:
      if let value = tape.double(at: node) { return .double(value) }
    case .timestamp:
      if kind != .string { break }
      if let value = Timestamp(rfc3339: tape.string(at: node, into: arena)) {
        return .timestamp(value)
      }
      return fail(.notATimestamp, place, node)
    case .date:
      if kind != .string { break }
      if let days = daysSince1970(tape.string(at: node, into: arena)) { return .date(days: days) }
      return fail(.notADate, place, node)
    case .json:
      if kind != .null { return .json(tape.rawText(at: node)) }
    case .object:
      if kind == .object {
        let child = Int(field.object)
        if !isWanted {
          object(plan, child, at: node, into: .empty)
          return .null
        }
        let run = arena.values(Int(plan.objects[child].count))
        object(plan, child, at: node, into: run)
        return .object(run)
      }
      clear(plan.objects[Int(field.object)])
    case .list:
      if kind == .array { return list(plan, field, at: node, isWanted: isWanted) }
    case .map:
      if kind == .object { return map(plan, field, at: node, isWanted: isWanted) }
    case .string, .int, .decimal: break
    }
    return refuse(field, place, node)
  }

  /// Absent: silently for null, which is the same, else as a fault.
  private func refuse(_ field: FieldPlan, _ place: Int, _ node: Int) -> Value {
    let kind = tape.kind(at: node)
    if kind == .null { return .absent }
    if kind != .number { return fail(.wrongType, place, node) }
    switch field.kind {
    case .int:
      return fail(
        tape.integerFault(at: node) == .outOfRange ? .outOfRange : .notIntegral, place, node)
    case .double, .decimal: return fail(.outOfRange, place, node)
    default: return fail(.wrongType, place, node)
    }
  }

  /// An element of a list or a value of a map: it has to be there, unless it is of mixed type.
  private func elementValue(
    _ plan: DecodePlan, _ field: FieldPlan, _ place: Int, at node: Int, isWanted: Bool
  ) -> Value {
    if tape.kind(at: node) == .null {
      return field.kind == .json ? .json(tape.rawText(at: node)) : fail(.wrongType, place, node)
    }
    return value(plan, field, place, at: node, isWanted: isWanted)
  }

  private func list(_ plan: DecodePlan, _ field: FieldPlan, at node: Int, isWanted: Bool) -> Value {
    let range = tape.children(of: node)
    let place = Int(field.element)
    let element = plan.fields[place]
    var count = 0
    var at = range.lowerBound
    if isWanted {
      while at < range.upperBound {
        count += 1
        at = tape.next(after: at)
      }
      at = range.lowerBound
    }
    let run = isWanted ? arena.values(count) : .empty
    var index = 0
    while at < range.upperBound {
      let value = elementValue(plan, element, place, at: at, isWanted: isWanted)
      if isWanted { run[index] = value }
      index += 1
      at = tape.next(after: at)
    }
    return isWanted ? .list(run) : .null
  }

  private func map(_ plan: DecodePlan, _ field: FieldPlan, at node: Int, isWanted: Bool) -> Value {
    let range = tape.children(of: node)
    let place = Int(field.element)
    let element = plan.fields[place]
    var count = 0
    var at = range.lowerBound
    while at < range.upperBound {
      count += 1
      at = tape.next(after: at + 1)
    }
    let run = isWanted ? arena.values(2 * count) : .empty
    at = range.lowerBound
    var index = 0
    while at < range.upperBound {
      let value = elementValue(plan, element, place, at: at + 1, isWanted: isWanted)
      if isWanted {
        run[index] = .string(tape.string(at: at, into: arena))
        run[index + 1] = value
      }
      index += 2
      at = tape.next(after: at + 1)
    }
    return isWanted ? .map(run) : .null
  }
}
