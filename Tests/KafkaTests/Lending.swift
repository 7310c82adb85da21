import Foundation
import Kafka
import Records

/// Ten seconds: no test here waits that long unless it fails.
var soon: Deadline { .after(milliseconds: 10_000) }

/// One record, copied out of its batch.
struct Copied: Equatable {
  var partition: Int32
  var offset: Int64
  var key: [UInt8]?
  var value: [UInt8]?
}

extension RecordBatch {
  func copied() -> [Copied] {
    (0..<count).map {
      Copied(
        partition: partition(at: $0).value, offset: offset(at: $0).value,
        key: key(at: $0)?.copied(), value: value(at: $0)?.copied())
    }
  }
}

extension TopicReader {
  func everything() throws -> [Copied] {
    var all: [Copied] = []
    try readToEnd(soon) { all += $0.copied() }
    return all
  }
}

extension GroupConsumer {
  /// Its place in the group, which it must have.
  func place() throws -> GroupMetadata {
    guard let metadata = groupMetadata() else {
      throw KafkaError(code: .unknownMember, operation: "be a member")
    }
    return metadata
  }

  /// Polls until `count` records have come, or the deadline.
  func take(_ count: Int) -> [Copied] {
    let batch = RecordBatch(capacity: 100)
    let deadline = soon
    var all: [Copied] = []
    while all.count < count && !deadline.hasPassed {
      poll(into: batch, waitMilliseconds: 50)
      all += batch.copied()
    }
    return all
  }
}

extension PlainProducer {
  func put(_ topic: String, _ partition: Int32, _ values: [String]) throws {
    let ordinal = try open(topic, soon)
    for value in values {
      try ByteView.lending(value) { view in
        try produce(to: ordinal, Partition(partition), key: nil, value: view, soon)
      }
    }
    try flush(soon)
  }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// A directory of this run's own under the system's temporary one.
func temporaryDirectory() -> String {
  FileManager.default.temporaryDirectory
    .appendingPathComponent("weft-\(UInt64.random(in: 0...UInt64.max))").path
}
