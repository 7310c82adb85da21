import Foundation
import Testing

@Suite struct UsageTests {
  static let verbs = [
    "new", "check", "test", "plan", "apply", "run", "read", "get", "status", "quarantine",
    "explain", "trace",
    "reference", "version", "completion", "manual",
  ]

  @Test(arguments: verbs)
  func `every verb says how it is used`(verb: String) throws {
    let weft = try Weft()
    defer { weft.remove() }
    let help = try weft(verb, "--help")
    #expect(help.code == 0 && help.errors.isEmpty)
    #expect(help.output.contains("Usage: weft \(verb)"))
    #expect(help.output.contains("Examples:") || verb == "version")
    #expect(help.lines.allSatisfy { $0.count <= 80 }, "\(help.output)")
  }

  @Test func `the overview names every verb`() throws {
    let weft = try Weft()
    defer { weft.remove() }
    let help = try weft("--help")
    #expect(help.code == 0)
    for verb in Self.verbs { #expect(help.output.contains("\n  \(verb) ")) }
  }

  @Test func `a wrong command line exits with 2 and a suggestion`() throws {
    let weft = try Weft()
    defer { weft.remove() }
    for (words, help) in [
      (["chekc"], "did you mean `weft check`?"), (["check", "--formt", "json"], "`--format`"),
      (["read"], "write `weft read PORT`"), (["read", "a#b@x"], "`product#port@1`"),
      (["read", "a#b", "--from", "yesterday"], "write `earliest`"),
      (["read", "a#b", "--limit", "0"], "such as `--limit 20`"),
      (["new", "planet", "x"], "mesh"),
    ] {
      let outcome = try weft.run(words)
      #expect(outcome.code == 2, "\(words)")
      #expect(outcome.output.isEmpty && outcome.errors.contains(help), "\(outcome.errors)")
    }
  }

  @Test func `the reference says what may stand in each file, every aggregate among it`() throws {
    let weft = try Weft()
    defer { weft.remove() }
    let pages = try weft("reference").lines.compactMap { $0.split(separator: " ").first }
    #expect(pages.count == 6)
    for page in pages {
      let text = try weft("reference", String(page))
      #expect(text.code == 0 && text.output.contains("Required."))
      #expect(text.lines.allSatisfy { $0.count <= 110 })
    }
    // What `weft check` offers where a word is no aggregate.
    try #require(try weft("new", "product", "orders").code == 0)
    try weft.edit("orders/transform.yaml", "latest(event.customer)", "newest(event.customer)")
    let check = try weft("check", "orders").output
    let known = try #require(check.firstMatch(of: /aggregates: (.*)/)).1
    let names = known.split(separator: ", ").map { $0.filter(\.isLetter) }
    #expect(names.count >= 12, "\(check)")
    let transform = try weft("reference", "transform").output
    for name in names { #expect(transform.contains("\(name)("), "\(name)") }
    #expect(transform.contains("startsWith") && !transform.contains("lowerAscii"))
  }

  @Test func `the version is told to people and machines`() throws {
    let weft = try Weft()
    defer { weft.remove() }
    #expect(try weft("version").output.hasPrefix("weft 0."))
    #expect(try weft("--version").output == weft("version").output)
    #expect(try weft("version", "--format", "json").output.hasPrefix(#"{"version":"0."#))
  }

  @Test func `a reader that goes away is no error`() throws {
    let weft = try Weft()
    defer { weft.remove() }
    let shell = Process()
    shell.executableURL = URL(filePath: "/bin/sh")
    shell.arguments = [
      "-c",
      "mkfifo p; '\(Weft.path)' manual >p 2>errors & pid=$!; head -c 1 p >/dev/null; wait $pid",
    ]
    shell.currentDirectoryURL = weft.directory
    try shell.run()
    shell.waitUntilExit()
    #expect(shell.terminationStatus == 0)
    #expect(try weft.read("errors") == "")
  }

  @Test func `a full disk is an error`() throws {
    let weft = try Weft()
    defer { weft.remove() }
    let errors = weft.directory.appending(path: "errors")
    let process = try weft.process(
      ["manual"], output: weft.directory.appending(path: "output"), errors: errors)
    process.standardOutput = try FileHandle(forWritingTo: URL(filePath: "/dev/full"))
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 4)
    #expect(try weft.read("errors").contains("cannot write the output"))
  }
}
