import Diagnostics

/// The codes of files: W0101 to W0199 for their syntax and names, W0201 to W0299 for their fields,
/// W0341 to W0399 for what a transform says, W0701 on for compatibility. Permanent.
extension DiagnosticCode {
  package static let yamlSyntax = DiagnosticCode("W0101")
  package static let yamlEncoding = DiagnosticCode("W0102")
  package static let yamlLimit = DiagnosticCode("W0103")
  package static let repeatedKey = DiagnosticCode("W0104")
  /// Anchors, tags, second documents, keys that are no text.
  package static let yamlForm = DiagnosticCode("W0105")
  package static let missingFile = DiagnosticCode("W0106")
  package static let unreadableFile = DiagnosticCode("W0107")
}
