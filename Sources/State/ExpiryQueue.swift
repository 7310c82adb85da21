/// Remembered rows in the order in which they came, with the time of each: 4 bytes a row, and 16
/// for each run of rows with one time (a journal block's).
///
/// Two rings that double when they are full. Both ends can be undone, for a turn that is rolled
/// back.
final class ExpiryQueue {
  private struct Run: BitwiseCopyable {
    var time: Int64
    var count: Int
  }

  private let rows = Ring<RowReference>()
  private let runs = Ring<Run>()

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

  func removeAll() {
    rows.removeAll()
    runs.removeAll()
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
@safe private final class Ring<Element: BitwiseCopyable> {
  private var cells: UnsafeMutablePointer<Element>
  private var capacity = 16
  private var head = 0
  private(set) var count = 0

  init() { unsafe cells = UnsafeMutablePointer<Element>.allocate(capacity: capacity) }

  deinit { unsafe cells.deallocate() }

  var bytes: Int { capacity * MemoryLayout<Element>.stride }

  subscript(index: Int) -> Element {
    get {
      precondition(index >= 0 && index < count, "ring index out of range")
      return unsafe cells[(head + index) & (capacity - 1)]
    }
    set {
      precondition(index >= 0 && index < count, "ring index out of range")
      unsafe (cells + ((head + index) & (capacity - 1))).initialize(to: newValue)
    }
  }

  func append(_ element: Element) {
    if count == capacity { double() }
    count += 1
    self[count - 1] = element
  }

  func prepend(_ element: Element) {
    if count == capacity { double() }
    head = (head - 1) & (capacity - 1)
    count += 1
    self[0] = element
  }

  func removeLast() { count -= 1 }

  func removeAll() {
    count = 0
    head = 0
  }

  func removeFirst() {
    head = (head + 1) & (capacity - 1)
    count -= 1
  }

  private func double() {
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: 2 * capacity)
    for index in 0..<count { unsafe (larger + index).initialize(to: self[index]) }
    unsafe cells.deallocate()
    unsafe cells = larger
    capacity *= 2
    head = 0
  }
}
