/// A source line as it is shown: tabs expanded, nothing in it that a terminal obeys, and for each
/// byte the column it stands in, so that a caret meets what it means.
struct SourceLine {
  /// A line wider than this is shown around the place of interest only.
  static let columnsMax = 120
  /// So much of a wide line is shown before the place of interest.
  static let columnsBefore = 40

  private(set) var text = ""
  /// The column (from 0) of each byte of the line and of its end.
  private var columns: [Int] = []

  init(_ source: SourceText, line: Int) {
    let end =
      line + 1 < source.lineStarts.count ? source.lineStarts[line + 1] - 1 : source.bytes.count
    var rest = source.bytes[source.lineStarts[line]..<max(source.lineStarts[line], end)]
    if rest.last == 0x0D { rest.removeLast() }
    var column = 0
    while let first = rest.first {
      // One letter: a leading byte and what continues it; bytes that are no UTF-8 become `�`.
      let letter = [first] + rest.dropFirst().prefix { $0 & 0xC0 == 0x80 }
      rest = rest.dropFirst(letter.count)
      let shown =
        first == 0x09
        ? String(repeating: " ", count: DisplayText.tabWidth - column % DisplayText.tabWidth)
        : DisplayText.printable(String(decoding: letter, as: UTF8.self))
      columns += [Int](repeating: column, count: letter.count)
      text += shown
      column += DisplayText.width(of: shown)
    }
    columns.append(column)
  }

  /// Columns of the whole line.
  var width: Int { columns.last ?? 0 }

  /// Where the first letter that is no space stands.
  var indentation: Int { text.prefix { $0 == " " }.count }

  /// The column of a byte, counted from the line's beginning; past the end, the end.
  func column(ofByte byte: Int) -> Int { columns[max(0, min(byte, columns.count - 1))] }

  /// What is shown when `columns` are of interest: the text, and those columns in it.
  func window(around columns: Range<Int>) -> (text: String, columns: Range<Int>) {
    if width <= SourceLine.columnsMax { return (text, columns) }
    let start = max(0, columns.lowerBound - SourceLine.columnsBefore)
    var shown = String.UnicodeScalarView()
    var column = 0
    for scalar in text.unicodeScalars {
      let width = DisplayText.width(of: scalar)
      if column >= start, column + width <= start + SourceLine.columnsMax { shown.append(scalar) }
      column += width
    }
    let before = start > 0 ? "…" : ""
    let after = start + SourceLine.columnsMax < self.width ? "…" : ""
    let shift = before.count - start
    let end = min(columns.upperBound, start + SourceLine.columnsMax)
    return (
      before + String(shown) + after,
      (columns.lowerBound + shift)..<max(columns.lowerBound + shift, end + shift)
    )
  }
}
