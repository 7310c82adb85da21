/// Diagnostics as machines read them: one JSON object a line, the fields of the text form.
///
/// `line`, `column`, `endLine` and `endColumn` count from 1, columns in Unicode scalars; the end is
/// the place after the last letter. Nothing is cut: all diagnostics are written.
package struct JSONRenderer: Sendable {
  package init() {}

  /// All of them in reading order, each with a line break at its end.
  package func render(_ diagnostics: [Diagnostic]) -> String {
    diagnostics.inReadingOrder().map { render($0) + "\n" }.joined()
  }

  /// One of them, without a line break.
  package func render(_ diagnostic: Diagnostic) -> String {
    var members: [(name: String, value: String?)] = [
      ("code", JSONText.string(diagnostic.code.text)),
      ("severity", JSONText.string(diagnostic.severity.rawValue)),
      ("message", JSONText.string(diagnostic.message)),
    ]
    if let span = diagnostic.span {
      let start = span.source.place(of: span.range.lowerBound)
      let end = span.source.place(of: max(span.range.lowerBound, span.range.upperBound))
      members += [
        ("file", JSONText.string(span.source.name)), ("line", "\(start.line)"),
        ("column", "\(start.column)"), ("endLine", "\(end.line)"), ("endColumn", "\(end.column)"),
      ]
    }
    members += [
      ("label", diagnostic.label.map(JSONText.string)),
      (
        "notes",
        diagnostic.notes.isEmpty ? nil : JSONText.array(diagnostic.notes.map(JSONText.string))
      ),
      ("help", diagnostic.help.map(JSONText.string)),
    ]
    return JSONText.object(members)
  }
}

extension [Diagnostic] {
  /// By file, then place, then as found; what concerns no file comes last. Repeats are dropped.
  package func inReadingOrder() -> [Diagnostic] {
    var seen: Set<Diagnostic> = []
    return enumerated().filter { seen.insert($0.element).inserted }.sorted { left, right in
      switch (left.element.span, right.element.span) {
      case (let a?, let b?):
        (a.source.name, a.range.lowerBound, left.offset)
          < (b.source.name, b.range.lowerBound, right.offset)
      case (nil, nil): left.offset < right.offset
      case (let a, _): a != nil
      }
    }.map(\.element)
  }
}
