import Records

/// How columns are before the first event: counts 0, maps empty, all else absent.
extension RowLayout {
  private func beginning(_ column: Int) -> Value {
    if details[column].isMap { return .map(.empty) }
    return details[column].startsAtZero ? .int(0) : .absent
  }

  private func isAtBeginning(_ column: Int, _ value: Value) -> Bool {
    details[column].isMap ? value.run.count == 0 : isEmpty(column, value)
  }

  /// The slots of what a column keeps beside its value, from `first` on.
  private func hidden(_ column: Int, from first: Int) -> Range<Int> {
    let detail = details[column]
    let start = first + columns.count + detail.hidden
    return start..<start + (detail.isMap ? min(1, detail.hiddenCount) : detail.hiddenCount)
  }

  /// How many slots a row takes, and the work on an entry of a map column.
  var slotCount: Int { columns.count + hidden.count + entrySlots }

  /// Sets the slots from `first` on to a new row.
  func clear(_ slots: ValueRun, from first: Int) {
    for column in columns.indices { slots[first + column] = beginning(column) }
    for slot in first + columns.count..<first + slotCount { slots[slot] = .absent }
  }

  /// Sets a column of the row in the slots from `first` on back to its beginning.
  func reset(_ column: Int, _ slots: ValueRun, from first: Int) -> AggregateEffect {
    var effect = AggregateEffect.none
    for slot in hidden(column, from: first) where !slots[slot].isAbsent {
      slots[slot] = .absent
      effect = .hidden
    }
    if isAtBeginning(column, slots[first + column]) { return effect }
    slots[first + column] = beginning(column)
    return .value
  }

  /// Whether no column of the row has anything.
  func isBare(_ slots: ValueRun, from first: Int) -> Bool {
    for column in columns.indices {
      if !isAtBeginning(column, slots[first + column]) { return false }
      for slot in hidden(column, from: first) where !slots[slot].isAbsent { return false }
    }
    return true
  }
}
