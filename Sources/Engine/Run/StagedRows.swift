import Records

/// The rows that the event at hand has changed, before it is known that all of it succeeds. The
/// first stands in place, as most events change one: then nothing is allocated or counted.
struct StagedRows {
  /// Plain data: a table's ordinal, ranges of ``Workbench/keys`` and ``Workbench/rows``.
  struct Row {
    let table: Int
    let key: Range<Int>
    var bytes: Range<Int>
    /// The key's parts.
    let parts: ValueRun
    /// Something that the row shows is other than before, or the row is new.
    var isChanged: Bool
    /// The bytes are other than before.
    var isDirty: Bool
    /// The state does not have it yet.
    let isNew: Bool
    /// The row goes; its bytes are its flags, perhaps with more behind them.
    var isDeleted = false
    /// The event has deleted the row before it made this one.
    var isMadeAnew = false

    /// When the window begins that it is of.
    var startMs: Int64 { parts[parts.count - 1].timestamp.milliseconds }
  }

  private var first: Row?
  private var others: ContiguousArray<Row> = []
  /// Which of them stands in the row frame; −1: none.
  private(set) var current = -1

  var count: Int { first == nil ? 0 : 1 + others.count }

  subscript(index: Int) -> Row {
    get {
      if index == 0, let first { return first }
      return others[index - 1]
    }
    set { if index == 0 { first = newValue } else { others[index - 1] = newValue } }
  }

  func index(ofTable table: Int, key: ByteView, in keys: ByteBuffer) -> Int {
    for index in 0..<count {
      if self[index].table == table && keys[self[index].key] == key { return index }
    }
    return -1
  }

  mutating func append(_ row: Row) {
    if first == nil { first = row } else { others.append(row) }
    current = count - 1
  }

  mutating func setCurrent(_ index: Int) { current = index }
}
