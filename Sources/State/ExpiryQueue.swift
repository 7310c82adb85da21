/// Remembered rows in the order in which they came, with the time of each: 4 bytes a row, and 16 for
/// each run of rows with one time (a journal block's).
///
/// Two rings that double when they are full. Both ends can be undone, for a turn that is rolled back.
struct ExpiryQueue {
  private struct Run {
    var time: Int64
    var count: Int
  }

  private var rows = Ring<RowReference>(empty: 0)
  private var runs = Ring<Run>(empty: Run(time: 0, count: 0))

  var count: Int { rows.count }
  var bytes: Int { rows.bytes + runs.bytes }
  /// The time of the row that came first; nil when there is none.
  var firstTime: Int64? { runs.count == 0 ? nil : runs[0].time }

  mutating func append(_ row: RowReference, _ time: Int64) {
    rows.append(row)
    if runs.count > 0 && runs[runs.count - 1].time == time {
      runs[runs.count - 1].count += 1
    } else {
      runs.append(Run(time: time, count: 1))
    }
  }

  mutating func removeLast() {
    rows.removeLast()
    runs[runs.count - 1].count -= 1
    if runs[runs.count - 1].count == 0 { runs.removeLast() }
  }

  mutating func removeFirst() -> RowReference {
    let row = rows[0]
    rows.removeFirst()
    runs[0].count -= 1
    if runs[0].count == 0 { runs.removeFirst() }
    return row
  }

  mutating func prepend(_ row: RowReference, _ time: Int64) {
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
private struct Ring<Element: BitwiseCopyable> {
  private var elements: ContiguousArray<Element>
  private let empty: Element
  private var head = 0
  private(set) var count = 0

  init(empty: Element) {
    self.empty = empty
    elements = ContiguousArray(repeating: empty, count: 16)
  }

  var bytes: Int { elements.count * MemoryLayout<Element>.stride }

  subscript(index: Int) -> Element {
    get { elements[(head + index) & (elements.count - 1)] }
    set { elements[(head + index) & (elements.count - 1)] = newValue }
  }

  mutating func append(_ element: Element) {
    if count == elements.count { double() }
    count += 1
    self[count - 1] = element
  }

  mutating func prepend(_ element: Element) {
    if count == elements.count { double() }
    head = (head - 1) & (elements.count - 1)
    count += 1
    self[0] = element
  }

  mutating func removeLast() { count -= 1 }

  mutating func removeFirst() {
    head = (head + 1) & (elements.count - 1)
    count -= 1
  }

  private mutating func double() {
    var larger = ContiguousArray(repeating: empty, count: 2 * elements.count)
    for index in 0..<count { larger[index] = self[index] }
    elements = larger
    head = 0
  }
}
