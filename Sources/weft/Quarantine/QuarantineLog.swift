import Engine
import Kafka
import Mesh
import Records

/// What a product's quarantine topic holds, read to its end: events, and what came of those that
/// operators have released or discarded.
struct QuarantineLog {
  /// In the order in which they came; only those that were asked for.
  private(set) var events: [QuarantinedRecord] = []
  /// By the place that they tell of: one for each journal that it concerns.
  private(set) var settlements: [Int64: [SettlementRecord]] = [:]
  /// What was read to its end, to go on with.
  let reader: TopicReader

  /// - Parameters:
  ///   - keepsOriginals: whether the original bytes are kept, which takes memory.
  ///   - isWanted: of these events, the others are passed over.
  init(
    _ found: PublishedProduct, keepsOriginals: Bool, _ deadline: Deadline,
    _ isWanted: (QuarantinedRecord) -> Bool, progress: (String) -> Void
  ) throws(KafkaError) {
    let topic = found.product.quarantineTopic
    reader = try TopicReader(settings: found.settings, topic: topic, from: .earliest, deadline)
    var events: [QuarantinedRecord] = []
    var settlements = settlements
    var records = 0
    try reader.readToEnd(silenceMilliseconds: ReadVerb.silenceMs) { batch in
      for index in 0..<batch.count {
        switch QuarantineLogEntry(batch, index, keepsOriginals: keepsOriginals) {
        case .event(let event)?: if isWanted(event) { events.append(event) }
        case .settlement(let settlement)?:
          settlements[settlement.settles, default: []].append(settlement)
        case nil: break
        }
      }
      records += batch.count
      progress("\(topic): \(records) records")
    }
    self.events = events
    self.settlements = settlements
  }

  /// How an event stands: `open`, or what came of it, in each journal where that differs.
  func standing(of event: QuarantinedRecord) -> String {
    var results: [String] = []
    for settlement in settlements[event.offset] ?? [] {
      let text = settlement.result.text
      if !results.contains(text) { results.append(text) }
    }
    return results.isEmpty ? "open" : results.joined(separator: ", ")
  }

  func isOpen(_ event: QuarantinedRecord) -> Bool { settlements[event.offset] == nil }
}

extension QuarantineLogEntry {
  /// Copies what the batch lends.
  init?(_ batch: RecordBatch, _ index: Int, keepsOriginals: Bool) {
    let record = ReadRecord(batch, index)
    self.init(
      offset: record.offset, headers: record.headers, key: record.key,
      value: keepsOriginals ? record.value : nil)
  }
}

extension SettlementRecord.Result {
  /// For people.
  var text: String {
    switch self {
    case .applied: "released"
    case .filtered: "released, filtered"
    case .redelivered: "released, a redelivery"
    case .held: "released, and waits"
    case .quarantined: "released, failed again"
    case .discarded: "discarded"
    }
  }
}
