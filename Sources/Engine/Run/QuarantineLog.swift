import Formats
import Records

/// A record of the quarantine topic: an event that could not be processed, or what came of one that
/// an operator has released or discarded.
package enum QuarantineLogEntry: Sendable, Hashable {
  case event(QuarantinedRecord)
  case settlement(SettlementRecord)

  /// Nil for a record that is not Weft's.
  package init?(
    offset: Int64, headers: [(name: String, value: String?)], key: [UInt8]?, value: [UInt8]?
  ) {
    let named = Dictionary(headers.map { ($0.name, $0.value ?? "") }) { $1 }
    if let settlement = SettlementRecord(offset, named) {
      self = .settlement(settlement)
    } else if let event = QuarantinedRecord(offset, named, key, value) {
      self = .event(event)
    } else {
      return nil
    }
  }
}

/// An event in quarantine, as its record tells of it.
package struct QuarantinedRecord: Sendable, Hashable {
  /// Its place in quarantine.
  package let offset: Int64
  /// A code, such as `contract-input`.
  package let reason: String
  package let message: String
  /// A place in a product file (`file:line:column`) or in the document; may be empty.
  package let place: String
  /// The input's name, its topic, and where the record stands in it.
  package let input: String
  package let topic: String
  package let partition: Int32
  package let sourceOffset: Int64
  package let recorded: String
  /// Its actual time, as far as that is known without its document.
  package let time: Timestamp?
  /// The journal that has it, and where: partition, block and index. Nil: it never got to one.
  package let journal: String?
  package let position: String?
  /// How much of it came to nothing; nil where it never got to a journal.
  package let extent: Extent?
  /// Of a record that may be taken back, or takes another one back.
  package var correction = OwnCorrection()
  package let key: [UInt8]?
  package let value: [UInt8]?
  /// Of an original that was too large: how long it was, and the SHA-256 of all of it.
  package let length: Int64?
  package let sha256: String?
  /// Whether key or value are only the beginning of what they were.
  package let isCut: Bool

  /// One that says no more than what is needed to release or discard it.
  package init(
    offset: Int64, input: String, topic: String, partition: Int32, sourceOffset: Int64,
    extent: Extent?, journal: String? = nil, position: String? = nil, key: [UInt8]? = nil,
    value: [UInt8]? = nil, time: Timestamp? = nil
  ) {
    (self.offset, self.input, self.topic) = (offset, input, topic)
    (self.partition, self.sourceOffset, self.extent) = (partition, sourceOffset, extent)
    (self.journal, self.position, self.time) = (journal, position, time)
    (self.key, self.value) = (key, value)
    (reason, message, place, recorded) = ("", "", "", "")
    (length, sha256, isCut) = (nil, nil, false)
  }

  init?(_ offset: Int64, _ headers: [String: String], _ key: [UInt8]?, _ value: [UInt8]?) {
    guard let reason = headers["weft_reason"], let input = headers["weft_input"],
      let partition = headers["weft_partition"].flatMap(Int32.init),
      let sourceOffset = headers["weft_offset"].flatMap(Int64.init)
    else { return nil }
    self.offset = offset
    self.reason = reason
    message = headers["weft_message"] ?? ""
    place = headers["weft_place"] ?? ""
    self.input = input
    topic = headers["weft_topic"] ?? ""
    self.partition = partition
    self.sourceOffset = sourceOffset
    recorded = headers["weft_recordedtime"] ?? ""
    time = headers["weft_time"].flatMap { text in
      ByteView.lending(text) { Timestamp(rfc3339: $0) }
    }
    journal = headers["weft_journal"]
    position = headers["weft_position"]
    correction = OwnCorrection(
      id: headers["ce_id"], operation: headers["ce_op"], corrects: headers["ce_corrects"])
    extent = headers["weft_extent"].flatMap { Extent($0) }
    self.key = key
    self.value = value
    length = headers["weft_length"].flatMap(Int64.init)
    sha256 = headers["weft_sha256"]
    isCut = length != nil || headers["weft_key_length"] != nil
  }

  /// The journal partition that has it.
  var journalPartition: Partition? {
    position?.split(separator: "-").first.flatMap { Int32($0) }.map { Partition($0) }
  }
}

/// The headers of a record by which it is known and taken back, with copies of their own.
package struct OwnCorrection: Sendable, Hashable {
  package var id: String?
  package var operation: String?
  package var corrects: String?
}

/// What came of an event that was released or discarded, in one journal.
package struct SettlementRecord: Sendable, Hashable {
  package enum Result: String, Sendable, Hashable {
    case applied, filtered, redelivered
    /// It waits, for a link or behind another of its key.
    case held
    /// It failed again: its new record lies right before this one.
    case quarantined
    case discarded
  }

  /// Its own place in quarantine.
  package let offset: Int64
  /// The place of what it tells of.
  package let settles: Int64
  package let result: Result
  /// Where the control record lies that had it done: partition, block and index.
  package let journal: String
  package let position: String
  package let recorded: String
  /// Where the event came from.
  package let topic: String
  package let partition: String
  package let sourceOffset: String

  init?(_ offset: Int64, _ headers: [String: String]) {
    guard let settles = headers["weft_settles"].flatMap(Int64.init),
      let result = headers["weft_result"].flatMap(Result.init)
    else { return nil }
    self.offset = offset
    self.settles = settles
    self.result = result
    journal = headers["weft_journal"] ?? ""
    position = headers["weft_position"] ?? ""
    recorded = headers["weft_recordedtime"] ?? ""
    topic = headers["weft_topic"] ?? ""
    partition = headers["weft_partition"] ?? ""
    sourceOffset = headers["weft_offset"] ?? ""
  }
}

extension OutputBatch {
  /// A record without key and value.
  func appendSettlement(
    _ control: JournalControl, _ event: JournalEvent, _ result: SettlementRecord.Result,
    _ journaled: Origin.Journaled, input: InputPlan, recordedMs: Int64
  ) {
    let start = bytes.count
    appendHeader("weft_settles", "\(control.quarantine.value)")
    appendHeader("weft_result", result.rawValue)
    appendHeader("weft_input", input.name)
    appendHeader("weft_topic", input.topicName)
    appendHeader("weft_partition", "\(event.partition.value)")
    appendHeader("weft_offset", "\(event.offset.value)")
    appendHeader("weft_recordedtime", Timestamp(milliseconds: recordedMs).description)
    appendHeader("weft_journal", journaled.journal)
    appendHeader("weft_position", journaled.positionText)
    let end = bytes.count
    append(
      Entry(
        port: OutputBatch.quarantine, partition: 0, timestampMs: recordedMs, key: end..<end,
        value: nil, headers: start..<end, hasKey: false))
  }
}
