import CommandLine
import Diagnostics

enum VersionVerb {
  static let verb = Verb(command: Command("version", "show the version of Weft")) { session in
    let text =
      session.isJSON
      ? JSONText.object([("version", JSONText.string(Weft.version))]) : "weft \(Weft.version)"
    session.output.write(text + "\n")
    return .ok
  }
}
