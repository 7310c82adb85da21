import Formats
import Records

/// Where a record came from and what it was: what quarantine keeps of it.
struct Origin {
  let input: InputPlan
  let partition: Partition
  let offset: Offset
  let key: ByteView?
  let value: ByteView?
  /// Its actual time, as far as that is known without its document.
  let time: Timestamp?
  /// What it says of itself where it may be taken back, or takes another one back.
  let correction: CorrectionHeaders
  let recordedMs: Int64
  /// Nil: ingest has refused it, or the product has no journal.
  var journaled: Journaled?

  /// Where in a journal it stands, and how much of it came to nothing.
  struct Journaled {
    let journal: String
    let partition: Partition
    let position: Position
    let extent: Extent
  }
}

/// How much of a journaled event came to nothing. That much is done again when it is released.
package enum Extent: Hashable, Sendable {
  /// All that any journal makes of it.
  case event
  /// What one journal makes of it.
  case journal
  /// Of that only what had waited for the link of this identity.
  case identity(Int)
  /// What a chained journal makes of it, to which another one has handed it on.
  case handed(HandedOrigin)
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
    if let time = origin.time { appendHeader("weft_time", time.description) }
    for (name, value) in origin.correction.named {
      if let value { appendHeader(name.view, value) }
    }
    if let journaled = origin.journaled {
      appendHeader("weft_journal", journaled.journal)
      appendHeader("weft_position", journaled.positionText)
      appendHeader("weft_extent", journaled.extent.text)
    }
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

  func appendHeader(_ name: StaticString, _ value: String) {
    ByteView.lending(value) { appendHeader(name.view, $0) }
  }
}

extension CorrectionHeaders {
  /// By the names that they have in its record.
  fileprivate var named: [(StaticString, ByteView?)] {
    [("ce_id", id), ("ce_op", operation), ("ce_corrects", corrects)]
  }
}

extension Origin.Journaled {
  /// As in a `ce_id`.
  var positionText: String { "\(partition.value)-\(position.block.value)-\(position.index)" }
}

extension Extent {
  var text: String {
    switch self {
    case .event: "event"
    case .journal: "journal"
    case .identity(let number): "identity \(number)"
    case .handed(let origin): "handed \(origin.text)"
    }
  }

  init?(_ text: String) {
    let words = text.split(separator: " ", maxSplits: 1)
    switch words.first {
    case "event": self = .event
    case "journal": self = .journal
    case "handed":
      guard words.count == 2, let origin = HandedOrigin(text: words[1]) else { return nil }
      self = .handed(origin)
    case "identity":
      guard words.count == 2, let number = Int(words[1]), number >= 0 else { return nil }
      self = .identity(number)
    default: return nil
    }
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
