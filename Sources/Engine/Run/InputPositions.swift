import Formats
import Records

/// How far each input partition has been taken, for the blocks to carry.
struct InputPositions {
  private static let none: Int64 = -1

  /// By input, then by partition; −1: nothing was taken from it.
  private var next: [[Int64]]
  /// As it was after the last commit.
  private var committed: [[Int64]]

  init(inputs: Int) {
    next = Array(repeating: [], count: inputs)
    committed = next
  }

  mutating func note(_ record: SourceRecord) {
    let partition = Int(record.partition.value)
    while next[record.input].count <= partition {
      next[record.input].append(InputPositions.none)
    }
    next[record.input][partition] = record.offset.value + 1
  }

  mutating func keep() { committed = next }
  mutating func takeBack() { next = committed }

  mutating func forget(_ input: Int, _ partition: Partition) {
    let place = Int(partition.value)
    if next[input].indices.contains(place) { next[input][place] = InputPositions.none }
    if committed[input].indices.contains(place) { committed[input][place] = InputPositions.none }
  }

  /// What they take in a block at most.
  var bytesMax: Int { next.reduce(0) { $0 + $1.count * 30 } }

  var all: [InputPosition] {
    var result: [InputPosition] = []
    for input in next.indices {
      for partition in next[input].indices where next[input][partition] >= 0 {
        result.append(
          InputPosition(
            input: input, partition: Partition(Int32(partition)),
            next: Offset(next[input][partition])))
      }
    }
    return result
  }
}
