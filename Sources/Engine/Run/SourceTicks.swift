import Formats
import Records

/// What journals with a clock are told of the sources, the partitions of inputs: how far their
/// actual times have come, and which of them are at their end.
///
/// Of a turn that is taken back everything is forgotten, and what was told before is told anew: so
/// nothing here outlives what it rests on, and a source is at its end again when its reader says
/// so.
final class SourceTicks {
  /// Clocks need no finer steps than this, in milliseconds of recorded time.
  static let intervalMs: Int64 = 1000
  /// How often a source's end is confirmed while nothing comes: it counts for
  /// ``PartitionClock/endMs``, and recorded time moves a clock by what is told.
  static let confirmMs: Int64 = 10_000

  private enum Column {
    static let input = 0
    static let partition = 1
    static let isRead = 2
    /// The largest actual time, or `none`.
    static let shown = 3
    /// The offset at which the reader was at the end, or `none`: then it is not.
    static let end = 4
    /// The same as the journals were last told.
    static let toldShown = 5
    static let told = 6
    static let count = 7
  }
  private enum Told {
    static let nothing: Int64 = 0
    static let isThere: Int64 = 1
    static let isRead: Int64 = 2
    static let isAtEnd: Int64 = 3
  }
  private static let none = Int64.min

  private let intervalMs: Int64
  private let table = NumberTable(width: Column.count)
  /// Of the record noted last: records come in runs of one partition.
  private var current = -1
  private var toldMs = SourceTicks.none

  init(intervalMs: Int64) { self.intervalMs = intervalMs }

  private func row(_ input: Int, _ partition: Partition) -> Int {
    if current >= 0 && table[current, Column.input] == Int64(input)
      && table[current, Column.partition] == Int64(partition.value)
    {
      return current
    }
    current = find(input, partition)
    return current
  }

  private func find(_ input: Int, _ partition: Partition) -> Int {
    for row in 0..<table.count {
      if table[row, Column.input] == Int64(input)
        && table[row, Column.partition] == Int64(partition.value)
      {
        return row
      }
    }
    let row = table.append()
    table[row, Column.input] = Int64(input)
    table[row, Column.partition] = Int64(partition.value)
    reset(row)
    return row
  }

  private func reset(_ row: Int) {
    table[row, Column.shown] = SourceTicks.none
    table[row, Column.end] = SourceTicks.none
    table[row, Column.toldShown] = SourceTicks.none
    table[row, Column.told] = Told.nothing
    toldMs = SourceTicks.none
  }

  // MARK: What is known

  /// An input has so many partitions, whoever reads them.
  func expect(_ input: Int, partitions: Int) {
    for partition in 0..<partitions { _ = row(input, Partition(Int32(clamping: partition))) }
  }

  /// A partition is read here from now on.
  func begin(_ input: Int, _ partition: Partition) {
    let row = row(input, partition)
    reset(row)
    table[row, Column.isRead] = 1
  }

  /// A partition is read by another from now on.
  func forget(_ input: Int, _ partition: Partition) {
    let row = row(input, partition)
    reset(row)
    table[row, Column.isRead] = 0
  }

  /// A record was taken that shows this actual time, or none.
  @inline(__always)
  func note(_ record: SourceRecord, shownMs: Int64) {
    let row = row(record.input, record.partition)
    if shownMs > table[row, Column.shown] { table[row, Column.shown] = shownMs }
    if record.offset.value >= table[row, Column.end] { table[row, Column.end] = SourceTicks.none }
  }

  /// The reader of a partition has found nothing at `offset`, after all that lies before.
  func reachedEnd(_ input: Int, _ partition: Partition, _ offset: Offset) {
    table[row(input, partition), Column.end] = offset.value
  }

  /// Nobody looks whether there is more.
  func forgetEnds() {
    for row in 0..<table.count { table[row, Column.end] = SourceTicks.none }
  }

  /// The turn was taken back.
  func takeBack() {
    for row in 0..<table.count { reset(row) }
  }

  // MARK: What is told

  private func state(_ row: Int) -> Int64 {
    if table[row, Column.isRead] == 0 { return Told.isThere }
    return table[row, Column.end] == SourceTicks.none ? Told.isRead : Told.isAtEnd
  }

  /// Whether the journals have to be told something at that recorded time.
  func isDue(recordedMs: Int64) -> Bool {
    var isChanged = false
    var isAnyRead = false
    var isAnyAtEnd = false
    for row in 0..<table.count {
      let state = state(row)
      isAnyRead = isAnyRead || state != Told.isThere
      isAnyAtEnd = isAnyAtEnd || state == Told.isAtEnd
      if table[row, Column.told] != state && (state != Told.isThere || isUntold(row))
        || table[row, Column.toldShown] != table[row, Column.shown]
      {
        isChanged = true
      }
    }
    if !isAnyRead { return false }
    if toldMs == SourceTicks.none { return true }
    let sinceMs = recordedMs - toldMs
    return isChanged && sinceMs >= intervalMs
      || isAnyAtEnd && sinceMs >= max(1, min(SourceTicks.confirmMs, 10 * intervalMs))
  }

  private func isUntold(_ row: Int) -> Bool { table[row, Column.told] == Told.nothing }

  /// Appends what is to be told of the sources of some inputs: all that are read here, and of the
  /// others once that they are there.
  func append(to builder: JournalBlockBuilder, of inputs: Set<Int>) {
    for row in 0..<table.count where inputs.contains(Int(table[row, Column.input])) {
      let state = state(row)
      if state == Told.isThere && !isUntold(row) { continue }
      let shown = table[row, Column.shown]
      builder.append(
        JournalTick(
          input: Int(table[row, Column.input]),
          partition: Partition(Int32(truncatingIfNeeded: table[row, Column.partition])),
          isRead: state != Told.isThere, shownMs: shown == SourceTicks.none ? nil : shown,
          isAtEnd: state == Told.isAtEnd))
    }
  }

  /// All journals have been told.
  func tell(recordedMs: Int64) {
    toldMs = recordedMs
    for row in 0..<table.count {
      table[row, Column.toldShown] = table[row, Column.shown]
      table[row, Column.told] = state(row)
    }
  }
}
