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

extension DiagnosticCode {
  package static let unknownKey = DiagnosticCode("W0201")
  package static let wrongType = DiagnosticCode("W0202")
  package static let missingKey = DiagnosticCode("W0207")
  /// Of the right type, but not what may stand there.
  package static let badValue = DiagnosticCode("W0204")
  /// Of a later version of Weft: it would change what is published, so it is refused.
  package static let notThereYet = DiagnosticCode("W0205")
  /// Of a later version of Weft: it changes nothing that is published, so it is accepted.
  package static let notActedOn = DiagnosticCode("W0206")
}

extension DiagnosticCode {
  /// A name that stands for nothing: an input port, a contract, a stream, a table.
  package static let unknownReference = DiagnosticCode("W0341")
  /// One name for two things.
  package static let ambiguousName = DiagnosticCode("W0342")
  /// Streams that are made of each other.
  package static let circle = DiagnosticCode("W0343")
  /// What the contract says and what the transform makes do not fit.
  package static let breaksContract = DiagnosticCode("W0344")
  /// A topic's name that is not the one its place asks for.
  package static let wrongTopic = DiagnosticCode("W0345")
  /// A right side that is no aggregate, or one that does not take this.
  package static let aggregate = DiagnosticCode("W0346")
  /// A key that cannot be one.
  package static let badKey = DiagnosticCode("W0347")
  /// Needs a journal, or a journal's name.
  package static let journal = DiagnosticCode("W0348")
  /// Promised and not made, or made and not promised.
  package static let unfulfilled = DiagnosticCode("W0349")
  /// Another product's port that is not there yet; nothing else need be wrong.
  package static let unpublishedPort = DiagnosticCode("W0352")
  /// A way of writing that does not fit here, such as a `select` by inputs for a table.
  package static let misplaced = DiagnosticCode("W0350")
  /// Something that a correction could not take back, or a port that carries none.
  package static let corrections = DiagnosticCode("W0359")
}
