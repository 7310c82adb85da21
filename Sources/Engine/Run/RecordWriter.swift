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
///
/// Holds neither shape nor buffer, so that it counts no references: each step is given them again.
struct RecordWriter {
  private(set) var fault: OutputFault?
  private var isFirst = true

  init(into buffer: ByteBuffer) { buffer.append(UInt8(ascii: "{")) }

  func end(_ buffer: ByteBuffer) { buffer.append(UInt8(ascii: "}")) }

  /// Writes the value of the contract field at `place`; false when it breaks the contract.
  @inline(__always)
  mutating func member(
    _ shape: OutputShape, _ place: Int, _ value: Value, _ buffer: ByteBuffer
  ) -> Bool {
    let field = shape.fields[place]
    if value.kind == .absent || value.kind == .null {
      return field.isRequired ? fail(.missing, place) : true
    }
    // Names begin with the comma that stands before all but the first.
    let start = isFirst ? field.nameStart + 1 : field.nameStart
    isFirst = false
    buffer.append(shape.names[Int(start)..<Int(field.nameEnd)])
    return write(shape, value, field, place, buffer)
  }

  private mutating func fail(_ reason: OutputFault.Reason, _ place: Int) -> Bool {
    fault = OutputFault(reason: reason, field: place)
    return false
  }

  private mutating func write(
    _ shape: OutputShape, _ value: Value, _ field: OutputField, _ place: Int, _ buffer: ByteBuffer
  ) -> Bool {
    switch (field.kind, value.kind) {
    case (.string, .string): buffer.appendJSON(string: value.view)
    case (.int, .int): buffer.append(decimal: value.int)
    case (.decimal, .decimal): return decimal(value.decimal, field, place, buffer)
    case (.decimal, .int): return decimal(Decimal(value.int), field, place, buffer)
    case (.bool, .bool): buffer.appendJSON(bool: value.bool)
    case (.double, .double):
      if !buffer.appendJSON(double: value.double) { return fail(.notFinite, place) }
    case (.timestamp, .timestamp): buffer.appendJSON(timestamp: value.timestamp)
    case (.date, .date): buffer.appendJSON(days: value.dateDays)
    case (.json, .json): buffer.append(value.view)
    case (.json, _): return untyped(value, place, buffer)
    case (.object, .object): return object(shape, value.run, field, buffer)
    case (.list, .list): return list(shape, value.run, field, buffer)
    case (.map, .map): return map(shape, value.run, field, buffer)
    default: return fail(.wrongType, place)
    }
    return true
  }

  private mutating func decimal(
    _ value: Decimal, _ field: OutputField, _ place: Int, _ buffer: ByteBuffer
  ) -> Bool {
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

  private mutating func object(
    _ shape: OutputShape, _ run: ValueRun, _ field: OutputField, _ buffer: ByteBuffer
  ) -> Bool {
    buffer.append(UInt8(ascii: "{"))
    let outer = isFirst
    isFirst = true
    for place in Int(field.first)..<Int(field.first + field.count) {
      let source = Int(shape.fields[place].source)
      if !member(shape, place, source >= 0 ? run[source] : .absent, buffer) { return false }
    }
    isFirst = outer
    buffer.append(UInt8(ascii: "}"))
    return true
  }

  private mutating func list(
    _ shape: OutputShape, _ run: ValueRun, _ field: OutputField, _ buffer: ByteBuffer
  ) -> Bool {
    let place = Int(field.element)
    let element = shape.fields[place]
    buffer.append(UInt8(ascii: "["))
    for index in 0..<run.count {
      if index > 0 { buffer.append(UInt8(ascii: ",")) }
      if run[index].isAbsent { return fail(.missing, place) }
      if !write(shape, run[index], element, place, buffer) { return false }
    }
    buffer.append(UInt8(ascii: "]"))
    return true
  }

  private mutating func map(
    _ shape: OutputShape, _ run: ValueRun, _ field: OutputField, _ buffer: ByteBuffer
  ) -> Bool {
    let place = Int(field.element)
    let element = shape.fields[place]
    buffer.append(UInt8(ascii: "{"))
    var index = 0
    while index < run.count {
      if index > 0 { buffer.append(UInt8(ascii: ",")) }
      if run[index].kind != .string { return fail(.wrongType, place) }
      buffer.appendJSON(string: run[index].view)
      buffer.append(UInt8(ascii: ":"))
      if !write(shape, run[index + 1], element, place, buffer) { return false }
      index += 2
    }
    buffer.append(UInt8(ascii: "}"))
    return true
  }

  /// A plain value where the contract takes any.
  private mutating func untyped(_ value: Value, _ place: Int, _ buffer: ByteBuffer) -> Bool {
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
  /// A member's name, quoted and escaped, with the comma before it and its colon.
  func appendJSONName(_ name: String) {
    append(UInt8(ascii: ","))
    appendJSON(string: name)
    append(UInt8(ascii: ":"))
  }
}
