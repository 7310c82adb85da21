import Expressions

/// A topic that a product takes in.
package struct InputDefinition: Sendable {
  package enum Start: Sendable, Hashable {
    case earliest, latest
    /// Milliseconds since 1970.
    case timestamp(Int64)
  }

  /// How redeliveries are told: the field with the event's id, remembered for so long (recorded
  /// time).
  package struct Identity: Sendable, Hashable {
    package let path: [String]
    package let horizonMs: Int64
    package init(path: [String], horizonMs: Int64) {
      self.path = path
      self.horizonMs = horizonMs
    }
  }

  /// The output port that an input is.
  package struct Port: Sendable, Hashable {
    /// `billing/claims#charges@1`
    package let address: String
    /// Whether its records are rows, which replace each other.
    package let isState: Bool
    /// Of a state port: the fields of its key, in the order of their places in it.
    package let key: [String]

    package init(_ found: ForeignPort) {
      address = found.address
      isState = found.port.isState
      key = found.port.key
    }
  }

  package var name: String
  package var topic: String
  /// Of another product's port; its records say their actual time themselves. Nil of a topic that
  /// no product of the mesh publishes.
  package var port: Port?
  /// The field that names the event type, from the root of the document; nil when there is one
  /// type.
  package var discriminator: [String]?
  package var id: Identity?
  /// The field with the actual time; nil: what a port's record says of itself (`ce_time`), else
  /// Kafka's record timestamp.
  package var time: [String]?
  package var start: Start
  /// Of a state port: whether a deleted row takes back what it has given to tables. Else its
  /// tombstones mean nothing.
  package var undoesDeletions = false
  /// In the order of the contract's `schema[]`; an ``EventReference`` counts in it.
  package var events: [EventType]
  /// Whether its records may be taken back, as its contract says. They are known by their `ce_id`
  /// then, for ever.
  package var corrects: Bool

  package init(
    name: String, topic: String, discriminator: [String]?, id: Identity?, time: [String]?,
    start: Start, events: [EventType], port: Port? = nil, corrects: Bool = false
  ) {
    self.corrects = corrects
    self.port = port
    self.name = name
    self.topic = topic
    self.discriminator = discriminator
    self.id = id
    self.time = time
    self.start = start
    self.events = events
  }
}

/// One kind of event of an input: what its documents look like.
package struct EventType: Sendable, Hashable {
  /// The value of the discriminator, and the name of the contract's schema object.
  package let name: String
  package let fields: [ContractField]
  package init(name: String, fields: [ContractField]) {
    self.name = name
    self.fields = fields
  }
  /// The type of the variable `event`; fields in the contract's order.
  package var object: ObjectType { ContractField.object(named: name, fields) }
}

/// An event type, by its input's and its own ordinal.
package struct EventReference: Sendable, Hashable {
  package let input: Int
  package let event: Int
  package init(input: Int, event: Int) {
    self.input = input
    self.event = event
  }
}

/// A field of a contract, with all that is checked when a record is read or written.
package struct ContractField: Sendable, Hashable {
  /// Digits in all, and after the point.
  package struct DecimalShape: Sendable, Hashable {
    package let precision: Int
    package let scale: Int
    package init(precision: Int, scale: Int) {
      self.precision = precision
      self.scale = scale
    }
  }

  package var name: String
  package var type: ValueType
  package var isRequired: Bool
  /// Of a field `physicalType: decimal(p,s)`, or of the elements of a list of such.
  package var decimal: DecimalShape?
  /// From 1; nil when the field is no part of the primary key.
  package var primaryKeyPosition: Int?
  package var classification: String?
  package var description: String?
  /// Of an object, or of a list's elements when those are objects; the same order as in `type`.
  package var fields: [ContractField]

  package init(
    name: String, type: ValueType, isRequired: Bool, decimal: DecimalShape? = nil,
    primaryKeyPosition: Int? = nil, classification: String? = nil, description: String? = nil,
    fields: [ContractField] = []
  ) {
    self.name = name
    self.type = type
    self.isRequired = isRequired
    self.decimal = decimal
    self.primaryKeyPosition = primaryKeyPosition
    self.classification = classification
    self.description = description
    self.fields = fields
  }

  /// Those of the primary key, in the order of their places in it.
  package static func primaryKey(_ fields: [ContractField]) -> [ContractField] {
    fields.filter { $0.primaryKeyPosition != nil }.sorted {
      ($0.primaryKeyPosition ?? 0) < ($1.primaryKeyPosition ?? 0)
    }
  }

  package static func object(named name: String, _ fields: [ContractField]) -> ObjectType {
    ObjectType(
      name: name, fields: fields.map { .init($0.name, $0.type, isRequired: $0.isRequired) })
  }
}
