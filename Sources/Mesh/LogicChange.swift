import Diagnostics
import Product

/// What changed between the logic a journal was begun with and the present files, and the ways on.
package enum LogicChange {
  /// No more than this many changes are named.
  static let namedMax = 8

  /// Why a product with other logic than its journal's is not started, or not applied.
  /// - Parameter old: the files of the journal's logic; nil when the catalog does not have them.
  package static func diagnostic(product: ProductDefinition, old: [LogicFile]?) -> Diagnostic {
    var changes = old.map { LogicText.differences(from: $0, to: product.logicFiles) } ?? []
    if changes.count > namedMax {
      changes = changes.prefix(namedMax) + ["and \(changes.count - namedMax) more"]
    }
    if changes.isEmpty {
      changes = ["the catalog does not have the files of that logic to say what changed"]
    }
    return Diagnostic(
      .logicChanged,
      "the logic of product `\(product.name)` is not the one its journal and state were made with",
      notes: [
        changes.joined(separator: "\n"),
        "what is published already would not follow from the files any more",
      ],
      help: "put the files back as they were; or, where history may be thrown away, start over "
        + "with `weft apply --recreate \(product.name)`")
  }
}
