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
  /// What a record says of itself that may be taken back, or takes another one back. Its views are
  /// lent as the others.
  package let correction: CorrectionHeaders

  package init(
    input: Int, partition: Partition, offset: Offset, key: ByteView?, value: ByteView?,
    timestampMs: Int64, time: Timestamp? = nil, correction: CorrectionHeaders = .none
  ) {
    self.correction = correction
    self.time = time
    self.input = input
    self.partition = partition
    self.offset = offset
    self.key = key
    self.value = value
    self.timestampMs = timestampMs
  }

  /// The actual time where the document has none: what the record says, or else Kafka's.
  var ownTime: Timestamp {
    if let time { return time }
    // Kafka takes any number; one beyond the years 1 to 9999 is no time that could be written.
    let own = Timestamp(milliseconds: timestampMs)
    let seconds = min(max(own.seconds, Timestamp.secondsMin), Timestamp.secondsMax)
    return seconds == own.seconds ? own : Timestamp(seconds: seconds, nanoseconds: 0)
  }
}

/// The headers by which a record is known and taken back; of an input without corrections none are
/// read.
package struct CorrectionHeaders {
  /// `ce_id`
  package let id: ByteView?
  /// `ce_op`: `retract` or `assert`; nil of a record that corrects none.
  package let operation: ByteView?
  /// `ce_corrects`
  package let corrects: ByteView?

  package static var none: CorrectionHeaders {
    CorrectionHeaders(id: nil, operation: nil, corrects: nil)
  }

  package init(id: ByteView?, operation: ByteView?, corrects: ByteView?) {
    self.id = id
    self.operation = operation
    self.corrects = corrects
  }
}
