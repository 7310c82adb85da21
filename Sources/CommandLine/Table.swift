import Diagnostics

/// Rows under headings, made to fit a terminal: the widest columns give way first.
///
/// Numbers stand on the right. Widths come from the rows that are there when it is made; rows added
/// later (of a port that is followed) keep them.
package struct Table: Sendable {
  package struct Column: Sendable {
    package let title: String
    package let isNumber: Bool
    package init(_ title: String, isNumber: Bool = false) {
      self.title = title
      self.isNumber = isNumber
    }
  }

  /// No column is made narrower than this to fit.
  package static let columnWidthMin = 6
  private static let gap = 2

  private let columns: [Column]
  private var widths: [Int]

  /// `width` in columns of the terminal; nil: as wide as it needs to be.
  package init(_ columns: [Column], fitting rows: [[String]], width: Int?) {
    self.columns = columns
    widths = columns.enumerated().map { index, column in
      let cells = rows.map { index < $0.count ? DisplayText.width(of: $0[index]) : 0 }
      return max(DisplayText.width(of: column.title), cells.max() ?? 0)
    }
    guard let width else { return }
    var excess = widths.reduce(0, +) + Table.gap * max(0, columns.count - 1) - width
    while excess > 0, let widest = widths.max(), widest > Table.columnWidthMin,
      let index = widths.firstIndex(of: widest)
    {
      widths[index] -= 1
      excess -= 1
    }
  }

  /// The headings, with a line break.
  package var header: String { line(columns.map(\.title)) }

  /// One row, with a line break; control characters are shown, not sent.
  package func line(_ cells: [String]) -> String {
    var text = ""
    for (index, column) in columns.enumerated() {
      let cell = index < cells.count ? DisplayText.printable(cells[index]) : ""
      let shown = DisplayText.truncated(cell, to: widths[index])
      let fill = String(repeating: " ", count: widths[index] - DisplayText.width(of: shown))
      if index > 0 { text += String(repeating: " ", count: Table.gap) }
      text += column.isNumber ? fill + shown : shown + fill
    }
    while text.last == " " { text.removeLast() }
    return text + "\n"
  }
}
