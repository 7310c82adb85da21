import CommandLine
import Diagnostics
import Engine
import Formats
import Foundation
import Kafka
import Mesh
import Product
import Records
import Worker

/// Has events in quarantine released or discarded: writes control records to the product's journal,
/// and waits until its worker has applied them. Whoever comes second with the same event changes
/// nothing, so that it may be done again after a doubt.
struct Settling {
  enum Action: String { case release, discard }

  /// So long the worker is waited for without anything new.
  private static let patienceMs = 60_000

  private let action: Action
  private let found: PublishedProduct
  private let definition: ProductDefinition
  private let session: Session
  private var problems: [Diagnostic] = []
  /// By place in quarantine: in how many journals it is settled, and how many know of it.
  private var awaited: [Int64: Int] = [:]
  private var hasFailedAgain = false

  init(_ action: Action, _ found: PublishedProduct, _ session: Session) throws {
    self.action = action
    self.found = found
    self.session = session
    guard let definition = found.definition else {
      throw Refusal(
        .otherFiles, "the files of `\(found.product.name)` are not here",
        help: "which journal partition an event belongs to is said by the product's files: call it "
          + "where they are, or name the directory with --mesh")
    }
    self.definition = definition
    if definition.journals.isEmpty {
      throw Refusal(
        .notReleasable, "`\(definition.name)` runs without a journal, which remembers nothing",
        help: "write the event to its input again, or leave it in quarantine")
    }
  }

  /// - Throws: ``Refusal`` before anything is written.
  mutating func run(
    _ events: [QuarantinedRecord], _ log: QuarantineLog, _ broker: Broker
  ) throws -> ExitCode {
    try checkLogic(broker)
    let nowMs = Int64(Date().timeIntervalSince1970 * 1000)
    let control = try controlBlocks(broker)
    for event in events {
      if !log.isOpen(event) {
        report(event, log.standing(of: event))
        continue
      }
      let refusal =
        action == .release
        ? control.release(event, recordedMs: nowMs) : control.discard(event, recordedMs: nowMs)
      if let refusal {
        problems.append(diagnostic(refusal, event))
      } else {
        awaited[event.offset] = control.journalsOfLast
      }
    }
    let blocks = control.take(recordedMs: nowMs)
    session.report(problems)
    if !blocks.isEmpty { try write(blocks, nowMs, broker) }
    if try !isDone(log, broker) { return .failed }
    return problems.isEmpty && !hasFailedAgain ? .ok : .rejected
  }

  // MARK: Before

  /// The worker stops at a block of other logic than its own; so none is written.
  private func checkLogic(_ broker: Broker) throws {
    let own = hexadecimal(definition.logicDigest)
    for journal in definition.journals {
      let partitions = (0..<journal.partitions).map { Partition($0) }
      let committed = try broker.run { admin, deadline in
        try admin.committed(by: found.product.group, journal.topic, partitions, deadline)
      }
      let others = committed.map { OffsetMetadata($0.metadata).logic }.filter {
        !$0.isEmpty && $0 != own
      }
      guard let other = others.first else { continue }
      throw Refusal(
        .otherFiles, "the files here are not those by which `\(definition.name)` runs",
        notes: [
          "its journal was made by logic \(other.prefix(12)), the files' is \(own.prefix(12))"
        ],
        help:
          "use the files that were applied; what the worker does with its journal is said by them"
      )
    }
  }

  private func controlBlocks(_ broker: Broker) throws -> ControlBlocks {
    // As the worker has it, or an event that it has journaled would not fit.
    let taken = definition.journals.compactMap { journal -> Int? in
      let configs = try? broker.run { admin, deadline in
        try admin.topicConfigs(journal.topic, deadline)
      }
      return configs?.first { $0.name == "max.message.bytes" }?.value.flatMap { Int($0) }
    }
    var limits = Limits()
    if let smallest = taken.min() {
      limits.journalBytesMax = Limits.recordBytesMax(
        batchBytes: min(smallest, found.settings.messageBytesMax))
    }
    do {
      return try ControlBlocks(definition, limits: limits)
    } catch {
      throw Refusal(.uncompilable, "`\(definition.name)` cannot be compiled: \(error)")
    }
  }

  private func diagnostic(_ refusal: ControlBlocks.Refusal, _ event: QuarantinedRecord)
    -> Diagnostic
  {
    let what = "the event at \(event.offset)"
    switch refusal {
    case .isCut:
      return Diagnostic(
        .notReleasable,
        "\(what) cannot be released: it was too large for quarantine, which has kept"
          + " only its beginning",
        help: "write it to \(event.topic) again, smaller, or take it from there: partition"
          + " \(event.partition), offset \(event.sourceOffset)")
    case .staysOut(let reason, let message):
      return Diagnostic(
        .notReleasable, "\(what) cannot be released: \(message) (\(reason))",
        help: "nothing says which journal partition it belongs to; write a right one to"
          + " \(event.topic), and discard this one")
    case .isNotTaken:
      return Diagnostic(
        .notReleasable, "\(what) cannot be released: nothing in the product takes it")
    case .isLate:
      return Diagnostic(
        .notReleasable, "\(what) cannot be released: only what is closed lacks it, and stays so",
        help: "discard it; if such come often, allow more `grace`")
    case .isForeign:
      return Diagnostic(
        .notReleasable, "\(what) is of input `\(event.input)`, which the product does not have")
    case .hasNoJournal:
      return Diagnostic(.notReleasable, "\(what) is of a product without a journal")
    }
  }

  // MARK: The journal

  private func write(_ blocks: [ControlBlocks.Block], _ nowMs: Int64, _ broker: Broker) throws {
    try broker.run { _, deadline in
      let producer = try PlainProducer(settings: found.settings)
      for block in blocks {
        let topic = try producer.open(definition.journals[block.journal].topic, deadline)
        try ByteView.lending(block.bytes) { bytes in
          try producer.produce(
            to: topic, block.partition, key: nil, value: bytes, timestamp: nowMs, deadline)
        }
      }
      try producer.flush(deadline)
    }
  }

  /// Reads on in quarantine until it tells of all, or no worker runs; false: it did not in time.
  private mutating func isDone(_ log: QuarantineLog, _ broker: Broker) throws -> Bool {
    if awaited.isEmpty { return true }
    let members = try broker.run { admin, deadline in
      try admin.group(found.product.group, deadline)?.members ?? []
    }
    if members.isEmpty {
      session.say(
        "note: no worker runs `\(definition.name)`; it is written down, and done as soon as one does:"
          + " `weft run \(definition.domain)`")
      return true
    }
    let errors = session.errors
    var progress = ProgressLine(session.errorTerminal) { errors.write($0) }
    defer { progress.end() }
    let batch = RecordBatch(capacity: 1000)
    var silence = Deadline.after(milliseconds: Settling.patienceMs)
    while !awaited.isEmpty {
      progress.show("waiting for the worker: \(awaited.count) events")
      try broker.run { _, _ in try log.reader.poll(into: batch, waitMilliseconds: 100) }
      for index in 0..<batch.count {
        guard
          case .settlement(let settlement)? = QuarantineLogEntry(
            batch, index, keepsOriginals: false)
        else { continue }
        progress.end()
        take(settlement)
        silence = Deadline.after(milliseconds: Settling.patienceMs)
      }
      if silence.hasPassed {
        session.report([
          Diagnostic(
            .notAppliedYet,
            "the worker of `\(definition.name)` has not applied \(awaited.count) of them yet",
            help:
              "they are in its journal, and it will; `weft status \(definition.name)` says how it"
              + " is doing, `weft quarantine list \(definition.name)` what came of them")
        ])
        return false
      }
    }
    return true
  }

  private mutating func take(_ settlement: SettlementRecord) {
    guard let left = awaited[settlement.settles] else { return }
    awaited[settlement.settles] = left > 1 ? left - 1 : nil
    if settlement.result == .quarantined { hasFailedAgain = true }
    if session.isJSON {
      session.output.write(settlement.json.description + "\n")
    } else {
      let again =
        settlement.result == .quarantined ? " and lies at \(settlement.offset - 1) now" : ""
      session.output.write("\(settlement.settles)  \(settlement.result.text)\(again)\n")
    }
    session.output.flush()
  }

  private func report(_ event: QuarantinedRecord, _ standing: String) {
    if session.isJSON {
      session.output.write(
        JSONValue.members([
          "position": .integer(event.offset), "result": "settled", "state": .string(standing),
        ]).description + "\n")
    } else {
      session.output.write("\(event.offset)  was settled before: \(standing)\n")
    }
  }
}
