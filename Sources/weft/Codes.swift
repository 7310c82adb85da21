import Diagnostics

/// Codes of the command itself; those of files are Product's, those of brokers Mesh's. Permanent.
extension DiagnosticCode {
  static let badSampleLine = DiagnosticCode("W0108")
  static let emptySample = DiagnosticCode("W0109")
  static let badName = DiagnosticCode("W0110")
  static let fileExists = DiagnosticCode("W0111")
  static let unwritableFile = DiagnosticCode("W0112")
  /// No directory, domain or product is called so.
  static let nothingOfThatName = DiagnosticCode("W0113")
  static let notOneDomain = DiagnosticCode("W0114")
  static let nameTwice = DiagnosticCode("W0115")
  /// The files are right, but the engine cannot compile what they say.
  static let uncompilable = DiagnosticCode("W0351")
  /// What came out is not what a test expects.
  static let testFailed = DiagnosticCode("W0360")
  /// Records would be deleted, and nobody said that this is meant.
  static let notConfirmed = DiagnosticCode("W0409")
  static let unknownProduct = DiagnosticCode("W0411")
  static let unknownPort = DiagnosticCode("W0412")
  /// A state port has no row with that key.
  static let noSuchRow = DiagnosticCode("W0413")
  /// An event that is nowhere in a product.
  static let noSuchEvent = DiagnosticCode("W0414")
  /// No event lies at that place in quarantine.
  static let notQuarantined = DiagnosticCode("W0420")
  /// An event in quarantine that cannot go back through the product.
  static let notReleasable = DiagnosticCode("W0421")
  /// The files at hand are not those by which the product's journal was made.
  static let otherFiles = DiagnosticCode("W0422")
  /// What was written to the journal has not been applied in the time that a command waits.
  static let notAppliedYet = DiagnosticCode("W0423")
  /// An error that no room gave a message to.
  static let unexpected = DiagnosticCode("W0501")
  static let outputFailed = DiagnosticCode("W0502")
  static let unknownRule = DiagnosticCode("W0503")
  /// Another process holds the instance, or its state directory cannot be used.
  static let instanceHeld = DiagnosticCode("W0601")
}
