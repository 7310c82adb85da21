import Diagnostics

/// Codes of this room: W04 for what Kafka answers, W07 for what a change would break. Permanent.
extension DiagnosticCode {
  package static let brokerUnreachable = DiagnosticCode("W0401")
  package static let topicMissing = DiagnosticCode("W0402")
  package static let accessDenied = DiagnosticCode("W0403")
  package static let loginRefused = DiagnosticCode("W0404")
  /// Anything else that Kafka says.
  package static let kafka = DiagnosticCode("W0405")
  package static let partitionsDiffer = DiagnosticCode("W0406")
  /// The group of a product still has members, so that its topics cannot be taken away.
  package static let groupInUse = DiagnosticCode("W0408")
  /// A journal topic was deleted while the product's inputs stay where they were read to.
  package static let journalMissing = DiagnosticCode("W0410")
  package static let logicChanged = DiagnosticCode("W0720")
}
