/// What the clock brings about.
extension Reference {
  /// The clock of a journal partition comes to `nowMs`.
  mutating func pass(_ nowMs: Int64, at home: String, _ partition: Int) {
    for (place, table) in shape.tables.enumerated() {
      guard let seconds = table.expireS else { continue }
      for (key, row) in rows[place]
      where row.home == home && row.touchedMs + Int64(seconds) * 1000 <= nowMs {
        rows[place][key] = nil
        if row.isPublished { published[table.name, default: [:]][key, default: []].append(nil) }
      }
    }
    // Windows that are closed, in the order in which they are: those of one time by table and key.
    var closed: [(closesMs: Int64, table: Int, key: String)] = []
    for place in shape.tables.indices {
      for (key, row) in rows[place] where row.home == home {
        guard let window = row.window, window.closesMs <= nowMs else { continue }
        closed.append((window.closesMs, place, key))
      }
    }
    closed.sort { ($0.closesMs, $0.table, $0.key) < ($1.closesMs, $1.table, $1.key) }
    for (_, table, key) in closed { close(table, key, partition) }
  }

  /// A window takes no more events: its row is shown now, or what was shown of it stays.
  private mutating func close(_ place: Int, _ key: String, _ partition: Int) {
    let table = shape.tables[place]
    guard let row = rows[place].removeValue(forKey: key), table.isFinal else { return }
    let part = { row.input.part($0, owner: row.owner) }
    if row.isShown(table) {
      published[table.name, default: [:]][key, default: []].append(value(row, table, part))
    }
    for port in shape.changePorts where port.table == place {
      let what = part(table.key.parts[0])
      let now = row.number(port.column, table.columns[port.column])
      published[port.name, default: [:]]["\(what)@\(partition)", default: []].append(
        fields(what, now, nil))
    }
  }
}
