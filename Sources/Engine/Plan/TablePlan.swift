import Product
import Records

/// A table, compiled. Its row stands in a frame of its own while it is worked on: the variables,
/// then the row as an object, its key parts, its columns, and what these keep beside their value.
final class TablePlan {
  static let rowSlot = Variable.end
  static let keySlot = Variable.end + 1

  let ordinal: Int
  let name: String
  let layout: RowLayout
  let keyCount: Int
  let columnSlot: Int
  /// One behind the last slot.
  let slotEnd: Int
  let statePorts: Lent<StatePortPlan>
  /// Whether values of its rows may be taken back.
  let keepsTouches: Bool
  /// Of rows that expire: for how long they stay. The slot of their last update, or of a session's
  /// last event.
  private let expireAfterMs: Int64
  let touchedSlot: Int
  /// Where what has touched the row stands in the row frame, if the table keeps that.
  let touchesSlot: Int
  let expires: Bool
  /// Of rows that are of a window each.
  let window: WindowPlan
  let isWindowed: Bool
  /// Whether these are sessions, and whether ports show when they end.
  let isOfSessions: Bool
  let showsEnd: Bool
  /// Whether the row has its key's parts: it is looked at when no event is at hand.
  let keepsKey: Bool
  /// For messages.
  let columnNames: [String]
  /// Whether ports show a row once, when its window is closed.
  let isFinal: Bool
  /// Whether rows have an entry in the schedule.
  let isScheduled: Bool
  /// Whether events delete rows.
  let isDeletable: Bool

  init(
    _ table: TableDefinition, ordinal: Int, statePorts: ContiguousArray<StatePortPlan>,
    entriesMax: Int, showsEnd: Bool
  ) {
    self.showsEnd = showsEnd
    columnNames = table.columns.map(\.name)
    self.ordinal = ordinal
    name = table.name
    let layout = RowLayout(table, entriesMax: entriesMax)
    self.layout = layout
    keepsTouches = layout.touches >= 0
    keyCount = table.keyTypes.count
    columnSlot = TablePlan.keySlot + keyCount
    slotEnd = columnSlot + layout.slotCount
    self.statePorts = Lent(statePorts)
    expires = table.expireAfterMs != nil
    expireAfterMs = table.expireAfterMs ?? 0
    window = WindowPlan(table.window)
    isOfSessions = table.isOfSessions
    keepsKey = layout.keyParts >= 0
    isWindowed = table.window != nil
    isFinal = table.isFinal
    isScheduled = table.needsClock
    touchesSlot = columnSlot + layout.columns.count + max(layout.touches, 0)
    touchedSlot = columnSlot + layout.columns.count + max(layout.touched, 0)
    isDeletable =
      table.corrects || table.clauses.contains { $0.delete != nil } || !table.deletions.isEmpty
  }

  /// When a row goes that was last updated then.
  func expiry(of touchedMs: Int64) -> Int64 {
    let (time, overflow) = touchedMs.addingReportingOverflow(expireAfterMs)
    return overflow ? .max : time
  }

  /// Key parts and columns.
  var rowCount: Int { keyCount + layout.columns.count }
  /// The same, and what columns keep beside their value: what a row takes beside its frame.
  var wholeCount: Int { rowCount + layout.hidden.count }
}

/// What a row of a table becomes at one state port.
final class StatePortPlan {
  let port: PortPlan
  /// Its bit in the row's flags.
  let bit: UInt32
  let when: Term
  let hasWhen: Bool
  let columns: ContiguousArray<Term>
  let shape: OutputShape

  init(
    port: PortPlan, bit: UInt32, when: Term?, columns: ContiguousArray<Term>, shape: OutputShape
  ) {
    self.port = port
    self.bit = bit
    self.when = when ?? .none
    hasWhen = when != nil
    self.columns = columns
    self.shape = shape
  }
}
