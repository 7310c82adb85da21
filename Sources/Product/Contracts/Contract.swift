import Diagnostics

/// One *.odcs.yaml, read: the promise of a port, or of what an input brings.
package struct Contract: Sendable {
  /// One `schema[]` object: an event type, or what a row is.
  package struct Object: Sendable {
    package let name: String
    package let nameSpan: SourceSpan
    /// `physicalName`: the topic, without an environment.
    package let topic: String?
    package let topicSpan: SourceSpan
    package let fields: [ContractField]
    /// Whether records may be taken back: `weft.corrections`, of the object or the contract.
    package let corrects: Bool
    /// Where each field's name stands, by its path joined with dots.
    package let places: [String: SourceSpan]
  }

  package let id: String
  package let version: String
  package let major: Int
  package let name: String
  package let status: String
  package let objects: [Object]
  package let source: SourceText
  package let idSpan: SourceSpan
  package let record: FileRecord
}
