import CommandLine
import Diagnostics
import Foundation

enum NewVerb {
  private static let kind = Argument(
    "KIND", choices: ["mesh", "domain", "product"], "what to begin")
  private static let name = Argument("NAME", "its name, or the path of its directory")
  private static let sample = Option(
    "from", value: "SAMPLE", "events to learn the input from: NDJSON, or KEY<TAB>JSON lines")
  private static let topic = Option(
    "topic", value: "TOPIC", "the input's topic (default: ops.DOMAIN.NAME)")

  static let verb = Verb(
    command: Command(
      "new", "begin a mesh, a domain or a product", arguments: [kind, name],
      options: [sample, topic],
      examples: [
        .init(
          "weft new product orders --from orders.ndjson",
          "a product whose input contract, transform and tests come from a sample"),
        .init("weft new mesh shop", "a directory for several domains, with their shared rules"),
        .init("weft new domain sales", "a domain in this mesh, run by one worker"),
      ],
      discussion: "Nothing that exists is written over. The input's types, event id, actual time "
        + "and key are guessed from the sample: look the contract over. A product outside of any "
        + "domain gets a domain and a mesh of its own in its directory.")
  ) { session in
    guard let kind = session.arguments[kind], let path = session.arguments[name] else {
      throw UsageError("`new` needs KIND and NAME")
    }
    let directory = URL(filePath: path, relativeTo: nil).standardizedFileURL
    let name = directory.lastPathComponent
    guard let first = name.first, first.isLetter, name == kebab(name) else {
      throw Refusal(
        .badName, "`\(name)` is no good name: topics and ports are named after it",
        help: "use lower case letters, digits and `-`, such as `\(suggestion(name))`")
    }
    switch kind {
    case "mesh": return try mesh(name, directory, session)
    case "domain": return try domain(name, directory, session)
    default: return try product(name, directory, session)
    }
  }

  private static func suggestion(_ name: String) -> String {
    let better = kebab(name).drop { !$0.isLetter }
    return better.isEmpty ? "orders" : String(better)
  }

  private static func mesh(_ name: String, _ directory: URL, _ session: Session) throws -> ExitCode
  {
    try write([("mesh.yaml", meshFile(name))], to: directory, session)
    session.say("\nnext: `weft new domain NAME` in \(shown(directory))")
    return .ok
  }

  private static func domain(
    _ name: String, _ directory: URL, _ session: Session
  ) throws -> ExitCode {
    try write([("worker.yaml", workerFile(name))], to: directory, session)
    session.say("\nnext: `weft new product NAME --from SAMPLE.ndjson` in \(shown(directory))")
    return .ok
  }

  private static func product(
    _ name: String, _ directory: URL, _ session: Session
  ) throws -> ExitCode {
    let source = SourceText(name: "the example", bytes: Array(Sample.example.utf8))
    let given = session.arguments[sample]
    let sample = try given.map(Sample.init(path:)) ?? Sample(source)
    let around = enclosing("worker.yaml", directory.deletingLastPathComponent())
    let domain = around?.lastPathComponent ?? name
    let scaffold = ProductScaffold(
      name: name, domain: domain,
      topic: session.arguments[topic] ?? "ops.\(domain).\(name)",
      guess: Guess(sample, named: name))
    var files = scaffold.files
    if around == nil {
      files.append(("worker.yaml", workerFile(domain)))
      if enclosing("mesh.yaml", directory.deletingLastPathComponent()) == nil {
        files.append(("mesh.yaml", meshFile(name)))
      }
    }
    try write(files, to: directory, session)
    let guess = scaffold.guess
    let path = shown(directory)
    session.say(
      """

      \(origin(guess, isExample: given == nil)): \(list(guess))\(leftOut(scaffold))
      next: look over \(path)/contracts, then
        weft check \(path)
        weft test \(path)
        weft apply \(path) --create-inputs     # makes its topics; needs a broker
        weft run \(path)
        weft read '\(scaffold.firstPort)'
      """)
    return .ok
  }

  private static func origin(_ guess: Guess, isExample: Bool) -> String {
    if isExample {
      return "made from Weft's built-in example, as no --from SAMPLE was given; put your own in "
        + "its place"
    }
    return "learnt from \(guess.events.count) event\(guess.events.count == 1 ? "" : "s")"
  }

  /// Events and fields of the sample that nothing was made of.
  private static func leftOut(_ scaffold: ProductScaffold) -> String {
    let lines = scaffold.guess.leftOut
    var text = ""
    if !lines.isEmpty {
      let first = lines.prefix(5).map(String.init).joined(separator: ", ")
      let more = lines.count > 5 ? ", …" : ""
      text = "\nnot like the others, and left out: \(lines.count) (line \(first)\(more))"
    }
    return text + scaffold.leftOut.map { "\n\($0)" }.joined()
  }

  private static func list(_ guess: Guess) -> String {
    let types = guess.types.map(\.name).joined(separator: ", ")
    return [
      guess.discriminator.map { "types by `\($0)` (\(types))" } ?? "one type of event",
      guess.id.map { "id `\($0)`" } ?? "no id, so redeliveries count again",
      guess.time.map { "time `\($0)`" } ?? "no time, so Kafka's counts",
      guess.key.map { "key `\($0)`" } ?? "no key",
    ].joined(separator: "; ")
  }

  /// The nearest directory at or above that has the file.
  private static func enclosing(_ file: String, _ directory: URL) -> URL? {
    var at = directory.standardizedFileURL
    while true {
      if FileManager.default.fileExists(atPath: at.appending(path: file).path) { return at }
      let above = at.deletingLastPathComponent().standardizedFileURL
      if above.path == at.path || at.path == "/" { return nil }
      at = above
    }
  }

  private static func shown(_ directory: URL) -> String {
    let here = FileManager.default.currentDirectoryPath + "/"
    let path = directory.path
    return path.hasPrefix(here) ? String(path.dropFirst(here.count)) : path
  }

  private static func write(
    _ files: [(path: String, content: String)], to directory: URL, _ session: Session
  ) throws {
    let manager = FileManager.default
    for file in files where manager.fileExists(atPath: directory.appending(path: file.path).path) {
      throw Refusal(
        .fileExists, "\(shown(directory))/\(file.path) is there already, and nothing was written",
        help: "choose another name, or take it away first")
    }
    for file in files.sorted(by: { $0.path < $1.path }) {
      let url = directory.appending(path: file.path)
      do {
        try manager.createDirectory(
          at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(file.content.utf8).write(to: url)
      } catch {
        throw Refusal(
          .unwritableFile, "\(url.path) cannot be written: \(error.localizedDescription)",
          exit: .failed)
      }
      let path = "\(shown(directory))/\(file.path)"
      session.output.write(
        session.isJSON ? JSONText.object([("file", JSONText.string(path))]) + "\n" : path + "\n")
    }
  }

  private static func meshFile(_ name: String) -> String {
    """
    # What the domains of this mesh share.
    kind: Mesh
    name: \(name)
    naming: {topics: "{domain}.{product}.{port}.v{major}"}

    """
  }

  private static func workerFile(_ name: String) -> String {
    """
    # How this domain's worker runs; nothing here changes what it publishes.
    kind: Worker
    domain: \(name)
    environment: "${WEFT_ENVIRONMENT:-}"     # e.g. dev: prefixes topics, groups and ids
    kafka: {bootstrap.servers: "${KAFKA_BOOTSTRAP:-127.0.0.1:9092}"}
    state: {directory: "${WEFT_STATE:-.weft}"}
    commit: {interval: 100ms, records: 50000}

    """
  }
}
