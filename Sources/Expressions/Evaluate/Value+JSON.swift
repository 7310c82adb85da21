import Formats
import Records

/// Mixed values as they leave a program: as JSON, so that what stands in rows and records is the
/// same whatever it was made by.
extension Value {
  /// This value of `type` with JSON for what is mixed in it, null as absent; a failure when JSON
  /// cannot say it. Counts what it does in `steps`.
  func json(of type: ValueType, _ frame: Frame, _ steps: inout Int) -> Value {
    if isAbsent { return self }
    switch type {
    case .dyn: return mixedJSON(frame, &steps)
    case .optional(let inner): return json(of: inner, frame, &steps)
    case .list(let element) where element.hasMixed:
      return replacing(frame, &steps) { _ in element }.map { .list($0) } ?? .failure(.badConversion)
    case .map(_, let element) where element.hasMixed:
      return replacing(frame, &steps) { $0 % 2 == 0 ? nil : element }.map { .map($0) }
        ?? .failure(.badConversion)
    case .object(let object) where type.hasMixed:
      return replacing(frame, &steps) { object.fields[$0].type }.map { .object($0) }
        ?? .failure(.badConversion)
    default: return self
    }
  }

  /// What is in it, each as one of the type that `type` says for its place (nil: it stays).
  private func replacing(_ frame: Frame, _ steps: inout Int, _ type: (Int) -> ValueType?)
    -> ValueRun?
  {
    let result = frame.arena.copy(run)
    for index in 0..<result.count {
      guard let type = type(index) else { continue }
      let value = result[index].json(of: type, frame, &steps)
      if value.isError { return nil }
      result[index] = value
    }
    return result
  }

  private func mixedJSON(_ frame: Frame, _ steps: inout Int) -> Value {
    if kind == .json { return view.jsonKind == .null ? .absent : self }
    if kind == .null { return .absent }
    frame.text.clear()
    guard frame.text.append(mixed: self, &steps) else { return .failure(.badConversion) }
    return .json(frame.arena.copy(frame.text.view))
  }
}

extension ByteBuffer {
  /// A mixed value as JSON; false for what JSON cannot say: infinities and NaN. Stops once `steps`
  /// are too many.
  fileprivate func append(mixed value: Value, _ steps: inout Int) -> Bool {
    steps += value.mixedSteps
    if steps > Evaluation.iterationsMax { return true }
    switch value.kind {
    case .absent, .null: appendJSONNull()
    case .bool: appendJSON(bool: value.bool)
    case .int: append(decimal: value.int)
    case .uint: append(decimal: value.uint)
    case .double: return appendJSON(double: value.double)
    case .decimal: append(value.decimal)
    case .string: appendJSON(string: value.view)
    case .bytes: appendJSON(base64: value.view)
    case .timestamp: appendJSON(timestamp: value.timestamp)
    case .date: appendJSON(days: value.dateDays)
    case .duration:
      append(UInt8(ascii: "\""))
      append(duration: value.totalNanoseconds)
      append(UInt8(ascii: "\""))
    case .json: append(value.view)
    case .list: return append(list: value.run, &steps)
    case .map: return append(map: value.run, &steps)
    case .object, .error: return false
    }
    return true
  }

  private func append(list run: ValueRun, _ steps: inout Int) -> Bool {
    append(UInt8(ascii: "["))
    for index in 0..<run.count {
      if index > 0 { append(UInt8(ascii: ",")) }
      if !append(mixed: run[index], &steps) { return false }
    }
    append(UInt8(ascii: "]"))
    return true
  }

  /// Keys that are no texts become such.
  private func append(map run: ValueRun, _ steps: inout Int) -> Bool {
    append(UInt8(ascii: "{"))
    for index in stride(from: 0, to: run.count, by: 2) {
      if index > 0 { append(UInt8(ascii: ",")) }
      let isText = run[index].kind == .string
      if !isText { append(UInt8(ascii: "\"")) }
      if !append(mixed: run[index], &steps) { return false }
      if !isText { append(UInt8(ascii: "\"")) }
      append(UInt8(ascii: ":"))
      if !append(mixed: run[index + 1], &steps) { return false }
    }
    append(UInt8(ascii: "}"))
    return true
  }
}
