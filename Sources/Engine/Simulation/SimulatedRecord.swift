import Records

/// A record that a simulated product published, with copies of its bytes.
package struct SimulatedRecord: Sendable, Hashable {
  package struct Header: Sendable, Hashable {
    package let name: String
    package let value: [UInt8]
  }

  /// Ordinal of the output, or ``OutputBatch/quarantine``.
  package let port: Int
  package let partition: Int32
  package let timestampMs: Int64
  package let key: [UInt8]?
  /// Nil: a tombstone.
  package let value: [UInt8]?
  /// Constant ones first, as on the wire.
  package let headers: [Header]

  /// The value of the last header of that name, as text.
  package subscript(header name: String) -> String? {
    headers.last { $0.name == name }.map { String(decoding: $0.value, as: UTF8.self) }
  }
}

extension OutputBatch {
  /// Copies of all entries, in order. For tests.
  func copies(_ ports: [PortTemplate]) -> [SimulatedRecord] {
    entries.map { entry in
      var all: [SimulatedRecord.Header] = []
      if entry.port >= 0 {
        all = ports[Int(entry.port)].constantHeaders.map {
          .init(name: String(decoding: $0.name, as: UTF8.self), value: $0.value)
        }
      }
      var own = headers(of: entry)
      while let header = own.next() {
        all.append(.init(name: header.name.text, value: header.value.copied()))
      }
      return SimulatedRecord(
        port: Int(entry.port), partition: entry.partition, timestampMs: entry.timestampMs,
        key: entry.hasKey ? bytes[entry.key].copied() : nil,
        value: entry.value.map { bytes[$0].copied() }, headers: all)
    }
  }
}
