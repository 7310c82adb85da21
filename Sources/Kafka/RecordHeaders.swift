import CRdKafka
import Records

/// A list of headers that is being built for one record, or a template for many.
///
/// Build what is constant for a port once, and for each record take a ``copy()`` and add what
/// varies: copying costs less than building (rule 14). Producing consumes it.
@safe package struct RecordHeaders: ~Copyable {
  private let raw: OpaquePointer

  /// - Parameter capacity: how many headers are expected.
  package init(capacity: Int = 8) { unsafe raw = rd_kafka_headers_new(capacity) }

  private init(taking raw: OpaquePointer) { unsafe self.raw = raw }

  deinit { unsafe rd_kafka_headers_destroy(raw) }

  package var count: Int { unsafe Int(rd_kafka_header_cnt(raw)) }

  /// Adds a header; name and value are copied. A nil value is null, not empty.
  package func add(_ name: ByteView, _ value: ByteView?) {
    let characters = unsafe UnsafeRawPointer(name.pointer).assumingMemoryBound(to: CChar.self)
    if let value {
      unsafe rd_kafka_header_add(raw, characters, name.count, value.pointer, value.count)
    } else {
      unsafe rd_kafka_header_add(raw, characters, name.count, nil, 0)
    }
  }

  package func add(_ name: StaticString, _ value: ByteView?) { add(name.view, value) }

  /// Reads what was added so far; lives as long as the list.
  package borrowing func reader() -> HeaderReader { unsafe HeaderReader(list: raw) }

  /// A list of its own with the same headers.
  package borrowing func copy() -> RecordHeaders {
    unsafe RecordHeaders(taking: rd_kafka_headers_copy(raw))
  }

  /// Gives the list away: whoever takes it must hand it to librdkafka or destroy it.
  consuming func take() -> OpaquePointer {
    let list = unsafe raw
    discard self
    return unsafe list
  }
}
