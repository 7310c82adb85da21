import CRdKafka
import Records

/// Records fetched from Kafka, lent by index: made once, refilled by each poll.
///
/// One thread owns it. Keys, values and headers are borrowed from the fetched records and live
/// until the next ``clear()`` (each poll clears first) or until the batch goes; to keep them
/// longer, copy them. No record costs an allocation or a String here.
@safe package final class RecordBatch {
  /// The most records that one poll brings.
  package let capacity: Int
  package private(set) var count = 0
  /// Bytes of all keys and values.
  package private(set) var byteCount = 0
  private let records: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>

  /// - Parameter capacity: 500 to 2,000 is where a batch call pays (rule 3).
  package init(capacity: Int = 2000) {
    self.capacity = capacity
    unsafe records = .allocate(capacity: capacity)
    unsafe records.initialize(repeating: nil, count: capacity)
  }

  deinit {
    clear()
    unsafe records.deallocate()
  }

  package var isEmpty: Bool { count == 0 }

  /// Gives the records back: everything lent from this batch ends here.
  package func clear() {
    var index = 0
    while index < count {
      unsafe rd_kafka_message_destroy(records[index])
      unsafe records[index] = nil
      index += 1
    }
    count = 0
    byteCount = 0
  }

  @inline(__always)
  private func record(_ index: Int) -> UnsafeMutablePointer<rd_kafka_message_t> {
    precondition(index >= 0 && index < count, "no such record in the batch")
    guard let record = unsafe records[index] else { preconditionFailure("a hole in a batch") }
    return unsafe record
  }

  /// The topic's place in the list that the consumer was made with. One C call a record.
  package func topic(at index: Int) -> TopicOrdinal {
    // The opaque of a topic handle is its ordinal plus one.
    unsafe TopicOrdinal(Int(bitPattern: rd_kafka_topic_opaque(record(index).pointee.rkt)) - 1)
  }
  package func partition(at index: Int) -> Partition {
    unsafe Partition(record(index).pointee.partition)
  }
  package func offset(at index: Int) -> Offset { unsafe Offset(record(index).pointee.offset) }

  /// Nil where the record has no key, which is not the same as an empty one.
  package func key(at index: Int) -> ByteView? {
    let record = unsafe record(index)
    return unsafe view(record.pointee.key, record.pointee.key_len)
  }

  /// Nil for a tombstone, which is not the same as an empty value.
  package func value(at index: Int) -> ByteView? {
    let record = unsafe record(index)
    return unsafe view(record.pointee.payload, record.pointee.len)
  }

  /// Bytes of key and value together.
  package func bytes(at index: Int) -> Int {
    let record = unsafe record(index)
    return unsafe record.pointee.len + record.pointee.key_len
  }

  /// Kafka's own time of the record in milliseconds since 1970; nil where it has none.
  package func timestamp(at index: Int) -> Int64? {
    var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
    let time = unsafe rd_kafka_message_timestamp(record(index), &kind)
    return kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? nil : time
  }

  /// The record's headers, parsed when first asked for.
  package func headers(at index: Int) -> HeaderReader {
    var list: OpaquePointer?
    let code = unsafe rd_kafka_message_headers(record(index), &list)
    return unsafe HeaderReader(list: code == RD_KAFKA_RESP_ERR_NO_ERROR ? list : nil)
  }

  /// The value of the last header of that name; nil if there is none, or it is null.
  package func header(_ name: StaticString, at index: Int) -> ByteView? {
    headers(at: index).value(of: name)
  }

  private func view(_ base: UnsafeMutableRawPointer?, _ length: Int) -> ByteView? {
    guard let base = unsafe base else { return nil }
    return unsafe ByteView(
      base: UnsafePointer(base.assumingMemoryBound(to: UInt8.self)), count: length)
  }

  /// Refills from a queue: waits for the first record, then takes what is there without waiting,
  /// because the batch call of librdkafka otherwise waits its whole time-out (rule 3). What is no
  /// record but an error or an end of a partition goes to `other`.
  func fill(from queue: OpaquePointer, waitMilliseconds: Int32, other: (ErrorRecord) -> Void) {
    clear()
    var got = unsafe rd_kafka_consume_batch_queue(queue, waitMilliseconds, records, 1)
    if got == 1 {
      let more = unsafe rd_kafka_consume_batch_queue(queue, 0, records + 1, capacity - 1)
      got += max(more, 0)
    }
    if got <= 0 { return }
    // Most batches hold records only: find that out in one pass over what is in the cache anyway.
    var kept = 0
    for index in 0..<got {
      guard let record = unsafe records[index] else { continue }
      if unsafe record.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
        unsafe records[kept] = record
        unsafe byteCount += record.pointee.len + record.pointee.key_len
        kept += 1
      } else {
        unsafe other(ErrorRecord(record))
        unsafe rd_kafka_message_destroy(record)
      }
    }
    var hole = kept
    while hole < got {
      unsafe records[hole] = nil
      hole += 1
    }
    count = kept
  }

  /// What came in place of a record.
  struct ErrorRecord {
    let code: rd_kafka_resp_err_t
    let message: String
    /// Nil when it concerns no topic.
    let at: TopicPartition?
    let offset: Int64

    init(_ record: UnsafeMutablePointer<rd_kafka_message_t>) {
      unsafe code = record.pointee.err
      unsafe offset = record.pointee.offset
      if unsafe record.pointee.err == RD_KAFKA_RESP_ERR__PARTITION_EOF {
        message = ""
      } else {
        message = unsafe String(cString: rd_kafka_message_errstr(record))
      }
      guard let topic = unsafe record.pointee.rkt else {
        at = nil
        return
      }
      let ordinal = unsafe Int(bitPattern: rd_kafka_topic_opaque(topic)) - 1
      let partition = unsafe record.pointee.partition
      at =
        ordinal < 0 || partition < 0
        ? nil : TopicPartition(topic: TopicOrdinal(ordinal), partition: Partition(partition))
    }
  }
}

/// Reads the headers of one record, one after the other. Lives as long as the record in its batch.
@safe package struct HeaderReader {
  let list: OpaquePointer?
  private var index = 0

  init(list: OpaquePointer?) { unsafe self.list = list }

  /// A header: a name and a value, which is nil where Kafka has null.
  @safe package struct Header {
    package let name: ByteView
    package let value: ByteView?
  }

  /// The next header, or nil after the last.
  package mutating func next() -> Header? {
    guard let list = unsafe list else { return nil }
    var name: UnsafePointer<CChar>?
    var value: UnsafeRawPointer?
    var length = 0
    let code = unsafe rd_kafka_header_get_all(list, index, &name, &value, &length)
    guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let name = unsafe name else { return nil }
    index += 1
    let text = unsafe UnsafeRawPointer(name).assumingMemoryBound(to: UInt8.self)
    var end = 0
    while unsafe text[end] != 0 { end += 1 }
    let bytes = unsafe value.map {
      unsafe ByteView(base: $0.assumingMemoryBound(to: UInt8.self), count: length)
    }
    return unsafe Header(name: ByteView(base: text, count: end), value: bytes)
  }

  /// The value of the last header called `name`: nil if there is none or it is null.
  package func value(of name: StaticString) -> ByteView? {
    var reader = self
    var found: ByteView?
    while let header = reader.next() {
      if header.name == name.view { found = header.value }
    }
    return found
  }
}
