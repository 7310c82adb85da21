import Records

/// Names of headers of CloudEvents 1.0 in Kafka's binary mode, and ours that go with them.
package enum CloudEventsHeader {
  package static let specversion: StaticString = "ce_specversion"
  package static let id: StaticString = "ce_id"
  package static let source: StaticString = "ce_source"
  package static let type: StaticString = "ce_type"
  /// The actual time.
  package static let time: StaticString = "ce_time"
  /// When the product took it in.
  package static let recordedTime: StaticString = "ce_recordedtime"
  package static let subject: StaticString = "ce_subject"
  package static let dataSchema: StaticString = "ce_dataschema"
  /// `retract` or `assert`, on corrections.
  package static let operation: StaticString = "ce_op"
  /// The id of the event that a correction takes back.
  package static let corrects: StaticString = "ce_corrects"
  package static let contentType: StaticString = "content-type"
}

/// The headers that all events of one output share, as names and values.
package struct CloudEventsTemplate: Sendable, Hashable {
  package struct Header: Sendable, Hashable {
    package let name: String
    package let value: String
    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// In the order in which they are written.
  package let headers: [Header]

  /// `source` says which output of which product the events come from (a URI reference), `type`
  /// what kind of event they are. `contentType` nil leaves that header out.
  package init(source: String, type: String, contentType: String? = "application/json") {
    var headers = [
      Header("\(CloudEventsHeader.specversion)", "1.0"),
      Header("\(CloudEventsHeader.source)", source),
      Header("\(CloudEventsHeader.type)", type),
    ]
    if let contentType { headers.append(Header("\(CloudEventsHeader.contentType)", contentType)) }
    self.headers = headers
  }
}

extension ByteBuffer {
  /// A `ce_id`: `3-1024-17`, and `3-1024-17-2` for the third record that an event makes at one
  /// port. Made of nothing but the journal position, so that the same journal gives the same ids.
  package func appendCloudEventsID(
    partition: Partition, position: Position, subIndex: UInt32 = 0
  ) {
    append(decimal: Int64(partition.value))
    append(UInt8(ascii: "-"))
    append(decimal: position.block.value)
    append(UInt8(ascii: "-"))
    append(decimal: UInt64(position.index))
    if subIndex > 0 {
      append(UInt8(ascii: "-"))
      append(decimal: UInt64(subIndex))
    }
  }

  /// A `ce_time` or `ce_recordedtime`: RFC 3339 in UTC, as CloudEvents asks.
  package func appendCloudEventsTime(_ time: Timestamp) { append(time) }
}
