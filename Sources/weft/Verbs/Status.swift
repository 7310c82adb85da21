import CommandLine
import Diagnostics
import Formats
import Foundation
import Kafka
import Mesh
import Records

enum StatusVerb {
  static let verb = Verb(
    command: Command(
      "status", "say how a product is doing, whether its worker runs or not",
      arguments: [PublishedProduct.argument], options: [],
      examples: [
        .init("weft status claims", "instances, positions, lag, state and quarantine"),
        .init("weft status claims --format json | jq '[.inputs[].behind] | add'", "its lag"),
      ],
      discussion:
        "Asks the broker, and reads what the product's worker publishes of itself once a second, or "
        + "every ten seconds while nothing changes (DOMAIN.PRODUCT.observations); from any directory. "
        + "`behind` counts offsets that are still to come, of an input records, of a journal blocks, "
        + "markers of transactions among them. What one instance reads another may apply, and a start "
        + "applies what was read before it.")
  ) { session in
    let found = try PublishedProduct(session.arguments[PublishedProduct.argument] ?? "", session)
    let broker = try Broker(found.settings, session)
    let report = try StatusReport(found, broker)
    if session.isJSON {
      session.output.write(report.json.description + "\n")
    } else {
      StatusText(report, session).write()
    }
    return .ok
  }
}

/// A status for people.
private struct StatusText {
  private let report: StatusReport
  private let session: Session
  private let nowMs = Int64(Date().timeIntervalSince1970 * 1000)

  init(_ report: StatusReport, _ session: Session) {
    self.report = report
    self.session = session
  }

  func write() {
    let product = report.product
    line("\(product.domain)/\(product.name) \(product.version)")
    line("  logic \(product.logicDigest.prefix(12)), group \(product.group)")
    if report.instances.isEmpty {
      line(
        report.isUnobserved
          ? "  its observations topic is not there: `weft apply` makes it"
          : "  no worker has run it yet: `weft run \(product.domain)`")
    }
    for instance in report.instances { write(instance) }
    places(report.inputs, "input", isJournal: false)
    places(report.journals, "journal", isJournal: true)
    writeHeld()
    if !report.unseen.isEmpty { session.output.write("\n") }
    for (topic, reason) in report.unseen {
      line("topic \(topic) \(reason.map { "is not shown to this user: \($0)" } ?? "is not there")")
    }
    session.output.write("\n")
    if !report.isQuarantineSeen { return line("what is in quarantine cannot be seen") }
    let settled = report.settled == 0 ? "" : " (\(report.settled) were released or discarded)"
    line(
      report.quarantined == 0
        ? "nothing is in quarantine\(settled)"
        : (report.isQuarantineCounted ? "" : "at most ")
          + "\(report.quarantined) record\(report.quarantined == 1 ? " is" : "s are") in"
          + " quarantine\(settled): `weft quarantine list \(product.name)`")
  }

  private func line(_ text: String) { session.output.write(DisplayText.printable(text) + "\n") }

  private func write(_ instance: StatusReport.Instance) {
    let seen = instance.observation
    // What it said last, until it has missed to say that it is there. The group alone does not
    // tell: not every broker makes a static member's id of its name.
    let isSilent = nowMs - seen.observedMs > InstanceObservation.aliveMs * 3 / 2
    let isGone = !instance.isMember && isSilent && seen.phase != "stopped"
    let state = isGone ? "not running (it was \(seen.phase))" : seen.phase
    session.output.write("\n")
    line("instance \(seen.instance): \(state), seen \(ago(seen.observedMs))")
    if let reason = seen.reason { line("  \(reason)") }
    if seen.logic != report.product.logicDigest {
      line("  it has other logic: \(seen.logic.prefix(12))")
    }
    line(
      "  since it started \(ago(seen.startedMs)): read \(seen.read), applied \(seen.applied),"
        + " filtered \(seen.filtered), redelivered \(seen.redelivered),"
        + " quarantined \(seen.quarantined)" + (seen.held == 0 ? "" : ", held \(seen.held)")
        + (seen.released == 0 ? "" : ", released \(seen.released)")
        + (seen.discarded == 0 ? "" : ", discarded \(seen.discarded)"))
    var turns = "  published \(seen.published) records in \(seen.commits) commits"
    if seen.aborts > 0 { turns += ", \(seen.aborts) turns taken back" }
    if let p50 = seen.commitP50Ms, let p99 = seen.commitP99Ms {
      turns += "; a commit takes \(milliseconds(p50)) (p99 \(milliseconds(p99)))"
    }
    if let last = seen.lastCommitMs { turns += "; the last was \(ago(last))" }
    line(turns)
  }

  private func writeHeld() {
    if report.held.isEmpty { return }
    session.output.write("\n")
    for held in report.held {
      let all = "of \(held.asked) event\(held.asked == 1 ? "" : "s")"
      guard let since = held.sinceMs else {
        line("\(held.identifier): none \(all) waits for a link")
        continue
      }
      line(
        "\(held.identifier): \(held.count) \(all) (\(percent(held.share)))"
          + " \(held.count == 1 ? "waits" : "wait") for a link; the first came \(ago(since))")
    }
  }

  private func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10) %" }

  private func milliseconds(_ value: Double) -> String {
    "\((value * 10).rounded() / 10) ms"
  }

  private func ago(_ ms: Int64) -> String {
    let seconds = max(0, nowMs - ms) / 1000
    if seconds < 2 { return "just now" }
    if seconds < 120 { return "\(seconds) s ago" }
    if seconds < 7200 { return "\(seconds / 60) min ago" }
    return "on \(Timestamp(milliseconds: ms - ms % 1000))"
  }

  private func places(_ places: [StatusReport.Place], _ title: String, isJournal: Bool) {
    if places.isEmpty { return }
    var columns = [
      Table.Column(title), Table.Column("partition", isNumber: true),
      Table.Column("position", isNumber: true), Table.Column("behind", isNumber: true),
    ]
    if isJournal {
      columns += [
        Table.Column("rows", isNumber: true), Table.Column("on disk", isNumber: true),
        Table.Column("in memory", isNumber: true), Table.Column("instance"),
        Table.Column("committed"),
      ]
    }
    let rows = places.map { place in
      var cells = [
        isJournal ? place.name : place.topic, "\(place.partition)",
        place.position.map(String.init) ?? "-", "\(place.behind)",
      ]
      if isJournal {
        let seen = place.observation
        cells += [
          seen.map { "\($0.stateRows)" } ?? "-", seen.map { size($0.fileBytes) } ?? "-",
          seen.map { size($0.memoryBytes) } ?? "-", seen?.instance ?? "-",
          place.lastCommitMs.map(ago) ?? "-",
        ]
      }
      return cells
    }
    let table = Table(
      columns, fitting: rows, width: session.terminal.isTerminal ? session.terminal.width : nil)
    session.output.write("\n" + table.header)
    for row in rows { session.output.write(table.line(row)) }
    for place in places {
      if let seen = place.observation, seen.waiting > 0 {
        line(
          "\(place.name), partition \(place.partition): \(seen.waiting) events wait behind one of"
            + " their key that is in quarantine"
            + (seen.waitingSinceMs.map { ", the first came \(ago($0))" } ?? ""))
      }
      guard let logic = place.observation?.logic, logic != report.product.logicDigest
      else { continue }
      line("\(place.name), partition \(place.partition) has other logic: \(logic.prefix(12))")
    }
  }

  private func size(_ bytes: Int64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var value = Double(bytes)
    var unit = 0
    while value >= 1024 && unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    return unit == 0 ? "\(bytes) B" : "\((value * 10).rounded() / 10) \(units[unit])"
  }
}
