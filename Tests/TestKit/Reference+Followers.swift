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
      for change in changes where change.table == port.table {
        let what = change.part(shape.tables[port.table].key.parts[0])
        let values = values(change, port.column)
        var fields = ["what": "\"\(what)\""]
        if let now = values.now { fields["now"] = "\(now)" }
        if let before = values.before { fields["before"] = "\(before)" }
        effect.records.append((port.name, "\(what)@\(partition)", fields))
      }
    }
  }

  /// What a column of a row shows, and what it showed before the event.
  private func values(_ change: Changed, _ column: Int) -> (now: Int?, before: Int?) {
    let definition = shape.tables[change.table].columns[column]
    func number(_ row: ReferenceRow?) -> Int? {
      guard case .number(let number)? = row?.columns[column].value(definition) else { return nil }
      return number
    }
    return (number(change.row), number(rows[change.table][change.key]))
  }
}
