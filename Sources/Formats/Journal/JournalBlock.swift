import Records

/// A journal block as it is read; it lends its parts as long as its bytes live. Nothing is copied.
///
/// Strict: a block whose length, count or parts do not fit is refused with the place, and no bytes
/// whatever make it trap. Making one checks the header and the positions; entries are checked as
/// they are read, and behind the last one that there are no more.
package struct JournalBlock {
  package let kind: JournalBlockKind
  /// When the product took the events in, in milliseconds since 1970.
  package let recordedMs: Int64
  /// The logic under which they were taken in.
  package let digest: LogicDigest
  /// Entries in the block, as its header says: a walk to the end finds out.
  package let count: Int
  private let entries: ByteView
  private let positions: ByteView
  private let positionCount: Int

  /// Tells the blocks of a partition apart, wherever their bytes lie: from when they are, how many
  /// events they have and where the first one comes from.
  package var tag: UInt64 {
    var hash = UInt64(bitPattern: recordedMs) &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(count)
    for index in 0..<min(entries.count, 32) {
      hash = (hash ^ UInt64(entries[index])) &* 0x100_0000_01B3
    }
    return hash
  }

  package init(_ bytes: ByteView) throws(JournalBlockFailure) {
    if bytes.isEmpty { throw JournalBlockFailure(.truncated, at: 0) }
    if bytes[0] != JournalFormat.version { throw JournalBlockFailure(.unknownVersion, at: 0) }
    var reader = ByteReader(bytes)
    guard reader.byte() != nil, let kindByte = reader.byte(),
      let reserved = reader.littleEndian(UInt16.self),
      let length = reader.littleEndian(UInt32.self),
      let recordedMs = reader.littleEndian(Int64.self),
      let digest = reader.bytes(LogicDigest.byteCount).flatMap({ LogicDigest($0) }),
      let count = reader.littleEndian(UInt32.self),
      let entryBytes = reader.littleEndian(UInt32.self),
      let positionCount = reader.littleEndian(UInt32.self)
    else { throw JournalBlockFailure(.truncated, at: bytes.count) }
    guard let kind = JournalBlockKind(rawValue: kindByte) else {
      throw JournalBlockFailure(.unknownKind, at: 1)
    }
    if reserved != 0 { throw JournalBlockFailure(.unknownFlags, at: 2) }
    if Int(length) != bytes.count {
      throw JournalBlockFailure(.wrongLength, at: JournalFormat.lengthAt)
    }
    guard let entries = reader.bytes(Int(entryBytes)) else {
      throw JournalBlockFailure(.wrongLength, at: JournalFormat.entryBytesAt)
    }
    self.kind = kind
    self.recordedMs = recordedMs
    self.digest = digest
    self.count = Int(count)
    self.entries = entries
    self.positionCount = Int(positionCount)
    positions = bytes.suffix(from: reader.position)
    _ = try readPositions { _ in }
  }

  private func readPositions(_ body: (InputPosition) -> Void) throws(JournalBlockFailure) {
    let start = JournalFormat.headerBytes + entries.count
    var reader = ByteReader(positions)
    for _ in 0..<positionCount {
      guard let input = reader.varint(), let partition = reader.varint(),
        let next = reader.zigzag(), let ordinal = Int32(exactly: input),
        let number = Int32(exactly: partition)
      else { throw JournalBlockFailure(.badNumber, at: start + reader.position) }
      body(
        InputPosition(input: Int(ordinal), partition: Partition(number), next: Offset(next)))
    }
    if reader.left > 0 {
      throw JournalBlockFailure(.trailingBytes, at: start + reader.position)
    }
  }

  /// How far the product had taken its inputs when it sealed the block. Allocates; for recovery.
  package var inputPositions: [InputPosition] {
    var result: [InputPosition] = []
    // The initialiser has read them all.
    try? readPositions { result.append($0) }
    return result
  }

  /// The events in order, whatever the block says of them; one of ticks has none.
  package var events: JournalEvents { JournalEvents(entries, count, kind) }

  /// Whether it is made of events.
  package var hasEvents: Bool { kind == .events || kind == .handed }

  /// The ticks in order, for a block of that kind.
  package var ticks: JournalTicks { JournalTicks(entries, count) }
}

/// A walk over the events of a block:
/// ```
/// var events = block.events
/// while try events.next() { … events.event … }
/// ```
/// What it lends lives as long as the block's bytes; a walk that ends early has checked no further.
/// The event stands in the walk, because returning 300 bytes as an optional costs as much as
/// reading them: 33 ns an event so, 70 otherwise.
package struct JournalEvents {
  /// The event that ``next()`` has read; means nothing before the first and behind the last one.
  package private(set) var event: JournalEvent
  /// What is to be done with it; nil in a block of events.
  package private(set) var control: JournalControl?
  private let hasControls: Bool
  private var reader: ByteReader
  private var left: Int
  private var partition: Int64 = 0
  private var offset: Int64 = 0
  private var seconds: Int64 = 0
  private let isHanded: Bool
  private var origin = JournalOrigin(
    journal: 0, way: 0, partition: Partition(0), position: Position(block: Offset(0), index: 0),
    recordedMs: 0)

  init(_ entries: ByteView, _ count: Int, _ kind: JournalBlockKind) {
    isHanded = kind == .handed
    hasControls = kind == .control
    reader = ByteReader(entries)
    left = count
    event = JournalEvent(input: 0, partition: Partition(0), offset: Offset(0), payload: nil)
  }

  /// Goes to the next event; false behind the last one. Throws where the entry is not an event, or
  /// there are more or fewer of them than the block's header says.
  package mutating func next() throws(JournalBlockFailure) -> Bool {
    if left == 0 {
      if reader.left > 0 { throw failure(.trailingBytes, reader.position) }
      return false
    }
    left -= 1
    guard let length = reader.uint32() else { throw failure(.wrongCount, reader.position) }
    let start = reader.position
    guard let bytes = reader.bytes(Int(length)) else { throw failure(.wrongCount, start) }
    var entry = ByteReader(bytes)
    var hasOrigin = isHanded
    if hasControls {
      guard let control = control(&entry) else { throw failure(.badNumber, start) }
      self.control = control
      hasOrigin = control.action == .releaseHanded
      event.origin = nil
    }
    if hasOrigin && !readOrigin(&entry) { throw failure(.badNumber, start + entry.position) }
    guard let flags = entry.byte() else { throw failure(.truncated, start) }
    if !hasOrigin && flags & JournalFormat.hasCorrection != 0 {
      throw failure(.unknownFlags, start)
    }
    if !readSource(&entry) { throw failure(.badNumber, start + entry.position) }
    event.time = nil
    if flags & JournalFormat.hasTime != 0 {
      guard let time = time(&entry) else { throw failure(.badNumber, start + entry.position) }
      event.time = time
    }
    event.id = try part(&entry, start, flags & JournalFormat.hasId)
    event.key = try part(&entry, start, flags & JournalFormat.hasKey)
    event.headers = try part(&entry, start, flags & JournalFormat.hasHeaders) ?? .empty
    event.identifiers = try part(&entry, start, flags & JournalFormat.hasIdentifiers) ?? .empty
    event.keyReference = try part(&entry, start, flags & JournalFormat.hasKeyReference)
    if flags & JournalFormat.hasCorrection != 0 && !readCorrection(&entry) {
      throw failure(.badNumber, start + entry.position)
    }
    if flags & JournalFormat.hasPayload != 0 {
      event.payload = bytes.suffix(from: entry.position)
    } else {
      event.payload = nil
      if entry.left > 0 { throw failure(.trailingBytes, start + entry.position) }
    }
    return true
  }

  private func control(_ entry: inout ByteReader) -> JournalControl? {
    guard let action = entry.byte().flatMap({ JournalControl.Action(rawValue: $0) }),
      let offset = entry.varint().flatMap({ Int64(exactly: $0) }),
      let identity = entry.varint().flatMap({ Int32(exactly: $0) })
    else { return nil }
    return JournalControl(
      action, Offset(offset), identity: identity == 0 ? nil : Int(identity) - 1)
  }

  private mutating func readSource(_ entry: inout ByteReader) -> Bool {
    guard let input = entry.varint(), let ordinal = Int32(exactly: input),
      let partitionDelta = entry.zigzag(), let offsetDelta = entry.zigzag()
    else { return false }
    partition = partition &+ partitionDelta
    offset = offset &+ offsetDelta
    guard let number = Int32(exactly: partition) else { return false }
    event.input = Int(ordinal)
    event.partition = Partition(number)
    event.offset = Offset(offset)
    return true
  }

  private mutating func readOrigin(_ entry: inout ByteReader) -> Bool {
    guard let journal = entry.varint(), let ordinal = Int32(exactly: journal),
      let way = entry.varint(), let number = Int32(exactly: way),
      let partitionDelta = entry.zigzag(),
      let partition = Int32(exactly: Int64(origin.partition.value) &+ partitionDelta),
      let blockDelta = entry.zigzag(), let index = entry.varint(),
      let place = UInt32(exactly: index), let recordedDelta = entry.zigzag()
    else { return false }
    origin = JournalOrigin(
      journal: Int(ordinal), way: Int(number), partition: Partition(partition),
      position: Position(
        block: Offset(origin.position.block.value &+ blockDelta), index: place),
      recordedMs: origin.recordedMs &+ recordedDelta)
    event.origin = origin
    return true
  }

  private mutating func readCorrection(_ entry: inout ByteReader) -> Bool {
    guard let number = entry.varint(), let round = Int32(exactly: number / 2),
      let recordedMs = entry.zigzag()
    else { return false }
    event.origin?.correction = JournalCorrection(
      round: Int(round), isTakenBack: number % 2 == 1, recordedMs: recordedMs)
    return true
  }

  private mutating func time(_ entry: inout ByteReader) -> Timestamp? {
    guard let delta = entry.zigzag(), let fraction = entry.varint() else { return nil }
    seconds = seconds &+ delta
    if seconds < Timestamp.secondsMin || seconds > Timestamp.secondsMax { return nil }
    let value = fraction >> 2
    let unit: UInt64
    switch fraction & 3 {
    case 1: unit = 1_000_000
    case 2: unit = 1000
    case 3: unit = 1
    default: return nil
    }
    if value >= 1_000_000_000 / unit { return nil }
    return Timestamp(seconds: seconds, nanoseconds: UInt32(value * unit))
  }

  /// The next part of bytes; nil when its flag is not set.
  @inline(__always)
  private func part(_ entry: inout ByteReader, _ start: Int, _ flag: UInt8)
    throws(JournalBlockFailure) -> ByteView?
  {
    if flag == 0 { return nil }
    guard let length = entry.varint(), let count = Int(exactly: length),
      let bytes = entry.bytes(count)
    else { throw failure(.truncated, start + entry.position) }
    return bytes
  }

  private func failure(_ reason: JournalBlockFailure.Reason, _ offset: Int) -> JournalBlockFailure {
    JournalBlockFailure(reason, at: JournalFormat.headerBytes + offset)
  }
}
