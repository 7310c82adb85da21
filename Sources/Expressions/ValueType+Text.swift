extension ValueType: CustomStringConvertible {
  /// What messages call it.
  package var description: String {
    switch self {
    case .bool: "bool"
    case .int: "int"
    case .uint: "uint"
    case .double: "double"
    case .decimal: "decimal"
    case .string: "string"
    case .bytes: "bytes"
    case .timestamp: "timestamp"
    case .date: "date"
    case .duration: "duration"
    case .null: "null"
    case .dyn: "dyn"
    case .list(.dyn): "list"
    case .list(let element): "list of \(element)"
    case .map(let key, let value): "map of \(key) to \(value)"
    case .object(let object): object.name.isEmpty ? "object" : "object `\(object.name)`"
    case .optional(.dyn): "optional"
    case .optional(let inner): "optional \(inner)"
    }
  }
}

extension ValueType {
  /// Whether a value of this type may stand where `other` is asked for, and the other way round:
  /// the same type, objects by their fields in order. `dyn` inside a list or an optional is that of
  /// an empty literal and agrees with all.
  func agrees(with other: ValueType) -> Bool {
    switch (self, other) {
    case (.list(let left), .list(let right)), (.optional(let left), .optional(let right)):
      left == .dyn || right == .dyn || left.agrees(with: right)
    case (.map(let key, let value), .map(let otherKey, let otherValue)):
      key.agrees(with: otherKey) && value.agrees(with: otherValue)
    case (.object(let left), .object(let right)):
      left.fields.count == right.fields.count
        && zip(left.fields, right.fields).allSatisfy {
          $0.name == $1.name && $0.type.agrees(with: $1.type)
        }
    default: self == other
    }
  }

  /// Of two types that agree, the one that says more.
  func joined(with other: ValueType) -> ValueType {
    switch (self, other) {
    case (.list(.dyn), _), (.optional(.dyn), _): other
    case (.list(let left), .list(let right)): .list(left.joined(with: right))
    case (.optional(let left), .optional(let right)): .optional(left.joined(with: right))
    case (.object(let left), .object(let right)):
      .object(
        ObjectType(
          name: left.name,
          fields: zip(left.fields, right.fields).map {
            .init(
              $0.name, $0.type.joined(with: $1.type), isRequired: $0.isRequired && $1.isRequired)
          }))
    default: self
    }
  }

  /// Whether a value of this type can be written where a contract asks for `wanted`: as `agrees`,
  /// but an object's fields may stand in another order, and optional ones be left out.
  func satisfies(_ wanted: ValueType) -> Bool {
    switch (self, wanted) {
    case (_, .dyn): true
    case (.list(let left), .list(let right)): left == .dyn || left.satisfies(right)
    case (.map(let key, let value), .map(let wantedKey, let wantedValue)):
      key == wantedKey && value.satisfies(wantedValue)
    case (.object(let left), .object(let right)):
      left.fields.allSatisfy { field in
        right.fields.contains { $0.name == field.name && field.type.satisfies($0.type) }
      }
        && right.fields.allSatisfy { field in
          !field.isRequired || left.fields.contains { $0.name == field.name && $0.isRequired }
        }
    default: self == wanted
    }
  }

  var unwrapped: ValueType { if case .optional(let inner) = self { inner } else { self } }
  var isOptional: Bool { if case .optional = self { true } else { false } }
}
