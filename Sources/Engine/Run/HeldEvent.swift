import Formats
import Records

/// An event that waits, or went out and may be corrected, as it is kept in the state.
struct HeldEvent {
  var event: JournalEvent
  let position: Position
  let recordedMs: Int64
  /// It was counted as held, and by this journal.
  var isCounted = false
  /// It waits for the link of this identity, or has: only that much of it is left to do. Its place
  /// in ``WorkPlan/identities``.
  var identity: Int?
  /// Something has come of it: what is to be taken back by the next link.
  var isOut = false
  /// How often that has been taken back and made anew.
  var round = 0
  /// Of one that is out, for each of ``WorkPlan/ports`` a varint, see ``MadeRecords``.
  var made = ByteView.empty
}

/// Which records of an event stand at a port: none, or those of a round of corrections, of which 0
/// is what it made first; from a number on that they have among the round's at that port. As a
/// number, for rows.
struct MadeRecords: Equatable {
  let code: UInt64

  static let none = MadeRecords(code: 0)

  /// An event makes fewer at a port.
  private static let firstBits: UInt64 = 24

  init(code: UInt64) { self.code = code }
  init(round: Int, first: Int32) {
    code = 1 + (UInt64(round) << MadeRecords.firstBits | UInt64(max(first, 0)))
  }

  var isThere: Bool { code > 0 }
  var round: Int { Int((code &- 1) >> MadeRecords.firstBits) }
  var first: Int32 { Int32(truncatingIfNeeded: (code &- 1) & (1 << MadeRecords.firstBits - 1)) }
}

extension ByteBuffer {
  /// Appends what makes a record's id that of a round of corrections, behind the event's position.
  func append(round: Int) {
    if round == 0 { return }
    append("-c" as StaticString)
    append(decimal: UInt64(round))
  }
}

// MARK: As bytes

private enum HeldFlag {
  static let counted: UInt8 = 1
  static let time: UInt8 = 2
  static let key: UInt8 = 4
  static let payload: UInt8 = 8
  static let out: UInt8 = 16
  static let id: UInt8 = 32
  static let headers: UInt8 = 64
  static let identity: UInt8 = 128
}

extension ByteBuffer {
  func append(_ held: HeldEvent) {
    let event = held.event
    var flags: UInt8 = held.isCounted ? HeldFlag.counted : 0
    if event.time != nil { flags |= HeldFlag.time }
    if event.key != nil { flags |= HeldFlag.key }
    if event.payload != nil { flags |= HeldFlag.payload }
    if event.id != nil { flags |= HeldFlag.id }
    if held.isOut { flags |= HeldFlag.out }
    if !event.headers.isEmpty { flags |= HeldFlag.headers }
    if held.identity != nil { flags |= HeldFlag.identity }
    append(flags)
    append(uint64: UInt64(bitPattern: held.position.block.value))
    append(uint32: held.position.index)
    append(uint64: UInt64(bitPattern: held.recordedMs))
    append(varint: UInt64(event.input))
    append(uint32: UInt32(bitPattern: event.partition.value))
    append(uint64: UInt64(bitPattern: event.offset.value))
    if let identity = held.identity { append(varint: UInt64(identity)) }
    if held.isOut {
      append(varint: UInt64(held.round))
      append(part: held.made)
    }
    if let time = event.time {
      append(uint64: UInt64(bitPattern: time.seconds))
      append(uint32: time.nanoseconds)
    }
    if let key = event.key { append(part: key) }
    if let id = event.id { append(part: id) }
    if !event.headers.isEmpty { append(part: event.headers) }
    if let payload = event.payload { append(payload) }
  }

  /// Bytes with their length in front.
  func append(part bytes: ByteView) {
    append(varint: UInt64(bytes.count))
    append(bytes)
  }

  func append(part bytes: [UInt8]) { ByteView.lending(bytes) { append(part: $0) } }
}

extension ByteReader {
  /// Bytes with their length in front.
  mutating func part() -> ByteView? {
    varint().flatMap { Int(exactly: $0) }.flatMap { bytes($0) }
  }

  /// Reads what ``ByteBuffer/append(_:)`` wrote, to the end of the bytes.
  mutating func heldEvent() -> HeldEvent? {
    guard let flags = byte(), let block = uint64(), let index = uint32(),
      let recorded = uint64(), let input = varint(), let partition = uint32(),
      let offset = uint64()
    else { return nil }
    let event = JournalEvent(
      input: Int(input), partition: Partition(Int32(bitPattern: partition)),
      offset: Offset(Int64(bitPattern: offset)), payload: nil)
    var held = HeldEvent(
      event: event,
      position: Position(block: Offset(Int64(bitPattern: block)), index: index),
      recordedMs: Int64(bitPattern: recorded))
    held.isCounted = flags & HeldFlag.counted != 0
    if flags & HeldFlag.identity != 0 {
      guard let identity = varint() else { return nil }
      held.identity = Int(truncatingIfNeeded: identity)
    }
    if flags & HeldFlag.out != 0 {
      guard let round = varint(), let made = part() else { return nil }
      held.isOut = true
      held.round = Int(truncatingIfNeeded: round)
      held.made = made
    }
    if flags & HeldFlag.time != 0 {
      guard let seconds = uint64(), let nanoseconds = uint32() else { return nil }
      held.event.time = Timestamp(seconds: Int64(bitPattern: seconds), nanoseconds: nanoseconds)
    }
    if flags & HeldFlag.key != 0 {
      guard let key = part() else { return nil }
      held.event.key = key
    }
    if flags & HeldFlag.id != 0 {
      guard let id = part() else { return nil }
      held.event.id = id
    }
    if flags & HeldFlag.headers != 0 {
      guard let headers = part() else { return nil }
      held.event.headers = headers
    }
    if flags & HeldFlag.payload != 0 { held.event.payload = bytes(left) }
    return held
  }
}
