/// An option of a command: `--name`, or `--name VALUE`. Declared once; parsing, help, completion
/// and the manual page come from it, and ``Arguments`` is asked by it, so that no name is spelt
/// twice.
package struct Option: Sendable, Hashable {
  package let name: String
  /// What the value is called in help, such as `POSITION`; nil for a switch.
  package let value: String?
  /// One line, lower case, no full stop.
  package let help: String
  package let short: Character?
  /// The only values allowed; empty: any.
  package let choices: [String]
  package let isRepeatable: Bool

  package init(
    _ name: String, value: String? = nil, short: Character? = nil, choices: [String] = [],
    isRepeatable: Bool = false, _ help: String
  ) {
    self.name = name
    self.value = value
    self.help = help
    self.short = short
    self.choices = choices
    self.isRepeatable = isRepeatable
  }

  /// `-f, --follow` or `--from POSITION`.
  package var heading: String {
    (short.map { "-\($0), " } ?? "") + "--" + name + (value.map { " " + $0 } ?? "")
  }
}

/// A word of a command that stands for itself: `PATH`.
package struct Argument: Sendable, Hashable {
  package let name: String
  package let help: String
  package let isRequired: Bool
  /// The only words allowed; empty: any.
  package let choices: [String]
  /// Takes all words that are left; the last of a command.
  package let isRepeatable: Bool

  package init(
    _ name: String, isRequired: Bool = true, choices: [String] = [], isRepeatable: Bool = false,
    _ help: String
  ) {
    self.name = name
    self.help = help
    self.isRequired = isRequired
    self.choices = choices
    self.isRepeatable = isRepeatable
  }

  /// `PATH`, `[PATH]`, `[PATH...]` or `mesh|domain|product`.
  package var heading: String {
    let text =
      (choices.isEmpty ? name : choices.joined(separator: "|")) + (isRepeatable ? "..." : "")
    return isRequired ? text : "[\(text)]"
  }
}

/// A verb: what it takes, what it is for, and how it is used.
package struct Command: Sendable {
  package struct Example: Sendable {
    package let line: String
    package let what: String
    package init(_ line: String, _ what: String) {
      self.line = line
      self.what = what
    }
  }

  package let name: String
  /// One line, lower case, no full stop.
  package let summary: String
  package let arguments: [Argument]
  package let options: [Option]
  package let examples: [Example]
  /// What else there is to know, in paragraphs.
  package let discussion: String

  package init(
    _ name: String, _ summary: String, arguments: [Argument] = [], options: [Option] = [],
    examples: [Example] = [], discussion: String = ""
  ) {
    self.name = name
    self.summary = summary
    self.arguments = arguments
    self.options = options
    self.examples = examples
    self.discussion = discussion
  }
}

/// The whole command line: verbs, and the options that every verb takes.
package struct Program: Sendable {
  package let name: String
  package let summary: String
  package let commands: [Command]
  package let options: [Option]
  /// Said at the end of the overview, such as what the exit codes mean.
  package let footer: String

  package static let help = Option("help", short: "h", "show how the command is used")

  package init(
    _ name: String, _ summary: String, commands: [Command], options: [Option], footer: String = ""
  ) {
    self.name = name
    self.summary = summary
    self.commands = commands
    self.options = options + [Program.help]
    self.footer = footer
  }

  package func command(named name: String) -> Command? { commands.first { $0.name == name } }
}
