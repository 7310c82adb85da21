import CommandLine
import Diagnostics
import Engine
import Product

enum CheckVerb {
  static let verb = Verb(
    command: Command(
      "check", "check the files of a mesh, a domain or a product", arguments: [Workspace.path],
      examples: [
        .init("weft check", "everything here"),
        .init("weft check Config/health/claims", "one domain"),
        .init("weft check claims --format json", "one object a problem, for an editor or CI"),
      ],
      discussion:
        "All problems of all files are told at once; a place that depends on a broken one "
        + "is silent. Exit code 1 when there is an error, 0 when there are only warnings. Keys that "
        + "this version of Weft knows but does not act on yet are named.")
  ) { session in
    let workspace = try Workspace(session.arguments[Workspace.path], session)
    var problems = workspace.diagnostics
    for (_, product) in workspace.products {
      guard let definition = product.definition else { continue }
      do throws(PlanFailure) {
        _ = try ProductPlan(definition)
      } catch {
        problems.append(
          Diagnostic(
            .uncompilable, "product `\(definition.name)` cannot be compiled: \(error)"))
      }
    }
    session.report(problems, asResult: true)
    if session.isJSON {
      session.output.write(JSONRenderer().render(workspace.notActedOn))
    } else {
      tell(workspace, hasProblems: !problems.isEmpty, session)
    }
    return problems.contains { $0.severity == .error } ? .rejected : .ok
  }

  private static func tell(_ workspace: Workspace, hasProblems: Bool, _ session: Session) {
    if !workspace.notActedOn.isEmpty {
      session.output.write("not acted on yet:\n")
      for item in workspace.notActedOn {
        let place = item.span.map { span in
          let place = span.source.place(of: span.range.lowerBound)
          return "\(span.source.name):\(place.line):\(place.column)  "
        }
        session.output.write("  \(place ?? "")\(item.message)\n")
      }
    }
    if hasProblems { return }
    let domains = workspace.domains.count
    let products = workspace.products.count
    session.output.write(
      "\(domains) domain\(domains == 1 ? "" : "s") and \(products) "
        + "product\(products == 1 ? "" : "s") checked: no problems\n")
  }
}
