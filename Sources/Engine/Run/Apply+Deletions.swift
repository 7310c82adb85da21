import Formats
import Records
import State

// Rows of other products' state ports that are deleted.
extension Apply {
  /// Takes back what the port's records have given to the rows of the same key: columns go back to
  /// their beginning, and a row of which nothing is left goes.
  func undo(
    _ event: JournalEvent, _ input: InputPlan, at position: Position, recordedMs: Int64,
    batch: OutputBatch, _ isFirstJournal: inout Bool
  ) -> Outcome {
    guard let deletion = input.deletion, bench.read(key: event.key, of: deletion) else {
      return .foreign
    }
    let work = deletion.work[journal]
    if work.tables.isEmpty { return .foreign }
    isFirstJournal = work.counts
    let time = event.time ?? Timestamp(milliseconds: recordedMs)
    bench.setVariables(
      time: time, recordedMs: recordedMs, key: event.key, topic: input.topic.view,
      partition: event.partition, offset: event.offset)
    if !bench.isDue(time, recordedMs: recordedMs, futureMsMax: plan.futureMsMax) {
      return .failedEverywhere
    }
    var staged = StagedRows()
    for index in work.tables.indices {
      if !work.tables.lend(index, { undo($0, &staged) }) { return .failed }
    }
    let emission = Emission(
      sourceKey: event.key, partition: partition, recordedMs: recordedMs, time: time,
      identity: .position(position))
    let isFollowed = !changes.isEmpty && staged.count > 0
    if isFollowed, !follow(time, &staged) { return .failed }
    if case .failed = publish(&staged, emission, batch) { return .failed }
    if isFollowed, case .failed = publishChanges(staged, emission, batch) { return .failed }
    return keepRows(staged) ? .applied : .filtered
  }

  /// False: it failed.
  private func undo(_ undoing: DeletionPlan.Undoing, _ staged: inout StagedRows) -> Bool {
    let start = keys.count
    if !bench.appendKey(undoing.key, to: keys) { return false }
    let table = undoing.table
    let old = begin(table, undoing.key, start..<keys.count, &staged)
    if old.isDirty {
      // There is none.
      keys.truncate(to: start)
      return true
    }
    var row = old
    for column in undoing.columns {
      switch table.layout.reset(column, bench.rowSlots, from: table.columnSlot) {
      case .none: break
      case .hidden: row.isDirty = true
      default: (row.isDirty, row.isChanged) = (true, true)
      }
    }
    // Where values may be taken back it is known what has touched the row.
    if table.keepsTouches { row.isDirty = true }
    let isOver =
      table.keepsTouches
      ? bench.leave(undoing, bench.rowSlots)
      : table.layout.isBare(bench.rowSlots, from: table.columnSlot)
    if isOver {
      delete(old, -1, &staged)
      return true
    }
    return write(row, table, -1, &staged)
  }
}
