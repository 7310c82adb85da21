/// The slots that every frame begins with: variables that do not come from the document.
enum Variable {
  static let time = 0
  static let recorded = 1
  static let now = 2
  static let key = 3
  static let sourceTopic = 4
  static let sourcePartition = 5
  static let sourceOffset = 6
  /// The three before it, as one object.
  static let source = 7
  static let windowStart = 8
  static let windowEnd = 9
  /// The two before it, as one object.
  static let window = 10
  /// The first slot behind them.
  static let end = 11

  /// Whether a journal's key may depend on it: what ingest and apply see alike.
  static func isFixed(_ slot: Int) -> Bool { slot != recorded && slot != now }

  /// The slot of a path that names one of them.
  static func slot(_ path: [String]) -> Int? {
    switch path {
    case ["time"]: time
    case ["recorded"]: recorded
    case ["now"]: now
    case ["key"]: key
    case ["source"]: source
    case ["source", "topic"]: sourceTopic
    case ["source", "partition"]: sourcePartition
    case ["source", "offset"]: sourceOffset
    case ["window"]: window
    case ["window", "start"]: windowStart
    case ["window", "end"]: windowEnd
    default: nil
    }
  }
}
