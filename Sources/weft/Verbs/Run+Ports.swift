import CommandLine
import Diagnostics
import Observability
import Product

// Workers are started in any order: one whose inputs are ports that nobody has published yet waits.
extension RunVerb {
  private static let patienceMs = 2_000
  private static let pauseSeconds = 1.0

  /// The domain's files once nothing is missing but what is wrong in themselves; nil when a signal
  /// came first.
  static func awaitPorts(_ signals: Signals, _ session: Session) throws -> Workspace? {
    var told: [String] = []
    while true {
      let workspace = try Workspace(
        session.arguments[Workspace.domain], session.asking(patienceMs: patienceMs))
      let errors = workspace.diagnostics.filter { $0.severity == .error }
      if errors.isEmpty || errors.contains(where: { $0.code != .unpublishedPort }) {
        return workspace
      }
      let reasons = Set(errors.flatMap(\.notes)).sorted()
      if reasons != told {
        told = reasons
        log(session).write(PortsAwaited(ports: errors.compactMap(\.port), reasons: reasons))
      }
      if signals.wasAsked(within: pauseSeconds) { return nil }
    }
  }
}

private struct PortsAwaited: LogEvent {
  static let name = "ports-awaited"
  let ports: [String]
  let reasons: [String]
  var level: LogLevel { .warning }
  var message: String {
    "ports that are taken in are not published yet: the worker begins once `weft apply` of the domains"
      + " that own them has done so"
  }
  var fields: [LogField] {
    [
      LogField("ports", Set(ports).sorted().joined(separator: ",")),
      LogField("reason", reasons.joined(separator: "; ")),
    ]
  }
}

extension Diagnostic {
  /// What the file names.
  fileprivate var port: String? {
    span.map { String(decoding: $0.source.bytes[$0.range], as: UTF8.self) }
  }
}
