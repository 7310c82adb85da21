/// What is made of the changes of rows.
extension Reference {
  /// A row that is made of the changes of others.
  struct Followed {
    var changes = 0
    var gone = 0
    var seen: Int?
    var before: Int?
  }

  func follow(_ changes: [Changed], _ partition: Int, _ effect: inout Effect) {
    for (place, follower) in shape.followers.enumerated() {
      var touched: [(key: String, row: Followed, change: Changed)] = []
      for change in changes where change.table == follower.table {
        let key = change.input.text(of: follower.key, owner: change.owner)
        let known = touched.firstIndex { $0.key == key }
        var row = known.map { touched[$0].row } ?? followed[place][key] ?? Followed()
        let values = values(change, follower.column)
        row.changes += 1
        if change.row == nil { row.gone += 1 }
        if let now = values.now { row.seen = now }
        if let before = values.before { row.before = (row.before ?? 0) + before }
        if let known {
          touched[known].row = row
        } else {
          touched.append((key, row, change))
        }
      }
      for (key, row, change) in touched {
        effect.followed.append((place, key, row))
        var fields = ["changes": "\(row.changes)", "gone": "\(row.gone)"]
        if let seen = row.seen { fields["seen"] = "\(seen)" }
        if let before = row.before { fields["before"] = "\(before)" }
        for part in follower.key.parts { fields[part] = "\"\(change.part(part))\"" }
        effect.records.append((follower.name, key, fields))
      }
    }
    for port in shape.changePorts {
      // Of windows that are shown once there is a change when one is closed.
      let isFinal = shape.tables[port.table].isFinal
      for change in changes where change.table == port.table && !isFinal {
        let what = change.part(shape.tables[port.table].key.parts[0])
        let values = values(change, port.column)
        effect.records.append(
          (port.name, "\(what)@\(partition)", fields(what, values.now, values.before)))
      }
    }
  }

  func fields(_ what: String, _ now: Int?, _ before: Int?) -> [String: String] {
    var fields = ["what": "\"\(what)\""]
    if let now { fields["now"] = "\(now)" }
    if let before { fields["before"] = "\(before)" }
    return fields
  }

  /// What a column of a row shows, and what it showed before the event.
  private func values(_ change: Changed, _ column: Int) -> (now: Int?, before: Int?) {
    let definition = shape.tables[change.table].columns[column]
    let old = rows[change.table][change.key]
    return (
      change.row?.number(column, definition), old?.number(column, definition)
    )
  }
}
