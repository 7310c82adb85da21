import Engine
import Formats
import Kafka
import Product
import Records

/// What operators have asked for, as the command has it written.
extension Run {
  /// A place in quarantine, and what was asked for of it.
  struct Asked: Hashable {
    let quarantine: Int64
    /// Where its event came from.
    let source: String
    let kind: Operation.Kind
    /// Of the journals that were told.
    let journals: Set<Int>
  }

  /// So long an operator waits for something to be in quarantine, and so often.
  private static let patienceMs: Int64 = 400
  private static let patience = 5

  func schedule(_ operation: Operation) {
    simulation.after(operation.atMs) { [unowned self] in operate(operation, Run.patience) }
  }

  private func operate(_ operation: Operation, _ patience: Int) {
    let there = definition.journals.isEmpty || isDown ? [] : quarantine.compactMap(\.event)
    if there.isEmpty && patience > 0 && !definition.journals.isEmpty {
      simulation.after(Run.patienceMs) { [unowned self] in operate(operation, patience - 1) }
      return
    }
    operationsLeft -= 1
    if there.isEmpty { return }
    let record = there[operation.pick % there.count]
    if operation.isOfNothing { return write(.discard, record.elsewhere, journals: [0]) }
    for _ in 0..<operation.times { ask(operation.kind, record) }
    if operation.isDisputed {
      ask(operation.kind == .release ? .discard : .release, record)
    }
  }

  private func ask(_ kind: Operation.Kind, _ record: QuarantinedRecord) {
    write(kind, record, journals: nil)
  }

  /// - Parameter journals: where it is to get to; nil: where the event itself belongs.
  private func write(_ kind: Operation.Kind, _ record: QuarantinedRecord, journals: Set<Int>?) {
    let source = record.source
    var record = record
    if plants.contains(.extentLost) { record = record.whole }
    if plants.contains(.discardOfAnother), kind == .discard { record = record.elsewhere }
    guard let control = try? ControlBlocks(definition) else { return fail("no plan") }
    let nowMs = SimulatedWorld.epochMs + simulation.nowMs
    let isDiscard = kind == .discard && !plants.contains(.discardReleases)
    let refusal =
      isDiscard
      ? control.discard(record, recordedMs: nowMs) : control.release(record, recordedMs: nowMs)
    if refusal != nil { return }
    var blocks = control.take(recordedMs: nowMs)
    if plants.contains(.releasedInOne) { blocks = Array(blocks.prefix(1)) }
    for block in blocks {
      let topic = definition.journals[block.journal].topic
      simulation.note("\(kind) of quarantine/\(record.offset) to \(topic)/\(block.partition.value)")
      simulation.broker.append(
        SimulatedBroker.Record(key: nil, value: block.bytes, timestampMs: nowMs), to: topic,
        Int(block.partition.value))
    }
    asked.append(
      Asked(
        quarantine: record.offset, source: source, kind: kind,
        journals: journals ?? journalsOfFailure(record) ?? Set(blocks.map(\.journal))))
  }

  /// The journals in which something of the event came to nothing; nil: it never got to one.
  private func journalsOfFailure(_ record: QuarantinedRecord) -> Set<Int>? {
    guard let name = record.journal, let extent = record.extent else { return nil }
    if extent != .event {
      return Set(definition.journals.indices.filter { definition.journals[$0].name == name })
    }
    guard let input = definition.inputs.firstIndex(where: { $0.topic == record.topic }) else {
      return nil
    }
    let kind = fed[input][Int(record.partition)][Int(record.sourceOffset)].kind
    return Set(definition.journals.indices.filter { isTaken(kind, by: $0) })
  }

  /// What readers see of the quarantine.
  var quarantine: [QuarantineLogEntry] {
    simulation.broker.committed(definition.names.quarantineTopic, 0).compactMap { offset, record in
      QuarantineLogEntry(
        offset: offset,
        headers: record.headers.map { ($0.name, String(decoding: $0.value, as: UTF8.self)) },
        key: record.key, value: record.value)
    }
  }
}

extension QuarantineLogEntry {
  package var event: QuarantinedRecord? {
    if case .event(let record) = self { record } else { nil }
  }
  package var settlement: SettlementRecord? {
    if case .settlement(let record) = self { record } else { nil }
  }
}

extension QuarantinedRecord {
  fileprivate var source: String { "\(topic)/\(partition)/\(sourceOffset)" }

  /// A place where nothing lies, of something that nobody fed.
  fileprivate var elsewhere: QuarantinedRecord {
    QuarantinedRecord(
      offset: offset + Run.nowhere, input: input, topic: topic, partition: partition,
      sourceOffset: Run.nowhere, extent: nil)
  }

  /// As if nothing of the event had been applied anywhere.
  fileprivate var whole: QuarantinedRecord {
    extent == nil
      ? self
      : QuarantinedRecord(
        offset: offset, input: input, topic: topic, partition: partition,
        sourceOffset: sourceOffset, extent: .event, journal: journal, position: position, key: key,
        value: value, time: time)
  }
}

extension Run {
  /// Whether ingest writes events of a kind to a journal.
  func isTaken(_ kind: Shape.Kind, by journal: Int) -> Bool {
    let event = kind == .Closed ? 1 : 0
    let reference = EventReference(input: given.shape.input(of: kind), event: event)
    switch definition.journals[journal].keys[reference] {
    case nil, .handed?: return false
    case .source?, .parts?, .links?: return true
    }
  }

  /// No simulation gets there.
  static let nowhere: Int64 = 1_000_000
}
