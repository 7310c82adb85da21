import Product
import Records

/// The row at hand, in its frame.
extension Workbench {
  enum Updated { case out, failed, touched, dirty, changed }

  /// Runs one update of a clause over the row at hand.
  @inline(__always)
  func update(_ clause: ClausePlan, _ index: Int, _ change: RowChange, _ slots: ValueRun)
    -> Updated
  {
    clause.updates.lend(index) { self.update(clause, index, $0, change, slots) }
  }

  @inline(__always)
  private func update(
    _ clause: ClausePlan, _ index: Int, _ update: ClausePlan.Update, _ change: RowChange,
    _ slots: ValueRun
  ) -> Updated {
    if update.hasCondition {
      switch test(update.condition, frame) {
      case .on: break
      case .out, .held: return .out
      case .failed: return .failed
      }
    }
    var argument = Value.absent
    if update.hasArgument {
      argument = update.argument.evaluate(frame)
      if argument.isError {
        fail(update.argument.fault(argument))
        return .failed
      }
      // Aggregates ignore what is not there.
      if argument.kind == .absent || argument.kind == .null {
        return update.aggregate == .fold ? clear(clause, update.column, slots) : .touched
      }
    }
    let first = clause.table.columnSlot
    let effect: AggregateEffect
    if update.hasMapKey {
      let key = update.mapKey.evaluate(frame)
      if key.isError {
        fail(update.mapKey.fault(key))
        return .failed
      }
      effect = clause.table.layout.updateEntry(
        update.aggregate, update.column, key: key, argument, of: change, slots, from: first,
        arena)
    } else {
      effect = clause.table.layout.update(
        update.aggregate, update.column, argument, of: change, slots, from: first, arena)
    }
    switch effect {
    case .none: return .touched
    case .hidden: return .dirty
    case .value: return .changed
    case .overflow, .wrongType, .notFinite, .tooMany:
      failUpdate(clause, index, effect)
      return .failed
    }
  }

  /// A fold sets its column to nothing.
  private func clear(_ clause: ClausePlan, _ column: Int, _ slots: ValueRun) -> Updated {
    let place = clause.table.columnSlot + column
    if slots[place].isAbsent { return .touched }
    slots[place] = .absent
    return .changed
  }

  /// Keeps that the event at hand touches the row, or does no more; what does then, 0: nothing.
  func touch(_ clause: ClausePlan, _ change: RowChange, _ slots: ValueRun) -> Int64 {
    let place = clause.table.touchesSlot
    let known = slots[place].isAbsent ? 0 : slots[place].int
    let now =
      clause.presence != 0
      ? known | clause.presence : change.isTakenBack ? known - 1 : known + 1
    slots[place] = .int(now)
    return now
  }

  /// A row of a state port is no longer behind the row at hand; whether nothing else is.
  func leave(_ undoing: DeletionPlan.Undoing, _ slots: ValueRun) -> Bool {
    let place = undoing.table.touchesSlot
    let known = slots[place].isAbsent ? 0 : slots[place].int
    slots[place] = .int(known & ~undoing.presence)
    return known & ~undoing.presence == 0
  }

  /// Sets what expressions of a clause read of the row at hand.
  @inline(__always)
  func loadState(_ clause: ClausePlan, _ rowSlots: ValueRun) {
    if !clause.readsState { return }
    for index in clause.stateReads.indices {
      let read = clause.stateReads[index]
      slots[read.slot] = rowSlots[clause.table.columnSlot + read.column]
    }
  }

  private func failUpdate(_ clause: ClausePlan, _ index: Int, _ effect: AggregateEffect) {
    let update = clause.updates[index]
    fail(clause.table, column: update.name, update.aggregate, effect)
  }

  /// The rows of two sessions cannot become one.
  func failMerge(_ table: TablePlan, _ column: Int, _ effect: AggregateEffect) {
    let aggregate = table.layout.details[column].aggregate
    fail(table, column: table.columnNames[column], aggregate, effect)
  }

  private func fail(
    _ table: TablePlan, column: String, _ kind: TableDefinition.Aggregate,
    _ effect: AggregateEffect
  ) {
    let name = "\(table.name).\(column)"
    let aggregate = kind.rawValue
    var reason = "expression"
    let message: String
    switch effect {
    case .overflow: message = "\(aggregate) of `\(name)` leaves the range of its type"
    case .notFinite: message = "\(aggregate) of `\(name)` takes no infinity and no NaN"
    case .tooMany:
      reason = "too-many-entries"
      message = "`\(name)` would hold more than \(table.layout.entriesMax) entries"
    default: message = "the argument of \(aggregate) is not of the type of `\(name)`"
    }
    fail(RunFault(reason: reason, message: message, place: name))
  }

  /// - Parameter name: of a table, or of a stream that joins.
  func failSize(ofKey name: String, _ size: Int) {
    fail(
      RunFault(
        reason: "key-too-large",
        message: "the key of a row of `\(name)` takes \(size) bytes, more than "
          + "\(Ingest.keyBytesMax)", place: name))
  }

  func failSize(ofRow name: String, _ size: Int) {
    fail(
      RunFault(
        reason: "row-too-large",
        message: "the row of `\(name)` would take \(size) bytes, more than "
          + "\(Limits.rowBytesMax)", place: name))
  }

  /// Sets the key's parts of the row at hand from the document at hand.
  @inline(__always)
  func loadKey(_ key: KeyPlan, _ slots: ValueRun) {
    for part in key.parts.indices {
      slots[TablePlan.keySlot + part] = key.parts[part].evaluate(frame)
    }
  }

  /// The key's parts of the row at hand, kept while the event lasts. No part of its caller, as
  /// ``begin()``.
  @inline(never)
  func keepKey(_ table: TablePlan, _ slots: ValueRun) -> ValueRun {
    let parts = arena.values(table.keyCount)
    for part in 0..<table.keyCount { parts[part] = slots[TablePlan.keySlot + part] }
    return parts
  }

  /// Keeps the key's parts in the row at hand.
  func storeKey(_ table: TablePlan, _ slots: ValueRun) {
    let place = table.columnSlot + table.layout.columns.count + table.layout.keyParts
    for part in 0..<table.keyCount { slots[place + part] = slots[TablePlan.keySlot + part] }
  }

  /// Brings the key's parts out of the row at hand.
  func recallKey(_ table: TablePlan, _ slots: ValueRun) {
    let place = table.columnSlot + table.layout.columns.count + table.layout.keyParts
    for part in 0..<table.keyCount { slots[TablePlan.keySlot + part] = slots[place + part] }
  }

  /// Sets the variable `row`.
  @inline(__always)
  func setRow(_ table: TablePlan, _ slots: ValueRun) {
    let first = TablePlan.keySlot
    slots[TablePlan.rowSlot] = .object(slots[first..<first + table.rowCount])
  }

  /// Sets the variables of programs over rows, the same as the event's.
  @inline(__always)
  func setRowVariables() {
    let target = rowSlots
    for variable in 0..<Variable.end { target[variable] = slots[variable] }
  }
}
