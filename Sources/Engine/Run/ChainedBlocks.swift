import Formats
import Records

/// What apply of journals hands on: the blocks of the chained ones that a turn writes. One for all
/// programs of a loop, as several of them write to the same partition.
///
/// A block's recorded time is the latest of the blocks that it was handed from, so that nothing in
/// it depends on when the turn was.
package final class ChainedBlocks {
  /// Blocks finished since the last ``clear()`` or ``discard()``, in the order of writing.
  package var sealed: [SealedBlock] { blocks.sealed }
  /// Whether anything is there that was not finished.
  package var isOpen: Bool { blocks.open > 0 }
  private let blocks: OpenBlocks
  /// By partition: the recorded time of its open block.
  private var recordedMs: ContiguousArray<Int64>

  package init(_ plan: ProductPlan) {
    blocks = OpenBlocks(plan, kind: .handed)
    recordedMs = ContiguousArray(repeating: .min, count: blocks.places)
  }

  /// Adds a handed event to the block of its key; one that is full is finished first.
  /// - Parameter blockMs: the recorded time of the block that is applied.
  func append(_ event: JournalEvent, to journal: Int, key: ByteView, blockMs: Int64) {
    let partition = blocks.partition(of: key, journal)
    if !blocks.append(event, journal, partition) {
      seal(journal, partition)
      _ = blocks.append(event, journal, partition)
    }
    let place = blocks.place(journal, partition)
    recordedMs[place] = max(recordedMs[place], blockMs)
  }

  /// Finishes all open blocks.
  package func seal() { blocks.sealAll { seal($0, $1) } }

  private func seal(_ journal: Int, _ partition: Partition) {
    let place = blocks.place(journal, partition)
    // Where the inputs are say the blocks of the journals that ingest writes.
    blocks.seal(journal, partition, recordedMs: recordedMs[place], inputPositions: [])
    recordedMs[place] = .min
  }

  /// The turn was committed.
  package func clear() { blocks.clear() }

  /// The turn was aborted.
  package func discard() {
    blocks.discard()
    for place in recordedMs.indices { recordedMs[place] = .min }
  }
}
