import Records

// Rows of windows: one for each key and window, which takes events until the clock has passed its
// end and grace.
extension Apply {
  /// Runs the event at hand through the rows of all windows that it falls into and that still take
  /// events; false: it failed, or no window takes it any more.
  func updateWindows(_ clause: ClausePlan, _ change: RowChange, _ staged: inout StagedRows) -> Bool
  {
    let window = clause.table.window
    let timeMs = change.time.milliseconds
    var startMs = window.first(of: timeMs)
    var isLate = true
    while startMs <= timeMs {
      if clock.nowMs.map({ window.closesMs(startMs) > $0 }) ?? true {
        isLate = false
        bench.setWindow(window, startMs)
        if !update(clause, change, &staged) { return false }
        if max(rows.count, keys.count) > Limits.eventBytesMax {
          bench.failSize(ofEventAt: clause.table.name)
          return false
        }
      }
      startMs += window.everyMs
    }
    if isLate { bench.failLate(clause.table, change.time, clock.nowMs ?? 0) }
    return !isLate
  }
}

/// The windows of a table, over milliseconds since 1970.
struct WindowPlan: BitwiseCopyable {
  let sizeMs: Int64
  let everyMs: Int64
  let graceMs: Int64

  /// Where the first window begins that a time falls into.
  func first(of timeMs: Int64) -> Int64 {
    let last = timeMs - modulo(timeMs)
    return last - (sizeMs - 1 - modulo(timeMs)) / everyMs * everyMs
  }

  /// Since when the latest window lasts.
  private func modulo(_ timeMs: Int64) -> Int64 {
    let rest = timeMs % everyMs
    return rest < 0 ? rest + everyMs : rest
  }

  func endMs(_ startMs: Int64) -> Int64 { startMs + sizeMs }

  /// When the clock gets there, the window is closed.
  func closesMs(_ startMs: Int64) -> Int64 { startMs + sizeMs + graceMs }
}

extension Workbench {
  /// Sets the variable `window`.
  func setWindow(_ window: WindowPlan, _ startMs: Int64) {
    slots[Variable.windowStart] = .timestamp(Timestamp(milliseconds: startMs))
    slots[Variable.windowEnd] = .timestamp(Timestamp(milliseconds: window.endMs(startMs)))
  }

  func failLate(_ table: TablePlan, _ time: Timestamp, _ nowMs: Int64) {
    fail(
      RunFault(
        reason: "late",
        message: "its time \(time) is in no window of `\(table.name)` that is still open: the clock"
          + " is at \(Timestamp(milliseconds: nowMs))", place: table.name))
  }
}
