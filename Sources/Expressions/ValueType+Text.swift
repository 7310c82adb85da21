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
    case .type: "type"
    case .nothing: "nothing"
    case .list(.nothing): "list"
    case .list(let element): "list of \(element)"
    case .map(let key, let value): "map of \(key) to \(value)"
    case .object(let object): object.name.isEmpty ? "object" : "object `\(object.name)`"
    case .optional(.nothing): "optional"
    case .optional(let inner): "optional \(inner)"
    }
  }
}

extension ValueType {
  /// Whether a value of this type may stand where `other` is asked for, and the other way round:
  /// the same type, objects by their fields in order. What an empty literal has none of agrees with
  /// all.
  func agrees(with other: ValueType) -> Bool {
    switch (self, other) {
    case (.list(let left), .list(let right)), (.optional(let left), .optional(let right)):
      left == .nothing || right == .nothing || left.agrees(with: right)
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
    case (.list(.nothing), _), (.optional(.nothing), _): other
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
    case (_, .dyn): isMixable
    case (.list(let left), .list(let right)): left == .nothing || left.satisfies(right)
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

  /// Whether a value of this type says by itself what it is, so that it can be a mixed one: an
  /// object has its names in its type only.
  var isMixable: Bool {
    switch self {
    case .object, .optional, .type: false
    case .list(let element): element.isMixable
    case .map(let key, let value): key.isMixable && value.isMixable
    default: true
    }
  }

  /// Whether it is mixed, or something in it is.
  var hasMixed: Bool {
    switch self {
    case .dyn: true
    case .list(let element), .optional(let element): element.hasMixed
    case .map(_, let value): value.hasMixed
    case .object(let object): object.fields.contains { $0.type.hasMixed }
    default: false
    }
  }

  var unwrapped: ValueType { if case .optional(let inner) = self { inner } else { self } }
  var isOptional: Bool { if case .optional = self { true } else { false } }
}
