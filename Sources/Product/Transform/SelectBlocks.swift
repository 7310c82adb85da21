import Diagnostics
import Expressions

/// The `select` of an event port: one block for all that comes, or one an input or stream.
struct SelectBlocks {
  private struct Block {
    let name: String
    let span: SourceSpan
    let lines: AssignmentBlock
  }

  private var common: AssignmentBlock?
  private var named: [Block] = []
  /// Canonical lines for the logic digest.
  private(set) var logic: [String] = []

  init(_ select: FileValue, _ reader: inout TransformReader) {
    if select.text != nil {
      let lines = reader.assignments(select)
      common = lines
      logic = SelectBlocks.canonical(lines.assignments, prefix: "")
      return
    }
    for (key, value) in select.entries {
      guard let name = key.text else { continue }
      let lines = reader.assignments(value)
      named.append(Block(name: name, span: key.span, lines: lines))
      logic += SelectBlocks.canonical(lines.assignments, prefix: name + ": ")
    }
  }

  static func canonical(_ lines: [Assignment], prefix: String) -> [String] {
    lines.map { line in
      let text = CanonicalText.of(line.value.span)
      return "column \(line.isSpread ? "..." : "")\(line.name) = \(prefix)\(text)"
    }
  }

  /// The lines for a flow; nil when there are none or several, and that has been said.
  func block(
    for flow: Flow, _ reader: inout TransformReader, _ used: inout Set<String>,
    _ span: SourceSpan
  ) -> AssignmentBlock? {
    if let common { return common }
    let fitting = named.filter { flow.names.contains($0.name) }
    used.formUnion(fitting.map(\.name))
    if fitting.count == 1 { return fitting[0].lines }
    if let second = fitting.dropFirst().first {
      reader.report(
        .ambiguousName, "`\(flow.name)` fits `\(fitting[0].name)` and `\(second.name)`",
        second.span)
    } else {
      reader.report(
        .missingKey, "`select` has no block for `\(flow.name)`", span,
        help: "add one under the name of its input or stream")
    }
    return nil
  }

  /// Says which blocks nothing has come to, or could if what they are named by were not broken.
  func checkUsed(_ used: Set<String>, _ reader: inout TransformReader) {
    for block in named where !used.contains(block.name) {
      let first = block.name.split(separator: ".").first.map(String.init)
      if reader.brokenNames.contains(block.name) || reader.brokenNames.contains(first ?? "") {
        continue
      }
      reader.report(
        .unknownReference, "nothing called `\(block.name)` comes to this port", block.span)
    }
  }
}
