/// What is known of a session: all of its events.
struct ReferenceSession {
  let key: String
  /// In the order in which they came.
  var events: [(clause: Shape.Clause, input: GeneratedInput, number: Int)] = []

  func times(_ shape: Shape) -> [Int64] { events.map { $0.input.actualMs(shape) } }

  /// Whether an event of that time is one of it.
  func takes(_ timeMs: Int64, _ window: Shape.Window, _ shape: Shape) -> Bool {
    let times = times(shape)
    guard let first = times.min(), let last = times.max() else { return false }
    return window.endMs(timeMs) >= first && window.endMs(last) >= timeMs
  }
}

/// Rows of sessions: made anew of all events of a session each time.
extension Reference {
  /// False: its session would be closed.
  func changeSession(
    _ place: Int, _ clause: Shape.Clause, _ input: GeneratedInput, owner: String,
    _ moment: Moment, _ changed: inout [Changed]
  ) throws(Refused) -> Bool {
    let table = shape.tables[place]
    guard let window = table.window else { return true }
    let plain = input.text(of: table.key, owner: owner)
    let timeMs = input.actualMs(shape)
    // As the event has left them.
    var own = rows[place].filter { $0.value.session?.key == plain && $0.value.home == moment.home }
    for one in changed where one.table == place { own[one.key] = one.row }
    own = own.filter {
      $0.value.session.map { $0.key == plain && $0.takes(timeMs, window, shape) } ?? false
    }
    var session = ReferenceSession(key: plain)
    session.events = own.values.compactMap(\.session).flatMap(\.events)
    let number =
      (rows[place].values.compactMap(\.session).flatMap(\.events).map(\.number).max() ?? 0) + 1
    session.events.append((clause, input, number))
    session.events.sort { $0.number < $1.number }
    let times = session.times(shape)
    let (startMs, lastMs) = (times.min() ?? timeMs, times.max() ?? timeMs)
    let closesMs = window.closesMs(lastMs)
    if let now = moment.nowMs, closesMs <= now { return false }
    var alone = ReferenceRow(table)
    if try !alone.update(clause, table, shape, input) { return true }
    var row = ReferenceRow(table)
    for event in session.events { _ = try row.update(event.clause, table, shape, event.input) }
    row.session = session
    row.window = (startMs, window.endMs(lastMs), closesMs)
    (row.home, row.input, row.owner) = (moment.home, input, owner)
    let key = Self.text(plain, startMs)
    for (other, _) in own where other != key { note(nil, at: other, place, input, owner, &changed) }
    note(row, at: key, place, input, owner, &changed)
    // Two that become one are shown anew in any case.
    if own.count > 1 {
      for index in changed.indices where changed[index].table == place && changed[index].key == key
      {
        changed[index].isChanged = true
      }
    }
    return true
  }

  private func note(
    _ row: ReferenceRow?, at key: String, _ place: Int, _ input: GeneratedInput, _ owner: String,
    _ changed: inout [Changed]
  ) {
    let table = shape.tables[place]
    let known = changed.firstIndex { $0.table == place && $0.key == key }
    var now =
      known.map { changed[$0] }
      ?? Changed(table: place, key: key, row: rows[place][key], input: input, owner: owner)
    let old = now.row
    now.row = row
    now.row?.isPublished = old?.isPublished ?? false
    if old?.shown(table) != row?.shown(table) { now.isChanged = true }
    if let known { changed[known] = now } else { changed.append(now) }
  }
}
