import Diagnostics
import Expressions

/// Makes a product's definition of transform.yaml, its descriptor and its contracts. Everything
/// that is wrong is found at once; what depends on something broken stays silent.
struct TransformReader {
  /// What the reader is given beside the file.
  struct Surroundings {
    var mesh: String
    var environment: String
    var descriptor: ProductDescriptor
    var contracts: ProductContracts
    /// Finds other products' ports.
    var ports: PortFinder
    /// Of worker.yaml: the secret of `pseudonym()`.
    var pseudonymKey: [UInt8]?
    /// Of mesh.yaml.
    var identifiers: [MeshDefinition.Identifier] = []
    /// By class, of mesh.yaml: what may be let through of a field.
    var masks: [String: [String]] = [:]
  }

  let record: FileRecord
  let around: Surroundings
  var diagnostics: [Diagnostic] = []

  var inputs: [InputDefinition] = []
  var inputContracts: [String: Contract] = [:]
  var streams: [String: StreamDraft] = [:]
  var joins: [JoinDraft] = []
  var tables: [TableDraft] = []
  /// Tables whose reading has begun.
  var begunTables: Set<String> = []
  /// The streams and tables that are being read, the inner ones behind those that are made of them.
  var making: [String] = []
  var outputs: [OutputDraft] = []
  var journals: [JournalDraft] = []
  /// The mesh's identifiers that streams use, in the order of their names.
  var identifiers: [IdentifierDefinition] = []
  /// The journal that each output is made from, by the output's ordinal.
  var outputJournals: [Int: Int] = [:]
  /// Inputs and tables that are there but broken: what refers to them is silent.
  var brokenNames: Set<String> = []

  init(_ record: FileRecord, _ around: Surroundings) {
    self.record = record
    self.around = around
  }

  /// The product, or nil when there are errors among `diagnostics`.
  mutating func read() -> ProductDefinition? {
    checkProduct()
    readInputs()
    readIdentifiers()
    readStreams()
    resolveStreams()
    readTables()
    planDeletions()
    readOutputs()
    settleAverages()
    planJournals()
    checkOrder()
    diagnostics = onceEach(diagnostics.map(explained))
    if !record.isWhole || diagnostics.contains(where: { $0.severity == .error }) { return nil }
    return definition()
  }

  mutating func report(
    _ code: DiagnosticCode, _ message: String, _ span: SourceSpan, label: String? = nil,
    notes: [String] = [], help: String? = nil
  ) {
    diagnostics.append(
      Diagnostic(code, message, at: span, label: label, notes: notes, help: help))
  }

  private mutating func checkProduct() {
    guard let product = record.text("product"), product != around.descriptor.id,
      !around.descriptor.lacksName
    else { return }
    report(
      .unknownReference, "product.odps.yaml describes `\(around.descriptor.id)`, not `\(product)`",
      record.span("product"), help: "write `product: \(around.descriptor.id)`")
  }

  /// An expression that several event types share is wrong in the scope of each: once is enough.
  private func onceEach(_ all: [Diagnostic]) -> [Diagnostic] {
    var seen: Set<SourceSpan> = []
    return all.filter { diagnostic in
      guard let span = diagnostic.span, Self.isOfExpressions(diagnostic.code) else { return true }
      return seen.insert(span).inserted
    }
  }

  /// W0301 to W0339, and W0203 for an unknown field.
  private static func isOfExpressions(_ code: DiagnosticCode) -> Bool {
    code.text == "W0203" || (code.text >= "W0301" && code.text <= "W0339")
  }

  /// Variables of later versions are no misspellings.
  private func explained(_ diagnostic: Diagnostic) -> Diagnostic {
    guard diagnostic.code.text == "W0310", let span = diagnostic.span else { return diagnostic }
    let name = String(decoding: span.source.bytes[span.range], as: UTF8.self)
    if name == "ids" {
      var told = diagnostic
      told.help = "`ids` is there in streams with `identify`, and in what is made of them"
      return told
    }
    if name == "window" {
      var told = diagnostic
      told.help =
        "`window` is there in the ports of a table with a window, and in its clauses if that is no"
        + " session; its start is the last part of the row's key by itself"
      return told
    }
    guard Flow.notYet.contains(name) else { return diagnostic }
    return Diagnostic(
      .notThereYet, "the variable `\(name)` is not there yet in this version of Weft", at: span)
  }

  /// Parses the expression at a value; nil when it is none, and that has been said.
  mutating func parsed(_ value: FileValue) -> ParsedExpression? {
    guard let span = value.node.textSpan else { return nil }
    return ParsedExpression.parse(span, into: &diagnostics)
  }

  mutating func assignments(_ value: FileValue) -> AssignmentBlock {
    guard let span = value.node.textSpan else { return AssignmentBlock() }
    return AssignmentBlock(parsing: span, into: &diagnostics)
  }

  mutating func check(
    _ expression: ParsedExpression, _ scope: Scope, expecting: ValueType? = nil,
    allowsOptional: Bool = false
  ) -> CheckedExpression? {
    Checker.check(
      expression, in: keyed(scope), expecting: expecting, allowsOptional: allowsOptional,
      into: &diagnostics)
  }

  /// The same, silently: whether it would do.
  func fits(_ expression: ParsedExpression, _ scope: Scope) -> CheckedExpression? {
    var unheard: [Diagnostic] = []
    return Checker.check(expression, in: keyed(scope), allowsOptional: false, into: &unheard)
  }

  private func keyed(_ scope: Scope) -> Scope {
    var scope = scope
    scope.pseudonymKey = around.pseudonymKey
    return scope
  }

  /// `a`, `b`, `c` for a message.
  static func names(_ names: some Sequence<String>) -> String {
    names.map { "`\($0)`" }.joined(separator: ", ")
  }
}

/// The contracts of a product's folder.
struct ProductContracts {
  var all: [Contract] = []
  /// By path, as the transform writes it.
  var byPath: [String: Contract] = [:]
  /// Files that are there but broken.
  var brokenPaths: Set<String> = []
  /// Ids whose contract may be among the broken ones.
  var hasBroken: Bool { !brokenPaths.isEmpty }

  func contract(id: String, major: Int) -> Contract? {
    all.first { $0.id == id && $0.major == major }
  }
}
