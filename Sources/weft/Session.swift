import CommandLine
import Diagnostics
import Foundation
import Product

/// One run of the command: what was asked, and where to answer.
struct Session: Sendable {
  static let format = Option(
    "format", value: "FORMAT", choices: ["text", "json"], "how to answer: for people or machines")
  static let environment = Option(
    "environment", value: "NAME", "prefix of topics, groups and ids, such as `dev`")
  static let bootstrap = Option(
    "bootstrap", value: "HOST:PORT", "brokers, instead of KAFKA_BOOTSTRAP and worker.yaml")
  static let mesh = Option("mesh", value: "DIR", "where the mesh's files are")

  let arguments: Arguments
  let variables: [String: String]
  let output: Output
  let errors: Output
  let terminal: Terminal
  let errorTerminal: Terminal
  private let catalogPorts: CatalogPorts

  init(arguments: Arguments) {
    self.arguments = arguments
    variables = ProcessInfo.processInfo.environment
    catalogPorts = CatalogPorts()
    terminal = Terminal(fileDescriptor: 1, environment: variables)
    errorTerminal = Terminal(fileDescriptor: 2, environment: variables)
    output = Output(.standardOutput, isDirect: terminal.isTerminal)
    errors = Output(.standardError, isDirect: true)
  }

  private init(_ other: Session, _ arguments: Arguments, _ ports: CatalogPorts) {
    self.arguments = arguments
    variables = other.variables
    terminal = other.terminal
    errorTerminal = other.errorTerminal
    output = other.output
    errors = other.errors
    catalogPorts = ports
  }

  func with(_ arguments: Arguments) -> Session { Session(self, arguments, catalogPorts) }

  /// The same, for asking the catalog anew: what it has answered so far is forgotten.
  /// - Parameter patienceMs: how long brokers are waited for.
  func asking(patienceMs: Int) -> Session {
    Session(self, arguments, CatalogPorts(patienceMs: patienceMs))
  }

  /// Where ports are found whose files are not at hand.
  var elsewhere: PortsElsewhere { catalogPorts.elsewhere(self) }

  /// `--format json`.
  var isJSON: Bool { arguments[Session.format] == "json" }

  /// Prints diagnostics; those that are what was asked for go to the output, all others to errors.
  func report(_ diagnostics: [Diagnostic], asResult: Bool = false) {
    let stream = asResult ? output : errors
    if isJSON {
      stream.write(JSONRenderer().render(diagnostics))
    } else {
      let terminal = asResult ? terminal : errorTerminal
      let renderer = TextRenderer(colours: terminal.hasColours)
      if let only = diagnostics.first, diagnostics.count == 1, !asResult {
        stream.write(renderer.render(only))
      } else {
        stream.write(renderer.render(diagnostics))
      }
    }
  }

  /// A remark for a person; machines are spared it.
  func say(_ text: String) { if !isJSON { errors.write(text + "\n") } }
}

/// What ends a command before it is done: problems to print, and the exit code.
struct Refusal: Error {
  let diagnostics: [Diagnostic]
  let code: ExitCode

  init(_ diagnostics: [Diagnostic], _ code: ExitCode = .rejected) {
    self.diagnostics = diagnostics
    self.code = code
  }

  init(
    _ code: DiagnosticCode, _ message: String, notes: [String] = [], help: String? = nil,
    exit: ExitCode = .rejected
  ) {
    self.init([Diagnostic(code, message, notes: notes, help: help)], exit)
  }
}
