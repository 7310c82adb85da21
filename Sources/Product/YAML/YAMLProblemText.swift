import Diagnostics

/// Says in our words what libyaml has against a text, with both of its places.
struct YAMLProblemText {
  private let source: SourceText
  private let places: YAMLPlaces
  private let skipped: Int

  init(_ source: SourceText, _ places: YAMLPlaces, skipped: Int) {
    self.source = source
    self.places = places
    self.skipped = skipped
  }

  func diagnostic(_ problem: YAMLProblem) -> Diagnostic {
    if let offset = problem.byteOffset { return unreadable(problem, at: offset + skipped) }
    let place = places.offset(of: problem.place)
    let context = problem.contextPlace.map { places.offset(of: $0) }
    let opener = context.flatMap { source.bytes.indices.contains($0) ? source.bytes[$0] : nil }
    let openerText = opener.map { String(UnicodeScalar($0)) } ?? ""
    switch problem.problem {
    case "found character that cannot start any token": return badStart(place)
    case let text where text.contains("tab character"): return badStart(place)
    case "mapping values are not allowed in this context":
      if let step = indentation(place) { return step }
      return at(
        place, "there is a second `:` here, or the line above is not complete",
        help: "put a value that has `: ` in it in quotes")
    case "could not find expected ':'":
      return at(
        context ?? place, "this line has no `:` behind its key", also: context == nil ? nil : place,
        help: "write `key: value`, or indent the line to continue the value above")
    case "found unexpected end of stream", "found unexpected document indicator":
      return at(
        context ?? place, "the quote `\(openerText)` that begins here is never closed",
        help: "close it with `\(openerText)`")
    case "did not find expected ',' or ']'", "did not find expected ',' or '}'":
      let closing = problem.problem.hasSuffix("']'") ? "]" : "}"
      if let context, isNothing(at: place) {
        return at(
          context, "the `\(closing == "]" ? "[" : "{")` that begins here is never closed",
          help: "close it with `\(closing)`")
      }
      return at(
        place, "expected `,` or `\(closing)` here", also: context,
        alsoText: "`\(closing == "]" ? "[" : "{")` that it would close")
    case "did not find expected key":
      let line = source.text(ofLine: source.line(of: place))
      let isKey = line.contains(": ") || line.hasSuffix(":")
      return at(
        place, "this does not continue the map above it", also: context, alsoText: "map",
        help: isKey
          ? "indent it like the keys it belongs to" : "indent it like the lines of the block above")
    case "did not find expected '-' indicator":
      return at(
        place, "this does not continue the list above it", also: context, alsoText: "list",
        help: "begin it with `- `, indented like the others")
    default: return other(problem, place, context)
    }
  }

  private func other(_ problem: YAMLProblem, _ place: Int, _ context: Int?) -> Diagnostic {
    switch problem.problem {
    case "block sequence entries are not allowed in this context":
      at(place, "a list cannot begin here", help: "begin it on a line of its own, under its key")
    case "mapping keys are not allowed in this context", "block mapping keys are not allowed":
      at(place, "a map cannot begin here", help: "begin it on a line of its own, under its key")
    case "found unknown escape character":
      at(place, "no such escape in a quoted text", help: "write `\\\\` for a backslash")
    case "did not find expected comment or line break":
      at(place, "only a comment may follow `|` or `>` on its line", also: context)
    case "did not find expected <document start>":
      at(place, "something follows the end of the document")
    case "did not find expected alphabetic or numeric character":
      at(
        place, "`&` and `*` begin an anchor and an alias; their name is missing",
        help: "put a value that begins so in quotes")
    case "did not find expected whitespace or line break",
      "did not find URI escaped octet", "did not find expected tag URI",
      "found undefined tag handle":
      at(place, "`!` begins a tag, and this is none", help: "put a value that begins so in quotes")
    case "found unknown directive name", "found incompatible YAML document":
      at(place, "a line that begins with `%` is a directive, and this is none")
    default:
      at(place, "this is no YAML: \(problem.problem)", also: context, alsoText: "beginning")
    }
  }

  /// A `:` that is no second one in its line can only be too many because the line goes on with the
  /// value above it: one of the two lines is not indented like its neighbours. The line below tells
  /// which. Nil when the `:` is a second one, or the line above has no value.
  private func indentation(_ place: Int) -> Diagnostic? {
    let deeper = source.line(of: place)
    let key = String(decoding: source.bytes[source.lineStarts[deeper]..<place], as: UTF8.self)
    guard !key.contains(": "), let deeperColumn = YAMLProblemText.keyColumn(key + ":"),
      let above = (0..<deeper).last(where: { keyColumn(ofLine: $0) != nil }),
      let aboveColumn = keyColumn(ofLine: above), aboveColumn < deeperColumn
    else { return nil }
    let below = (deeper + 1..<source.lineStarts.count).first { keyColumn(ofLine: $0) != nil }
    let isDeeperOdd = below.map { keyColumn(ofLine: $0) == aboveColumn } ?? false
    let odd = isDeeperOdd ? deeper : above
    let (column, wanted) =
      isDeeperOdd ? (deeperColumn, aboveColumn) : (aboveColumn, deeperColumn)
    return at(
      source.lineStarts[odd] + column,
      isDeeperOdd
        ? "this is indented more than line \(above + 1), and so goes on with the value there"
        : "line \(deeper + 1) is indented more than this, and so goes on with the value here",
      help: "if the two belong to one map, let this key begin in column \(wanted + 1) as well")
  }

  private func keyColumn(ofLine line: Int) -> Int? {
    YAMLProblemText.keyColumn(source.text(ofLine: line))
  }

  /// Where the key of a line begins, from 0, behind the `- ` of a list; nil when nothing is there.
  private static func keyColumn(_ text: String) -> Int? {
    let rest = text.drop { $0 == " " || $0 == "-" }
    if rest.isEmpty || rest.first == "#" { return nil }
    return text.utf8.count - rest.utf8.count
  }

  /// Whether only an empty line or the end of the text stands there.
  private func isNothing(at place: Int) -> Bool {
    !source.bytes.indices.contains(place) || [0x0A, 0x0D].contains(source.bytes[place])
  }

  private func badStart(_ place: Int) -> Diagnostic {
    let byte = source.bytes.indices.contains(place) ? source.bytes[place] : 0
    if byte == 0x09 {
      return at(place, "a tab cannot indent YAML", help: "indent with spaces")
    }
    let letter = String(UnicodeScalar(byte))
    return at(
      place, "a plain value cannot begin with `\(letter)`", help: "put the value in quotes")
  }

  private func unreadable(_ problem: YAMLProblem, at offset: Int) -> Diagnostic {
    let isControl = problem.problem.contains("control characters")
    var result = at(
      offset,
      isControl
        ? "a control character in the text" : "these bytes are not UTF-8",
      help: isControl
        ? "remove it, or write it as an escape in double quotes" : "save the file as UTF-8")
    result.code = .yamlEncoding
    return result
  }

  private func at(
    _ place: Int, _ message: String, also: Int? = nil, alsoText: String = "beginning",
    help: String? = nil
  ) -> Diagnostic {
    let start = min(place, source.bytes.count)
    var end = min(start + 1, source.bytes.count)
    while end < source.bytes.count, source.bytes[end] & 0xC0 == 0x80 { end += 1 }
    var notes: [String] = []
    if let also, also != place {
      let (line, column) = source.place(of: also)
      notes.append("the \(alsoText) stands in line \(line), column \(column)")
    }
    return Diagnostic(
      .yamlSyntax, message, at: SourceSpan(source, start..<end), notes: notes, help: help)
  }
}
