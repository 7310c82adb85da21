import Records

/// The rows that the event at hand has changed, before it is known that all of it succeeds.
struct StagedRows {
  struct Row {
    let table: TablePlan
    /// Ranges of the bench's ``Workbench/keys`` and ``Workbench/rows``.
    let key: Range<Int>
    var bytes: Range<Int>
    /// The key's parts.
    let parts: ValueRun
    /// Something that the row shows is other than before, or the row is new.
    var isChanged: Bool
    /// The bytes are other than before.
    var isDirty: Bool
  }

  private var rows: ContiguousArray<Row> = []
  /// Which of them stands in the row frame; −1: none.
  private var current = -1

  var count: Int { rows.count }

  subscript(index: Int) -> Row {
    get { rows[index] }
    set { rows[index] = newValue }
  }

  /// A new event is at hand.
  @inline(__always)
  mutating func begin() {
    if rows.isEmpty { return }
    rows.removeAll(keepingCapacity: true)
    current = -1
  }

  func index(of table: TablePlan, key: ByteView, in keys: ByteBuffer) -> Int {
    for index in rows.indices {
      if rows[index].table === table && keys[rows[index].key] == key { return index }
    }
    return -1
  }

  mutating func append(_ row: Row) {
    rows.append(row)
    current = rows.count - 1
  }

  func isCurrent(_ index: Int) -> Bool { current == index }
  mutating func setCurrent(_ index: Int) { current = index }
}
