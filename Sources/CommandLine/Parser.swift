import Diagnostics

/// A command line that does not follow its specification: told with a suggestion, exit code 2.
package struct UsageError: Error, Sendable {
  package let diagnostic: Diagnostic

  package init(_ message: String, help: String? = nil) {
    diagnostic = Diagnostic(DiagnosticCode("W0801"), message, help: help)
  }
}

/// What a command line asks for.
package enum Request: Sendable {
  case run(Command, Arguments)
  /// `--help` of the program (nil) or of one command.
  case help(Command?)
}

extension Program {
  /// Reads the words after the program's name. Options may stand anywhere; `--` ends them.
  package func parse(_ words: [String]) throws(UsageError) -> Request {
    var parser = Parser(program: self, words: words[...])
    return try parser.parse()
  }
}

private struct Parser {
  let program: Program
  var words: ArraySlice<String>
  var command: Command?
  var arguments = Arguments()
  var plain: [String] = []
  var isPlainOnly = false

  mutating func parse() throws(UsageError) -> Request {
    // Options before the verb may be the verb's own: find it first.
    try findCommand()
    while let word = words.popFirst() {
      if isPlainOnly || word == "-" || !word.hasPrefix("-") {
        plain.append(word)
      } else if word == "--" {
        isPlainOnly = true
      } else if word.hasPrefix("--") {
        try takeLong(word.dropFirst(2))
      } else {
        try takeShort(word.dropFirst())
      }
    }
    if arguments.has(Program.help) { return .help(command) }
    if plain.first == "help", command == nil { return try help(plain.dropFirst().first) }
    guard let command else {
      guard let name = plain.first else {
        throw UsageError("no command was given", help: "`\(program.name) --help` lists them")
      }
      throw unknown(name)
    }
    try takeWords(of: command)
    return .run(command, arguments)
  }

  private mutating func findCommand() throws(UsageError) {
    var index = words.startIndex
    while index < words.endIndex, words[index] != "--" {
      let word = words[index]
      if let found = program.command(named: word) {
        command = found
        words.remove(at: index)
        return
      }
      guard word.hasPrefix("-") else { return }
      // The value of a global option is no verb.
      let takesValue = program.options.contains { "--" + $0.name == word && $0.value != nil }
      index += takesValue ? 2 : 1
    }
  }

  private func help(_ name: String?) throws(UsageError) -> Request {
    guard let name else { return .help(nil) }
    guard let found = program.command(named: name) else { throw unknown(name) }
    return .help(found)
  }

  private func unknown(_ name: String) -> UsageError {
    let near = closest(to: name, among: program.commands.map(\.name))
    return UsageError(
      "`\(name)` is not a command of \(program.name)",
      help: near.map { "did you mean `\(program.name) \($0)`?" }
        ?? "`\(program.name) --help` lists them")
  }

  private var known: [Option] { (command?.options ?? []) + program.options }

  private var usage: String {
    "`\(program.name)\(command.map { " " + $0.name } ?? "") --help` shows how it is used"
  }

  private mutating func takeLong(_ text: Substring) throws(UsageError) {
    let name = String(text.prefix { $0 != "=" })
    guard let option = known.first(where: { $0.name == name }) else {
      let near = closest(to: name, among: known.map(\.name))
      throw UsageError(
        "unknown option `--\(name)`", help: near.map { "did you mean `--\($0)`?" } ?? usage)
    }
    let attached = name.count < text.count ? String(text.dropFirst(name.count + 1)) : nil
    try take(option, attached: attached)
  }

  private mutating func takeShort(_ text: Substring) throws(UsageError) {
    guard let letter = text.first, let option = known.first(where: { $0.short == letter }) else {
      throw UsageError("unknown option `-\(text)`", help: usage)
    }
    let rest = text.dropFirst()
    if option.value == nil, !rest.isEmpty {
      try take(option, attached: nil)
      return try takeShort(rest)
    }
    try take(option, attached: rest.isEmpty ? nil : String(rest))
  }

  private mutating func take(_ option: Option, attached: String?) throws(UsageError) {
    guard let placeholder = option.value else {
      if attached != nil { throw UsageError("`--\(option.name)` takes no value", help: usage) }
      return arguments.add(option, "")
    }
    guard let value = attached ?? words.popFirst() else {
      throw UsageError(
        "`--\(option.name)` needs a value", help: "write `--\(option.name) \(placeholder)`")
    }
    if !option.choices.isEmpty, !option.choices.contains(value) {
      throw refused(value, of: "--" + option.name, choices: option.choices)
    }
    if arguments.has(option), !option.isRepeatable {
      throw UsageError("`--\(option.name)` was given twice", help: usage)
    }
    arguments.add(option, value)
  }

  private func refused(_ value: String, of what: String, choices: [String]) -> UsageError {
    let list = choices.map { "`\($0)`" }.joined(separator: ", ")
    let near = closest(to: value, among: choices)
    return UsageError(
      "`\(value)` is no value of `\(what)`",
      help: near.map { "did you mean `\($0)`?" } ?? "it is one of \(list)")
  }

  private mutating func takeWords(of command: Command) throws(UsageError) {
    for (index, argument) in command.arguments.enumerated() {
      guard index < plain.count else {
        if !argument.isRequired { return }
        let shape = ([program.name, command.name] + command.arguments.map(\.heading))
        throw UsageError(
          "`\(command.name)` needs \(argument.heading): \(argument.help)",
          help: "write `\(shape.joined(separator: " "))`")
      }
      let words = argument.isRepeatable ? plain[index...] : plain[index...index]
      for word in words {
        if !argument.choices.isEmpty, !argument.choices.contains(word) {
          throw refused(word, of: argument.name, choices: argument.choices)
        }
        arguments.add(argument, word)
      }
    }
    if command.arguments.last?.isRepeatable == true { return }
    if plain.count > command.arguments.count {
      throw UsageError("`\(plain[command.arguments.count])` is one word too many", help: usage)
    }
  }
}
