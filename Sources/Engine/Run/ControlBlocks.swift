import Formats
import Product
import Records

/// Makes journal blocks out of what an operator wants done with quarantined events. Apply needs
/// nothing but the journal, so each block carries the events themselves, as ingest makes them of
/// their original bytes.
///
/// One thread owns it. Off the hot path.
package final class ControlBlocks {
  /// Why nothing can be done with a quarantined event.
  package enum Refusal: Sendable, Hashable {
    /// Of an original that was too large only the beginning is left.
    case isCut
    /// Ingest finds no key for it, and so no journal partition, as when it came.
    case staysOut(reason: String, message: String)
    /// Nothing in the product takes it.
    case isNotTaken
    /// Only what is closed lacks it, and stays so.
    case isLate
    /// The product has no input of that name.
    case isForeign
    /// The product runs without a journal.
    case hasNoJournal
  }

  package struct Block: Sendable, Hashable {
    package let journal: Int
    package let partition: Partition
    package let bytes: [UInt8]
  }

  /// How many journals were told of the event that was taken last.
  package private(set) var journalsOfLast = 0

  private let plan: ProductPlan
  private let ingest: Ingest
  private let batch = OutputBatch()
  private var builders: [Place: JournalBlockBuilder] = [:]
  private var finished: [Block] = []

  private struct Place: Hashable, Comparable {
    let journal: Int
    let partition: Int32
    static func < (left: Place, right: Place) -> Bool {
      (left.journal, left.partition) < (right.journal, right.partition)
    }
  }

  /// - Parameter limits: what the topics take.
  package init(_ definition: ProductDefinition, limits: Limits = Limits()) throws(PlanFailure) {
    plan = try ProductPlan(definition)
    plan.limits = limits
    ingest = Ingest(plan)
  }

  /// Has an event go back through the product: all of it that came to nothing. Nil: the next blocks
  /// have it; each journal that they are of will tell what came of it.
  package func release(_ record: QuarantinedRecord, recordedMs: Int64) -> Refusal? {
    if record.reason == "late" { return .isLate }
    return add(record, isDiscarded: false, recordedMs)
  }

  /// Has an event stay out.
  package func discard(_ record: QuarantinedRecord, recordedMs: Int64) -> Refusal? {
    switch add(record, isDiscarded: true, recordedMs) {
    case nil: return nil
    case .isForeign: return .isForeign
    case .hasNoJournal: return .hasNoJournal
    case .isCut, .staysOut, .isNotTaken, .isLate: break
    }
    guard let input = input(of: record) else { return .isForeign }
    let event = JournalEvent(
      input: input, partition: Partition(record.partition), offset: Offset(record.sourceOffset),
      payload: nil)
    let places = placesWithoutKey(record)
    for place in places {
      append(JournalControl(.discard, Offset(record.offset)), event, to: place, recordedMs)
    }
    journalsOfLast = places.count
    return nil
  }

  /// The blocks, to be written in this order; with that they are forgotten here.
  package func take(recordedMs: Int64) -> [Block] {
    for place in builders.keys.sorted() { seal(place, recordedMs) }
    defer { finished = [] }
    return finished
  }

  /// Where the discard of an event without a key is remembered: where it lies, or else in the first
  /// partition of all. In other journals its key may be blocked by it, whichever that is.
  private func placesWithoutKey(_ record: QuarantinedRecord) -> [Place] {
    let journals = plan.definition.journals
    let own = journals.firstIndex { $0.name == record.journal } ?? 0
    var places = [Place(journal: own, partition: record.journalPartition?.value ?? 0)]
    guard plan.holdsKeys, record.extent == .event else { return places }
    for number in journals.indices where number != own {
      places += (0..<journals[number].partitions).map { Place(journal: number, partition: $0) }
    }
    return places
  }

  // MARK: One event

  private func add(_ record: QuarantinedRecord, isDiscarded: Bool, _ recordedMs: Int64) -> Refusal?
  {
    if plan.definition.journals.isEmpty { return .hasNoJournal }
    guard let input = input(of: record) else { return .isForeign }
    if record.isCut { return .isCut }
    if case .handed(let origin)? = record.extent {
      return add(record, handedFrom: origin, input, isDiscarded: isDiscarded, recordedMs)
    }
    defer {
      ingest.discard()
      batch.clear()
    }
    if let refusal = takeIn(record, input, recordedMs) { return refusal }
    let only = record.extent == .event || record.extent == nil ? nil : record.journal
    let sealed = ingest.sealed.filter {
      only == nil || plan.definition.journals[$0.journal].name == only
    }
    if sealed.isEmpty { return .isNotTaken }
    journalsOfLast = sealed.count
    for block in sealed {
      let place = Place(journal: block.journal, partition: block.partition.value)
      // Ingest has just made it.
      guard let read = try? JournalBlock(block.bytes) else { continue }
      var events = read.events
      while (try? events.next()) == true {
        var event = events.event
        if isDiscarded { (event.payload, event.id, event.key) = (nil, nil, nil) }
        append(control(record, isDiscarded), event, to: place, recordedMs)
      }
    }
    return nil
  }

  /// An event that had been handed on to a chained journal goes there as it did before.
  private func add(
    _ record: QuarantinedRecord, handedFrom handed: HandedOrigin, _ input: Int, isDiscarded: Bool,
    _ recordedMs: Int64
  ) -> Refusal? {
    guard let journal = plan.definition.journals.firstIndex(where: { $0.name == record.journal }),
      let partition = record.journalPartition
    else { return .isNotTaken }
    var event = JournalEvent(
      input: input, partition: Partition(record.partition), offset: Offset(record.sourceOffset),
      time: record.time, payload: nil)
    let arena = Arena()
    if !isDiscarded {
      let identifiers = ByteBuffer(capacity: 64)
      ByteView.lending(handed.global) {
        identifiers.appendJournalIdentifier(handed.identifier, $0)
      }
      event.identifiers = arena.copy(identifiers.view)
      event.key = arena.copy(record.key)
      event.payload = arena.copy(record.value)
      event.origin = handed.origin
    }
    append(
      JournalControl(isDiscarded ? .discard : .releaseHanded, Offset(record.offset)), event,
      to: Place(journal: journal, partition: partition.value), recordedMs)
    journalsOfLast = 1
    return nil
  }

  private func control(_ record: QuarantinedRecord, _ isDiscarded: Bool) -> JournalControl {
    let offset = Offset(record.offset)
    if isDiscarded { return JournalControl(.discard, offset) }
    guard let extent = record.extent else { return JournalControl(.admit, offset) }
    if case .identity(let number) = extent {
      return JournalControl(.release, offset, identity: number)
    }
    return JournalControl(.release, offset)
  }

  /// Has ingest take the record once more.
  private func takeIn(_ record: QuarantinedRecord, _ input: Int, _ recordedMs: Int64) -> Refusal? {
    let arena = Arena()
    func lend(_ text: String?) -> ByteView? { arena.copy(text.map { Array($0.utf8) }) }
    let intake = ingest.take(
      SourceRecord(
        input: input, partition: Partition(record.partition), offset: Offset(record.sourceOffset),
        key: arena.copy(record.key), value: arena.copy(record.value), timestampMs: recordedMs,
        time: record.time,
        correction: CorrectionHeaders(
          id: lend(record.correction.id), operation: lend(record.correction.operation),
          corrects: lend(record.correction.corrects))),
      recordedMs: recordedMs, into: batch)
    if case .stop(let stop) = intake {
      return .staysOut(reason: stop.reason, message: stop.message)
    }
    if batch.count > 0 {
      var headers = batch.headers(of: batch[0])
      var named: [String: String] = [:]
      while let header = headers.next() { named[header.name.text] = header.value.text }
      return .staysOut(
        reason: named["weft_reason"] ?? "", message: named["weft_message"] ?? "")
    }
    ingest.seal(recordedMs: recordedMs)
    return nil
  }

  private func input(of record: QuarantinedRecord) -> Int? {
    plan.definition.inputs.firstIndex { $0.name == record.input }
  }

  // MARK: Blocks

  private func append(
    _ control: JournalControl, _ event: JournalEvent, to place: Place, _ recordedMs: Int64
  ) {
    if builders[place]?.append(control, event) == .appended { return }
    seal(place, recordedMs)
    let builder = JournalBlockBuilder(kind: .control)
    // An empty one takes any event.
    _ = builder.append(control, event)
    builders[place] = builder
  }

  private func seal(_ place: Place, _ recordedMs: Int64) {
    guard let builder = builders.removeValue(forKey: place) else { return }
    let view = builder.seal(
      recordedMs: recordedMs, digest: plan.logicDigest, inputPositions: [])
    finished.append(
      Block(
        journal: place.journal, partition: Partition(place.partition), bytes: view.copied()))
  }
}

extension Arena {
  /// Not by `map`: see Records/README.md.
  fileprivate func copy(_ bytes: [UInt8]?) -> ByteView? {
    guard let bytes else { return nil }
    return ByteView.lending(bytes) { copy($0) }
  }
}
