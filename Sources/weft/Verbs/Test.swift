import CommandLine
import Diagnostics
import Product

enum TestVerb {
  private static let filter = Option(
    "filter", value: "TEXT", "only tests whose name contains the text")

  static let verb = Verb(
    command: Command(
      "test", "run the tests of a mesh, a domain or a product, without a broker",
      arguments: [Workspace.path], options: [filter],
      examples: [
        .init("weft test claims", "every tests/*.yaml of the domain"),
        .init("weft test --filter redelivered", "those whose name says so"),
      ],
      discussion:
        "Each test runs on the very program that a worker runs, twice: with everything in "
        + "one turn, and record by record with the journal read back. The recorded time begins at "
        + "2100-01-01T00:00:00Z. `crash` loses the turn under way and the state after it.")
  ) { session in
    let workspace = try Workspace(session.arguments[Workspace.path], session)
    try workspace.requireWhole()
    var run = 0
    var failed = 0
    var broken: [Diagnostic] = []
    for (_, loaded) in workspace.products {
      guard let product = loaded.definition else { continue }
      let (all, diagnostics) = loaded.loadTests()
      broken += diagnostics
      let text = session.arguments[filter]
      let tests = all.filter { text == nil || $0.name.contains(text ?? "") }
      if !session.isJSON, !tests.isEmpty { session.output.write("\(product.name)\n") }
      for test in tests {
        let problems = TestRun(test: test, product: product).problems()
        run += 1
        if !problems.isEmpty { failed += 1 }
        tell(test, of: product, problems, session)
      }
    }
    session.report(broken, asResult: true)
    if run == 0, broken.isEmpty, let text = session.arguments[filter] {
      throw UsageError(
        "no test's name contains `\(text)`", help: "`weft test` without `--filter` shows all names")
    }
    if !session.isJSON {
      let count = "\(run) test\(run == 1 ? "" : "s")"
      session.output.write(
        run == 0
          ? "no tests were found\n" : "\(count), \(failed == 0 ? "none" : "\(failed)") failed\n")
    }
    return failed > 0 || broken.contains { $0.severity == .error } ? .rejected : .ok
  }

  private static func tell(
    _ test: ProductTest, of product: ProductDefinition, _ problems: [Diagnostic],
    _ session: Session
  ) {
    let place = test.span.source.place(of: test.span.range.lowerBound)
    if session.isJSON {
      session.output.write(
        JSONText.object([
          ("test", JSONText.string(test.name)), ("product", JSONText.string(product.name)),
          ("file", JSONText.string(test.span.source.name)), ("line", "\(place.line)"),
          ("passed", problems.isEmpty ? "true" : "false"),
          (
            "problems",
            problems.isEmpty ? nil : JSONText.array(problems.map(JSONRenderer().render))
          ),
        ]) + "\n")
      return
    }
    session.output.write((problems.isEmpty ? "  ok    " : "  FAIL  ") + test.name + "\n")
    let renderer = TextRenderer(colours: session.terminal.hasColours)
    for problem in problems { session.output.write("\n" + renderer.render(problem)) }
    if !problems.isEmpty { session.output.write("\n") }
  }
}
