import Diagnostics

extension Program {
  /// What `--help` shows: the overview, or one command with its examples. `width` in columns.
  package func help(_ command: Command?, width: Int = 80) -> String {
    command.map { help(of: $0, width) } ?? overview(width)
  }

  private func overview(_ width: Int) -> String {
    var text = summary + "\n\nUsage: \(name) COMMAND [OPTIONS]\n\nCommands:\n"
    text += list(commands.map { ($0.name, $0.summary) }, width)
    text += "\nOptions of every command:\n" + list(options.map { ($0.heading, $0.help) }, width)
    text += "\n`\(name) COMMAND --help` shows a command with its examples.\n"
    return text + (footer.isEmpty ? "" : "\n" + footer + "\n")
  }

  private func help(of command: Command, _ width: Int) -> String {
    let words = [name, command.name] + command.arguments.map(\.heading)
    var text = capitalized(command.summary) + ".\n\nUsage: " + words.joined(separator: " ")
    text += command.options.isEmpty ? "\n" : " [OPTIONS]\n"
    if !command.arguments.isEmpty {
      text += "\n" + list(command.arguments.map { ($0.heading, $0.help) }, width)
    }
    if !command.options.isEmpty {
      text += "\nOptions:\n" + list(command.options.map { ($0.heading, describe($0)) }, width)
    }
    text +=
      "\nOptions of every command:\n" + list(options.map { ($0.heading, describe($0)) }, width)
    if !command.examples.isEmpty { text += "\nExamples:\n" }
    for example in command.examples {
      text += "  \(example.line)\n      \(example.what)\n"
    }
    for paragraph in command.discussion.split(separator: "\n\n") {
      text += "\n" + wrapped(String(paragraph), width).joined(separator: "\n") + "\n"
    }
    return text
  }

  func describe(_ option: Option) -> String {
    option.choices.isEmpty
      ? option.help : option.help + " (\(option.choices.joined(separator: ", ")))"
  }

  private func list(_ entries: [(String, String)], _ width: Int) -> String {
    let column = min(28, (entries.map(\.0.count).max() ?? 0) + 4)
    var text = ""
    for (heading, what) in entries {
      let lines = wrapped(what, max(30, width - column))
      var start = "  " + heading
      if start.count + 2 > column {
        text += start + "\n"
        start = ""
      }
      for (index, line) in lines.enumerated() {
        let lead = index == 0 ? start : ""
        text += lead + String(repeating: " ", count: column - lead.count) + line + "\n"
      }
    }
    return text
  }

  private func wrapped(_ text: String, _ width: Int) -> [String] {
    var lines = [""]
    for word in text.split(whereSeparator: \.isWhitespace) {
      let line = lines[lines.count - 1]
      if !line.isEmpty, line.count + 1 + word.count > width {
        lines.append(String(word))
      } else {
        lines[lines.count - 1] = line.isEmpty ? String(word) : line + " " + word
      }
    }
    return lines
  }
}

func capitalized(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }
