import Records

/// Remembered rows in the order in which they came, with the time of each: 4 bytes a row, and 16 for
/// each run of rows with one time (a journal block's).
///
/// Two rings that double when they are full. Both ends can be undone, for a turn that is rolled back.
final class ExpiryQueue {
  private struct Run: BitwiseCopyable {
    var time: Int64
    var count: Int
  }

  private let rows = Ring<RowReference>(empty: 0)
  private let runs = Ring<Run>(empty: Run(time: 0, count: 0))

  var count: Int { rows.count }
  var bytes: Int { rows.bytes + runs.bytes }
  /// The time of the row that came first; nil when there is none.
  var firstTime: Int64? { runs.count == 0 ? nil : runs[0].time }

  func append(_ row: RowReference, _ time: Int64) {
    rows.append(row)
    if runs.count > 0 && runs[runs.count - 1].time == time {
      runs[runs.count - 1].count += 1
    } else {
      runs.append(Run(time: time, count: 1))
    }
  }

  func removeLast() {
    rows.removeLast()
    runs[runs.count - 1].count -= 1
    if runs[runs.count - 1].count == 0 { runs.removeLast() }
  }

  func removeFirst() -> RowReference {
    let row = rows[0]
    rows.removeFirst()
    runs[0].count -= 1
    if runs[0].count == 0 { runs.removeFirst() }
    return row
  }

  func prepend(_ row: RowReference, _ time: Int64) {
    rows.prepend(row)
    if runs.count > 0 && runs[0].time == time {
      runs[0].count += 1
    } else {
      runs.prepend(Run(time: time, count: 1))
    }
  }

  /// Every row with its time, from the first to the last.
  func forEach(_ body: (RowReference, Int64) -> Void) {
    var index = 0
    for number in 0..<runs.count {
      for _ in 0..<runs[number].count {
        body(rows[index], runs[number].time)
        index += 1
      }
    }
  }
}

/// A ring of elements, open at both ends; doubles when it is full.
private final class Ring<Element: BitwiseCopyable> {
  private var cells: Cells<Element>
  private let empty: Element
  private var head = 0
  private(set) var count = 0

  init(empty: Element) {
    self.empty = empty
    cells = Cells(count: 16, repeating: empty)
  }

  var bytes: Int { cells.count * MemoryLayout<Element>.stride }

  subscript(index: Int) -> Element {
    get { cells[(head + index) & (cells.count - 1)] }
    set { cells[(head + index) & (cells.count - 1)] = newValue }
  }

  func append(_ element: Element) {
    if count == cells.count { double() }
    count += 1
    self[count - 1] = element
  }

  func prepend(_ element: Element) {
    if count == cells.count { double() }
    head = (head - 1) & (cells.count - 1)
    count += 1
    self[0] = element
  }

  func removeLast() { count -= 1 }

  func removeFirst() {
    head = (head + 1) & (cells.count - 1)
    count -= 1
  }

  private func double() {
    let larger = Cells(count: 2 * cells.count, repeating: empty)
    for index in 0..<count { larger[index] = self[index] }
    cells = larger
    head = 0
  }
}
