import Expressions
import Formats
import Records
import State

/// The memory that a product's programs work in: one a plan, used for one record at a time.
final class Workbench {
  let arena = Arena()
  /// Over the document of the record at hand.
  let frame: Frame
  /// Over the row at hand.
  let rowFrame: Frame
  /// The slots of the two frames, which live as long as these.
  let slots: ValueRun
  let rowSlots: ValueRun
  let decoder: JSONShapeReader
  private let tape: JSONTape
  /// Keys and ids of the record at hand.
  let keys = ByteBuffer(capacity: 1024)
  /// Rows of the record at hand, before they are put into the state; and ids, for a moment.
  let rows = ByteBuffer(capacity: 4096)
  /// A document made of a key.
  let document = ByteBuffer(capacity: 256)
  /// Takes what silent re-apply makes.
  let discarded = OutputBatch()
  let headers: HeaderWriter
  /// Whether the document read last is as its contract says.
  private(set) var keepsContract = true
  /// Why the record at hand cannot go on; made only then.
  private var faultNow: RunFault?
  /// Why the record at hand comes too late for something; all else of it counts.
  private(set) var lateness: RunFault?
  /// By place in the work's identities, a bit each: those without a link, and of these the ones for
  /// whose link the event has to wait, as a branch has asked for them.
  var unmapped: UInt64 = 0
  private(set) var held: UInt64 = 0
  static let identitiesMax = 64
  /// Of the work's identities, a bit each: those that a branch of the record at hand has passed,
  /// with a link or without one.
  private(set) var passed: UInt64 = 0
  /// What stands at each port of an event that may be taken back: ``HeldEvent/made``.
  let made = ByteBuffer(capacity: 64)
  /// Only branches of this identity are gone through; −1: all. Set for an event that is released or
  /// was handed on.
  var onlyIdentity = -1

  /// Where rows are looked up; set while a block is applied.
  var state: PartitionState?
  /// The lists that the event at hand is being made many by.
  var exploding: Exploding

  init(eventSlots: Int, rowSlotCount: Int, ports: Int, entriesMax: Int) {
    exploding = Exploding(max: entriesMax)
    headers = HeaderWriter(ports: ports)
    frame = Frame(slots: Slots(count: eventSlots), arena: arena)
    rowFrame = Frame(slots: Slots(count: rowSlotCount), arena: arena)
    slots = frame.slots.run
    rowSlots = rowFrame.slots.run
    decoder = JSONShapeReader(slots: slots, arena: arena)
    tape = decoder.tape
    slots[Variable.source] = .object(slots[Variable.sourceTopic..<Variable.source])
    slots[Variable.window] = .object(slots[Variable.windowStart..<Variable.window])
  }

  func fail(_ fault: RunFault) { faultNow = fault }

  /// The record at hand comes too late for something, of which the first is told.
  func noteLate(_ fault: RunFault) { if lateness == nil { lateness = fault } }

  /// The fault that made a step answer `failed`.
  func takeFault() -> RunFault {
    defer { faultNow = nil }
    return faultNow
      ?? RunFault(reason: "internal", message: "a step failed without a reason", place: "")
  }

  /// A new record is at hand: what was made for the last one is taken back. No part of its callers,
  /// in which its objects would be counted (README.md, "References").
  @inline(never)
  func begin() {
    arena.reset()
    keys.clear()
    headers.begin()
    held = 0
    if lateness != nil { lateness = nil }
    onlyIdentity = -1
    passed = 0
  }

  // MARK: Documents

  /// What ``read(_:of:_:)`` gives for a record that failed.
  static let failed = -1

  /// How much of a document is read: what ingest needs (keys, id, time), or all of it.
  enum Extent { case intake, whole }

  /// Reads the value of a record into slots and gives the ordinal of its event type. Whether the
  /// document is as its contract says is ``keepsContract``; of a type that nothing wants to know
  /// about, it is only found out whether it is JSON.
  ///
  /// Nearly every document goes straight from its bytes into the slots; one that does not is
  /// scanned to a tape, which tells what is the matter with it.
  func read(_ value: ByteView?, of input: InputPlan, _ extent: Extent) -> Int {
    guard let value else {
      fail(RunFault(reason: "null-value", message: "the record has no value", place: ""))
      return Workbench.failed
    }
    if value.isEmpty {
      fail(RunFault(reason: "empty-value", message: "the record's value is empty", place: ""))
      return Workbench.failed
    }
    keepsContract = true
    let guess = input.isDiscriminatorSeen ? guessType(value, input) : -1
    if guess >= 0, input.events.lend(guess, { readAtOnce(value, $0, extent) }) { return guess }
    if let failure = tape.parse(value) {
      fail(RunFault(failure))
      return Workbench.failed
    }
    let number = input.discriminator.isEmpty ? 0 : discriminate(input)
    if number >= 0 { input.events.lend(number) { readOverTape($0, extent) } }
    return number
  }

  @inline(__always)
  private func readAtOnce(_ value: ByteView, _ event: EventPlan, _ extent: Extent) -> Bool {
    switch extent {
    case .intake: event.isTaken && decoder.readAtOnce(value, event.intakeShape)
    case .whole: event.isRead && decoder.readAtOnce(value, event.decodeShape)
    }
  }

  private func readOverTape(_ event: EventPlan, _ extent: Extent) {
    switch extent {
    case .intake: if event.isTaken { keepsContract = decoder.read(event.intakeShape) }
    case .whole: if event.isRead { keepsContract = decoder.read(event.decodeShape) }
    }
  }

  /// The event type that a document's first member of the discriminator's name says; −1: it is not
  /// plain to see.
  private func guessType(_ value: ByteView, _ input: InputPlan) -> Int {
    if input.discriminator.isEmpty { return 0 }
    guard let name = decoder.text(ofMember: input.discriminator[0].view, in: value)
    else { return -1 }
    return type(named: name, input)
  }

  private func type(named name: ByteView, _ input: InputPlan) -> Int {
    for index in input.events.indices where input.events[index].name.view == name {
      return index
    }
    return -1
  }

  private func discriminate(_ input: InputPlan) -> Int {
    var node = 0
    for index in input.discriminator.indices {
      guard let next = tape.member(of: node, named: input.discriminator[index].view) else {
        return failType(input, "the document has no field `\(input.discriminatorName)`")
      }
      node = next
    }
    if tape.kind(at: node) != .string {
      return failType(input, "`\(input.discriminatorName)` is no string")
    }
    let name = tape.string(at: node, into: arena)
    let number = type(named: name, input)
    if number >= 0 { return number }
    let given = RunFault.shortened(name)
    return failType(
      input, "`\(input.discriminatorName)` is \"\(given)\", which is no event type of this input")
  }

  private func failType(_ input: InputPlan, _ message: String) -> Int {
    fail(
      RunFault(reason: "unknown-type", message: message, place: "$.\(input.discriminatorName)"))
    return Workbench.failed
  }

  /// Fails with the fault that decoding found.
  func failContract(_ event: EventPlan) {
    fail(RunFault(decoder.fault, event.decode, decoder.tape))
  }

  /// A key is missing in a document that ingest has read: says so with the fault that may be why.
  func explainMissingKey(_ document: DecodePlan) {
    let found = takeFault()
    if decoder.fault.reason == .none {
      fail(RunFault(reason: "missing-key", message: found.message, place: found.place))
      return
    }
    let cause = RunFault(decoder.fault, document, decoder.tape)
    fail(
      RunFault(
        reason: "missing-key", message: "\(found.message): \(cause.message)", place: cause.place))
  }

  /// Fails when an actual time lies too far ahead of the recorded time.
  @inline(__always)
  func isDue(_ time: Timestamp, recordedMs: Int64, futureMsMax: Int64) -> Bool {
    if time.milliseconds &- recordedMs <= futureMsMax { return true }
    failFuture(time, recordedMs)
    return false
  }

  private func failFuture(_ time: Timestamp, _ recordedMs: Int64) {
    let recorded = Timestamp(milliseconds: recordedMs)
    fail(
      RunFault(
        reason: "future",
        message: "the actual time \(time) lies too far ahead of the recorded time \(recorded)",
        place: ""))
  }

  /// Sets the variables that do not come from the document.
  @inline(__always)
  func setVariables(
    time: Timestamp, recordedMs: Int64, key: ByteView?, topic: ByteView, partition: Partition,
    offset: Offset
  ) {
    let recorded = Value.timestamp(Timestamp(milliseconds: recordedMs))
    slots[Variable.time] = .timestamp(time)
    slots[Variable.recorded] = recorded
    slots[Variable.now] = recorded
    slots[Variable.key] = key.map { .string($0) } ?? .absent
    slots[Variable.sourceTopic] = .string(topic)
    slots[Variable.sourcePartition] = .int(Int64(partition.value))
    slots[Variable.sourceOffset] = .int(offset.value)
  }

  // MARK: Steps

  /// `held`: it goes on when a link comes.
  enum Way { case on, out, failed, held }

  /// Evaluates a condition; absent counts as false.
  @inline(__always)
  func test(_ condition: Term, _ frame: Frame) -> Way {
    let value = condition.evaluate(frame)
    if value.kind == .bool { return value.bool ? .on : .out }
    if value.isError {
      fail(condition.fault(value))
      return .failed
    }
    return .out
  }

  /// Takes the record at hand through the steps of a stream. After `.on` it may come out of them
  /// once more: see ``followNext(_:)``.
  @inline(__always)
  func follow(_ branch: BranchPlan) -> Way {
    if onlyIdentity >= 0 && branch.identity != onlyIdentity { return .out }
    return branch.explodes ? followExploding(branch) : follow(branch, from: 0)
  }

  /// The rest of a stream's steps, from the one at `first` on.
  @inline(__always)
  func follow(_ branch: BranchPlan, from first: Int) -> Way {
    for index in first..<branch.steps.count {
      let kind = branch.steps[index].kind
      if kind == .filter {
        let way = test(branch.steps[index].term, frame)
        if way != .on { return way }
        continue
      }
      if kind == .identify {
        let bit: UInt64 = 1 << UInt64(branch.identity)
        if unmapped & bit == 0 {
          passed |= bit
          continue
        }
        let way = wait(branch)
        if way != .on { return way }
        continue
      }
      if kind == .lookup {
        if !lookUp(branch, index) { return .failed }
        continue
      }
      let value = branch.steps[index].term.evaluate(frame)
      if value.isError {
        fail(branch.steps[index].term.fault(value))
        return .failed
      }
      if kind == .explode {
        // Its elements come one by one when what was begun last goes on.
        if value.kind == .list { exploding.begin(value.run, at: index) }
        return .out
      }
      slots[branch.steps[index].slot] = value
    }
    return .on
  }

  private func wait(_ branch: BranchPlan) -> Way {
    if let identity = branch.identityPlan, identity.rejects {
      failUnmapped(identity)
      return .failed
    }
    if let identity = branch.identityPlan, identity.isProvisional {
      passed |= 1 << UInt64(branch.identity)
      return .on
    }
    held |= 1 << UInt64(branch.identity)
    return .held
  }

  /// Appends a key, or fails.
  @inline(__always)
  func appendKey(_ key: KeyPlan, to buffer: ByteBuffer) -> Bool {
    switch buffer.appendKey(key, frame) {
    case .written: return true
    case .missing(let part): failMissing(key, part)
    case .failed(let value, let part): fail(key.parts[part].fault(value))
    }
    return false
  }

  @inline(never)
  private func failMissing(_ key: KeyPlan, _ part: Int) {
    let what = key.parts.count == 1 ? "the key" : "part \(part + 1) of the key"
    fail(
      RunFault(
        reason: "missing-key", message: "\(what), `\(key.texts[part])`, has no value", place: ""))
  }

  /// Whether the document at hand says its actual time, where that is declared.
  func hasTime(slot: Int) -> Bool {
    slot < 0 || slots[slot].kind == .timestamp || slots[slot].kind == .date
  }

  /// The actual time of the document at hand, or else what its record says, or else Kafka's.
  @inline(__always)
  func actualTime(slot: Int, _ record: SourceRecord) -> Timestamp {
    if slot >= 0 {
      let value = slots[slot]
      if value.kind == .timestamp { return value.timestamp }
      if value.kind == .date {
        return Timestamp(seconds: value.dateDays * 86_400, nanoseconds: 0)
      }
    }
    return record.ownTime
  }
}
