import Records

/// Reads one document after another into slots, by a ``JSONShape``.
///
/// Either way, straight or over the tape, each field of the shape is checked, whether anybody wants
/// its value or not; unknown members are passed over. A field that is null is absent; of members
/// with one name the last counts. Texts are lent by the document or the arena. Nothing is allocated
/// in a steady state. Over the tape, a fault does not end the walk: what can be read is read.
package final class JSONShapeReader {
  package let tape = JSONTape()
  let arena: Arena
  let slots: ValueRun
  /// The first fault of the document read last.
  package var fault: JSONShapeFault { faultNow }
  private var faultNow = JSONShapeFault.none
  /// Members that repeated the name of a field, since this reader was made.
  package var repeats: Int64 { repeatsNow }
  private var repeatsNow: Int64 = 0
  private let scan: JSONShapeScan

  /// `slots` and `arena` outlive the reader; the owner resets the arena between documents.
  package init(slots: ValueRun, arena: Arena) {
    self.slots = slots
    self.arena = arena
    scan = JSONShapeScan(slots, arena)
  }

  /// Reads a document that is as the shape says, without a tape. False: it is not, or not plainly;
  /// the slots then hold anything, and the way over the tape will tell.
  package func readAtOnce(_ text: ByteView, _ shape: JSONShape) -> Bool {
    faultNow = .none
    return scan.read(text, by: shape)
  }

  /// The text of the first member of that name of a document, where it can be had without a tape.
  package func text(ofMember name: ByteView, in text: ByteView) -> ByteView? {
    tape.scanner(over: text)?.text(ofMember: name)
  }

  /// Reads the document on the tape. True when it is as the shape says; else ``fault`` says more.
  package func read(_ shape: JSONShape) -> Bool {
    faultNow = .none
    if tape.kind(at: 0) != .object {
      clear(shape.objects[0])
      if shape.rootSlot >= 0 { slots[Int(shape.rootSlot)] = .absent }
      faultNow = JSONShapeFault(reason: .notAnObject, field: -1, node: 0)
      return false
    }
    if shape.rootSlot >= 0 {
      let run = arena.values(Int(shape.objects[0].count))
      object(shape, 0, at: 0, into: run)
      slots[Int(shape.rootSlot)] = .object(run)
    } else {
      object(shape, 0, at: 0, into: .empty)
    }
    return faultNow.reason == .none
  }

  private func fail(_ reason: JSONShapeFault.Reason, _ field: Int, _ node: Int) -> Value {
    if faultNow.reason == .none {
      faultNow = JSONShapeFault(reason: reason, field: Int32(field), node: Int32(node))
    }
    return .absent
  }

  @inline(__always)
  private func clear(_ object: JSONShape.Object) {
    var slot = Int(object.slotFirst)
    while slot < Int(object.slotEnd) {
      slots[slot] = .absent
      slot += 1
    }
  }

  /// Reads the members of an object; `given` takes all of them, or is empty.
  private func object(_ shape: JSONShape, _ index: Int, at node: Int, into given: ValueRun) {
    let object = shape.objects[index]
    clear(object)
    var target = given
    if object.isWide && target.count == 0 { target = arena.values(Int(object.count)) }
    let isWhole = target.count > 0
    let text = tape.text
    let end = Int(tape.node(node).next)
    var last = shape.beginning(of: index)
    var present: UInt64 = 0
    var seen: UInt64 = 0
    var at = node + 1
    while at < end {
      let place = shape.field(
        of: tape.node(at), in: text, object: index, after: last, arena: arena)
      let valueNode = at + 1
      at = Int(tape.node(valueNode).next)
      if place < 0 { continue }
      last = place
      let slot = Int(shape.fields[place].slot)
      let value = value(shape, place, at: valueNode, text, isWanted: isWhole || slot >= 0)
      if slot >= 0 { slots[slot] = value }
      if isWhole { target[place - Int(object.first)] = value }
      let bit = shape.fields[place].seenBit
      present = value.isAbsent ? present & ~bit : present | bit
      if seen & bit != 0 { repeatsNow += 1 }
      seen |= bit
    }
    let required = present & object.requiredMask
    if required != object.requiredMask || object.isWide {
      findMissing(shape, object, required, target)
    }
  }

  private func findMissing(
    _ shape: JSONShape, _ object: JSONShape.Object, _ required: UInt64, _ target: ValueRun
  ) {
    for ordinal in 0..<Int(object.count) {
      let place = Int(object.first) + ordinal
      let field = shape.fields[place]
      let isMissing =
        object.isWide
        ? field.isRequired && target[ordinal].isAbsent
        : field.isRequired && field.seenBit & ~required != 0
      if isMissing {
        _ = fail(.missing, place, -1)
        return
      }
    }
  }

  /// The value at `node`, checked; absent for null and for what is not as the shape says. A value
  /// that nobody wants is only checked, and is then anything but absent.
  @inline(__always)
  private func value(
    _ shape: JSONShape, _ place: Int, at node: Int, _ text: ByteView, isWanted: Bool
  ) -> Value {
    switch shape.fields[place].kind {
    case .string:
      let found = tape.node(node)
      if found.kind == .string {
        if found.flags != 0 { return escapedString(node, isWanted) }
        return .string(text[Int(found.start)..<Int(found.end)])
      }
    case .int:
      if let value = tape.int64(at: node) { return .int(value) }
    case .decimal:
      if let value = tape.decimal(at: node), fits(value, shape, place) { return .decimal(value) }
    default:
      return otherValue(shape, place, at: node, isWanted: isWanted)
    }
    return refuse(shape, place, node)
  }

  @inline(never)
  private func escapedString(_ node: Int, _ isWanted: Bool) -> Value {
    isWanted ? .string(tape.string(at: node, into: arena)) : .null
  }

  @inline(__always)
  private func fits(_ value: Decimal, _ shape: JSONShape, _ place: Int) -> Bool {
    shape.fields[place].takes(value)
  }

  @inline(never)
  private func otherValue(_ shape: JSONShape, _ place: Int, at node: Int, isWanted: Bool) -> Value {
    let kind = tape.node(node).kind
    switch shape.fields[place].kind {
    case .object:
      if kind == .object { return objectValue(shape, place, at: node, isWanted: isWanted) }
      clear(shape.objects[Int(shape.fields[place].object)])
    case .list:
      if kind == .array { return list(shape, place, at: node, isWanted: isWanted) }
    case .map:
      if kind == .object { return map(shape, place, at: node, isWanted: isWanted) }
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
    case .passedOver: return .null
    case .string, .int, .decimal: break
    }
    return refuse(shape, place, node)
  }

  /// Absent: silently for null, which is the same, else as a fault.
  @inline(never)
  private func refuse(_ shape: JSONShape, _ place: Int, _ node: Int) -> Value {
    let kind = tape.kind(at: node)
    if kind == .null { return .absent }
    if kind != .number { return fail(.wrongType, place, node) }
    switch shape.fields[place].kind {
    case .int:
      let isRange = tape.integerFault(at: node) == .outOfRange
      return fail(isRange ? .outOfRange : .notIntegral, place, node)
    case .double, .decimal: return fail(.outOfRange, place, node)
    default: return fail(.wrongType, place, node)
    }
  }

  private func objectValue(_ shape: JSONShape, _ place: Int, at node: Int, isWanted: Bool) -> Value
  {
    let child = Int(shape.fields[place].object)
    if !isWanted {
      object(shape, child, at: node, into: .empty)
      return .null
    }
    let run = arena.values(Int(shape.objects[child].count))
    object(shape, child, at: node, into: run)
    return .object(run)
  }

  private func list(_ shape: JSONShape, _ place: Int, at node: Int, isWanted: Bool) -> Value {
    let end = Int(tape.node(node).next)
    let element = Int(shape.fields[place].element)
    let text = tape.text
    var count = 0
    var at = node + 1
    while at < end && isWanted {
      count += 1
      at = Int(tape.node(at).next)
    }
    let run = isWanted ? arena.values(count) : .empty
    at = node + 1
    var index = 0
    while at < end {
      let value = elementValue(shape, element, at: at, text, isWanted: isWanted)
      if isWanted { run[index] = value }
      index += 1
      at = Int(tape.node(at).next)
    }
    return isWanted ? .list(run) : .null
  }

  /// An element of a list or a value of a map: it has to be there, unless it is of mixed type.
  @inline(__always)
  private func elementValue(
    _ shape: JSONShape, _ place: Int, at node: Int, _ text: ByteView, isWanted: Bool
  ) -> Value {
    if tape.node(node).kind == .null {
      return shape.fields[place].kind == .json
        ? .json(tape.rawText(at: node)) : fail(.wrongType, place, node)
    }
    return value(shape, place, at: node, text, isWanted: isWanted)
  }

  private func map(_ shape: JSONShape, _ place: Int, at node: Int, isWanted: Bool) -> Value {
    let end = Int(tape.node(node).next)
    let element = Int(shape.fields[place].element)
    let text = tape.text
    var count = 0
    var at = node + 1
    while at < end {
      count += 1
      at = Int(tape.node(at + 1).next)
    }
    let run = isWanted ? arena.values(2 * count) : .empty
    at = node + 1
    var index = 0
    while at < end {
      let value = elementValue(shape, element, at: at + 1, text, isWanted: isWanted)
      if isWanted {
        run[index] = .string(tape.string(at: at, into: arena))
        run[index + 1] = value
      }
      index += 2
      at = Int(tape.node(at + 1).next)
    }
    if !isWanted { return .null }
    let entries = run.lastOfEach(in: arena)
    repeatsNow += Int64((run.count - entries.count) / 2)
    return .map(entries)
  }
}
