import Formats
import Records

/// Mixed values: JSON as it came, which is looked into only as far as somebody asks, or any other
/// value that is no object.
extension Value {
  /// What reading all of it counts as.
  var mixedSteps: Int {
    switch kind {
    case .json, .string, .bytes: view.steps
    case .list, .map: 1 + run.count
    default: 1
    }
  }

  /// Whether it is a number of a JSON text, which is of no kind yet.
  private var isWrittenNumber: Bool { kind == .json && view.jsonKind == .number }

  /// The value with its kind: what is in lists and maps stays as it is. JSON null is absent.
  func settled(_ arena: Arena) -> Value {
    guard kind == .json else { return kind == .null ? .absent : self }
    switch view.jsonKind {
    case .object: return .map(view.jsonMembers(into: arena))
    case .array: return .list(view.jsonElements(into: arena))
    case .string, .key: return .string(view.jsonString(into: arena))
    case .number: return view.plainNumber
    case .true: return .bool(true)
    case .false: return .bool(false)
    case .null: return .absent
    }
  }

  /// A number of a JSON text as one of `kind`, if it is one exactly (of double: the nearest).
  private func number(as kind: Kind) -> Value? {
    switch kind {
    case .int: return Int64(json: view).map { .int($0) }
    case .uint:
      return Decimal(view).flatMap(\.integer).flatMap { UInt64(exactly: $0) }.map { .uint($0) }
    case .double: return Double(json: view).map { .double($0) }
    case .decimal: return Decimal(view).map { .decimal($0) }
    default: return nil
    }
  }

  /// Two operands with their kinds. A number of a JSON text is of the kind of the other one, if it
  /// is one exactly; two of them are ints when both are written so, else doubles.
  static func aligned(_ left: Value, _ right: Value, _ arena: Arena) -> (Value, Value) {
    let (x, y) = (left.settled(arena), right.settled(arena))
    switch (left.isWrittenNumber, right.isWrittenNumber) {
    case (false, false): return (x, y)
    case (true, false): return (left.number(as: y.kind) ?? x, y)
    case (false, true): return (x, right.number(as: x.kind) ?? y)
    case (true, true):
      if x.kind == y.kind { return (x, y) }
      return (left.number(as: .double) ?? x, right.number(as: .double) ?? y)
    }
  }

  /// What a conversion is made of: numbers as exactly as it can use them.
  func settled(for function: MixedFunction, _ arena: Arena) -> Value {
    guard isWrittenNumber else { return settled(arena) }
    switch function {
    case .int, .uint, .decimal: return number(as: .decimal) ?? settled(arena)
    case .double: return number(as: .double) ?? settled(arena)
    case .string: return .string(view)
    default: return settled(arena)
    }
  }

  /// The value as what a place asks for; a failure when it is something else.
  func cast(to cast: Cast, _ arena: Arena) -> Value {
    let wanted = cast.type.kind
    if isWrittenNumber, let wanted { return number(as: wanted) ?? .failure(.wrongType) }
    let value = settled(arena)
    if value.isAbsent { return .failure(.noValue) }
    switch (cast, value.kind) {
    case (.elements, .map): return .list(value.run.keys(arena))
    case (.entries, .list): return .map(value.run.numbered(arena))
    default: return value.kind == wanted ? value : .failure(.wrongType)
    }
  }

  /// CEL's name of its type.
  var typeName: StaticString {
    switch kind {
    case .absent, .null: "null_type"
    case .bool: "bool"
    case .int: "int"
    case .uint: "uint"
    case .double: "double"
    case .decimal: "decimal"
    case .string: "string"
    case .bytes: "bytes"
    case .timestamp: "google.protobuf.Timestamp"
    case .date: "date"
    case .duration: "google.protobuf.Duration"
    case .list: "list"
    case .object, .map: "map"
    case .json:
      switch view.jsonKind {
      case .object: "map"
      case .array: "list"
      case .string, .key: "string"
      case .number: view.plainNumber.typeName
      case .true, .false: "bool"
      case .null: "null_type"
      }
    case .error: "error"
    }
  }
}

extension ByteView {
  /// Of a number: an int when it is written as one and has 64 bits, else the nearest double.
  fileprivate var plainNumber: Value {
    var isWhole = true
    for index in 0..<count where !isDigit(self[index]) && self[index] != UInt8(ascii: "-") {
      isWhole = false
    }
    if isWhole, let value = Int64(json: self) { return .int(value) }
    return .double(Double(json: self) ?? (self[0] == UInt8(ascii: "-") ? -.infinity : .infinity))
  }

  fileprivate func jsonElements(into arena: Arena) -> ValueRun {
    var count = 0
    var walk = JSONWalk(self)
    while walk.next() != nil { count += 1 }
    let run = arena.values(count)
    walk = JSONWalk(self)
    for index in 0..<count {
      if let element = walk.next() { run[index] = .json(element) }
    }
    return run
  }

  /// Names and values in turns, in the order of the text; of members of one name the last.
  fileprivate func jsonMembers(into arena: Arena) -> ValueRun {
    let run = jsonElements(into: arena)
    for index in stride(from: 0, to: run.count, by: 2) {
      run[index] = .string(run[index].view.jsonString(into: arena))
    }
    return run.withoutRepeatedNames()
  }
}

extension ValueRun {
  fileprivate func keys(_ arena: Arena) -> ValueRun {
    let keys = arena.values(count / 2)
    for index in 0..<keys.count { keys[index] = self[2 * index] }
    return keys
  }

  /// Places and elements in turns.
  fileprivate func numbered(_ arena: Arena) -> ValueRun {
    let entries = arena.values(2 * count)
    for index in 0..<count {
      entries[2 * index] = .int(Int64(index))
      entries[2 * index + 1] = self[index]
    }
    return entries
  }

  /// Of text keys and values in turns, without those that the same key comes after. In place.
  fileprivate func withoutRepeatedNames() -> ValueRun {
    if count <= 2 { return self }
    let order = stride(from: 0, to: count, by: 2).sorted {
      let difference = self[$0].view.compare(self[$1].view)
      return difference < 0 || difference == 0 && $0 < $1
    }
    for (place, next) in zip(order, order.dropFirst()) where self[place].view == self[next].view {
      self[place] = .absent
    }
    var kept = 0
    for index in stride(from: 0, to: count, by: 2) where !self[index].isAbsent {
      self[kept] = self[index]
      self[kept + 1] = self[index + 1]
      kept += 2
    }
    return prefix(kept)
  }
}
