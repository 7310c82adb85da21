import Expressions

/// A stream of pairs: events of two ways with the same key, whose actual times are not too far
/// apart.
package struct JoinDefinition: Sendable {
  /// One of the two ways.
  package struct Side: Sendable {
    package let branch: Branch
    package let key: [CheckedExpression]
    /// What its variable, `left` or `right`, has.
    package let object: ObjectType
    /// By field of the object, what is kept of it; nil: nothing reads it.
    package let fields: [CheckedExpression?]

    package init(
      branch: Branch, key: [CheckedExpression], object: ObjectType, fields: [CheckedExpression?]
    ) {
      self.branch = branch
      self.key = key
      self.object = object
      self.fields = fields
    }
  }

  /// The stream's.
  package let name: String
  /// Ordinal of the journal in which both ways are.
  package let journal: Int
  package let left: Side
  package let right: Side
  /// Names and types of the key's parts.
  package let key: ObjectType
  package let withinMs: Int64
  /// How far an event may be behind the journal's clock.
  package let graceMs: Int64

  package init(
    name: String, journal: Int, left: Side, right: Side, key: ObjectType, withinMs: Int64,
    graceMs: Int64
  ) {
    self.name = name
    self.journal = journal
    self.left = left
    self.right = right
    self.key = key
    self.withinMs = withinMs
    self.graceMs = graceMs
  }

  package var sides: [Side] { [left, right] }
}
