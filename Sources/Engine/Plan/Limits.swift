/// Sizes in bytes that the brokers' topics allow; set from their `max.message.bytes`.
///
/// They decide only what ingest takes into the journal and where quarantine cuts an original: what
/// becomes of a journaled event, rows included, does not depend on them. The defaults fit a broker
/// that nobody configured.
package struct Limits: Sendable, Hashable {
  /// The largest record of a journal; an event that fits no block is quarantined as `too-large`. A
  /// topic has to take blocks of 64 KiB in any case: not below 128 KiB.
  package var journalBytesMax = 1_000_000
  /// The largest record of the quarantine; a larger original is kept as beginning, hash and length.
  package var quarantineBytesMax = 1_000_000
  /// The largest record of an output port, with ``PortPlan/overheadBytes``; a larger one breaks the
  /// port's contract, and with it the event. A part of Weft's semantics, as it decides what the
  /// state is: changing it raises the semantics version in the logic digest. Every output topic has
  /// to take it.
  package static let outputBytesMax = 1_000_000
  /// The largest row of a table; an event that would make a larger one is quarantined as
  /// `row-too-large`. A part of Weft's semantics as well.
  package static let rowBytesMax = 1 << 20
  /// What an event that is exploded may become at one port, or change in rows; an event with more
  /// is quarantined as `event-too-large`. A part of Weft's semantics as well.
  package static let eventBytesMax = 16 << 20

  package init() {}

  /// The largest record of a topic whose batches take so many bytes: one in a batch of its own
  /// carries Kafka's framing and our headers.
  package static func recordBytesMax(batchBytes: Int) -> Int {
    max(batchBytes - framingBytes, batchBytes / 2)
  }
  package static let framingBytes = 4096
}
