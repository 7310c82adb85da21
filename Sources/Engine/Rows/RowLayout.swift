import Expressions
import Product
import Records

/// How the rows of one table lie in memory: a word of flags, a cell of fixed size for each column
/// and for what columns keep beside their value, then texts and lists in the order of their cells.
final class RowLayout {
  enum Kind: UInt8, BitwiseCopyable {
    case int, double, bool, decimal, timestamp, date, string, json, bytes, nested
  }

  struct Cell: BitwiseCopyable {
    let kind: Kind
    /// From the row's start.
    let offset: Int
  }

  /// What the aggregate of a column needs to know, beside where its cell is.
  struct Detail: BitwiseCopyable {
    var aggregate = TableDefinition.Aggregate.count
    /// What its arguments are.
    var argument = Kind.nested
    /// Whether the column, or each entry of a map column, is 0 before the first event.
    var startsAtZero = false
    /// Whether the aggregate is one of each entry.
    var isMap = false
    /// Place of its first cell in ``RowLayout/hidden``.
    var hidden = 0
    /// How many values are kept beside each; of a map column all of these stand in one list.
    var hiddenCount = 0
    /// Decimal places of an average.
    var places: UInt8 = 0
    /// Of a quantile: which, in billionths.
    var billionths: Int64 = 0
    /// What it keeps as its values may be taken back.
    var keeping = Keeping.nothing
    /// Whether it keeps the order of its values, as rows may become one.
    var keepsOrder = false
  }

  /// The row begins with flags: one bit for each state port, set while the row is published there.
  static let flagBytes = 4

  let columns: ContiguousArray<Cell>
  /// What columns keep beside their value: the time of `latest`; sum and count of `avg`; the values
  /// that `countDistinct` and `quantile` have seen, as bytes; more where values may be taken back
  /// (``Keeping``). Of a map column the same of all
  /// entries, as a list. Then what the row keeps for itself.
  let hidden: ContiguousArray<Cell>
  let details: ContiguousArray<Detail>
  /// Place in ``hidden`` of the time of the last update, where rows expire, or of the last event,
  /// where they are of sessions; −1: neither.
  let touched: Int
  /// Whether any column keeps the order of its values.
  let keepsOrder: Bool
  /// Place in ``hidden`` of the first part of the row's key, where the row is looked at when no
  /// event is at hand, and the place of the last; −1: it has none.
  let keyParts: Int
  private let lastKeyPart: Int
  /// Slots behind those of the row, in which one entry of a map column is worked on.
  let entrySlots: Int
  /// Bytes before the texts.
  let fixedBytes: Int
  /// How many values a column may hold.
  let entriesMax: Int
  private let hasTail: Bool
  /// Of a table whose values may be taken back: the place in ``hidden`` of how often events have
  /// touched the row, and which rows of state ports are behind it (``ClausePlan/presence``): it
  /// goes when nothing of that is left; −1: of any other.
  let touches: Int
  /// Where hidden bytes are put together.
  let scratch = ByteBuffer()

  /// - Parameter entriesMax: other than ``RowLayout/entriesMax`` only in tests and simulations.
  init(_ table: TableDefinition, entriesMax: Int = RowLayout.entriesMax) {
    self.entriesMax = entriesMax
    var offset = RowLayout.flagBytes
    var columns: ContiguousArray<Cell> = []
    func cell(_ kind: Kind) -> Cell {
      defer { offset += RowLayout.bytes(of: kind) }
      return Cell(kind: kind, offset: offset)
    }
    for column in table.columns { columns.append(cell(RowLayout.kind(of: column.type))) }
    let updates = table.clauses.flatMap(\.updates)
    var hidden: ContiguousArray<Cell> = []
    var details: ContiguousArray<Detail> = []
    for (index, column) in table.columns.enumerated() {
      let update = updates.first { $0.column == index }
      var detail = Detail()
      detail.aggregate = update?.aggregate ?? .count
      detail.argument = update?.argument.map { RowLayout.kind(of: $0.type) } ?? .int
      detail.startsAtZero = update?.aggregate.startsAtZero ?? false
      detail.isMap = update?.mapKey != nil
      detail.hidden = hidden.count
      detail.places = column.decimalPlaces ?? 0
      detail.billionths = column.quantileBillionths ?? 0
      if let update, table.corrects(column: index) {
        detail.keeping = RowLayout.keeping(update.aggregate, detail.argument)
      }
      var kinds =
        detail.keeping == .nothing
        ? update.map { RowLayout.hidden(of: $0.aggregate, detail.argument) } ?? []
        : RowLayout.hidden(of: detail.keeping, detail.argument)
      if table.isOfSessions, let kind = detail.aggregate.kindOfOrder {
        detail.keepsOrder = true
        kinds.append(kind)
      }
      detail.hiddenCount = kinds.count
      details.append(detail)
      if detail.isMap && !kinds.isEmpty { kinds = [.nested] }
      for kind in kinds { hidden.append(cell(kind)) }
    }
    touches = table.corrects ? hidden.count : -1
    if table.corrects { hidden.append(cell(.int)) }
    touched = table.expireAfterMs == nil && !table.isOfSessions ? -1 : hidden.count
    if touched >= 0 { hidden.append(cell(.int)) }
    let keyTypes = table.isFinal || table.isOfSessions ? table.keyTypes : []
    keyParts = keyTypes.isEmpty ? -1 : hidden.count
    for type in keyTypes { hidden.append(cell(RowLayout.kind(of: type))) }
    lastKeyPart = keyTypes.isEmpty ? -1 : hidden.count - 1
    keepsOrder = details.contains(where: \.keepsOrder)
    self.columns = columns
    self.hidden = hidden
    self.details = details
    entrySlots = details.map { $0.isMap ? 1 + $0.hiddenCount : 0 }.max() ?? 0
    fixedBytes = offset
    hasTail = (columns + hidden).contains { $0.kind.rawValue >= Kind.string.rawValue }
  }

  private static func hidden(of aggregate: TableDefinition.Aggregate, _ argument: Kind) -> [Kind] {
    switch aggregate {
    case .latest: [.timestamp]
    case .avg: [argument, .int]
    case .countDistinct, .quantile: [.bytes]
    case .count, .sum, .min, .max, .first, .last, .collect, .collectSet, .fold: []
    }
  }

  static func kind(of type: ValueType) -> Kind {
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
    case .string, .json, .bytes, .nested: 1 + 4
    }
  }
}

extension RowLayout {
  /// Whether two rows show the same in all columns, whatever these keep beside.
  func showsSame(_ left: ByteView, _ right: ByteView) -> Bool {
    let end = hidden.first?.offset ?? fixedBytes
    let cells = RowLayout.flagBytes..<end
    if left[cells] != right[cells] { return false }
    var tail = fixedBytes
    for cell in columns where cell.kind.rawValue >= Kind.string.rawValue && left[cell.offset] != 0 {
      tail += Int(left.uint32(at: cell.offset + 1))
    }
    return left[fixedBytes..<tail] == right[fixedBytes..<tail]
  }
}

/// Rows in slots: columns from `first` on, and what they keep behind these.
extension RowLayout {
  /// Reads `row` into slots from `first` on. Texts are lent by the row, lists by the arena.
  func read(_ row: ByteView, into slots: ValueRun, from first: Int, arena: Arena) {
    var tail = fixedBytes
    for index in columns.indices {
      slots[first + index] = value(columns[index], row, &tail, arena)
    }
    for index in hidden.indices {
      slots[first + columns.count + index] = value(hidden[index], row, &tail, arena)
    }
  }

  /// Appends the row that stands in the slots from `first` on.
  func write(_ slots: ValueRun, from first: Int, flags: UInt32, into buffer: ByteBuffer) {
    let start = buffer.count
    buffer.append(uint32: flags)
    for index in columns.indices { append(columns[index], slots[first + index], buffer) }
    for index in hidden.indices {
      append(hidden[index], slots[first + columns.count + index], buffer)
    }
    if !hasTail { return }
    for index in columns.indices { appendTail(columns[index], slots[first + index], start, buffer) }
    for index in hidden.indices {
      appendTail(hidden[index], slots[first + columns.count + index], start, buffer)
    }
  }
}

extension RowLayout {
  /// When an event last updated a row, in milliseconds since 1970.
  func touchedMs(_ row: ByteView) -> Int64 { row.int64(at: hidden[touched].offset + 1) }

  /// When the window of a row that keeps its key begins, in milliseconds since 1970.
  func startMs(_ row: ByteView) -> Int64 {
    let offset = hidden[lastKeyPart].offset + 1
    return Timestamp(seconds: row.int64(at: offset), nanoseconds: row.uint32(at: offset + 8))
      .milliseconds
  }
}

extension TableDefinition.Aggregate {
  /// How the order of its values is kept where rows may become one; nil: it makes no difference.
  fileprivate var kindOfOrder: RowLayout.Kind? {
    switch self {
    case .first, .last: .int
    case .collect: .nested
    case .count, .sum, .min, .max, .avg, .latest, .countDistinct, .collectSet, .quantile, .fold: nil
    }
  }
}
