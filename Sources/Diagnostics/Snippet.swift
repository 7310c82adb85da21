/// The place of a diagnostic as lines of text: the file, the source, and what is meant in it.
struct Snippet {
  /// A line in the order it is printed: the frame on the left, source text, then what marks it.
  struct Line {
    var frame: String
    var text = ""
    var mark = ""
  }

  /// Columns of the line numbers.
  let gutter: Int
  private(set) var lines: [Line] = []

  init(_ span: SourceSpan, label: String?) {
    let source = span.source
    let range = Snippet.visible(span)
    let first = source.line(of: range.lowerBound)
    let last = source.line(of: max(range.lowerBound, range.upperBound - 1))
    gutter = String(last + 1).count
    let place = source.place(of: range.lowerBound)
    let path = DisplayText.printable(source.name)
    lines.append(Line(frame: pad("") + "--> ", text: "\(path):\(place.line):\(place.column)"))
    if source.bytes.isEmpty { return }
    lines.append(Line(frame: pad("") + " |"))
    let label = label.map { " " + DisplayText.printable($0) } ?? ""
    if first == last {
      showLine(first, range, of: source, label)
    } else {
      showLines(first...last, range, of: source, label)
    }
  }

  /// The span within its text, without the white space at its end.
  private static func visible(_ span: SourceSpan) -> Range<Int> {
    let bytes = span.source.bytes
    let start = max(0, min(span.range.lowerBound, bytes.count))
    var end = max(start, min(span.range.upperBound, bytes.count))
    while end > start + 1, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[end - 1]) { end -= 1 }
    return start..<end
  }

  private func pad(_ text: String) -> String {
    String(repeating: " ", count: gutter - text.count) + text
  }

  private mutating func showLine(
    _ line: Int, _ range: Range<Int>, of source: SourceText, _ label: String
  ) {
    let shown = SourceLine(source, line: line)
    let start = shown.column(ofByte: range.lowerBound - source.lineStarts[line])
    let end = shown.column(ofByte: range.upperBound - source.lineStarts[line])
    let window = shown.window(around: start..<max(start + 1, end))
    lines.append(Line(frame: pad("\(line + 1)") + " | ", text: window.text))
    let carets = String(repeating: "^", count: max(1, window.columns.count))
    let before = String(repeating: " ", count: window.columns.lowerBound)
    lines.append(Line(frame: pad("") + " | ", text: before, mark: carets + label))
  }

  /// Several lines with a bracket on their left; the label stands at its foot.
  private mutating func showLines(
    _ span: ClosedRange<Int>, _ range: Range<Int>, of source: SourceText, _ label: String
  ) {
    var last = SourceLine(source, line: span.upperBound)
    for line in span {
      if span.count > TextRenderer.spanLinesMax {
        if line == span.lowerBound + 2 { lines.append(Line(frame: pad("") + " | ", text: "| …")) }
        if line >= span.lowerBound + 2, line < span.upperBound - 1 { continue }
      }
      last = SourceLine(source, line: line)
      let corner = line == span.lowerBound ? "/ " : "| "
      let text = last.window(around: 0..<1).text
      lines.append(Line(frame: pad("\(line + 1)") + " | ", text: corner + text))
    }
    let end = last.column(ofByte: range.upperBound - source.lineStarts[span.upperBound])
    let rule = String(repeating: "_", count: min(max(1, end), SourceLine.columnsMax))
    lines.append(Line(frame: pad("") + " | ", mark: "|" + rule + "^" + label))
  }
}
