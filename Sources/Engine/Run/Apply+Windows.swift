import Product
import Records

// Rows of windows: one for each key and window, which takes events until the clock has passed its
// end and grace.
extension Apply {
  /// Runs the event at hand through the rows of all windows that it falls into and that still take
  /// events; false: it failed. Where no window takes it any more that is noted.
  func updateWindows(_ clause: ClausePlan, _ change: RowChange, _ staged: inout StagedRows) -> Bool
  {
    let window = clause.table.window
    let timeMs = change.time.milliseconds
    var startMs = window.first(of: timeMs)
    var isLate = true
    while startMs <= timeMs {
      if clock.nowMs.map({ window.closesMs(startMs) > $0 }) ?? true {
        isLate = false
        bench.setWindow(startMs, endMs: window.endMs(startMs))
        if !update(clause, change, &staged) { return false }
        if max(rows.count, keys.count) > Limits.eventBytesMax {
          bench.failSize(ofEventAt: clause.table.name)
          return false
        }
      }
      startMs += window.everyMs
    }
    if isLate { bench.noteLate(clause.table, change.time, clock.nowMs ?? 0) }
    return true
  }
}

/// The windows of a table, over milliseconds since 1970.
struct WindowPlan: BitwiseCopyable {
  /// How long one lasts; of a session how long it does beyond its last event.
  let sizeMs: Int64
  let everyMs: Int64
  /// When the clock is so far beyond its end, it takes no more events.
  private let closingMs: Int64

  init(_ window: TableDefinition.Window?) {
    switch window?.kind {
    case .regular(let sizeMs, let everyMs):
      (self.sizeMs, self.everyMs) = (sizeMs, everyMs)
      closingMs = window?.graceMs ?? 0
    case .session(let gapMs):
      (sizeMs, everyMs) = (gapMs, 1)
      // What comes just at its end is a part of it.
      closingMs = (window?.graceMs ?? 0) + 1
    case nil: (sizeMs, everyMs, closingMs) = (1, 1, 0)
    }
  }

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

  /// - Parameter anchorMs: its start, or a session's last event.
  func endMs(_ anchorMs: Int64) -> Int64 { anchorMs + sizeMs }

  /// When the clock gets there, the window is closed.
  func closesMs(_ anchorMs: Int64) -> Int64 { endMs(anchorMs) + closingMs }
}

extension Apply {
  /// Sets the variable `window` to that of a row.
  func setWindow(of row: ByteView, _ table: TablePlan, _ startMs: Int64) {
    let anchorMs = table.isOfSessions ? table.layout.touchedMs(row) : startMs
    bench.setWindow(startMs, endMs: table.window.endMs(anchorMs))
  }
}

extension Workbench {
  /// Sets the variable `window`.
  func setWindow(_ startMs: Int64, endMs: Int64) {
    setWindowStart(startMs)
    slots[Variable.windowEnd] = .timestamp(Timestamp(milliseconds: endMs))
  }

  func setWindowStart(_ startMs: Int64) {
    slots[Variable.windowStart] = .timestamp(Timestamp(milliseconds: startMs))
  }

  func noteLate(_ table: TablePlan, _ time: Timestamp, _ nowMs: Int64) {
    noteLate(
      RunFault(
        reason: "late",
        message: "its time \(time) is in no window of `\(table.name)` that is still open: the clock"
          + " is at \(Timestamp(milliseconds: nowMs))", place: table.name))
  }
}
