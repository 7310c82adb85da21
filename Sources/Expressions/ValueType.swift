/// The static type of a value, from a contract or from the checker.
package indirect enum ValueType: Sendable, Hashable {
  case bool, int, uint, double, decimal, string, bytes, timestamp, date, duration, null
  /// Mixed: what it is, is known only when it is there. What leaves an expression as mixed is JSON.
  case dyn
  /// A type, such as `type(x)` gives.
  case type
  /// Of what there is none: the elements of `[]`, the value of `optional.none()`.
  case nothing
  case list(ValueType)
  case map(key: ValueType, value: ValueType)
  case object(ObjectType)
  /// What `.?` gives until `orValue` settles it.
  case optional(ValueType)
}

/// A record type: named fields in a fixed order, which is the order of a `Value` of kind object.
package struct ObjectType: Sendable, Hashable {
  package struct Field: Sendable, Hashable {
    package let name: String
    package let type: ValueType
    /// A field that is not required may be absent or null, which is the same.
    package let isRequired: Bool

    package init(_ name: String, _ type: ValueType, isRequired: Bool) {
      self.name = name
      self.type = type
      self.isRequired = isRequired
    }
  }

  /// What messages call it, such as an event type's name.
  package let name: String
  package let fields: [Field]

  package init(name: String, fields: [Field]) {
    self.name = name
    self.fields = fields
  }

  package func index(of name: String) -> Int? { fields.firstIndex { $0.name == name } }
}

/// A way from a variable to a field: `event`, `customer`, `id`. An element of a list is `[]`.
package struct FieldPath: Sendable, Hashable {
  package let parts: [String]
  package init(_ parts: [String]) { self.parts = parts }
  package static let element = "[]"
}

/// The variables that an expression may name, and what is known of them.
package struct Scope: Sendable {
  package struct Variable: Sendable {
    package let name: String
    package let type: ValueType
    /// Whether it is always there (`event`), or may be absent (a `let` of an optional value).
    package let isRequired: Bool

    package init(_ name: String, _ type: ValueType, isRequired: Bool = true) {
      self.name = name
      self.type = type
      self.isRequired = isRequired
    }
  }

  package var variables: [Variable]
  /// Optional fields known to be there: what `where` and `if` have asked for with `has`.
  package var known: Set<FieldPath>
  /// Fields of which something else is seen.
  package var masks: [FieldPath: FieldMask] = [:]
  /// The secret of `pseudonym()`, if there is one. It stands in what is checked, and in no message.
  package var pseudonymKey: [UInt8]?

  package init(_ variables: [Variable], known: Set<FieldPath> = []) {
    self.variables = variables
    self.known = known
  }
}
