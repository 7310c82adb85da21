import Formats
import Records

/// Where a record came from and what it was: what quarantine keeps of it.
struct Origin {
  let input: InputPlan
  let partition: Partition
  let offset: Offset
  let key: ByteView?
  let value: ByteView?
  let recordedMs: Int64
}

/// Which record went to quarantine and why, in short. Never its bytes.
package struct QuarantineNote: Hashable, Sendable {
  package let reason: String
  package let topic: String
  package let partition: Int32
  package let offset: Int64
}

/// Quarantine records: the original key and value, and headers that say why and whence. Off the hot
/// path: it makes strings.
extension OutputBatch {
  /// Bytes kept free beside key, value and headers for what Kafka's record and batch take.
  private static let overheadBytes = 512

  func appendQuarantined(_ origin: Origin, _ fault: RunFault, limit: Int) {
    lastQuarantined = QuarantineNote(
      reason: fault.reason, topic: origin.input.topicName, partition: origin.partition.value,
      offset: origin.offset.value)
    let headersStart = bytes.count
    appendHeader("weft_reason", fault.reason)
    appendHeader("weft_message", fault.message)
    appendHeader("weft_place", fault.place)
    appendHeader("weft_input", origin.input.name)
    appendHeader("weft_topic", origin.input.topicName)
    appendHeader("weft_partition", "\(origin.partition.value)")
    appendHeader("weft_offset", "\(origin.offset.value)")
    appendHeader("weft_recordedtime", Timestamp(milliseconds: origin.recordedMs).description)
    var room = limit - OutputBatch.overheadBytes - (bytes.count - headersStart) - 256
    room = max(room, 0)
    var key = origin.key
    if let whole = origin.key, whole.count > room / 2 {
      appendHeader("weft_key_length", "\(whole.count)")
      appendHeader("weft_key_sha256", SHA256.hexadecimal(whole))
      key = whole.prefix(room / 2)
    }
    room -= key?.count ?? 0
    var value = origin.value
    if let whole = origin.value, whole.count > room {
      appendHeader("weft_length", "\(whole.count)")
      appendHeader("weft_sha256", SHA256.hexadecimal(whole))
      value = whole.prefix(room)
    }
    let headersEnd = bytes.count
    if let key { bytes.append(key) }
    let keyEnd = bytes.count
    if let value { bytes.append(value) }
    append(
      Entry(
        port: OutputBatch.quarantine, partition: 0, timestampMs: origin.recordedMs,
        key: headersEnd..<keyEnd, value: value.map { _ in keyEnd..<bytes.count },
        headers: headersStart..<headersEnd, hasKey: key != nil))
  }

  private func appendHeader(_ name: StaticString, _ value: String) {
    ByteView.lending(value) { appendHeader(name.view, $0) }
  }
}

extension RunFault {
  init(_ failure: JSONFailure) {
    self.init(
      reason: "\(failure.code)", message: "\(failure.message)", place: "byte \(failure.offset)")
  }

  /// A document that breaks the input's contract.
  init(_ fault: JSONShapeFault, _ plan: DecodePlan, _ tape: JSONTape) {
    let message: String
    let name = fault.field < 0 ? "the document" : "`\(plan.paths[Int(fault.field)])`"
    let want = fault.field < 0 ? "an object" : plan.wants[Int(fault.field)]
    let given = fault.node < 0 ? "" : RunFault.shortened(tape.rawText(at: Int(fault.node)))
    switch fault.reason {
    case .none, .missing: message = "the required field \(name) is missing or null"
    case .wrongType, .notAnObject, .notATimestamp, .notADate:
      message = "\(name) must be \(want), but is \(given)"
    case .notIntegral: message = "\(name) must be \(want), but \(given) has a fraction"
    case .outOfRange: message = "\(name) must be \(want), but \(given) does not fit"
    }
    self.init(
      reason: "contract-input", message: message,
      place: fault.field < 0 ? "$" : "$.\(plan.paths[Int(fault.field)])")
  }

  /// The beginning of a text of the document, for messages.
  static func shortened(_ text: ByteView) -> String {
    let limit = 60
    return text.count <= limit ? text.text : text.prefix(limit).text + "…"
  }

  func stop(_ origin: Origin) -> Stop {
    Stop(
      reason: reason, message: message, place: place, input: origin.input.name,
      topic: origin.input.topicName, partition: origin.partition.value,
      offset: origin.offset.value)
  }
}
