import Product

// What of a table goes by the clock of its journal.
extension Explanation {
  static func time(of table: TableDefinition) -> [String] {
    var facts: [String] = []
    if let window = table.window {
      let grace = window.graceMs == 0 ? "" : " and \(span(window.graceMs))"
      let shown =
        window.emit == .final
        ? "ports show it, once, and it leaves the state"
        : "it leaves the state, what ports show of it stays"
      facts.append(
        "\(windows(window.kind)), whose start is the last part of the key; when the journal's clock is"
          + " at its end\(grace) one takes no more events: \(shown), and what comes for it goes to"
          + " quarantine as `late`")
      if table.corrects {
        facts.append("what is taken back when its window is closed counts on, and goes there, too")
      }
      if window.isSession {
        facts.append(
          "an event between two sessions makes one of them: the row of the later one goes into the other,"
            + " by a tombstone where it was shown; costs a row for each key, with when its sessions"
            + " began")
      }
    }
    if let after = table.expireAfterMs {
      facts.append(
        "a row that no event has updated for \(span(after)) of actual time goes, by a tombstone at"
          + " state ports; costs an entry in the state for each row")
    }
    return facts
  }

  private static func windows(_ kind: TableDefinition.Window.Kind) -> String {
    switch kind {
    case .regular(let sizeMs, let everyMs):
      "windows of \(span(sizeMs)), one every \(span(everyMs))"
    case .session(let gapMs):
      "sessions of events no further apart than \(span(gapMs)), which end so long after the last"
    }
  }
}
