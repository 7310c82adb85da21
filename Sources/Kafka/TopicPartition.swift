import CRdKafka
import Records

/// A topic of a client, by its place in the list the client was made with. Costs nothing per
/// record.
package struct TopicOrdinal: Hashable, Comparable, Sendable {
  package let value: Int
  package init(_ value: Int) { self.value = value }
  package static func < (left: TopicOrdinal, right: TopicOrdinal) -> Bool {
    left.value < right.value
  }
}

/// A partition of one of a client's topics.
package struct TopicPartition: Hashable, Comparable, Sendable {
  package let topic: TopicOrdinal
  package let partition: Partition
  package init(topic: TopicOrdinal, partition: Partition) {
    self.topic = topic
    self.partition = partition
  }
  package static func < (left: TopicPartition, right: TopicPartition) -> Bool {
    (left.topic, left.partition) < (right.topic, right.partition)
  }
}

/// Where reading goes on in a partition: the offset of the next record.
package struct PartitionOffset: Hashable, Sendable {
  package let at: TopicPartition
  package let offset: Offset
  package init(_ at: TopicPartition, _ offset: Offset) {
    self.at = at
    self.offset = offset
  }
}

/// What a group has committed for a partition.
package struct CommittedOffset: Hashable, Sendable {
  package let at: TopicPartition
  /// Nil: nothing was ever committed, or Kafka forgot it.
  package let offset: Offset?
  /// The text that went with it, empty if none did.
  package let metadata: String

  package init(at: TopicPartition, offset: Offset?, metadata: String) {
    self.at = at
    self.offset = offset
    self.metadata = metadata
  }
}

/// librdkafka's list of partitions, and the one place that destroys it.
@safe struct PartitionList: ~Copyable {
  let raw: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

  init(capacity: Int) {
    unsafe raw = rd_kafka_topic_partition_list_new(Int32(clamping: capacity))
  }

  /// Takes over a list that librdkafka made.
  init(taking raw: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) {
    unsafe self.raw = raw
  }

  deinit { unsafe rd_kafka_topic_partition_list_destroy(raw) }

  var count: Int { unsafe Int(raw.pointee.cnt) }

  func add(_ topic: String, _ partition: Partition, offset: Int64 = -1001) {
    guard let entry = unsafe rd_kafka_topic_partition_list_add(raw, topic, partition.value) else {
      return
    }
    unsafe entry.pointee.offset = offset
  }

  /// Adds an entry whose metadata librdkafka frees with the list, by `rd_free`, which is `free`.
  func add(_ topic: String, _ partition: Partition, offset: Int64, metadata: String) {
    guard let entry = unsafe rd_kafka_topic_partition_list_add(raw, topic, partition.value) else {
      return
    }
    unsafe entry.pointee.offset = offset
    if metadata.isEmpty { return }
    let bytes = Array(metadata.utf8)
    guard let copy = unsafe rd_kafka_mem_malloc(nil, bytes.count) else { return }
    unsafe bytes.withUnsafeBytes { source in
      if let base = source.baseAddress {
        unsafe copy.copyMemory(from: base, byteCount: bytes.count)
      }
    }
    unsafe entry.pointee.metadata = copy
    unsafe entry.pointee.metadata_size = bytes.count
  }

  struct Entry {
    let topic: String
    let partition: Partition
    let offset: Int64
    let metadata: String
    let error: rd_kafka_resp_err_t
  }

  func entry(_ index: Int) -> Entry {
    let element = unsafe raw.pointee.elems[index]
    var metadata = ""
    if let bytes = unsafe element.metadata, unsafe element.metadata_size > 0 {
      metadata = unsafe String(
        decoding: UnsafeRawBufferPointer(start: bytes, count: element.metadata_size),
        as: UTF8.self)
    }
    return unsafe Entry(
      topic: String(cString: element.topic), partition: Partition(element.partition),
      offset: element.offset, metadata: metadata, error: element.err)
  }
}
