import Diagnostics
import Product

/// What changed between the logic a journal was begun with and the present files, and the ways on.
package enum LogicChange {
  /// No more than this many changes are named.
  static let namedMax = 8

  /// One line a part that changed: `changed: outputs/claim`, `added: …`, `removed: …`.
  package static func describe(from old: [LogicFile], to new: [LogicFile]) -> [String] {
    var lines: [String] = []
    for file in new {
      guard let before = old.first(where: { $0.path == file.path }) else {
        lines.append("added: \(file.path)")
        continue
      }
      if before.content != file.content {
        lines.append("changed: \(file.path)" + firstDifference(before.content, file.content))
      }
    }
    for file in old where !new.contains(where: { $0.path == file.path }) {
      lines.append("removed: \(file.path)")
    }
    if lines.count > namedMax {
      lines = lines.prefix(namedMax) + ["and \(lines.count - namedMax) more"]
    }
    return lines
  }

  private static func firstDifference(_ old: String, _ new: String) -> String {
    let before = old.split(separator: "\n", omittingEmptySubsequences: false)
    let after = new.split(separator: "\n", omittingEmptySubsequences: false)
    for index in 0..<max(before.count, after.count) {
      let was = index < before.count ? before[index].trimmed : ""
      let now = index < after.count ? after[index].trimmed : ""
      if was != now { return "\n  was: \(shown(was))\n  now: \(shown(now))" }
    }
    return ""
  }

  private static func shown(_ line: String) -> String {
    line.isEmpty ? "(nothing)" : DisplayText.truncated(line, to: 100)
  }

  /// Why a product with other logic than its journal's is not started, or not applied.
  /// - Parameter old: the files of the journal's logic; nil when the catalog does not have them.
  package static func diagnostic(product: ProductDefinition, old: [LogicFile]?) -> Diagnostic {
    let changes =
      old.map { describe(from: $0, to: product.logicFiles).joined(separator: "\n") }
      ?? "the catalog does not have the files of that logic, so what changed cannot be said"
    return Diagnostic(
      .logicChanged,
      "the logic of product `\(product.name)` is not the one its journal and state were made with",
      notes: [changes, "what is published already would not follow from the files any more"],
      help: "put the files back as they were; or, where history may be thrown away, start over "
        + "with `weft apply --recreate \(product.name)`")
  }
}

extension Substring {
  fileprivate var trimmed: String {
    var text = self
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
