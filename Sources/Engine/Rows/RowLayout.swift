import Expressions
import Product
import Records

/// How the rows of one table lie in memory: a word of flags, a cell of fixed size for each column
/// and for each time that a column keeps, then texts and lists in the order of their columns.
final class RowLayout {
  enum Kind: UInt8, BitwiseCopyable {
    case int, double, bool, decimal, timestamp, date, string, json, nested
  }

  struct Cell: BitwiseCopyable {
    let kind: Kind
    /// From the row's start.
    let offset: Int
  }

  /// The row begins with flags: one bit for each state port, set while the row is published there.
  static let flagBytes = 4

  let columns: ContiguousArray<Cell>
  /// Cells of the times that columns with `latest` keep.
  let times: ContiguousArray<Cell>
  /// For each column the place of its time in ``times``; −1: it keeps none.
  let timeOfColumn: ContiguousArray<Int>
  /// Bytes before the texts.
  let fixedBytes: Int

  init(_ table: TableDefinition) {
    var offset = RowLayout.flagBytes
    var columns: ContiguousArray<Cell> = []
    for column in table.columns {
      let kind = RowLayout.kind(of: column.type)
      columns.append(Cell(kind: kind, offset: offset))
      offset += RowLayout.bytes(of: kind)
    }
    let updates = table.clauses.flatMap(\.updates)
    let latest = Set(updates.filter { $0.aggregate == .latest }.map(\.column))
    var times: ContiguousArray<Cell> = []
    var timeOfColumn = ContiguousArray(repeating: -1, count: columns.count)
    for column in columns.indices where latest.contains(column) {
      timeOfColumn[column] = times.count
      times.append(Cell(kind: .timestamp, offset: offset))
      offset += RowLayout.bytes(of: .timestamp)
    }
    self.columns = columns
    self.times = times
    self.timeOfColumn = timeOfColumn
    fixedBytes = offset
  }

  private static func kind(of type: ValueType) -> Kind {
    switch type {
    case .int: .int
    case .double: .double
    case .bool: .bool
    case .decimal: .decimal
    case .timestamp: .timestamp
    case .date: .date
    case .string: .string
    case .dyn: .json
    case .optional(let inner): kind(of: inner)
    default: .nested
    }
  }

  /// A byte that tells whether there is a value, and the value.
  private static func bytes(of kind: Kind) -> Int {
    switch kind {
    case .bool: 1
    case .int, .double, .date: 1 + 8
    case .decimal: 1 + 1 + 16
    case .timestamp: 1 + 8 + 4
    // The length; the bytes stand behind all cells.
    case .string, .json, .nested: 1 + 4
    }
  }
}
