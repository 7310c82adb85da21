import Records

/// The rows of tables, and what their ports show.
extension Reference {
  /// The rows of all tables that are made of the journal of a key, and what their ports show.
  func change(
    _ key: Shape.Key, _ input: GeneratedInput, _ known: Known, _ partition: Int,
    _ moment: Moment, _ effect: inout Effect
  ) throws(Refused) -> [Changed] {
    var changed: [Changed] = []
    for place in shape.tables.indices {
      let table = shape.tables[place]
      guard shape.journal(of: table) == key,
        let clause = table.clauses.first(where: { $0.kind == input.kind }),
        table.isIdentified || !known.isReleased
      else { continue }
      for (number, one) in events(of: input, table.isExploded).enumerated() {
        try countExploded(table.isExploded, number)
        if !one.holds(clause.filter) || !isLetThrough(table.lookup, one) { continue }
        if try !goes(table.isIdentified, known, &effect) { break }
        if table.window?.isSession == true {
          if try !changeSession(place, clause, one, owner: known.owner ?? "", moment, &changed) {
            effect.isLate = true
          }
          continue
        }
        let starts = starts(table, one, moment)
        if starts.isEmpty { effect.isLate = true }
        for start in starts {
          try change(place, clause, one, start, owner: known.owner ?? "", moment, &changed)
        }
      }
    }
    if !known.isReleased { try pair(key, input, partition, moment, &effect) }
    for one in changed {
      var row = one.row
      if one.isChanged {
        try show(
          shape.tables[one.table], one.key, &row, before: rows[one.table][one.key],
          { one.input.part($0, owner: one.owner) }, &effect)
      }
      effect.rows.append((one.table, one.key, row))
    }
    return changed.filter { $0.isChanged && ($0.row != nil || rows[$0.table][$0.key] != nil) }
  }

  /// Where the windows begin whose rows an event updates; of a table without windows one that is
  /// none.
  private func starts(_ table: Shape.Table, _ input: GeneratedInput, _ moment: Moment)
    -> [Int64?]
  {
    guard let window = table.window else { return [nil] }
    return window.starts(of: input.actualMs(shape)).filter {
      window.closesMs($0) > moment.nowMs ?? .min
    }
  }

  /// The key of a row of a window.
  static func text(_ key: String, _ startMs: Int64) -> String {
    let text = "\"\(Timestamp(milliseconds: startMs))\""
    return key.hasPrefix("[") ? "\(key.dropLast()),\(text)]" : "[\"\(key)\",\(text)]"
  }

  private func change(
    _ place: Int, _ clause: Shape.Clause, _ input: GeneratedInput, _ start: Int64?, owner: String,
    _ moment: Moment, _ changed: inout [Changed]
  ) throws(Refused) {
    let table = shape.tables[place]
    let plain = input.text(of: table.key, owner: owner)
    let own = start.map { Self.text(plain, $0) } ?? plain
    let known = changed.firstIndex { $0.table == place && $0.key == own }
    var now =
      known.map { changed[$0] }
      ?? Changed(table: place, key: own, row: rows[place][own], input: input, owner: owner)
    let old = now.row
    if input.isRetraction, shape.corrects(input.kind) {
      guard var row = old, row.touches.contains(input.contribution) else { return }
      row.takeBack(input.contribution)
      now.row = row.touches.isEmpty ? nil : row
      if old?.fields(table) != now.row?.fields(table) { now.isChanged = true }
    } else if isDeleting(clause, input, old) {
      if old == nil { return }
      now.row = nil
      now.isChanged = true
    } else {
      var row = old ?? ReferenceRow(table)
      row.home = moment.home
      (row.input, row.owner) = (input, owner)
      if let start, let window = table.window {
        row.window = (start, window.endMs(start), window.closesMs(start))
      }
      let isUpdated = try row.update(clause, table, shape, input)
      // Another element of the same event may have taken it away.
      if !isUpdated, known == nil || old == nil { return }
      if isUpdated {
        row.touchedMs = max(row.touchedMs, input.actualMs(shape), moment.nowMs ?? .min)
      }
      if old?.fields(table) != row.fields(table) { now.isChanged = true }
      now.row = row
    }
    if let known { changed[known] = now } else { changed.append(now) }
  }

  private func isDeleting(
    _ clause: Shape.Clause, _ input: GeneratedInput, _ row: ReferenceRow?
  ) -> Bool {
    switch clause.deletion {
    case .event(let condition): input.holds(condition)
    case .count(let column, let above): row.map { $0.columns[column].seen.count > above } ?? false
    case nil: false
    }
  }

  func show(
    _ table: Shape.Table, _ key: String, _ row: inout ReferenceRow?, before old: ReferenceRow?,
    _ part: (String) -> String, _ effect: inout Effect
  ) throws(Refused) {
    if table.isFinal {
      // It is shown later, and has to be such as can be.
      if let row, row.isShown(table), table.isNarrow && row.isTooWide(table) {
        throw Refused("contract-output")
      }
      return
    }
    let wasShown = old?.isPublished ?? false
    guard let new = row else {
      if wasShown { effect.records.append((table.name, key, nil)) }
      return
    }
    let isShown = new.isShown(table)
    row?.isPublished = isShown
    if !isShown {
      if wasShown { effect.records.append((table.name, key, nil)) }
      return
    }
    if table.isNarrow && new.isTooWide(table) { throw Refused("contract-output") }
    effect.records.append((table.name, key, value(new, table, part)))
  }

  /// What a port shows of a row.
  func value(_ row: ReferenceRow, _ table: Shape.Table, _ part: (String) -> String)
    -> [String: String]
  {
    var value = row.fields(table)
    for name in table.key.parts { value[name] = "\"\(part(name))\"" }
    if let window = row.window {
      value["since"] = "\"\(Timestamp(milliseconds: window.startMs))\""
      if table.showsEnd {
        value["until"] = "\"\(Timestamp(milliseconds: window.endMs))\""
      }
    }
    if table.isDerived { value["label"] = "\"of \(part(table.key.parts[0]))\"" }
    return value
  }
}
