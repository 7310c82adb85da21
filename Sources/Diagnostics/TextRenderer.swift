/// Diagnostics as a person reads them: what, where with the source line and a caret, why, and help.
///
/// ```
/// error[W0203]: `amout` is not a field of event type `ClaimTransaction`
///   --> Config/health/claims/transform.yaml:31:24
///    |
/// 31 |         charged  = sum(event.amout) if event.kind == "CHARGE"
///    |                        ^^^^^^^^^^^ decimal fields here: `amount`, `payment`
///    |
///    = help: did you mean `event.amount`?
/// ```
package struct TextRenderer: Sendable {
  /// More than this many are counted, not shown.
  package static let shownMax = 20
  /// A span of more lines than this is shown by its first and its last two.
  static let spanLinesMax = 6

  /// Whether to paint with ANSI colours; only for a terminal.
  package let colours: Bool

  package init(colours: Bool) { self.colours = colours }

  /// All of them in reading order, at most ``shownMax``, and a summary line; empty for none.
  package func render(_ diagnostics: [Diagnostic]) -> String {
    if diagnostics.isEmpty { return "" }
    let sorted = diagnostics.inReadingOrder()
    var text = ""
    for diagnostic in sorted.prefix(TextRenderer.shownMax) { text += render(diagnostic) + "\n" }
    let more = sorted.count - TextRenderer.shownMax
    return text + summary(of: sorted) + (more > 0 ? ", and \(more) more are not shown" : "") + "\n"
  }

  /// `2 errors and 1 warning`.
  package func summary(of diagnostics: [Diagnostic]) -> String {
    let errors = diagnostics.count { $0.severity == .error }
    let warnings = diagnostics.count - errors
    var parts: [String] = []
    if errors > 0 { parts.append(paint("\(errors) error\(errors == 1 ? "" : "s")", .error)) }
    if warnings > 0 {
      parts.append(paint("\(warnings) warning\(warnings == 1 ? "" : "s")", .warning))
    }
    return parts.joined(separator: " and ")
  }

  /// One of them, with a line break at its end.
  package func render(_ diagnostic: Diagnostic) -> String {
    let severity: Style = diagnostic.severity == .error ? .error : .warning
    var text = paint("\(diagnostic.severity.rawValue)[\(diagnostic.code.text)]", severity)
    text += paint(": " + DisplayText.printable(diagnostic.message), .strong) + "\n"
    var gutter = 2
    if let span = diagnostic.span {
      let snippet = Snippet(span, label: diagnostic.label)
      gutter = snippet.gutter
      text += snippet.lines.map { paint($0, severity) }.joined()
    }
    var remarks = diagnostic.notes.map { ("note", $0) }
    if let help = diagnostic.help { remarks.append(("help", help)) }
    if !remarks.isEmpty, diagnostic.span != nil { text += paint(bar(gutter), .faint) + "\n" }
    for (kind, remark) in remarks {
      let lines = DisplayText.printable(remark, keepingLineBreaks: true).split(
        separator: "\n", omittingEmptySubsequences: false)
      text += paint(String(repeating: " ", count: gutter) + " = ", .faint)
      text += paint(kind + ":", .strong) + " " + (lines.first ?? "") + "\n"
      for line in lines.dropFirst() {
        text += String(repeating: " ", count: gutter + kind.count + 5) + line + "\n"
      }
    }
    return text
  }

  private func bar(_ gutter: Int) -> String { String(repeating: " ", count: gutter) + " |" }
}

extension TextRenderer {
  enum Style: String { case error = "1;31", warning = "1;33", faint = "1;34", strong = "1" }

  func paint(_ text: String, _ style: Style) -> String {
    colours ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
  }

  func paint(_ line: Snippet.Line, _ severity: Style) -> String {
    let frame = paint(line.frame, .faint)
    let mark = line.mark.isEmpty ? "" : paint(line.mark, severity)
    return (frame + line.text + mark).trimmingTrailingSpaces() + "\n"
  }
}

extension String {
  func trimmingTrailingSpaces() -> String {
    var view = self[...]
    while view.last == " " { view.removeLast() }
    return String(view)
  }
}
