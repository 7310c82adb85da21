import Records

/// A record of an input topic as it was fetched; its bytes are lent for the length of the call.
package struct SourceRecord {
  /// Ordinal of the input in the product.
  package let input: Int
  package let partition: Partition
  package let offset: Offset
  package let key: ByteView?
  /// Nil: a tombstone, which is not an empty value.
  package let value: ByteView?
  /// Kafka's record timestamp, in milliseconds.
  package let timestampMs: Int64
  /// What a record of another product's port says of its actual time; nil: it says nothing.
  package let time: Timestamp?

  package init(
    input: Int, partition: Partition, offset: Offset, key: ByteView?, value: ByteView?,
    timestampMs: Int64, time: Timestamp? = nil
  ) {
    self.time = time
    self.input = input
    self.partition = partition
    self.offset = offset
    self.key = key
    self.value = value
    self.timestampMs = timestampMs
  }
}
