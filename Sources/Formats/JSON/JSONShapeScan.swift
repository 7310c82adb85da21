import CSIMD
import Records

/// The straight way of ``JSONShapeReader``: a document goes from its bytes into the slots in one
/// pass, without a tape.
///
/// It takes documents that are as the shape says. Whatever is not (malformed, another type, a
/// missing field, an escape in a name, a repetition among the first 64 fields of an object) ends it
/// with `false` and nothing said: the way over the tape then finds out what is wrong. What it
/// accepts, the tape accepts with the same values; a test runs both over the same documents.
/// (5,300 instead of 9,100 instructions for a 285-byte order with 19 fields.)
///
/// An object that is used again and again: a value would count four references a document.
@safe final class JSONShapeScan {
  /// Each node is written over the one before: only the last one is looked at.
  private var scanner: JSONScanner
  private var shape: JSONShape
  private let slots: ValueRun
  private let arena: Arena
  /// Elements of lists that are not at their end yet.
  private let elements = ValueStack()

  init(_ scanner: JSONScanner, _ shape: JSONShape, _ slots: ValueRun, _ arena: Arena) {
    self.scanner = scanner
    self.shape = shape
    self.slots = slots
    self.arena = arena
  }

  /// Reads a whole document; false: it is not for this way, and slots hold anything.
  func read(_ document: JSONScanner, by newShape: JSONShape) -> Bool {
    scanner = document
    if shape !== newShape { shape = newShape }
    elements.clear()
    if !scanner.start() || !scanner.isAt(UInt8(ascii: "{")) { return false }
    var target = ValueRun.empty
    if shape.rootSlot >= 0 { target = arena.values(shape.objects[0].memberCount) }
    if !object(0, into: target) { return false }
    if shape.rootSlot >= 0 { slots[Int(shape.rootSlot)] = .object(target) }
    scanner.skipSpace()
    return unsafe scanner.at == scanner.end
  }

  // MARK: Objects

  /// An object from its brace on; `target` takes all of its values, or is empty.
  ///
  /// The loop keeps its place in a local variable, and does at hand what most members are: in the
  /// order of the document before, without white space, a plain text or a short number.
  private func object(_ index: Int, into target: ValueRun) -> Bool {
    let object = unsafe shape.objectTable + index
    if unsafe !enter() || object.pointee.isWide { return false }
    unsafe clear(object)
    if scanner.isAt(UInt8(ascii: "}")) {
      unsafe scanner.at += 1
      scanner.depth -= 1
      return unsafe object.pointee.requiredMask == 0
    }
    let isWhole = target.count > 0
    let first = unsafe Int(object.pointee.first)
    let slots = slots
    let fields = unsafe shape.fieldTable
    let fieldCount = shape.fields.count
    let end = unsafe scanner.end
    var at = unsafe scanner.at
    var last = shape.beginning(of: index)
    var required: UInt64 = 0
    var seen: UInt64 = 0
    while true {
      var place = shape.successor(of: last)
      let nameCount = place < fieldCount ? unsafe Int(fields[place].nameCount) : 0
      if unsafe place < fieldCount && end - at > nameCount + 24 && at.pointee == UInt8(ascii: "\"")
        && shape.isMember(place, at + 1)
      {
        unsafe at += nameCount + 3
        if unsafe at.pointee <= 0x20 {
          unsafe scanner.at = at
          scanner.skipSpace()
          unsafe at = scanner.at
        }
      } else {
        unsafe scanner.at = at
        place = member(of: index, after: last)
        if place == JSONShapeScan.gaveUp { return false }
        unsafe at = scanner.at
      }
      if place >= 0 {
        last = place
        let field = unsafe fields + place
        let slot = unsafe Int(field.pointee.slot)
        if unsafe seen & field.pointee.seenBit != 0 { return false }
        unsafe seen |= field.pointee.seenBit
        // What is passed over is a text more often than not.
        let kind = unsafe field.pointee.kind
        var value =
          kind == .string || kind == .passedOver ? unsafe plainText(&at) : Value.absent
        if kind == .passedOver && !value.isAbsent { value = .null }
        if value.isAbsent {
          unsafe scanner.at = at
          if unsafe !read(field, isWanted: isWhole || slot >= 0, into: &value) { return false }
          unsafe at = scanner.at
        }
        if slot >= 0 { slots[slot] = value }
        if isWhole { target[place - first] = value }
        let bit = unsafe field.pointee.requiredBit
        required = value.isAbsent ? required & ~bit : required | bit
      } else {
        unsafe scanner.at = at
        if !scanner.skip() { return false }
        unsafe at = scanner.at
      }
      if unsafe end - at > 1 && at.pointee == UInt8(ascii: ",") && at[1] == UInt8(ascii: "\"") {
        unsafe at += 1
        continue
      }
      unsafe scanner.at = at
      if scanner.goesOn() {
        unsafe at = scanner.at
        continue
      }
      if !ends(UInt8(ascii: "}")) { return false }
      scanner.depth -= 1
      return unsafe required == object.pointee.requiredMask
    }
  }

  /// The text at `at`, which then goes behind it; absent when it is no text without escapes and
  /// letters beyond ASCII.
  @inline(__always)
  private func plainText(_ at: inout UnsafePointer<UInt8>) -> Value {
    guard unsafe at < scanner.end && at.pointee == UInt8(ascii: "\"") else { return .absent }
    let start = unsafe at + 1
    let stop = unsafe weft_plain_text_end(start, scanner.begin, scanner.end)
    guard unsafe stop < scanner.end && stop.pointee == UInt8(ascii: "\"") else { return .absent }
    unsafe at = stop + 1
    return unsafe .string(ByteView(base: start, count: stop - start))
  }

  private func clear(_ object: UnsafeMutablePointer<JSONShape.Object>) {
    var slot = unsafe Int(object.pointee.slotFirst)
    let end = unsafe Int(object.pointee.slotEnd)
    while slot < end {
      slots[slot] = .absent
      slot += 1
    }
  }

  private static let gaveUp = -2

  /// The field of the member at hand, and `at` before its value; −1: the object has no such field.
  @inline(never)
  private func member(of object: Int, after last: Int) -> Int {
    guard scanner.isAt(UInt8(ascii: "\"")) else { return JSONShapeScan.gaveUp }
    scanner.count = 0
    if !scanner.string(.key) || self.last.flags != 0 { return JSONShapeScan.gaveUp }
    let text = unsafe ByteView(base: scanner.begin, count: scanner.end - scanner.begin)
    let place = shape.field(of: self.last, in: text, object: object, after: last, arena: arena)
    return scanner.colon() ? place : JSONShapeScan.gaveUp
  }

  // MARK: Values

  /// The value at hand, as the field wants it; `into` keeps what it was for null. A value that
  /// nobody wants is only checked.
  private func read(
    _ field: UnsafeMutablePointer<JSONShape.Field>, isWanted: Bool, into value: inout Value
  ) -> Bool {
    guard unsafe scanner.at < scanner.end else { return false }
    let byte = unsafe scanner.at.pointee
    switch unsafe field.pointee.kind {
    case .int where byte != UInt8(ascii: "n"):
      guard let number = integer() else { return false }
      value = .int(number)
      return true
    case .decimal where byte != UInt8(ascii: "n"):
      guard let number = decimal(), unsafe field.pointee.takes(number) else { return false }
      value = .decimal(number)
      return true
    case .string where byte == UInt8(ascii: "\""):
      if !plainString() { return false }
      value =
        last.flags == 0
        ? .string(lastText) : isWanted ? .string(lastText.unescaped(into: arena)) : .null
      return true
    default: return unsafe readOther(field, byte, isWanted, into: &value)
    }
  }

  private func readOther(
    _ field: UnsafeMutablePointer<JSONShape.Field>, _ byte: UInt8, _ isWanted: Bool,
    into value: inout Value
  ) -> Bool {
    switch unsafe (field.pointee.kind, byte) {
    case (.passedOver, _):
      value = .null
      return scanner.skip()
    case (.object, UInt8(ascii: "{")):
      let child = unsafe Int(field.pointee.object)
      let run = isWanted ? arena.values(shape.objects[child].memberCount) : .empty
      value = isWanted ? .object(run) : .null
      return object(child, into: run)
    case (.list, UInt8(ascii: "[")):
      return unsafe list(shape.fieldTable + Int(field.pointee.element), isWanted, into: &value)
    case (.map, UInt8(ascii: "{")):
      return unsafe map(shape.fieldTable + Int(field.pointee.element), isWanted, into: &value)
    case (_, UInt8(ascii: "n")):
      if unsafe field.pointee.kind == .object {
        unsafe clear(shape.objectTable + Int(field.pointee.object))
      }
      return word()
    case (.json, _):
      let start = unsafe scanner.at
      if !scanner.skip() { return false }
      value = unsafe .json(ByteView(base: start, count: scanner.at - start))
      return true
    case (.bool, UInt8(ascii: "t")), (.bool, UInt8(ascii: "f")):
      value = .bool(byte == UInt8(ascii: "t"))
      return word()
    case (.double, _):
      scanner.count = 0
      guard JSONShapeScan.isNumber(byte), scanner.number(), let number = Double(json: lastText)
      else { return false }
      value = .double(number)
      return true
    case (.timestamp, UInt8(ascii: "\"")):
      guard let text = string(), let time = Timestamp(rfc3339: text) else { return false }
      value = .timestamp(time)
      return true
    case (.date, UInt8(ascii: "\"")):
      guard let text = string(), let days = daysSince1970(text) else { return false }
      value = .date(days: days)
      return true
    default: return false
    }
  }

  /// An element of a list or a value of a map: it has to be there, unless it is of mixed type.
  @inline(__always)
  private func readElement(
    _ field: UnsafeMutablePointer<JSONShape.Field>, _ isWanted: Bool, into value: inout Value
  ) -> Bool {
    if scanner.isAt(UInt8(ascii: "n")) {
      guard unsafe field.pointee.kind == .json else { return false }
      let start = unsafe scanner.at
      value = unsafe .json(ByteView(base: start, count: min(4, scanner.end - start)))
      return word()
    }
    return unsafe read(field, isWanted: isWanted, into: &value)
  }

  private func list(
    _ element: UnsafeMutablePointer<JSONShape.Field>, _ isWanted: Bool, into value: inout Value
  ) -> Bool {
    if !enter() { return false }
    let first = elements.count
    if scanner.isAt(UInt8(ascii: "]")) {
      unsafe scanner.at += 1
    } else {
      repeat {
        var each = Value.absent
        if unsafe !readElement(element, isWanted, into: &each) { return false }
        if isWanted { elements.push(each) }
      } while scanner.goesOn()
      if !ends(UInt8(ascii: "]")) { return false }
    }
    scanner.depth -= 1
    value = isWanted ? .list(elements.pop(from: first, into: arena)) : .null
    return true
  }

  private func map(
    _ element: UnsafeMutablePointer<JSONShape.Field>, _ isWanted: Bool, into value: inout Value
  ) -> Bool {
    if !enter() { return false }
    let first = elements.count
    if scanner.isAt(UInt8(ascii: "}")) {
      unsafe scanner.at += 1
    } else {
      repeat {
        guard scanner.isAt(UInt8(ascii: "\"")), let name = string(), scanner.colon()
        else { return false }
        var each = Value.absent
        if unsafe !readElement(element, isWanted, into: &each) { return false }
        if isWanted {
          elements.push(.string(name))
          elements.push(each)
        }
      } while scanner.goesOn()
      if !ends(UInt8(ascii: "}")) { return false }
    }
    scanner.depth -= 1
    value = isWanted ? .map(elements.pop(from: first, into: arena)) : .null
    return true
  }

  // MARK: Steps

  @inline(__always)
  private func enter() -> Bool {
    scanner.depth += 1
    if scanner.depth > JSONTape.depthMax { return false }
    unsafe scanner.at += 1
    scanner.skipSpace()
    return true
  }

  @inline(__always)
  private func ends(_ closer: UInt8) -> Bool {
    if !scanner.isAt(closer) { return false }
    unsafe scanner.at += 1
    return true
  }

  private var last: JSONNode { scanner.last }
  private var lastText: ByteView { scanner.lastText }

  @inline(__always)
  private func plainString() -> Bool {
    scanner.count = 0
    return scanner.string(.string)
  }

  private func string() -> ByteView? {
    if !plainString() { return nil }
    return last.flags == 0 ? lastText : lastText.unescaped(into: arena)
  }

  private func word() -> Bool {
    scanner.count = 0
    return scanner.word()
  }

  private static func isNumber(_ byte: UInt8) -> Bool {
    byte &- 0x30 <= 9 || byte == UInt8(ascii: "-")
  }

  /// Up to 18 digits without point and exponent at once; others by their text.
  @inline(__always)
  private func integer() -> Int64? {
    var at = unsafe scanner.at
    let end = unsafe scanner.end
    let isNegative = unsafe at.pointee == UInt8(ascii: "-")
    if isNegative { unsafe at += 1 }
    let first = unsafe at
    var value: Int64 = 0
    while unsafe at < end && at.pointee &- 0x30 <= 9 {
      value = unsafe value &* 10 &+ Int64(at.pointee &- 0x30)
      unsafe at += 1
    }
    let count = unsafe at - first
    if unsafe count == 0 || count > 18 || (count > 1 && first.pointee == 0x30)
      || (at < end && JSONShapeScan.continuesNumber(at.pointee))
    {
      return longInteger()
    }
    unsafe scanner.at = at
    return isNegative ? -value : value
  }

  @inline(never)
  private func longInteger() -> Int64? {
    scanner.count = 0
    guard unsafe JSONShapeScan.isNumber(scanner.at.pointee), scanner.number() else { return nil }
    return JSONInteger(lastText).int64
  }

  @inline(__always)
  private static func continuesNumber(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ".") || byte | 0x20 == UInt8(ascii: "e")
  }

  /// Up to 18 digits without exponent at once; others by their text.
  @inline(__always)
  private func decimal() -> Decimal? {
    var at = unsafe scanner.at
    let end = unsafe scanner.end
    let isNegative = unsafe at.pointee == UInt8(ascii: "-")
    if isNegative { unsafe at += 1 }
    let first = unsafe at
    var value: Int64 = 0
    while unsafe at < end && at.pointee &- 0x30 <= 9 {
      value = unsafe value &* 10 &+ Int64(at.pointee &- 0x30)
      unsafe at += 1
    }
    let whole = unsafe at - first
    var places = 0
    if unsafe at < end && at.pointee == UInt8(ascii: ".") {
      unsafe at += 1
      let point = unsafe at
      while unsafe at < end && at.pointee &- 0x30 <= 9 {
        value = unsafe value &* 10 &+ Int64(at.pointee &- 0x30)
        unsafe at += 1
      }
      places = unsafe at - point
      if places == 0 { return nil }
    }
    if unsafe whole == 0 || whole + places > 18 || (whole > 1 && first.pointee == 0x30)
      || (at < end && at.pointee | 0x20 == UInt8(ascii: "e"))
    {
      return longDecimal()
    }
    unsafe scanner.at = at
    return Decimal(
      mantissa: Int128(isNegative ? -value : value), scale: UInt8(truncatingIfNeeded: places))
  }

  @inline(never)
  private func longDecimal() -> Decimal? {
    scanner.count = 0
    guard unsafe JSONShapeScan.isNumber(scanner.at.pointee), scanner.number() else { return nil }
    return Decimal(lastText)
  }
}
