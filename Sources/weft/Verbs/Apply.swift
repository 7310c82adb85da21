import CommandLine
import Diagnostics
import Foundation
import Kafka
import Mesh
import Product

enum ApplyVerb {
  private static let dryRun = Option("dry-run", "say what would change, and change nothing")
  fileprivate static let createInputs = Option(
    "create-inputs", "for development: make input topics that are missing")
  fileprivate static let recreate = Option(
    "recreate", value: "PRODUCT",
    "for development: delete the product's own journal, ports and offsets, and start over")
  private static let yes = Option("yes", short: "y", "do not ask before records are deleted")

  static let verb = Verb(
    command: Command(
      "apply", "make a mesh's, domain's or product's topics, and publish it in the catalog",
      arguments: [Workspace.path], options: [dryRun, createInputs, recreate, yes],
      examples: [
        .init("weft apply --dry-run", "what would change"),
        .init("weft apply claims", "one domain"),
        .init("weft apply orders --create-inputs", "its input topics as well, for development"),
        .init("weft apply --recreate claims", "throw the product's history away and start over"),
      ],
      discussion:
        "What is missing is made, with partitions, compaction and retention; what differs "
        + "is said and, where no record is lost by it, changed; partition counts never are. Refused "
        + "is what would break readers of a published major version, and other logic than the one a "
        + "journal was begun with.")
  ) { session in
    try run(session, isDry: session.arguments.has(dryRun))
  }

  static let plan = Verb(
    command: Command(
      "plan", "say what `apply` would change", arguments: [Workspace.path],
      options: [createInputs, recreate],
      examples: [.init("weft plan claims", "topics and catalog, compared with the files")])
  ) { session in
    try run(session, isDry: true)
  }

  private static func run(_ session: Session, isDry: Bool) throws -> ExitCode {
    let workspace = try Workspace(session.arguments[Workspace.path], session)
    try workspace.requireWhole()
    let recreated = session.arguments[recreate]
    let names = workspace.products.compactMap(\.product.definition?.name)
    if let recreated, !names.contains(recreated) {
      throw Refusal(
        .nothingOfThatName, "there is no product `\(recreated)` here",
        help: closest(to: recreated, among: names).map { "did you mean `\($0)`?" }
          ?? "there are: " + names.joined(separator: ", "))
    }
    // Domains of one cluster are applied together, so that one may read what another publishes.
    var clusters: [(settings: ClientSettings, products: [LoadedProduct])] = []
    for (domain, product) in workspace.products {
      let settings = ClientSettings(domain.settings, session)
      if let index = clusters.firstIndex(where: { $0.settings.bootstrap == settings.bootstrap }) {
        clusters[index].products.append(product)
      } else {
        clusters.append((settings, [product]))
      }
    }
    for cluster in clusters {
      let application = try Application(
        cluster.products, Broker(cluster.settings, session), session,
        createsInputs: session.arguments.has(createInputs), recreating: recreated)
      if !application.problems.isEmpty { throw Refusal(application.problems) }
      try carryOut(application, session, isDry: isDry)
    }
    return .ok
  }

  private static func carryOut(
    _ application: Application, _ session: Session, isDry: Bool
  ) throws {
    let report = Report(session, names: application.names)
    for (product, port) in application.abandoned {
      session.say(
        "note: `\(port.address(in: product))` is published and no longer in the files; it stays")
    }
    for recreation in application.recreations { report.deletions(recreation) }
    let loses = application.topics.steps.contains { step in
      if case .alter(_, let changes) = step { return changes.contains(where: \.losesRecords) }
      return false
    }
    if isDry {
      for step in application.topics.steps { report.step(step) }
    } else {
      try confirm(application, loses: loses, session)
      try application.carryOut(losingRecords: loses) { report.step($0) }
    }
    for product in application.unpublished { report.publish(product) }
    report.end(application, isDry: isDry)
  }

  private static func confirm(
    _ application: Application, loses: Bool, _ session: Session
  ) throws {
    let deletes = application.recreations.contains { !$0.topics.isEmpty }
    if session.arguments.has(yes) || !(deletes || loses) { return }
    let what = deletes ? "delete these topics with all their records" : "delete records"
    guard isatty(0) == 1, session.errorTerminal.isTerminal, !session.isJSON else {
      throw Refusal(.notConfirmed, "this would \(what)", help: "add --yes if that is meant")
    }
    let report = Report(session, names: application.names)
    for step in application.topics.steps where loses { report.step(step) }
    session.errors.write("This will \(what). Go on? [y/N] ")
    let answer = readLine() ?? ""
    if !["y", "yes"].contains(answer.lowercased()) {
      throw Refusal(.notConfirmed, "nothing was changed")
    }
  }
}

extension Session {
  /// `weft apply` as it has to be called to do what this call has only looked at.
  fileprivate var applyCommand: String {
    let options = arguments.repeating([
      ApplyVerb.createInputs, ApplyVerb.recreate, Session.environment, Session.mesh,
      Session.bootstrap,
    ])
    return "weft apply" + options + (arguments[Workspace.path].map { " \($0)" } ?? "")
  }
}

/// What `apply` does, a line a step: for people, or an object for machines.
private struct Report {
  private let session: Session
  private let nameWidth: Int

  /// `names` are all that it will tell of, so that what is said of them stands in a column.
  init(_ session: Session, names: [String]) {
    self.session = session
    nameWidth = names.map(\.count).max() ?? 0
  }

  private func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private func line(_ verb: String, _ name: String, _ what: String) {
    if session.isJSON {
      let members = [("action", verb), ("name", name), ("what", what)]
      session.output.write(
        JSONText.object(members.map { ($0.0, JSONText.string($0.1)) }) + "\n")
    } else {
      session.output.write(
        "\(padded(verb, to: 9))\(padded(name, to: nameWidth))  \(what)\n")
    }
    session.output.flush()
  }

  func deletions(_ recreation: Recreation) {
    for topic in recreation.topics { line("delete", topic, "of \(recreation.product)") }
    line("forget", recreation.group, "committed offsets")
  }

  func step(_ step: TopicPlan.Step) {
    switch step {
    case .create(let topic):
      var parts = [topic.purpose.rawValue, "\(topic.partitions) partitions"]
      if topic.partitions == 1 { parts[1] = "1 partition" }
      if topic.configs["cleanup.policy"] == "compact" { parts.append("compacted") }
      if let text = topic.configs["retention.ms"], let kept = Int64(text) {
        parts.append(kept < 0 ? "kept for ever" : "kept for \(kept / 86_400_000) days")
      }
      line("create", topic.name, parts.joined(separator: ", "))
    case .alter(let topic, let changes):
      let parts = changes.map {
        "\($0.setting): \($0.present ?? "default") -> \($0.wanted)"
          + ($0.losesRecords ? " (deletes records)" : "")
      }
      line("change", topic.name, parts.joined(separator: ", "))
    }
  }

  func publish(_ product: CatalogProduct) {
    line(
      "publish", product.address, "version \(product.version), in the catalog")
  }

  func end(_ application: Application, isDry: Bool) {
    let changes =
      application.topics.steps.count + application.unpublished.count + application.recreations.count
    if changes == 0 {
      session.say("nothing to do: all is as the files say")
    } else {
      session.say(
        isDry
          ? "nothing was changed; `\(session.applyCommand)` does it"
          : "done; \(application.runCommands) runs it"
      )
    }
  }
}

extension Application {
  /// Everything that a line of the report is about.
  fileprivate var names: [String] {
    topics.steps.map(\.topic.name) + unpublished.map(\.address)
      + recreations.flatMap { $0.topics + [$0.group] }
  }
}

extension CatalogProduct {
  fileprivate var address: String { "\(domain)/\(name)" }
}

extension TopicPlan.Step {
  fileprivate var topic: WantedTopic {
    switch self {
    case .create(let topic), .alter(let topic, _): topic
    }
  }
}
