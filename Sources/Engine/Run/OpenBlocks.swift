import Formats
import Records

/// A finished block, to be published to its journal's topic in the order of its list.
package struct SealedBlock {
  /// Ordinal of the journal in the product.
  package let journal: Int
  package let partition: Partition
  package let events: Int
  /// In milliseconds since 1970.
  package let recordedMs: Int64
  /// Nil where the bytes are another block's.
  let builder: JournalBlockBuilder?
  /// Its bytes, for as long as the list has it.
  package let bytes: ByteView
}

/// The journal blocks that are being written: one open for each partition, and those that are
/// finished and not yet committed. Nothing is allocated in a steady state.
final class OpenBlocks {
  private(set) var sealed: [SealedBlock] = []
  /// Events in open blocks.
  private(set) var open = 0
  private let kind: JournalBlockKind
  private let digest: LogicDigest
  private let partitions: ContiguousArray<Int32>
  /// By journal and partition; nil: no block was begun there yet.
  private let builders: LentPlaces<JournalBlockBuilder>
  /// Where each journal's partitions begin in ``builders``.
  private let first: ContiguousArray<Int>
  /// Builders whose block was published.
  private var spare: [JournalBlockBuilder] = []
  /// Blocks that one turn can have at most in memory after it; more are given back.
  private static let spareMax = 512

  init(_ plan: ProductPlan, kind: JournalBlockKind) {
    self.kind = kind
    digest = plan.logicDigest
    partitions = plan.journalPartitions
    var first: ContiguousArray<Int> = []
    var count = 0
    for partitions in plan.journalPartitions {
      first.append(count)
      count += Int(partitions)
    }
    self.first = first
    builders = LentPlaces(count: count)
  }

  var journals: Range<Int> { first.indices }

  func partition(of key: ByteView, _ journal: Int) -> Partition {
    Records.partition(ofKey: key, among: partitions[journal])
  }

  /// Where a partition's own things are in a list of all partitions of all journals.
  func place(_ journal: Int, _ partition: Partition) -> Int {
    first[journal] + Int(partition.value)
  }

  var places: Int { builders.count }

  /// Adds an event to the open block of a partition; false: the block is full and has to be sealed
  /// first. Behind a sealed one any event fits.
  func append(_ event: JournalEvent, _ journal: Int, _ partition: Partition) -> Bool {
    let place = place(journal, partition)
    switch builders.lend(place, { $0.append(event) }) {
    case .appended?: break
    case .sealFirst?: return false
    case nil:
      let builder = spare.popLast() ?? JournalBlockBuilder(kind: kind)
      _ = builder.append(event)
      builders[place] = builder
    }
    open += 1
    return true
  }

  /// Finishes all open blocks, in the order of journals and partitions.
  func sealAll(_ seal: (_ journal: Int, _ partition: Partition) -> Void) {
    if open == 0 { return }
    for journal in first.indices {
      for partition in 0..<partitions[journal] { seal(journal, Partition(partition)) }
    }
  }

  /// Finishes the open block of a partition, if there is one.
  func seal(
    _ journal: Int, _ partition: Partition, recordedMs: Int64,
    inputPositions: @autoclosure () -> [InputPosition]
  ) {
    let place = place(journal, partition)
    guard let builder = builders[place], !builder.isEmpty else { return }
    let events = builder.count
    let bytes = builder.seal(
      recordedMs: recordedMs, digest: digest, inputPositions: inputPositions())
    open -= events
    builders[place] = nil
    sealed.append(
      SealedBlock(
        journal: journal, partition: partition, events: events, recordedMs: recordedMs,
        builder: builder, bytes: bytes))
  }

  /// Finishes a block of ticks, which all partitions of a journal get.
  func sealTicks(
    _ journal: Int, recordedMs: Int64, inputPositions: [InputPosition],
    _ fill: (JournalBlockBuilder) -> Void
  ) {
    let builder = spare.popLast() ?? JournalBlockBuilder()
    builder.reset(for: .ticks)
    fill(builder)
    let bytes = builder.seal(recordedMs: recordedMs, digest: digest, inputPositions: inputPositions)
    for partition in 0..<partitions[journal] {
      sealed.append(
        SealedBlock(
          journal: journal, partition: Partition(partition), events: 0, recordedMs: recordedMs,
          builder: partition == 0 ? builder : nil, bytes: bytes))
    }
  }

  /// The finished blocks are not needed any more.
  func clear() {
    for block in sealed where spare.count < OpenBlocks.spareMax {
      // One that has carried a large event would keep its memory.
      guard let builder = block.builder, block.bytes.count <= 2 * JournalBlockBuilder.bytesLimit
      else { continue }
      builder.reset(for: kind)
      spare.append(builder)
    }
    sealed.removeAll(keepingCapacity: true)
  }

  /// Nor are those that are open.
  func discard() {
    for place in 0..<builders.count { builders[place]?.reset() }
    open = 0
    clear()
  }
}
