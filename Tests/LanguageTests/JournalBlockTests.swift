import Formats
import Records
import Testing

/// Journal blocks, written and read; and whatever bytes, no trap.
struct JournalBlockTests {
  /// An event that owns its bytes, to compare with.
  private struct Owned: Equatable {
    var input = 0
    var partition: Int32 = 0
    var offset: Int64 = 0
    var time: Timestamp?
    var id: [UInt8]?
    var key: [UInt8]?
    var headers: [UInt8] = []
    var identifiers: [UInt8] = []
    var keyReference: [UInt8]?
    var payload: [UInt8]?

    init() {}
    init(_ event: JournalEvent) {
      input = event.input
      partition = event.partition.value
      offset = event.offset.value
      time = event.time
      id = event.id?.copied()
      key = event.key?.copied()
      headers = event.headers.copied()
      identifiers = event.identifiers.copied()
      keyReference = event.keyReference?.copied()
      payload = event.payload?.copied()
    }

    func event(in arena: Arena) -> JournalEvent {
      func lend(_ bytes: [UInt8]) -> ByteView { ByteView.lending(bytes) { arena.copy($0) } }
      return JournalEvent(
        input: input, partition: Partition(partition), offset: Offset(offset), time: time,
        id: id.map(lend), key: key.map(lend), headers: lend(headers),
        identifiers: lend(identifiers),
        keyReference: keyReference.map(lend), payload: payload.map(lend))
    }
  }

  private let digest =
    LogicDigest(
      hexadecimal: StaticString(
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
      ).view) ?? .none
  private let positions = [
    InputPosition(input: 0, partition: Partition(3), next: Offset(1001)),
    InputPosition(input: 2, partition: Partition(0), next: Offset(1 << 40)),
  ]

  private var samples: [Owned] {
    var all = Owned()
    all.input = 300
    all.partition = 7
    all.offset = 1 << 50
    all.time = Timestamp(seconds: -1, nanoseconds: 123_456_789)
    all.id = Array("e-1".utf8)
    all.key = Array("claim-1".utf8)
    all.headers = [1, 2, 3]
    all.identifiers = [4]
    all.keyReference = [9, 9]
    all.payload = Array("{\"a\":1}".utf8)
    var bare = Owned()
    bare.payload = nil
    var empty = Owned()
    empty.offset = 5
    empty.id = []
    empty.key = []
    empty.payload = []
    var early = Owned()
    early.offset = 4
    early.time = Timestamp(seconds: Timestamp.secondsMin, nanoseconds: 999_000_000)
    var late = Owned()
    late.partition = .max
    late.offset = .max
    late.time = Timestamp(seconds: Timestamp.secondsMax, nanoseconds: 999_999_000)
    return [all, bare, empty, early, late, bare]
  }

  private func sealed(_ events: [Owned]) -> [UInt8] {
    let builder = JournalBlockBuilder()
    let arena = Arena()
    for event in events { #expect(builder.append(event.event(in: arena)) == .appended) }
    return builder.seal(recordedMs: -5, digest: digest, inputPositions: positions).copied()
  }

  private func read(_ bytes: [UInt8]) throws(JournalBlockFailure) -> [Owned] {
    let result = ByteView.lending(bytes) { view in
      Result { () throws(JournalBlockFailure) -> [Owned] in
        let block = try JournalBlock(view)
        var found: [Owned] = []
        var events = block.events
        while try events.next() { found.append(Owned(events.event)) }
        return found
      }
    }
    return try result.get()
  }

  @Test func `events come back as they were, null and empty told apart`() throws {
    let bytes = sealed(samples)
    let found = try read(bytes)
    #expect(found.count == samples.count)
    for (event, sample) in zip(found, samples) { #expect(event == sample) }
    try ByteView.lending(bytes) { view in
      let block = try JournalBlock(view)
      #expect(block.kind == .events)
      #expect(block.recordedMs == -5)
      #expect(block.digest == digest)
      #expect(block.count == samples.count)
      #expect(block.inputPositions == positions)
    }
  }

  @Test func `handed events come back with where they were and what they are known by`() throws {
    let builder = JournalBlockBuilder(kind: .handed)
    let identifiers = ByteBuffer(capacity: 64)
    ByteView.lending(Array("P1".utf8)) { identifiers.appendJournalIdentifier(3, $0) }
    let origins = [
      JournalOrigin(
        journal: 1, way: 2, partition: Partition(7),
        position: Position(block: Offset(1 << 40), index: 999), recordedMs: 1_700_000_000_000),
      JournalOrigin(
        journal: 0, way: 0, partition: Partition(0),
        position: Position(block: Offset(0), index: 0), recordedMs: -1),
      JournalOrigin(
        journal: 0, way: 0, partition: Partition(0),
        position: Position(block: Offset(3), index: 1), recordedMs: 5,
        correction: JournalCorrection(round: 0, isTakenBack: true, recordedMs: 7)),
      JournalOrigin(
        journal: 0, way: 0, partition: Partition(0),
        position: Position(block: Offset(3), index: 1), recordedMs: 5,
        correction: JournalCorrection(round: 1 << 30, isTakenBack: false, recordedMs: -7)),
    ]
    for origin in origins {
      #expect(
        builder.append(
          JournalEvent(
            input: 1, partition: Partition(2), offset: Offset(3), identifiers: identifiers.view,
            payload: nil, origin: origin)) == .appended)
    }
    let block = try JournalBlock(builder.seal(recordedMs: 5, digest: digest, inputPositions: []))
    #expect(block.kind == .handed && block.hasEvents && block.inputPositions.isEmpty)
    var events = block.events
    var found: [JournalOrigin?] = []
    while try events.next() {
      found.append(events.event.origin)
      var known = JournalIdentifiers(events.event.identifiers)
      let first = known.next()
      let second = known.next()
      #expect(first?.identifier == 3 && first?.global.text == "P1" && second == nil)
    }
    #expect(found == origins)
  }

  @Test func `control records come back with their events`() throws {
    let builder = JournalBlockBuilder(kind: .control)
    let arena = Arena()
    let controls = [
      JournalControl(.release, Offset(1 << 60)), JournalControl(.discard, Offset(0)),
      JournalControl(.release, Offset(7), identity: 0), JournalControl(.admit, Offset(1)),
      JournalControl(.release, Offset(8), identity: 63), JournalControl(.discard, Offset(2)),
    ]
    for (control, event) in zip(controls, samples) {
      #expect(builder.append(control, event.event(in: arena)) == .appended)
    }
    let bytes = builder.seal(recordedMs: 5, digest: digest, inputPositions: []).copied()
    try ByteView.lending(bytes) { view in
      let block = try JournalBlock(view)
      #expect(block.kind == .control)
      var events = block.events
      for (control, sample) in zip(controls, samples) {
        #expect(try events.next())
        #expect(events.control == control)
        #expect(Owned(events.event) == sample)
      }
      #expect(try !events.next())
    }
    for place in 64..<68 {
      var broken = bytes
      broken[place] = 0xFF
      _ = try? read(broken)
    }
    var unknown = bytes
    unknown[64] = 9
    #expect(throws: JournalBlockFailure(.badNumber, at: 64)) { try read(unknown) }
  }

  @Test(arguments: [Int64.max, .min, 300_000_000_000, -62_135_596_801])
  func `whatever time is written can be read`(seconds: Int64) throws {
    var event = Owned()
    event.time = Timestamp(seconds: seconds, nanoseconds: 1)
    let end = seconds < 0 ? Timestamp.secondsMin : Timestamp.secondsMax
    #expect(try read(sealed([event])).map(\.time?.seconds) == [end])
  }

  @Test func `a block without events carries positions`() throws {
    let bytes = sealed([])
    #expect(try read(bytes) == [])
    #expect(try ByteView.lending(bytes) { try JournalBlock($0).inputPositions } == positions)
  }

  @Test func `a builder asks to be sealed at its limits and takes the event into the next block`() {
    let builder = JournalBlockBuilder()
    let arena = Arena()
    var small = Owned()
    small.payload = []
    for _ in 0..<JournalBlockBuilder.eventsLimit {
      #expect(builder.append(small.event(in: arena)) == .appended)
    }
    #expect(builder.append(small.event(in: arena)) == .sealFirst)
    #expect(builder.count == JournalBlockBuilder.eventsLimit)
    builder.reset()
    var half = Owned()
    half.payload = [UInt8](repeating: 1, count: JournalBlockBuilder.bytesLimit / 2 + 1)
    #expect(builder.append(half.event(in: arena)) == .appended)
    #expect(builder.append(half.event(in: arena)) == .sealFirst)
    #expect(builder.seal(recordedMs: 1, digest: digest, inputPositions: []).count < 64 * 1024)
    builder.reset()
    var huge = Owned()
    huge.payload = [UInt8](repeating: 2, count: 5_000_000)
    #expect(builder.append(huge.event(in: arena)) == .appended)
    #expect(builder.append(small.event(in: arena)) == .sealFirst)
    let bytes = builder.seal(recordedMs: 1, digest: digest, inputPositions: []).copied()
    #expect((try? read(bytes)) == [huge])
  }

  @Test func `a block that does not fit is refused with its place`() {
    let bytes = sealed(samples)
    func failure(_ change: (inout [UInt8]) -> Void) -> JournalBlockFailure? {
      var broken = bytes
      change(&broken)
      do { _ = try read(broken) } catch { return error }
      return nil
    }
    #expect(failure { $0 = [] } == JournalBlockFailure(.truncated, at: 0))
    #expect(failure { $0[0] = 2 } == JournalBlockFailure(.unknownVersion, at: 0))
    #expect(failure { $0[1] = 0 } == JournalBlockFailure(.unknownKind, at: 1))
    #expect(failure { $0[2] = 1 } == JournalBlockFailure(.unknownFlags, at: 2))
    #expect(failure { $0.append(0) } == JournalBlockFailure(.wrongLength, at: 4))
    #expect(failure { $0.removeLast() } == JournalBlockFailure(.wrongLength, at: 4))
    #expect(failure { $0 = Array($0.prefix(30)) }?.reason == .truncated)
    #expect(failure { $0[48] += 1 }?.reason == .wrongCount)
    #expect(failure { $0[48] -= 1 }?.reason == .trailingBytes)
    #expect(failure { $0[55] = 1 } == JournalBlockFailure(.wrongLength, at: 52))
    #expect(failure { $0[56] += 1 }?.reason == .badNumber)
    #expect(failure { $0[56] -= 1 }?.reason == .trailingBytes)
    #expect(failure { $0[64] |= 128 } == JournalBlockFailure(.unknownFlags, at: 64))
  }

  @Test func `no bytes whatever make the reader trap`() {
    var state: UInt64 = 0x1234_5678_9ABC_DEF1
    func random(_ bound: Int) -> Int {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Int(state % UInt64(bound))
    }
    let good = sealed(samples)
    var refused = 0
    for _ in 0..<60_000 {
      var bytes = good
      switch random(4) {
      case 0: bytes = (0..<random(200)).map { _ in UInt8(random(256)) }
      case 1: bytes.removeLast(random(bytes.count))
      case 2: for _ in 0...random(4) { bytes[random(bytes.count)] = UInt8(random(256)) }
      default: bytes[60 + random(bytes.count - 60)] = [0, 1, 127, 128, 255][random(5)]
      }
      if bytes.count >= 8 && random(2) == 0 {
        bytes[0] = 1
        bytes[1] = random(2) == 0 ? 1 : 3
        bytes[2] = 0
        bytes[3] = 0
        for place in 0..<4 { bytes[4 + place] = UInt8(bytes.count >> (8 * place) & 255) }
      }
      if (try? read(bytes)) == nil { refused += 1 }
      _ = ByteView.lending(bytes) { try? JournalBlock($0).inputPositions }
      ByteView.lending(bytes) { view in
        var headers = JournalHeaders(view)
        while headers.next() != nil {}
      }
    }
    #expect(refused > 20_000)
  }

  @Test func `declared headers are read as they were written`() {
    let region = ByteBuffer()
    region.appendJournalHeader(StaticString("a").view, StaticString("1").view)
    region.appendJournalHeader(StaticString("b").view, nil)
    region.appendJournalHeader(StaticString("").view, .empty)
    var headers = JournalHeaders(region.view)
    var found: [String] = []
    while let (name, value) = headers.next() {
      found.append("\(name.text)=\(value?.text ?? "null")")
    }
    #expect(found == ["a=1", "b=null", "="])
    #expect(headers.isWhole)
    var cut = JournalHeaders(region.view.prefix(region.count - 1))
    while cut.next() != nil {}
    #expect(!cut.isWhole)
  }
}
