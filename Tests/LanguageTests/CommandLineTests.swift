import CommandLine
import Diagnostics
import Testing

@Suite struct CommandLineTests {
  static let from = Option("from", value: "POSITION", "where to begin")
  static let follow = Option("follow", short: "f", "go on")
  static let keep = Option("keep", value: "N", short: "k", isRepeatable: true, "what to keep")
  static let format = Option("format", value: "F", choices: ["text", "json"], "how to answer")
  static let port = Argument("PORT", "a port")
  static let kind = Argument("KIND", isRequired: false, choices: ["mesh", "domain"], "what")
  static let program = Program(
    "weft", "Weft runs data products.",
    commands: [
      Command(
        "read", "read a port", arguments: [port, kind], options: [from, follow, keep],
        examples: [.init("weft read claims#claim@1", "every row")]),
      Command("version", "show the version"),
    ],
    options: [format], footer: "Exit codes.")

  private func run(_ line: String) throws -> (Command, Arguments) {
    let request = try Self.program.parse(line.split(separator: " ").map(String.init))
    guard case .run(let command, let arguments) = request else {
      throw UsageError("help was shown")
    }
    return (command, arguments)
  }

  private func refusal(_ line: String) -> (message: String, help: String?) {
    do throws(UsageError) {
      _ = try Self.program.parse(line.split(separator: " ").map(String.init))
    } catch {
      return (error.diagnostic.message, error.diagnostic.help)
    }
    return ("nothing was refused", nil)
  }

  @Test func `the last argument takes all words that are left, where it may`() throws {
    let places = Argument("POSITION", isRequired: false, isRepeatable: true, "where")
    let program = Program(
      "weft", "", commands: [Command("show", "show", arguments: [Self.port, places])], options: [])
    func words(_ line: String) throws -> [String] {
      let request = try program.parse(line.split(separator: " ").map(String.init))
      guard case .run(_, let arguments) = request else { return [] }
      #expect(arguments[Self.port] == "p")
      return arguments.all(places)
    }
    #expect(try words("show p") == [])
    #expect(try words("show p 1") == ["1"])
    #expect(try words("show p 1 2 3") == ["1", "2", "3"])
    #expect(program.help(program.commands[0]).contains("Usage: weft show PORT [POSITION...]"))
  }

  @Test(arguments: [
    "read a#b --from 5 -f --keep=x -k y", "--format text read -fk x --keep y --from=5 a#b",
    "read -kx -ky --from 5 --follow -- a#b",
  ])
  func `options stand anywhere, in each of their forms`(line: String) throws {
    let (command, arguments) = try run(line)
    #expect(command.name == "read")
    #expect(arguments[Self.port] == "a#b")
    #expect(arguments[Self.from] == "5")
    #expect(arguments.has(Self.follow))
    #expect(arguments.all(Self.keep) == ["x", "y"])
    #expect(arguments[Self.kind] == nil)
  }

  @Test func `a command that is proposed is told what this one was told`() throws {
    let arguments = try run("read a --keep x -k y -f").1
    let options = [Self.follow, Self.from, Self.keep]
    #expect(arguments.repeating(options) == " --follow --keep x --keep y")
    #expect(arguments.repeating([Self.from]) == "")
  }

  @Test func `after two dashes and as a lone dash a word is only a word`() throws {
    #expect(try run("read -- --from").1[Self.port] == "--from")
    #expect(try run("read -").1[Self.port] == "-")
    #expect(try run("read --from -5 a").1[Self.from] == "-5")
  }

  @Test(arguments: [
    ("raed x", "`raed` is not a command of weft", "did you mean `weft read`?"),
    ("read --form 5 x", "unknown option `--form`", "did you mean `--from`?"),
    ("read x --from", "`--from` needs a value", "write `--from POSITION`"),
    ("read x --follow=1", "`--follow` takes no value", "`weft read --help` shows how it is used"),
    ("read x --from 1 --from 2", "`--from` was given twice", nil),
    ("read x --format jsn", "`jsn` is no value of `--format`", "did you mean `json`?"),
    ("read x moon", "`moon` is no value of `KIND`", "it is one of `mesh`, `domain`"),
    ("read x mesh y", "`y` is one word too many", nil),
    ("read", "`read` needs PORT: a port", "write `weft read PORT [mesh|domain]`"),
    ("read -fz x", "unknown option `-z`", nil),
    ("", "no command was given", "`weft --help` lists them"),
    ("help raed", "`raed` is not a command of weft", "did you mean `weft read`?"),
  ])
  func `what does not fit is refused with a way on`(line: String, message: String, help: String?) {
    let found = refusal(line)
    #expect(found.message == message)
    if let help { #expect(found.help == help) } else { #expect(found.help != nil) }
  }

  @Test(arguments: ["--help", "-h", "help", "read -h", "read --help x y z", "help read"])
  func `help is shown wherever it is asked for`(line: String) throws {
    let request = try Self.program.parse(line.split(separator: " ").map(String.init))
    guard case .help(let command) = request else {
      Issue.record("no help")
      return
    }
    let text = Self.program.help(command)
    #expect((command?.name == "read") == line.contains("read"))
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
    if command != nil { #expect(text.contains("weft read claims#claim@1")) }
  }

  @Test func `completion and the manual know every command and option`() throws {
    for shell in ["bash", "zsh", "fish"] {
      let script = try #require(Self.program.completion(for: shell))
      #expect(script.contains("read") && script.contains("follow") && script.contains("version"))
    }
    #expect(Self.program.completion(for: "tcsh") == nil)
    let manual = Self.program.manual(version: "1")
    #expect(manual.hasPrefix(".TH WEFT 1") && manual.contains("\\-\\-from POSITION"))
  }

  @Test func `a table fits its terminal by narrowing the widest columns`() {
    let rows = [["c1", String(repeating: "x", count: 50), "12.50"], ["c22", "日本", "7"]]
    let table = Table(
      [.init("claimId"), .init("note"), .init("charged", isNumber: true)], fitting: rows, width: 40)
    #expect(
      table.header + table.line(rows[0]) + table.line(rows[1]) == """
        claimId  note                    charged
        c1       xxxxxxxxxxxxxxxxxxxxx…    12.50
        c22      日本                          7

        """)
  }

  @Test func `a cell cannot give orders to the terminal`() {
    let table = Table([.init("a")], fitting: [["\u{1B}[2J"]], width: 80)
    #expect(!table.line(["\u{1B}[2J\n"]).dropLast().contains { $0 == "\u{1B}" || $0 == "\n" })
  }

  @Test func `a pipe gets plain lines, a terminal a line that renews itself`() {
    var piped = ""
    var line = ProgressLine(Terminal(isTerminal: false)) { piped += $0 }
    line.show("1 of 2")
    line.say("done")
    #expect(piped == "done\n")
    var shown = ""
    line = ProgressLine(Terminal(isTerminal: true, width: 20)) { shown += $0 }
    line.show(String(repeating: "y", count: 99))
    line.say("done")
    #expect(shown == "\r\u{1B}[2K" + String(repeating: "y", count: 19) + "\r\u{1B}[2Kdone\n")
  }
}
