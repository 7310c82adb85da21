import Formats
import Records

/// How far each input partition has been taken, for the blocks to carry.
final class InputPositions {
  private enum Column {
    static let input = 0
    static let partition = 1
    static let next = 2
    /// As it was after the last commit.
    static let committed = 3
    static let count = 4
  }

  private static let none: Int64 = -1
  private let table = NumberTable(width: Column.count)
  /// The row of the record noted last: records come in runs of one partition.
  private var current = -1
  private var currentInput = -1
  private var currentPartition: Int32 = -1

  @inline(__always)
  func note(_ record: SourceRecord) {
    if record.input != currentInput || record.partition.value != currentPartition {
      current = row(record.input, record.partition)
      currentInput = record.input
      currentPartition = record.partition.value
    }
    table[current, Column.next] = record.offset.value + 1
  }

  private func row(_ input: Int, _ partition: Partition) -> Int {
    for row in 0..<table.count {
      if table[row, Column.input] == Int64(input)
        && table[row, Column.partition] == Int64(partition.value)
      {
        return row
      }
    }
    let row = table.append(repeating: InputPositions.none)
    table[row, Column.input] = Int64(input)
    table[row, Column.partition] = Int64(partition.value)
    return row
  }

  func keep() {
    for row in 0..<table.count { table[row, Column.committed] = table[row, Column.next] }
  }

  func takeBack() {
    for row in 0..<table.count { table[row, Column.next] = table[row, Column.committed] }
  }

  func forget(_ input: Int, _ partition: Partition) {
    let row = row(input, partition)
    table[row, Column.next] = InputPositions.none
    table[row, Column.committed] = InputPositions.none
  }

  /// What they take in a block at most, with one more that is yet to be noted.
  var bytesMax: Int { (table.count + 1) * 30 }

  /// In the order of inputs and partitions, whichever was taken first.
  var all: [InputPosition] {
    (0..<table.count).filter { table[$0, Column.next] >= 0 }.map { row in
      InputPosition(
        input: Int(table[row, Column.input]),
        partition: Partition(Int32(truncatingIfNeeded: table[row, Column.partition])),
        next: Offset(table[row, Column.next]))
    }.sorted { ($0.input, $0.partition) < ($1.input, $1.partition) }
  }
}
