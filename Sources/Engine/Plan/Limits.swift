/// Sizes in bytes that the brokers' topics allow; set from their `max.message.bytes`.
///
/// They decide only where an over-large record ends (in quarantine, whole or cut), so a product's
/// other output does not depend on them. The defaults fit a broker that nobody configured.
package struct Limits: Sendable, Hashable {
  /// The largest record of a journal; an event that fits no block is quarantined as `too-large`. A
  /// topic has to take blocks of 64 KiB in any case: not below 128 KiB.
  package var journalBytesMax = 1_000_000
  /// The largest record of the quarantine; a larger original is kept as beginning, hash and length.
  package var quarantineBytesMax = 1_000_000
  /// The largest record of an output port; a larger one breaks the port's contract.
  package var outputBytesMax = 1_000_000

  package init() {}
}
