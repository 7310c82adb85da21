import Product
import Records

@testable import Engine

extension ProductSimulation {
  /// A simulation that starts on 2024-06-01.
  convenience init(_ definition: ProductDefinition) throws {
    try self.init(definition, recordedMs: 1_717_200_000_000)
  }

  /// Feeds a document and runs.
  func take(_ value: String, key: String? = "k", input: Int = 0, partition: Int32 = 0) {
    take(bytes: Array(value.utf8), key: key.map { Array($0.utf8) }, input: input, partition)
  }

  func take(bytes: [UInt8]?, key: [UInt8]?, input: Int = 0, _ partition: Int32 = 0) {
    feed(.init(input: input, partition: partition, key: key, value: bytes, timestampMs: recordedMs))
    run()
  }

  /// Values published at a port, as text; tombstones as `null`.
  func values(_ port: Int) -> [String] {
    published.filter { $0.port == port }.map(\.text)
  }

  var quarantined: [SimulatedRecord] { published.filter { $0.port == -1 } }
  var reasons: [String?] { quarantined.map { $0[header: "weft_reason"] } }
}

extension SimulatedRecord {
  /// The value; of a tombstone `null`.
  var text: String { value.map { String(decoding: $0, as: UTF8.self) } ?? "null" }
  var keyText: String? { key.map { String(decoding: $0, as: UTF8.self) } }
}
