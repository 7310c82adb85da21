import Diagnostics
import Records

/// One example of tests/*.yaml: what comes in, and what must have come out.
package struct ProductTest: Sendable {
  package enum Step: Sendable {
    case record(Given)
    /// The worker dies, and starts again from what it had committed.
    case crash
    /// The partitions are taken away and given back.
    case rebalance
    /// So many milliseconds pass on the clock of recorded times.
    case advance(Int64)
  }

  /// A record that arrives.
  package struct Given: Sendable {
    /// Ordinal in ``ProductDefinition/inputs``.
    package let input: Int
    /// Nil: without a key.
    package let key: [UInt8]?
    /// Nil is a tombstone, which is not an empty value.
    package let value: [UInt8]?
    package let headers: Headers
    package let span: SourceSpan
  }

  /// What a record says of itself in headers.
  package struct Headers: Sendable {
    /// The actual time of a record of another product's port; nil: the record's own.
    package var time: Timestamp?
    /// Of one that may be taken back, or takes one back.
    package var id: String?
    package var operation: String?
    package var corrects: String?
  }

  /// Headers by which records are taken back: beside what is given to an input that reads them, and
  /// among the fields that are expected of a port that carries them.
  package static let correctionHeaders = ["ce_id", "ce_op", "ce_corrects"]
  static let operations = ["retract", "assert"]

  /// What one port must hold.
  package struct Expectation: Sendable {
    package enum Content: Sendable {
      /// These records, in this order within a key, and no others.
      case records([ExpectedValue])
      /// Of each key named here the newest record; nil: there is none, or a tombstone. Keys that
      /// are not named are not compared.
      case rows([(key: String, value: ExpectedValue?, span: SourceSpan)])
    }

    /// Ordinal in ``ProductDefinition/outputs``.
    package let output: Int
    package let content: Content
    package let span: SourceSpan
  }

  package let name: String
  package let span: SourceSpan
  package let steps: [Step]
  package let expectations: [Expectation]
  /// Records of the quarantine, in order; nil when the test says nothing of it.
  package let quarantine: [ExpectedValue]?
  /// Events held for an identifier; nil when the test says nothing of it.
  package let held: Int?
}

/// A value that a test expects, with its place. Fields that an object leaves out are not compared;
/// `null` means absent or null; numbers are the same when their values are (`12.5` and `12.50`).
package struct ExpectedValue: Sendable {
  package indirect enum Content: Sendable {
    case null
    case bool(Bool)
    /// JSON text of the number.
    case number(String)
    case string(String)
    case list([ExpectedValue])
    case object([(name: String, value: ExpectedValue)])
  }

  package let content: Content
  package let span: SourceSpan
}
