import CSIMD
import Records

/// Values of every kind, those that nobody wants included.
extension JSONShapeScan {
  /// The value at `at`, as the field wants it, and the place behind it; absent for null. A value
  /// that nobody wants is only checked, and is then anything but absent.
  @inline(never)
  func value(
    _ shape: JSONShape, _ field: UnsafeMutablePointer<JSONShape.Field>, _ at: Place,
    _ isWanted: Bool, _ value: inout Value
  ) -> Place? {
    value = .null
    switch unsafe (field.pointee.kind, at.pointee) {
    case (.object, UInt8(ascii: "{")):
      return unsafe child(shape, field, at, isWanted, &value)
    case (.list, UInt8(ascii: "[")):
      let element = unsafe shape.fieldTable + Int(field.pointee.element)
      return unsafe list(shape, element, at, isWanted, into: &value)
    case (.map, UInt8(ascii: "{")):
      let element = unsafe shape.fieldTable + Int(field.pointee.element)
      return unsafe map(shape, element, at, isWanted, into: &value)
    case (.passedOver, _): return unsafe skip(at)
    case (_, UInt8(ascii: "n")):
      if unsafe field.pointee.kind == .object {
        unsafe clear(shape.objectTable + Int(field.pointee.object))
      }
      value = .absent
      return unsafe word(at)
    case (.json, _):
      guard let stop = unsafe skip(at) else { return nil }
      value = unsafe .json(ByteView(base: at, count: stop - at))
      return unsafe stop
    default: return unsafe scalar(field, at, isWanted, into: &value)
    }
  }

  /// What has no parts, where it is not plain.
  private func scalar(
    _ field: UnsafeMutablePointer<JSONShape.Field>, _ at: Place, _ isWanted: Bool,
    into value: inout Value
  ) -> Place? {
    switch unsafe field.pointee.kind {
    case .bool:
      value = unsafe .bool(at.pointee == UInt8(ascii: "t"))
      return unsafe at.pointee == UInt8(ascii: "t") || at.pointee == UInt8(ascii: "f")
        ? word(at) : nil
    case .int:
      guard let (text, stop) = unsafe number(at), let number = JSONInteger(text).int64
      else { return nil }
      value = .int(number)
      return unsafe stop
    case .double:
      guard let (text, stop) = unsafe number(at), let number = Double(json: text)
      else { return nil }
      value = .double(number)
      return unsafe stop
    case .decimal:
      guard let (text, stop) = unsafe number(at), let number = Decimal(text),
        unsafe field.pointee.takes(number)
      else { return nil }
      value = .decimal(number)
      return unsafe stop
    case .string:
      guard let (node, stop) = unsafe string(at) else { return nil }
      if isWanted { value = .string(text(node)) }
      return unsafe stop
    case .timestamp:
      guard let (node, stop) = unsafe string(at), let time = Timestamp(rfc3339: text(node))
      else { return nil }
      value = .timestamp(time)
      return unsafe stop
    case .date:
      guard let (node, stop) = unsafe string(at), let days = daysSince1970(text(node))
      else { return nil }
      value = .date(days: days)
      return unsafe stop
    case .json, .object, .list, .map, .passedOver: return nil
    }
  }

  /// An element of a list or a value of a map: it has to be there, unless it is of mixed type.
  @inline(never)
  private func element(
    _ shape: JSONShape, _ field: UnsafeMutablePointer<JSONShape.Field>, _ at: Place,
    _ isWanted: Bool, into value: inout Value
  ) -> Place? {
    var next = unsafe at
    value = .null
    switch unsafe field.pointee.kind {
    case .string:
      if unsafe JSONShapeScan.plainText(&next, &value) { return unsafe next }
    case .int:
      if unsafe JSONShapeScan.plainInteger(&next, &value) { return unsafe next }
    case .decimal:
      if unsafe JSONShapeScan.plainDecimal(field, &next, &value) { return unsafe next }
    default: break
    }
    guard let stop = unsafe self.value(shape, field, at, isWanted, &value)
    else { return nil }
    if value.isAbsent {
      if unsafe field.pointee.kind != .json { return nil }
      value = unsafe .json(ByteView(base: at, count: stop - at))
    }
    return unsafe stop
  }

  private func list(
    _ shape: JSONShape, _ field: UnsafeMutablePointer<JSONShape.Field>, _ start: Place,
    _ isWanted: Bool, into value: inout Value
  ) -> Place? {
    depth += 1
    if depth > JSONTape.depthMax { return nil }
    let first = elements.count
    var at = unsafe JSONShapeScan.pastSpace(start + 1)
    if unsafe at.pointee != UInt8(ascii: "]") {
      while true {
        var each = Value.null
        let isObject =
          unsafe field.pointee.kind == .object && at.pointee == UInt8(ascii: "{")
        guard
          let stop = unsafe isObject
            ? child(shape, field, at, isWanted, &each)
            : element(shape, field, at, isWanted, into: &each)
        else { return nil }
        if isWanted { elements.push(each) }
        unsafe at = JSONShapeScan.pastSpace(stop)
        if unsafe at.pointee != UInt8(ascii: ",") { break }
        unsafe at = JSONShapeScan.pastSpace(at + 1)
      }
      if unsafe at.pointee != UInt8(ascii: "]") { return nil }
    }
    depth -= 1
    if isWanted { value = .list(elements.pop(from: first, into: arena)) }
    return unsafe at + 1
  }

  private func map(
    _ shape: JSONShape, _ field: UnsafeMutablePointer<JSONShape.Field>, _ start: Place,
    _ isWanted: Bool, into value: inout Value
  ) -> Place? {
    depth += 1
    if depth > JSONTape.depthMax { return nil }
    let first = elements.count
    var at = unsafe JSONShapeScan.pastSpace(start + 1)
    if unsafe at.pointee != UInt8(ascii: "}") {
      while true {
        guard let (name, behind) = unsafe string(at) else { return nil }
        guard let colon = unsafe colon(behind) else { return nil }
        var each = Value.null
        guard let stop = unsafe element(shape, field, colon, isWanted, into: &each)
        else { return nil }
        if isWanted {
          elements.push(.string(text(name)))
          elements.push(each)
        }
        unsafe at = JSONShapeScan.pastSpace(stop)
        if unsafe at.pointee != UInt8(ascii: ",") { break }
        unsafe at = JSONShapeScan.pastSpace(at + 1)
      }
      if unsafe at.pointee != UInt8(ascii: "}") { return nil }
    }
    depth -= 1
    if isWanted {
      let entries = elements.pop(from: first, into: arena)
      let distinct = entries.lastOfEach(in: arena)
      // The way over the tape counts what is repeated.
      if distinct.count != entries.count { return nil }
      value = .map(distinct)
    }
    return unsafe at + 1
  }

  /// Past a colon and the white space around it.
  @inline(__always)
  private func colon(_ at: Place) -> Place? {
    let colon = unsafe JSONShapeScan.pastSpace(at)
    return unsafe colon.pointee == UInt8(ascii: ":") ? JSONShapeScan.pastSpace(colon + 1) : nil
  }

  // MARK: What is only looked at to be JSON

  /// Past a value of any kind. Of each container that is open in it, one bit says whether it is an
  /// object; there are at most ``JSONTape/depthMax``.
  @inline(never)
  func skip(_ start: Place) -> Place? {
    let outside = depth
    var objects: UInt128 = 0
    var at = unsafe start
    while true {
      let byte = unsafe at.pointee
      if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
        depth += 1
        if depth > JSONTape.depthMax { return nil }
        objects = objects << 1 | (byte == UInt8(ascii: "{") ? 1 : 0)
        unsafe at = JSONShapeScan.pastSpace(at + 1)
        // The closing brackets are two behind the opening ones.
        if unsafe at.pointee != byte + 2 {
          if byte == UInt8(ascii: "[") { continue }
          guard let value = unsafe skipKey(at) else { return nil }
          unsafe at = value
          continue
        }
      } else {
        guard let stop = unsafe skipScalar(at) else { return nil }
        unsafe at = stop
        if depth == outside { return unsafe at }
        unsafe at = JSONShapeScan.pastSpace(at)
      }
      // Behind a value, or before the bracket of an empty container.
      while unsafe at.pointee == (objects & 1 == 1 ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
        depth -= 1
        objects >>= 1
        unsafe at += 1
        if depth == outside { return unsafe at }
        unsafe at = JSONShapeScan.pastSpace(at)
      }
      if unsafe at.pointee != UInt8(ascii: ",") { return nil }
      unsafe at = JSONShapeScan.pastSpace(at + 1)
      if objects & 1 == 1 {
        guard let value = unsafe skipKey(at) else { return nil }
        unsafe at = value
      }
    }
  }

  @inline(__always)
  private func skipKey(_ at: Place) -> Place? {
    if unsafe at.pointee != UInt8(ascii: "\"") { return nil }
    guard let stop = unsafe skipText(at) else { return nil }
    return unsafe colon(stop)
  }

  @inline(__always)
  private func skipScalar(_ at: Place) -> Place? {
    let byte = unsafe at.pointee
    if byte == UInt8(ascii: "\"") { return unsafe skipText(at) }
    if byte &- 0x30 <= 9 || byte == UInt8(ascii: "-") { return unsafe JSONDigits.pastNumber(at) }
    return unsafe word(at)
  }

  @inline(__always)
  private func skipText(_ at: Place) -> Place? {
    let stop = unsafe weft_plain_text_stop(at + 1)
    return unsafe stop.pointee == UInt8(ascii: "\"") ? stop + 1 : string(at)?.1
  }

  /// Past `true`, `false` or `null`.
  private func word(_ at: Place) -> Place? {
    let raw = unsafe UnsafeRawPointer(at)
    switch unsafe UInt32(bigEndian: raw.loadUnaligned(as: UInt32.self)) {
    case 0x7472_7565, 0x6E75_6C6C: return unsafe at + 4
    case 0x6661_6C73: return unsafe at[4] == UInt8(ascii: "e") ? at + 5 : nil
    default: return nil
    }
  }
}
