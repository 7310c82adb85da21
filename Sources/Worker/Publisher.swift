import Engine
import Kafka
import Product
import Records

/// What is constant in the headers of a port's records, built once and copied for each.
private final class HeaderTemplate {
  let headers: RecordHeaders
  init(_ headers: consuming RecordHeaders) { self.headers = headers }
}

/// Hands blocks and outputs of one product to its transactional producer. One thread owns it.
final class Publisher<Producer: LoopProducer> {
  let producer: Producer
  private let journalCount: Int
  private let quarantine: TopicOrdinal
  /// By port; nil where the port has no constant headers.
  private let templates: [HeaderTemplate?]
  private let empty = HeaderTemplate(RecordHeaders(capacity: 10))

  init(_ producer: Producer, plan: ProductPlan) {
    self.producer = producer
    journalCount = plan.definition.journals.count
    quarantine = TopicOrdinal(journalCount + plan.definition.outputs.count)
    templates = plan.ports.map { port in
      if port.constantHeaders.isEmpty { return nil }
      let headers = RecordHeaders(capacity: port.constantHeaders.count + 6)
      for header in port.constantHeaders {
        ByteView.lending(header.name) { name in
          ByteView.lending(header.value) { headers.add(name, $0) }
        }
      }
      return HeaderTemplate(headers)
    }
  }

  /// Begins the transaction if none is open.
  func beginIfNeeded() throws(KafkaError) {
    if !producer.isInTransaction { try producer.begin() }
  }

  /// Writes one journal block.
  func publish(
    block: ByteView, journal: Int, partition: Partition, recordedMs: Int64, _ deadline: Deadline
  ) throws(KafkaError) -> RecordTag {
    try beginIfNeeded()
    return try producer.produceTagged(
      to: TopicOrdinal(journal), partition, key: nil, value: block, timestamp: recordedMs,
      deadline)
  }

  /// Writes everything in the batch, in order. Returns how many records went to ports, and how many
  /// to quarantine.
  func publish(_ batch: OutputBatch, _ deadline: Deadline) throws(KafkaError) -> Int {
    if batch.isEmpty { return 0 }
    try beginIfNeeded()
    let bytes = batch.bytes
    for index in 0..<batch.count {
      let entry = batch[index]
      let isQuarantine = entry.port == OutputBatch.quarantine
      let topic = isQuarantine ? quarantine : TopicOrdinal(journalCount + Int(entry.port))
      let key = entry.hasKey ? bytes[entry.key] : nil
      let value = entry.value.map { bytes[$0] }
      let template = isQuarantine ? nil : templates[Int(entry.port)]
      if template == nil && entry.headers.isEmpty {
        try producer.produce(
          to: topic, Partition(entry.partition), key: key, value: value,
          timestamp: entry.timestampMs, deadline)
        continue
      }
      let headers = (template ?? empty).headers.copy()
      var own = batch.headers(of: entry)
      while let header = own.next() { headers.add(header.name, header.value) }
      try producer.produce(
        to: topic, Partition(entry.partition), key: key, value: value,
        timestamp: entry.timestampMs, headers: headers, deadline)
    }
    return batch.count
  }
}
