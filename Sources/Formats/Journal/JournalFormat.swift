import Records

/// The layout of a journal block, version 1. All numbers are little-endian; a varint is LEB128, a
/// zigzag a signed one.
///
/// ```
/// 0   version        u8   1
/// 1   kind           u8   1 events, 2 ticks, 3 control, 4 handed events
/// 2   reserved       u16  0
/// 4   total length   u32  of the whole block
/// 8   recorded time  i64  milliseconds since 1970
/// 16  logic digest   32 bytes
/// 48  entry count    u32
/// 52  entry bytes    u32
/// 56  position count u32
/// 60  entries        each: length u32, then as many bytes
///     positions      each: input varint, partition varint, next offset zigzag
/// ```
/// An entry of a block of control records begins with what is to be done with a quarantined event
/// (``JournalControl``), and goes on with the event:
/// ```
/// action u8 · quarantine offset varint · identity varint (0: all of the event; else ordinal + 1)
/// [where the other journal has it, if the action is to release a handed event]
/// ```
/// An entry of a block of events:
/// ```
/// flags u8 · input varint · partition zigzag delta · offset zigzag delta
/// [seconds zigzag delta · fraction varint] [id] [key] [headers] [identifiers] [key reference]
/// [correction: twice its round, and 1 if it takes back, varint · recorded time zigzag]
/// payload: what is left
/// ```
/// An entry of a block of handed events, which apply of another journal has written, begins with
/// where that journal has the event, and goes on as one of a block of events:
/// ```
/// journal varint · way varint · partition zigzag delta · block zigzag delta · index varint ·
/// recorded time zigzag delta
/// ```
/// Resolved identifiers are, one after another: number varint, length varint, global id. Each event
/// keeps the recorded time it was taken in at; that of its block is the other journal's when the
/// block was written.
///
/// An entry of a block of ticks:
/// ```
/// flags u8 · input varint · partition varint · [shown zigzag, milliseconds since 1970]
/// ```
/// Parts in brackets are there when their flag is set; a part of bytes has its length as a varint
/// in front. Deltas are against the entry before (the first against 0; the seconds against the last
/// entry that had a time). A fraction is a number of its unit shifted by two bits: 1 milliseconds,
/// 2 microseconds, 3 nanoseconds. The positions stand at the end, so that a block is built in
/// place: they and the header are known last.
enum JournalFormat {
  static let version: UInt8 = 1
  static let headerBytes = 60
  static let lengthAt = 4
  static let recordedAt = 8
  static let digestAt = 16
  static let entryCountAt = 48
  static let entryBytesAt = 52
  static let positionCountAt = 56

  static let hasTime: UInt8 = 1
  static let hasId: UInt8 = 2
  static let hasKey: UInt8 = 4
  /// Without it the payload is null; with it and no bytes, it is empty.
  static let hasPayload: UInt8 = 8
  static let hasHeaders: UInt8 = 16
  static let hasIdentifiers: UInt8 = 32
  static let hasKeyReference: UInt8 = 64
  /// Of a handed event alone.
  static let hasCorrection: UInt8 = 128

  /// What an entry takes at most beside its parts of bytes: length, flags, seven varints for source
  /// and time, five lengths.
  static let entryOverheadMax = 4 + 1 + 3 * 10 + 2 * 10 + 5 * 10
  /// The same of what a handed event has in front.
  static let originBytesMax = 8 * 10
  /// What an entry of a control block takes more: an action and two varints.
  static let controlBytesMax = 1 + 2 * 10
}

/// What an operator wants done with a quarantined event: what a control entry says beside the event
/// itself, which it carries so that apply needs nothing but the journal.
package struct JournalControl: Sendable, Hashable {
  package enum Action: UInt8, Sendable, Hashable {
    /// It was never journaled, as it had no key: it comes now, as a new event does.
    case admit = 1
    /// It was journaled, and apply has quarantined it: it is applied again.
    case release = 2
    /// It stays out for good.
    case discard = 3
    /// As release, of an event that another journal has handed on: the entry says where that has
    /// it, as one of a block of handed events does.
    case releaseHanded = 4
  }

  package let action: Action
  /// Where it lies in the quarantine topic, which has one partition.
  package let quarantine: Offset
  /// It had waited for the link of this identity, and all else that comes of it was applied before:
  /// only what waited is; nil: all of it.
  package let identity: Int?

  package init(_ action: Action, _ quarantine: Offset, identity: Int? = nil) {
    self.action = action
    self.quarantine = quarantine
    self.identity = identity
  }
}

/// What the entries of a block are.
package enum JournalBlockKind: UInt8, Sendable, Hashable {
  case events = 1
  case ticks = 2
  case control = 3
  /// Events that apply of another journal has handed on.
  case handed = 4
}

/// Where a chained journal has an event from: its place in the journal whose apply handed it on.
package struct JournalOrigin: Sendable, Hashable {
  /// Ordinal of that journal in the product.
  package var journal: Int
  /// Which of the ways it came in which events of its type are identified.
  package var way: Int
  package var partition: Partition
  package var position: Position
  /// When the product took the event in, in milliseconds since 1970.
  package var recordedMs: Int64
  /// It was handed on before, as of somebody else; nil: for the first time.
  package var correction: JournalCorrection?

  package init(
    journal: Int, way: Int, partition: Partition, position: Position, recordedMs: Int64,
    correction: JournalCorrection? = nil
  ) {
    self.correction = correction
    self.journal = journal
    self.way = way
    self.partition = partition
    self.position = position
    self.recordedMs = recordedMs
  }
}

/// Of an event that is handed on again, as its link has come or changed: that it takes back what
/// was handed on, or says it anew.
package struct JournalCorrection: Sendable, Hashable {
  /// Of what it takes back, or says: 0 for what was handed on first, and one more each time.
  package var round: Int
  package var isTakenBack: Bool
  /// Of the link, in milliseconds since 1970.
  package var recordedMs: Int64

  package init(round: Int, isTakenBack: Bool, recordedMs: Int64) {
    self.round = round
    self.isTakenBack = isTakenBack
    self.recordedMs = recordedMs
  }
}

/// How far an input was taken: the offset of the record after the last one that is journaled.
package struct InputPosition: Sendable, Hashable {
  /// Ordinal of the input in the product.
  package let input: Int
  package let partition: Partition
  package let next: Offset

  package init(input: Int, partition: Partition, next: Offset) {
    self.input = input
    self.partition = partition
    self.next = next
  }
}

/// One accepted event of a journal block. Its bytes are views: written from where they lie, and
/// read as parts of the block, which they live as long as.
package struct JournalEvent {
  /// Ordinal of the input in the product.
  package var input: Int
  /// Where the event came from.
  package var partition: Partition
  package var offset: Offset
  /// The actual time; nil where the input declares none.
  package var time: Timestamp?
  /// The event id; nil where the input declares none. Of an input whose records may be taken back
  /// the `ce_id` of the record that the event is, or takes back.
  package var id: ByteView?
  /// The key of the input record, as it came.
  package var key: ByteView?
  /// The declared headers, written by ``ByteBuffer/appendJournalHeader(_:_:)`` one after another
  /// and read by ``JournalHeaders``. Empty when there are none.
  package var headers: ByteView
  /// The resolved identifiers, written by ``ByteBuffer/appendJournalIdentifier(_:_:)`` and read by
  /// ``JournalIdentifiers``; empty when there are none.
  package var identifiers: ByteView
  /// Names the key under which the payload is encrypted; nil: it is not.
  package var keyReference: ByteView?
  /// The value of the input record as it came; nil is null (a tombstone), which is not empty.
  package var payload: ByteView?
  /// Of a handed event, and only there: where it was before.
  package var origin: JournalOrigin?

  package init(
    input: Int, partition: Partition, offset: Offset, time: Timestamp? = nil, id: ByteView? = nil,
    key: ByteView? = nil, headers: ByteView = .empty, identifiers: ByteView = .empty,
    keyReference: ByteView? = nil, payload: ByteView?, origin: JournalOrigin? = nil
  ) {
    self.origin = origin
    self.input = input
    self.partition = partition
    self.offset = offset
    self.time = time
    self.id = id
    self.key = key
    self.headers = headers
    self.identifiers = identifiers
    self.keyReference = keyReference
    self.payload = payload
  }

  /// What a handed event takes more at most, beside its identifiers.
  package static var originBytesMax: Int { JournalFormat.originBytesMax + 20 }

  /// What an entry of this event takes at most.
  package var bytesMax: Int {
    JournalFormat.entryOverheadMax + (origin == nil ? 0 : JournalFormat.originBytesMax)
      + (id?.count ?? 0) + (key?.count ?? 0) + headers.count + identifiers.count
      + (keyReference?.count ?? 0) + (payload?.count ?? 0)
  }
}

/// Why bytes are no journal block. The journal is ours alone, so the reaction is to stop the
/// product and name the block's position: it is never skipped.
package struct JournalBlockFailure: Error, Hashable, Sendable {
  package enum Reason: UInt8, Hashable, Sendable {
    case unknownVersion, unknownKind, wrongLength, wrongCount, truncated, badNumber, unknownFlags
    case trailingBytes
  }

  package let reason: Reason
  /// Where in the block, in bytes from 0.
  package let offset: Int

  package init(_ reason: Reason, at offset: Int) {
    self.reason = reason
    self.offset = offset
  }

  package var message: StaticString {
    switch reason {
    case .unknownVersion: "the block's version is not one this Weft can read"
    case .unknownKind: "the block's kind is not one this Weft can read"
    case .wrongLength: "the block's length is not the one written in it"
    case .wrongCount: "the block's entries are not as many as its header says"
    case .truncated: "the block ends inside an entry"
    case .badNumber: "a number in the block is out of its range"
    case .unknownFlags: "an event in the block has parts this Weft cannot read"
    case .trailingBytes: "bytes are left over behind an entry or the block"
    }
  }
}
