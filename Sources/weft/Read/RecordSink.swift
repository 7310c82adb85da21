import CommandLine
import Formats

/// Takes records as they are read and shows them: a table, or one JSON object a line.
struct RecordSink {
  private static let recordsPerProgress = 10_000

  private let port: ReadablePort
  private let session: Session
  private let columns: RecordColumns
  private let limit: Int
  /// Whether `limit` is only there to spare a person a flood.
  private let isLimitGuessed: Bool
  private let isTable: Bool
  /// The newest record of each key is shown, in the order of their last changes.
  private let showsRows: Bool

  private let tape = JSONTape()
  private var progress: ProgressLine
  private var taken = 0
  private var isFollowed = false
  private var held: [ReadRecord] = []
  private var rows: [[UInt8]: ReadRecord] = [:]
  private var table: Table?

  init(
    _ port: ReadablePort, _ session: Session, isQuarantine: Bool, limit: Int?, showsRows: Bool
  ) {
    self.port = port
    self.session = session
    self.showsRows = showsRows
    let errors = session.errors
    progress = ProgressLine(session.errorTerminal) { errors.write($0) }
    columns = RecordColumns(fields: port.fields, isQuarantine: isQuarantine)
    isTable = session.terminal.isTerminal && !session.isJSON
    isLimitGuessed = limit == nil && isTable
    self.limit = limit ?? (isTable ? ReadVerb.rowsOnTerminal : Int.max)
  }

  /// Nothing more need be read.
  var isFull: Bool { !showsRows && taken >= limit }

  mutating func take(_ record: ReadRecord) {
    taken += 1
    if showsRows {
      // A row without a key would be no row; all such count as one.
      rows[record.key ?? []] = record
      if taken % RecordSink.recordsPerProgress == 0 {
        progress.show("\(taken) records, \(rows.count) rows")
      }
    } else if isTable, table == nil {
      held.append(record)
    } else {
      show(record)
    }
  }

  /// What there was is shown; what comes now is shown as it comes.
  mutating func startFollowing() {
    isFollowed = true
    if isTable { showTable(held) }
  }

  mutating func finish() {
    progress.end()
    if showsRows {
      let all = rows.values.filter { $0.value != nil }.sorted {
        ($0.timestampMs ?? 0, $0.partition, $0.offset)
          < ($1.timestampMs ?? 0, $1.partition, $1.offset)
      }
      let shown = Array(all.prefix(limit))
      if isTable { showTable(shown) } else { shown.forEach(show) }
      if shown.count < all.count, isTable {
        let more = isLimitGuessed ? "; --limit shows more" : ""
        session.say("\(shown.count) of \(all.count) rows\(more)")
      }
    } else if isTable, table == nil {
      showTable(held)
      if isLimitGuessed, taken >= limit {
        session.say("the first \(limit) records; --limit shows more")
      }
    }
    if isTable, taken == 0 { session.say("\(port.name) is empty") }
  }

  private mutating func showTable(_ records: [ReadRecord]) {
    let rows = records.map(columns.cells)
    let table = Table(
      columns.titles.map { Table.Column($0.title, isNumber: $0.isNumber) }, fitting: rows,
      width: session.terminal.width)
    self.table = table
    if !records.isEmpty || isFollowed { session.output.write(table.header) }
    for row in rows { session.output.write(table.line(row)) }
    held = []
  }

  private func show(_ record: ReadRecord) {
    if isTable {
      session.output.write(table?.line(columns.cells(record)) ?? "")
    } else {
      session.output.write(record.json(tape) + "\n")
    }
  }
}
