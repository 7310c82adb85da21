import CommandLine

enum CompletionVerb {
  private static let shell = Argument(
    "SHELL", choices: ["bash", "zsh", "fish"], "which shell to write for")

  static let verb = Verb(
    command: Command(
      "completion", "print a script that completes weft's commands in a shell",
      arguments: [shell],
      examples: [
        .init("source <(weft completion bash)", "complete commands in this bash"),
        .init(
          "weft completion fish > ~/.config/fish/completions/weft.fish", "and in every new fish"),
      ])
  ) { session in
    session.output.write(
      session.arguments[shell].flatMap { Weft.program.completion(for: $0) } ?? "")
    return .ok
  }
}

enum ManualVerb {
  static let verb = Verb(
    command: Command(
      "manual", "print the manual page",
      examples: [.init("weft manual | man -l -", "read it")])
  ) { session in
    session.output.write(Weft.program.manual(version: Weft.version))
    return .ok
  }
}
