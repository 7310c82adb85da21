/// What is the same for all records of one output port.
package struct PortTemplate: Sendable {
  package struct Header: Sendable, Hashable {
    /// UTF-8.
    package let name: [UInt8]
    package let value: [UInt8]
  }

  /// Position in `ProductPlan.ports`, which is ``OutputBatch/Entry/port``.
  package let ordinal: Int
  package let name: String
  package let major: Int
  package let topic: String
  package let partitions: Int32
  package let isState: Bool
  /// Sent with each record, before the record's own headers; empty under `envelope: bare`.
  package let constantHeaders: [Header]
}
