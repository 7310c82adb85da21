import Product
import Records
import State

/// A product without a broker: records in, turns, crashes, records out. What `weft test` runs, with
/// the same ingest, apply and direct programs that a worker runs.
///
/// Input is kept as Kafka would keep it: a turn that is lost is taken again. The journal is kept as
/// blocks at offsets that leave room for a commit marker. Time is what ``recordedMs`` says.
package final class ProductSimulation {
  /// A record of an input, with its own bytes.
  package struct Input: Sendable {
    package let input: Int
    package let partition: Int32
    package let key: [UInt8]?
    package let value: [UInt8]?
    package let timestampMs: Int64
    /// What a record of another product's port says of its actual time.
    package let time: Timestamp?
    /// `ce_id`, `ce_op` and `ce_corrects` of a record that may be taken back, or takes one back.
    package var id: [UInt8]?
    package var operation: [UInt8]?
    package var corrects: [UInt8]?

    package init(
      input: Int, partition: Int32 = 0, key: [UInt8]?, value: [UInt8]?, timestampMs: Int64,
      time: Timestamp? = nil
    ) {
      self.time = time
      self.input = input
      self.partition = partition
      self.key = key
      self.value = value
      self.timestampMs = timestampMs
    }
  }

  /// A committed journal record.
  package struct Block: Sendable, Hashable {
    package let offset: Int64
    package let bytes: [UInt8]
  }

  package let plan: ProductPlan
  /// The turn's clock, in milliseconds since 1970; what `advance` moves.
  package var recordedMs: Int64
  /// Records a turn takes at most.
  package var recordsPerTurn = 1000
  /// Whether blocks are applied in the turn after the one that wrote them, as if they had been read
  /// back from Kafka.
  package var readsBack = false
  /// All that was published and committed.
  package private(set) var published: [SimulatedRecord] = []
  package private(set) var counts = Counts()
  /// Why the product stopped, if it did; nothing is taken any more.
  package private(set) var stop: Stop?
  /// By journal and partition.
  package private(set) var journal: [[[Block]]]

  private let ingest: Ingest
  private let direct: Direct
  private let chained: ChainedBlocks
  private let batch = OutputBatch(bytesMax: .max)
  private var waiting: [(record: Input, offset: Int64)] = []
  private var nextOffset: [[Int64]] = []
  /// By journal and partition.
  private var partitions: [[SimulatedPartition]]

  package init(_ definition: ProductDefinition, recordedMs: Int64) throws(PlanFailure) {
    let plan = try ProductPlan(definition)
    self.plan = plan
    self.recordedMs = recordedMs
    ingest = Ingest(plan, tickMs: 0)
    for input in definition.inputs.indices { ingest.begin(input: input, partition: Partition(0)) }
    direct = Direct(plan)
    let chained = ChainedBlocks(plan)
    self.chained = chained
    nextOffset = Array(repeating: [], count: definition.inputs.count)
    journal = definition.journals.map { Array(repeating: [], count: Int($0.partitions)) }
    partitions = definition.journals.enumerated().map { number, journal in
      (0..<journal.partitions).map {
        SimulatedPartition(
          plan, journal: number, partition: Partition($0), handingTo: chained)
      }
    }
  }

  /// Appends a record to its input's topic; it is taken by the next ``run()``.
  package func feed(_ record: Input) {
    let partition = Int(record.partition)
    while nextOffset[record.input].count <= partition {
      let number = Int32(truncatingIfNeeded: nextOffset[record.input].count)
      if number > 0 { ingest.begin(input: record.input, partition: Partition(number)) }
      nextOffset[record.input].append(0)
    }
    waiting.append((record, nextOffset[record.input][partition]))
    nextOffset[record.input][partition] += 1
  }

  /// Writes what an operator wants done, as the command does; the next ``run()`` applies it.
  package func write(_ blocks: [ControlBlocks.Block]) {
    for block in blocks {
      let place = Int(block.partition.value)
      let offset = (journal[block.journal][place].last?.offset ?? -2) + 2
      journal[block.journal][place].append(Block(offset: offset, bytes: block.bytes))
      partitions[block.journal][place].written = offset + 1
    }
  }

  /// Takes all that waits, turn by turn, until nothing is left to do.
  package func run() {
    while stop == nil {
      let isBehind = partitions.joined().contains { $0.applied < $0.written }
      if waiting.isEmpty && !isBehind && !ingest.areTicksDue(recordedMs: recordedMs) { return }
      turn(waiting.count, commits: true)
    }
  }

  /// Takes `count` records in a turn that comes to nothing: as if the worker had died before the
  /// commit. State, journal and input are as before.
  package func loseTurn(of count: Int) { turn(count, commits: false) }

  /// The worker dies between two turns: its states are lost and made again from the journal.
  package func crash() {
    for number in partitions.indices {
      for place in partitions[number].indices {
        let old = partitions[number][place]
        let new = SimulatedPartition(
          plan, journal: number, partition: old.apply.partition, handingTo: chained)
        for block in journal[number][place] where block.offset < old.applied {
          new.reapply(block)
        }
        new.written = old.written
        partitions[number][place] = new
      }
    }
    ingest.discard()
  }

  /// A digest of each partition's state, by journal.
  package var stateDigests: [[StateDigest]] {
    partitions.map { $0.map { $0.state.contentDigest() } }
  }

  /// How much the clocks of journal partitions have yet to look at.
  package var scheduledCount: Int {
    partitions.joined().reduce(0) { $0 + $1.apply.schedule.count }
  }

  /// The events of each journal partition that wait for links, by identifier; of those with any.
  package var held: [[Held]] {
    partitions.joined().map(\.apply.held).filter { !$0.isEmpty }
  }

  /// How many events wait for a link.
  package var heldCount: Int {
    Int(held.joined().reduce(0) { $0 + $1.count })
  }

  // MARK: One turn

  private func turn(_ count: Int, commits: Bool) {
    batch.clear()
    let size = min(count, recordsPerTurn, waiting.count)
    for partition in partitions.joined() { partition.begin() }
    applyBacklog()
    var taken = 0
    while taken < size && stop == nil {
      take(waiting[taken])
      taken += 1
    }
    var blocks: [(journal: Int, partition: Int, block: Block)] = []
    if !plan.definition.journals.isEmpty && stop == nil {
      // Between two steps of a test time stands still, however its records are divided into turns.
      if taken == waiting.count { tick() }
      blocks = seal()
    }
    if commits && stop == nil {
      commit(blocks)
      waiting.removeFirst(taken)
    } else {
      takeBack()
    }
  }

  private func take(_ entry: (record: Input, offset: Int64)) {
    let record = entry.record
    let result = lending(record.key) { key in
      lending(record.value) { value in
        lendingCorrection(of: record) { correction in
          let source = SourceRecord(
            input: record.input, partition: Partition(record.partition),
            offset: Offset(entry.offset), key: key, value: value, timestampMs: record.timestampMs,
            time: record.time, correction: correction)
          return plan.definition.journals.isEmpty
            ? direct.take(source, recordedMs: recordedMs, into: batch)
            : ingest.take(source, recordedMs: recordedMs, into: batch)
        }
      }
    }
    if case .stop(let reason) = result { stop = reason }
  }

  private func lendingCorrection<Result>(
    of record: Input, _ body: (CorrectionHeaders) -> Result
  ) -> Result {
    lending(record.id) { id in
      lending(record.operation) { operation in
        lending(record.corrects) {
          body(CorrectionHeaders(id: id, operation: operation, corrects: $0))
        }
      }
    }
  }

  private func lending<Result>(_ bytes: [UInt8]?, _ body: (ByteView?) -> Result) -> Result {
    guard let bytes else { return body(nil) }
    return ByteView.lending(bytes) { body($0) }
  }

  /// All inputs are at their end, and journals with a clock are told.
  private func tick() {
    for (input, offsets) in nextOffset.enumerated() {
      for (partition, end) in (offsets.isEmpty ? [0] : offsets).enumerated() {
        ingest.reachedEnd(
          input: input, partition: Partition(Int32(truncatingIfNeeded: partition)),
          at: Offset(end))
      }
    }
    ingest.sealTicks(recordedMs: recordedMs)
  }

  /// Seals what was taken; applies it at once unless it is to be read back. The same of what that,
  /// or the backlog, has handed on.
  private func seal() -> [(journal: Int, partition: Int, block: Block)] {
    ingest.seal(recordedMs: recordedMs)
    var blocks: [(journal: Int, partition: Int, block: Block)] = []
    var next = journal.map { $0.map { ($0.last?.offset ?? -2) + 2 } }
    func write(_ sealed: SealedBlock) {
      let place = Int(sealed.partition.value)
      let block = Block(offset: next[sealed.journal][place], bytes: sealed.bytes.copied())
      next[sealed.journal][place] += 1
      blocks.append((sealed.journal, place, block))
      if !readsBack { apply(block, partitions[sealed.journal][place]) }
    }
    for sealed in ingest.sealed { write(sealed) }
    var handed = 0
    while chained.isOpen || handed < chained.sealed.count {
      chained.seal()
      write(chained.sealed[handed])
      handed += 1
    }
    return blocks
  }

  private func applyBacklog() {
    for number in partitions.indices {
      for place in partitions[number].indices {
        let partition = partitions[number][place]
        for block in journal[number][place] where block.offset >= partition.applied {
          apply(block, partition)
        }
      }
    }
  }

  private func apply(_ block: Block, _ partition: SimulatedPartition) {
    if stop != nil { return }
    if let reason = partition.apply(block, publishing: batch) { stop = reason }
  }

  private func commit(_ blocks: [(journal: Int, partition: Int, block: Block)]) {
    for entry in blocks {
      journal[entry.journal][entry.partition].append(entry.block)
      partitions[entry.journal][entry.partition].written = entry.block.offset + 1
    }
    published += batch.copies(plan.ports)
    counts += ingest.counts
    counts += direct.counts
    for partition in partitions.joined() {
      counts += partition.apply.counts
      partition.commit()
    }
    ingest.clear()
    chained.clear()
    direct.clearCounts()
  }

  private func takeBack() {
    for partition in partitions.joined() { partition.rollback() }
    ingest.discard()
    chained.discard()
    direct.clearCounts()
  }
}
