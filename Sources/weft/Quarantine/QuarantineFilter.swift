import CommandLine
import Engine
import Records

/// Which events of a quarantine a command is about.
struct QuarantineFilter {
  static let reason = Option(
    "reason", value: "REASON", isRepeatable: true, "only events with this reason")
  static let input = Option(
    "input", value: "INPUT", isRepeatable: true, "only events of this input")
  static let since = Option(
    "since", value: "TIME", "only events quarantined since a day or a time")

  let reasons: Set<String>
  let inputs: Set<String>
  /// Milliseconds since 1970.
  let sinceMs: Int64?

  init(_ arguments: Arguments) throws(UsageError) {
    reasons = Set(arguments.all(QuarantineFilter.reason))
    inputs = Set(arguments.all(QuarantineFilter.input))
    guard let text = arguments[QuarantineFilter.since] else {
      sinceMs = nil
      return
    }
    sinceMs = ByteView.lending(text) { view in
      Timestamp(rfc3339: view)?.milliseconds ?? daysSince1970(view).map { $0 * 86_400_000 }
    }
    if sinceMs == nil {
      throw UsageError(
        "`\(text)` is no time", help: "write a day or a time such as 2024-01-31T12:00:00Z")
    }
  }

  var isEmpty: Bool { reasons.isEmpty && inputs.isEmpty && sinceMs == nil }

  func takes(_ event: QuarantinedRecord) -> Bool {
    if !reasons.isEmpty && !reasons.contains(event.reason) { return false }
    if !inputs.isEmpty && !inputs.contains(event.input) { return false }
    guard let sinceMs else { return true }
    let recorded = ByteView.lending(event.recorded) { Timestamp(rfc3339: $0)?.milliseconds }
    return recorded.map { $0 >= sinceMs } ?? true
  }
}
