import CSIMD
import Records

/// The straight way of ``JSONShapeReader``: a document goes from its bytes into the slots in one
/// pass, without a tape.
///
/// It takes documents that are as the shape says. Whatever is not (malformed, another type, a
/// missing field, an escape in a name, a repetition among the first 64 fields of an object) ends it
/// with `false` and nothing said: the way over the tape then finds out what is wrong. What it
/// accepts, the tape accepts with the same values; a test runs both over the same documents.
///
/// It reads a copy of the document that zeros stand behind. No step goes beyond a zero, which no
/// JSON text has in it, so a step may look at sixteen bytes and need not look for the end.
/// (3,500 instead of 9,100 instructions for a 285-byte order with 19 fields.)
///
/// Places are passed on as values, nil for a document that is not for this way, so that they stay
/// in registers. An object that is used again and again: a value would count references.
@safe final class JSONShapeScan {
  typealias Place = UnsafePointer<UInt8>

  /// Zeros behind the text: one that every step stops at, and what a step may look at behind it.
  static let zeros = 16

  let slots: ValueRun
  let arena: Arena
  /// Elements of lists that are not at their end yet.
  let elements = ValueStack()
  /// The document at hand.
  private var text = ByteView.empty
  /// Where it ends.
  private var end: Place { unsafe text.pointer + text.count }
  /// Containers that are open.
  var depth = 0
  /// What a scanner of single values writes to.
  private let node: UnsafeMutablePointer<JSONNode>

  init(_ slots: ValueRun, _ arena: Arena) {
    self.slots = slots
    self.arena = arena
    unsafe node = .allocate(capacity: 1)
  }

  deinit { unsafe node.deallocate() }

  /// Reads a whole document; false: it is not for this way, and slots hold anything. Texts among
  /// the values are lent by the arena.
  func read(_ document: ByteView, by shape: JSONShape) -> Bool {
    if document.count > JSONTape.bytesMax { return false }
    text = arena.copy(document, zeros: JSONShapeScan.zeros)
    depth = 0
    elements.clear()
    let start = unsafe JSONShapeScan.pastSpace(text.pointer)
    if unsafe start.pointee != UInt8(ascii: "{") { return false }
    var target = ValueRun.empty
    let root = Int(shape.rootSlot)
    if root >= 0 { target = unsafe arena.values(shape.objectTable.pointee.memberCount) }
    precondition(unsafe shape.objectTable.pointee.slotEnd <= slots.count, "the shape's slots")
    guard let stop = unsafe object(shape, 0, start, into: target) else { return false }
    if root >= 0 { slots[root] = .object(target) }
    return unsafe JSONShapeScan.pastSpace(stop) == end
  }

  /// The first place at or behind `at` that is no white space.
  @inline(__always)
  static func pastSpace(_ at: Place) -> Place {
    unsafe at.pointee > 0x20 ? at : pastSpaces(at)
  }

  @inline(never)
  private static func pastSpaces(_ start: Place) -> Place {
    var at = unsafe start
    while true {
      let byte = unsafe at.pointee
      if byte != 0x20 && byte != 0x0A && byte != 0x0D && byte != 0x09 { return unsafe at }
      unsafe at += 1
    }
  }

  // MARK: Objects

  /// An object from its brace on; `target` takes all of its values, or is empty.
  ///
  /// The loop does at hand what most members are: in the order of the document before, a plain text
  /// or a short number. What is not goes through calls that take and give values, so that nothing
  /// of the loop has to stand in memory.
  func object(_ shape: JSONShape, _ index: Int, _ start: Place, into target: ValueRun) -> Place? {
    let object = unsafe shape.objectTable + index
    depth &+= 1
    if unsafe depth > JSONTape.depthMax || object.pointee.isWide { return nil }
    unsafe clear(object)
    var at = unsafe JSONShapeScan.pastSpace(start + 1)
    if unsafe at.pointee == UInt8(ascii: "}") {
      depth &-= 1
      return unsafe object.pointee.requiredMask == 0 ? at + 1 : nil
    }
    let slots = unsafe slots.pointer
    let values = unsafe target.pointer - Int(object.pointee.first)
    let isWhole = target.count > 0
    let fields = unsafe shape.fieldTable
    let successors = unsafe shape.successors
    var last = shape.beginning(of: index)
    var seen: UInt64 = 0
    var nulls: UInt64 = 0
    while true {
      member: do {
        var place = unsafe Int(successors[last])
        if unsafe shape.isKey(place, at, end) {
          unsafe at += fields[place].keyCount
        } else {
          guard let found = unsafe member(shape, index, after: last, at) else { return nil }
          unsafe at = found.stop
          place = unsafe found.place
          if place < 0 { break member }
        }
        unsafe at = JSONShapeScan.pastSpace(at)
        last = place
        let field = unsafe fields + place
        let bit = unsafe field.pointee.seenBit
        if seen & bit != 0 { return nil }
        seen |= bit
        let slot = unsafe Int(field.pointee.slot)
        var value = Value.null
        let isPlain: Bool
        switch unsafe field.pointee.kind {
        case .string: isPlain = unsafe JSONShapeScan.plainText(&at, &value)
        case .passedOver: isPlain = unsafe JSONShapeScan.passPlainText(&at)
        case .int: isPlain = unsafe JSONShapeScan.plainInteger(&at, &value)
        case .decimal: isPlain = unsafe JSONShapeScan.plainDecimal(field, &at, &value)
        case .object where unsafe at.pointee == UInt8(ascii: "{"):
          guard let stop = unsafe child(shape, field, at, isWhole || slot >= 0, &value)
          else { return nil }
          unsafe at = stop
          isPlain = true
        default: isPlain = false
        }
        if !isPlain {
          var other = Value.null
          guard let stop = unsafe self.value(shape, field, at, isWhole || slot >= 0, &other)
          else { return nil }
          unsafe at = stop
          value = other
          if other.isAbsent { nulls |= bit }
        }
        if slot >= 0 { unsafe slots[slot] = value }
        if isWhole { unsafe values[place] = value }
      }
      unsafe at = JSONShapeScan.pastSpace(at)
      if unsafe at.pointee != UInt8(ascii: ",") { break }
      unsafe at = JSONShapeScan.pastSpace(at + 1)
    }
    depth &-= 1
    let required = unsafe object.pointee.requiredMask
    return unsafe at.pointee == UInt8(ascii: "}") && seen & ~nulls & required == required
      ? at + 1 : nil
  }

  /// The object that the field wants, from its brace on.
  @inline(__always)
  func child(
    _ shape: JSONShape, _ field: UnsafeMutablePointer<JSONShape.Field>, _ at: Place,
    _ isWanted: Bool, _ value: inout Value
  ) -> Place? {
    let index = unsafe Int(field.pointee.object)
    if !isWanted { return unsafe object(shape, index, at, into: .empty) }
    let run = unsafe arena.values(shape.objectTable[index].memberCount)
    value = .object(run)
    return unsafe object(shape, index, at, into: run)
  }

  @inline(__always)
  func clear(_ object: UnsafeMutablePointer<JSONShape.Object>) {
    let first = unsafe Int(object.pointee.slotFirst)
    let count = unsafe Int(object.pointee.slotEnd) - first
    if count > 0 { unsafe (slots.pointer + first).update(repeating: .absent, count: count) }
  }

  /// The field of a member that is not the expected one, and the place behind its colon; field −1:
  /// the object has no such field, and the place is behind its value.
  @inline(never)
  private func member(_ shape: JSONShape, _ object: Int, after last: Int, _ at: Place)
    -> (place: Int, stop: Place)?
  {
    guard let (key, stop) = unsafe string(at), key.flags == 0 else { return nil }
    let place = shape.field(of: key, in: text, object: object, after: last, arena: arena)
    let colon = unsafe JSONShapeScan.pastSpace(stop)
    if unsafe colon.pointee != UInt8(ascii: ":") { return nil }
    if place >= 0 { return unsafe (place, colon + 1) }
    return unsafe skip(JSONShapeScan.pastSpace(colon + 1)).map { unsafe (place, $0) }
  }

  // MARK: Plain values

  // Each gives false, and changes nothing, for what is none, or not as the field wants it.

  @inline(__always)
  static func plainText(_ at: inout Place, _ value: inout Value) -> Bool {
    let start = unsafe at + 1
    if unsafe !passPlainText(&at) { return false }
    value = unsafe .string(ByteView(base: start, count: at - start - 1))
    return true
  }

  @inline(__always)
  static func passPlainText(_ at: inout Place) -> Bool {
    if unsafe at.pointee != UInt8(ascii: "\"") { return false }
    let stop = unsafe weft_plain_text_stop(at + 1)
    if unsafe stop.pointee != UInt8(ascii: "\"") { return false }
    unsafe at = stop + 1
    return true
  }

  @inline(__always)
  static func plainInteger(_ at: inout Place, _ value: inout Value) -> Bool {
    let isNegative = unsafe at.pointee == UInt8(ascii: "-")
    var next = unsafe isNegative ? at + 1 : at
    guard let number = unsafe JSONDigits.integer(&next) else { return false }
    unsafe at = next
    value = .int(isNegative ? 0 &- number : number)
    return true
  }

  @inline(__always)
  static func plainDecimal(
    _ field: UnsafeMutablePointer<JSONShape.Field>, _ at: inout Place, _ value: inout Value
  ) -> Bool {
    let isNegative = unsafe at.pointee == UInt8(ascii: "-")
    var next = unsafe isNegative ? at + 1 : at
    guard let (magnitude, places) = unsafe JSONDigits.decimal(&next) else { return false }
    let number = Decimal(
      mantissa: Int128(isNegative ? 0 &- magnitude : magnitude),
      scale: UInt8(truncatingIfNeeded: places))
    if unsafe !field.pointee.takes(number) { return false }
    unsafe at = next
    value = .decimal(number)
    return true
  }

  // MARK: Single values by their text

  /// A string from its quote on, and the place behind it.
  func string(_ at: Place) -> (JSONNode, Place)? {
    if unsafe at.pointee != UInt8(ascii: "\"") { return nil }
    var scanner = unsafe scanner(at)
    return unsafe scanner.string(.string) ? (scanner.last, scanner.at) : nil
  }

  /// The bytes of a string, escapes resolved.
  func text(_ node: JSONNode) -> ByteView {
    let written = text[Int(node.start)..<Int(node.end)]
    return node.flags == 0 ? written : written.unescaped(into: arena)
  }

  /// A number by its text, and the place behind it.
  func number(_ at: Place) -> (ByteView, Place)? {
    guard let stop = unsafe JSONDigits.pastNumber(at) else { return nil }
    return unsafe (ByteView(base: at, count: stop - at), stop)
  }

  /// A scanner that stands at `at`.
  private func scanner(_ at: Place) -> JSONScanner {
    var scanner = unsafe JSONScanner(text.pointer, text.count, into: node)
    unsafe scanner.at = at
    return scanner
  }
}
