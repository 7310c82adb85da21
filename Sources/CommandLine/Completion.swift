extension Program {
  /// A script that teaches a shell (`bash`, `zsh` or `fish`) the commands and options; nil for
  /// others.
  package func completion(for shell: String) -> String? {
    switch shell {
    case "bash": bash
    // zsh reads bash's completions after one line.
    case "zsh": "autoload -U +X bashcompinit && bashcompinit\n" + bash
    case "fish": fish
    default: nil
    }
  }

  private func words(of command: Command) -> [String] {
    command.arguments.flatMap(\.choices) + (command.options + options).map { "--" + $0.name }
  }

  private var bash: String {
    var text = "_\(name)() {\n  local word=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]} words\n"
    text += "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
    text += "    words='\(commands.map(\.name).joined(separator: " ")) help --help'\n  else\n"
    text += "    case $verb in\n"
    for command in commands {
      text += "      \(command.name)) words='\(words(of: command).joined(separator: " "))' ;;\n"
    }
    text += "    esac\n  fi\n"
    text += "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n}\n"
    return text + "complete -o default -F _\(name) \(name)\n"
  }

  private var fish: String {
    var text = ""
    for command in commands {
      text += "complete -c \(name) -n __fish_use_subcommand -a \(command.name)"
      text += " -d \(quoted(command.summary))\n"
      for option in command.options + options {
        text += "complete -c \(name) -n '__fish_seen_subcommand_from \(command.name)'"
        text += " -l \(option.name)" + (option.short.map { " -s \($0)" } ?? "")
        if option.value != nil { text += " -r" }
        if !option.choices.isEmpty {
          text += " -a \(quoted(option.choices.joined(separator: " ")))"
        }
        text += " -d \(quoted(option.help))\n"
      }
    }
    return text
  }

  private func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "\\'")
      + "'"
  }

  /// The manual page, for `man -l`.
  package func manual(version: String) -> String {
    var text = ".TH \(name.uppercased()) 1 \"\" \"\(name) \(version)\"\n.SH NAME\n"
    text += "\(name) \\- \(roff(summary))\n.SH COMMANDS\n"
    for command in commands {
      let words = [name, command.name] + command.arguments.map(\.heading)
      text += ".SS \(roff(words.joined(separator: " ")))\n\(roff(capitalized(command.summary))).\n"
      for argument in command.arguments {
        text += ".TP\n\\fI\(roff(argument.heading))\\fR\n\(roff(argument.help))\n"
      }
      for option in command.options {
        text += ".TP\n\\fB\(roff(option.heading))\\fR\n\(roff(describe(option)))\n"
      }
      if !command.discussion.isEmpty { text += ".PP\n\(roff(command.discussion))\n" }
      for example in command.examples {
        text += ".PP\n\(roff(example.what)):\n.RS\n.nf\n\(roff(example.line))\n.fi\n.RE\n"
      }
    }
    text += ".SH OPTIONS OF EVERY COMMAND\n"
    for option in options {
      text += ".TP\n\\fB\(roff(option.heading))\\fR\n\(roff(describe(option)))\n"
    }
    return text + (footer.isEmpty ? "" : ".SH EXIT STATUS\n\(roff(footer))\n")
  }

  /// Text in which roff sees no orders.
  private func roff(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "\\": result += "\\e"
      case "-": result += "\\-"
      case ".", "'": result += (result.isEmpty || result.last == "\n" ? "\\&" : "") + "\(character)"
      default: result.append(character)
      }
    }
    return result
  }
}
