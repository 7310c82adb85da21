import Engine
import Formats
import Kafka
import Product
import Records
import State

/// What the engine makes of the committed journal when it reads it in one go, with no worker, no
/// turns and no crashes: the same bytes must have been published.
final class Recomputation {
  /// By topic: each record's partition, time, key, value and headers as one text, sorted.
  private(set) var records: [String: [String]] = [:]
  /// By journal and partition.
  private(set) var digests: [[StateDigest]] = []

  private let batch = OutputBatch()
  private let plan: ProductPlan

  /// - Parameter fail: told what does not apply.
  init(_ plan: ProductPlan, _ broker: SimulatedBroker, fail: (String) -> Void) {
    self.plan = plan
    for (number, journal) in plan.definition.journals.enumerated() {
      digests.append(
        (0..<Int(journal.partitions)).map { partition in
          read(number, partition, broker.applied(journal.topic, partition), fail)
        })
    }
    for output in plan.definition.outputs { records[output.topic, default: []].sort() }
  }

  private func read(
    _ journal: Int, _ partition: Int, _ blocks: [(offset: Int64, record: SimulatedBroker.Record)],
    _ fail: (String) -> Void
  ) -> StateDigest {
    let state = PartitionState()
    let apply = Apply(
      plan, journal: journal, partition: Partition(Int32(partition)), state: state)
    for (offset, record) in blocks {
      state.begin()
      let applied = ByteView.lending(record.value ?? []) {
        apply.apply(bytes: $0, at: Offset(offset), publishing: batch)
      }
      if case .applied = applied {} else { fail("a block does not apply: \(applied)") }
      state.commit(
        Stamp(generation: 0, digest: plan.logicDigest, position: Offset(offset + 1)))
      keep()
    }
    return state.contentDigest()
  }

  private func keep() {
    for entry in batch.entries where entry.port != OutputBatch.quarantine {
      let port = plan.ports[Int(entry.port)]
      var record = SimulatedBroker.Record(
        key: entry.hasKey ? batch.bytes[entry.key].copied() : nil,
        value: entry.value.map { batch.bytes[$0].copied() }, timestampMs: entry.timestampMs)
      record.headers = port.constantHeaders.map {
        (String(decoding: $0.name, as: UTF8.self), $0.value)
      }
      var own = batch.headers(of: entry)
      while let header = own.next() {
        record.headers.append((header.name.text, header.value.copied()))
      }
      records[port.topic, default: []].append(Self.text(record, Int(entry.partition)))
    }
    batch.clear()
  }

  static func text(_ record: SimulatedBroker.Record, _ partition: Int) -> String {
    func text(_ bytes: [UInt8]?) -> String {
      bytes.map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }
    let headers = record.headers.map { "\($0.name)=\(text($0.value))" }.joined(separator: " ")
    return "\(partition) \(record.timestampMs) \(text(record.key)) \(text(record.value)) \(headers)"
  }
}
