import Formats
import Records

/// What a published record may break of its contract, and where.
struct OutputFault {
  enum Reason { case missing, wrongType, precision, notFinite, notUTF8 }
  let reason: Reason
  /// Place in ``OutputShape/fields``.
  let field: Int

  func message(_ shape: OutputShape) -> String {
    let path = shape.paths[field]
    switch reason {
    case .missing: return "the field `\(path)` is required and has no value"
    case .wrongType: return "the value of `\(path)` is not of the type the contract promises"
    case .precision:
      let plan = shape.fields[field]
      return "the value of `\(path)` does not fit decimal(\(plan.precision),\(plan.scale)) exactly"
    case .notFinite: return "the value of `\(path)` is infinite or not a number"
    case .notUTF8: return "the value of `\(path)` is not valid UTF-8"
    }
  }
}

/// Writes values as the JSON of an output's contract, checking each on the way.
///
/// A decimal is written with the contract's decimal places; one that needs more, or has too many
/// digits, breaks the contract, as nothing is rounded here.
struct RecordWriter {
  let shape: OutputShape
  let buffer: ByteBuffer
  private(set) var fault: OutputFault?
  private var isFirst = true

  init(_ shape: OutputShape, into buffer: ByteBuffer) {
    self.shape = shape
    self.buffer = buffer
    buffer.append(UInt8(ascii: "{"))
  }

  func end() { buffer.append(UInt8(ascii: "}")) }

  /// Writes the value of the contract field at `place`; false when it breaks the contract.
  @inline(__always)
  mutating func member(_ place: Int, _ value: Value) -> Bool {
    let field = shape.fields[place]
    if value.kind == .absent || value.kind == .null {
      return field.isRequired ? fail(.missing, place) : true
    }
    if isFirst { isFirst = false } else { buffer.append(UInt8(ascii: ",")) }
    buffer.append(shape.names[Int(field.nameStart)..<Int(field.nameEnd)])
    return write(value, field, place)
  }

  private mutating func fail(_ reason: OutputFault.Reason, _ place: Int) -> Bool {
    fault = OutputFault(reason: reason, field: place)
    return false
  }

  private mutating func write(_ value: Value, _ field: OutputField, _ place: Int) -> Bool {
    switch (field.kind, value.kind) {
    case (.string, .string): buffer.appendJSON(string: value.view)
    case (.int, .int): buffer.append(decimal: value.int)
    case (.decimal, .decimal): return decimal(value.decimal, field, place)
    case (.decimal, .int): return decimal(Decimal(value.int), field, place)
    case (.bool, .bool): buffer.appendJSON(bool: value.bool)
    case (.double, .double):
      if !buffer.appendJSON(double: value.double) { return fail(.notFinite, place) }
    case (.timestamp, .timestamp): buffer.appendJSON(timestamp: value.timestamp)
    case (.date, .date): buffer.appendJSON(days: value.dateDays)
    case (.json, .json): buffer.append(value.view)
    case (.json, _): return untyped(value, place)
    case (.object, .object): return object(value.run, field)
    case (.list, .list): return list(value.run, field)
    case (.map, .map): return map(value.run, field)
    default: return fail(.wrongType, place)
    }
    return true
  }

  private mutating func decimal(_ value: Decimal, _ field: OutputField, _ place: Int) -> Bool {
    if field.precision == 0 {
      buffer.append(value)
      return true
    }
    if value.scale == field.scale && value.mantissa.magnitude < UInt128(field.mantissaSafe) {
      buffer.append(value)
      return true
    }
    guard value.fits(precision: Int(field.precision), scale: Int(field.scale)),
      let exact = value.rounded(toScale: field.scale)
    else { return fail(.precision, place) }
    buffer.append(exact)
    return true
  }

  private mutating func object(_ run: ValueRun, _ field: OutputField) -> Bool {
    buffer.append(UInt8(ascii: "{"))
    let outer = isFirst
    isFirst = true
    for place in Int(field.first)..<Int(field.first + field.count) {
      let source = Int(shape.fields[place].source)
      if !member(place, source >= 0 ? run[source] : .absent) { return false }
    }
    isFirst = outer
    buffer.append(UInt8(ascii: "}"))
    return true
  }

  private mutating func list(_ run: ValueRun, _ field: OutputField) -> Bool {
    let place = Int(field.element)
    let element = shape.fields[place]
    buffer.append(UInt8(ascii: "["))
    for index in 0..<run.count {
      if index > 0 { buffer.append(UInt8(ascii: ",")) }
      if run[index].isAbsent { return fail(.missing, place) }
      if !write(run[index], element, place) { return false }
    }
    buffer.append(UInt8(ascii: "]"))
    return true
  }

  private mutating func map(_ run: ValueRun, _ field: OutputField) -> Bool {
    let place = Int(field.element)
    let element = shape.fields[place]
    buffer.append(UInt8(ascii: "{"))
    var index = 0
    while index < run.count {
      if index > 0 { buffer.append(UInt8(ascii: ",")) }
      if run[index].kind != .string { return fail(.wrongType, place) }
      buffer.appendJSON(string: run[index].view)
      buffer.append(UInt8(ascii: ":"))
      if !write(run[index + 1], element, place) { return false }
      index += 2
    }
    buffer.append(UInt8(ascii: "}"))
    return true
  }

  /// A plain value where the contract takes any.
  private mutating func untyped(_ value: Value, _ place: Int) -> Bool {
    switch value.kind {
    case .string: buffer.appendJSON(string: value.view)
    case .int: buffer.append(decimal: value.int)
    case .bool: buffer.appendJSON(bool: value.bool)
    case .decimal: buffer.append(value.decimal)
    case .double: if !buffer.appendJSON(double: value.double) { return fail(.notFinite, place) }
    case .timestamp: buffer.appendJSON(timestamp: value.timestamp)
    case .date: buffer.appendJSON(days: value.dateDays)
    default: return fail(.wrongType, place)
    }
    return true
  }
}

extension ByteBuffer {
  /// A member's name, quoted and escaped, with its colon.
  func appendJSONName(_ name: String) {
    appendJSON(string: name)
    append(UInt8(ascii: ":"))
  }
}
