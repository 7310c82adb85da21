import CommandLine
import Diagnostics
import Foundation
import Glibc

/// A verb of the command: its specification and what it does.
struct Verb: Sendable {
  let command: Command
  let run: @Sendable (Session) throws -> ExitCode
}

@main
struct Weft {
  static let version = "0.1.0"

  static let verbs: [Verb] = [
    NewVerb.verb, CheckVerb.verb, TestVerb.verb, ApplyVerb.plan, ApplyVerb.verb, RunVerb.verb,
    ReadVerb.verb, GetVerb.verb, StatusVerb.verb, QuarantineVerb.verb, ExplainVerb.verb,
    TraceVerb.verb,
    ReferenceVerb.verb, VersionVerb.verb, CompletionVerb.verb, ManualVerb.verb,
  ]

  static let program = Program(
    "weft", "Weft runs data products on Kafka, from the files that describe them.",
    commands: verbs.map(\.command),
    options: [Session.format, Session.environment, Session.bootstrap, Session.mesh],
    footer: "Exit codes: 0 done, 1 rejected, 2 usage, 3 stopped, 4 failed.")

  static func main() {
    // A reader that goes away ends the writing by an error, not the process by a signal.
    signal(SIGPIPE, SIG_IGN)
    let session = Session(arguments: Arguments())
    var code = run(Array(ProcessInfo.processInfo.arguments.dropFirst()), session)
    session.output.flush()
    if let failure = session.output.failure {
      session.report([Diagnostic(.outputFailed, "cannot write the output: \(failure)")])
      code = .failed
    }
    session.errors.flush()
    exit(code.rawValue)
  }

  private static func run(_ words: [String], _ plain: Session) -> ExitCode {
    var session = plain
    do throws(any Error) {
      // As every other program takes it.
      let words = words == ["--version"] ? ["version"] : words
      switch try program.parse(words) {
      case .help(let command):
        plain.output.write(program.help(command, width: min(plain.terminal.width, 100)))
        return .ok
      case .run(let command, let arguments):
        session = plain.with(arguments)
        guard let verb = verbs.first(where: { $0.command.name == command.name }) else {
          return .failed
        }
        return try verb.run(session)
      }
    } catch let error as UsageError {
      session.report([error.diagnostic])
      return .usage
    } catch let refusal as Refusal {
      session.report(refusal.diagnostics)
      return refusal.code
    } catch {
      session.report([Diagnostic(.unexpected, "\(error)")])
      return .failed
    }
  }
}
