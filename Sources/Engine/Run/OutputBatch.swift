import Records

/// Records to publish, in order: what apply and ingest write and the worker hands to Kafka.
///
/// All bytes lie in one buffer that is kept between turns, entries refer to it by range; filling
/// and draining allocate nothing in a steady state. One thread owns it.
package final class OutputBatch {
  /// One record to publish.
  package struct Entry {
    /// Ordinal of the output in the product's plan, or ``OutputBatch/quarantine``.
    package var port: Int32
    package var partition: Int32
    /// Kafka's record timestamp: the recorded time, in milliseconds.
    package var timestampMs: Int64
    package var key: Range<Int>
    /// Nil: a tombstone.
    package var value: Range<Int>?
    /// Headers beside the port's constant ones: see ``OutputBatch/headers(of:)``.
    package var headers: Range<Int>
    package var hasKey: Bool

    package init(
      port: Int32, partition: Int32, timestampMs: Int64, key: Range<Int>, value: Range<Int>?,
      headers: Range<Int>, hasKey: Bool
    ) {
      self.port = port
      self.partition = partition
      self.timestampMs = timestampMs
      self.key = key
      self.value = value
      self.headers = headers
      self.hasKey = hasKey
    }
  }

  /// The port number of the quarantine.
  package static let quarantine: Int32 = -1

  package let bytes = ByteBuffer(capacity: 1 << 20)
  /// What was last appended to quarantine, if anything ever was; for people.
  package internal(set) var lastQuarantined: QuarantineNote?
  /// All entries, in order. Makes an array; the hot path asks for one by one.
  package var entries: [Entry] { (0..<count).map { self[$0] } }
  /// One row an entry, see ``append(_:)``.
  private let rows = NumberTable(width: 8, capacity: 1024)

  /// What a batch takes before it asks to be published: a block may come to a thousand times its
  /// own size, as each of its events may show a row of a megabyte.
  package static let bytesMax = 16 << 20
  private let bytesMax: Int

  package init(bytesMax: Int = OutputBatch.bytesMax) { self.bytesMax = bytesMax }

  /// Whether it should be published before more is appended. The last record may lie beyond.
  package var isFull: Bool { bytes.count >= bytesMax }
  package var isEmpty: Bool { rows.count == 0 }
  package var count: Int { rows.count }

  /// The entry at `index`, counted from 0.
  package subscript(index: Int) -> Entry {
    let place = rows[index, 0]
    let valueEnd = Int(rows[index, 5])
    let keyEnd = Int(rows[index, 3])
    return Entry(
      port: Int32(truncatingIfNeeded: place >> 32), partition: Int32(truncatingIfNeeded: place),
      timestampMs: rows[index, 1], key: Int(rows[index, 2])..<keyEnd,
      value: valueEnd < 0 ? nil : Int(rows[index, 4])..<valueEnd,
      headers: Int(rows[index, 6])..<Int(rows[index, 7] >> 1), hasKey: rows[index, 7] & 1 == 1)
  }

  package func append(_ entry: Entry) {
    rows.append(
      Int64(entry.port) << 32 | Int64(UInt32(bitPattern: entry.partition)), entry.timestampMs,
      Int64(entry.key.lowerBound), Int64(entry.key.upperBound),
      Int64(entry.value?.lowerBound ?? 0), Int64(entry.value?.upperBound ?? -1),
      Int64(entry.headers.lowerBound),
      Int64(entry.headers.upperBound) << 1 | (entry.hasKey ? 1 : 0))
  }

  package func clear() {
    rows.truncate(to: 0)
    bytes.clear()
  }

  /// Drops the entries from `entry` on, whose bytes begin at `byte`.
  func truncate(toEntry entry: Int, byte: Int) {
    rows.truncate(to: entry)
    bytes.truncate(to: byte)
  }

  /// Writes one header into the buffer: name and value with their lengths.
  package func appendHeader(_ name: ByteView, _ value: ByteView) {
    bytes.append(varint: UInt64(name.count))
    bytes.append(name)
    bytes.append(varint: UInt64(value.count))
    bytes.append(value)
  }

  /// The headers of `entry`, in order, as ``appendHeader(_:_:)`` wrote them.
  package func headers(of entry: Entry) -> Headers { Headers(bytes[entry.headers]) }

  /// A walk over the headers of one entry; ends with the batch's next append.
  package struct Headers {
    private var reader: ByteReader

    init(_ view: ByteView) { reader = ByteReader(view) }

    /// The next header, nil behind the last one.
    package mutating func next() -> (name: ByteView, value: ByteView)? {
      guard let nameLength = reader.varint(), let name = reader.bytes(Int(nameLength)),
        let valueLength = reader.varint(), let value = reader.bytes(Int(valueLength))
      else { return nil }
      return (name, value)
    }
  }
}
