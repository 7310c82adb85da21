import Engine
import Observability
import Records
import Synchronization

/// How one product of a worker is doing: a copy, made now and then by its loop.
package struct ProductStatus: Sendable {
  package enum Phase: Hashable, Sendable {
    /// Becoming the one holder of its instance, or joining its group.
    case starting
    /// Re-applying the journal to its state; inputs wait.
    case restoring
    case running
    /// The brokers do not answer; it keeps trying.
    case waiting(String)
    case stopped(StopReason)
  }

  package let product: String
  package var phase: Phase = .starting
  /// What committed turns have counted since the worker started.
  package var counts = Counts()
  /// Of the records that were read, how many came from each input, in the product's order.
  package var readOfInputs: [Int64] = []
  /// Records in event and state ports, and in quarantine, by committed turns.
  package var published: Int64 = 0
  package var commits: Int64 = 0
  package var aborts: Int64 = 0
  /// Blocks applied in the turn that wrote them, and blocks read back from Kafka.
  package var blocksAppliedAtOnce: Int64 = 0
  package var blocksReadBack: Int64 = 0
  /// From closing a turn to its commit.
  package var commitLatency = LatencyHistogram()
  /// When a turn was committed last, in milliseconds since 1970.
  package var lastCommitMs: Int64?
  /// The journal partitions that the loop owns.
  package var states: [StateStatus] = []
  package var inputPartitions = 0
  package var journalPartitions = 0

  package init(product: String) { self.product = product }
}

/// A journal partition and its state.
package struct StateStatus: Hashable, Sendable {
  package let journal: String
  package let partition: Partition
  /// The offset of the first block that no committed turn has applied.
  package let position: Int64
  /// Rows of tables, without remembered event ids.
  package let rows: Int64
  package let fileBytes: Int64
  package let memoryBytes: Int64
  package let held: [Held]
  /// How many wait behind one of their key that is in quarantine, and since when the first does, in
  /// milliseconds since 1970.
  package let waiting: Int64
  package let waitingSinceMs: Int64?
}

/// Where a loop leaves its status and others pick it up.
package final class ProductMonitor: Sendable {
  private let state: Mutex<ProductStatus>

  package init(product: String) { state = Mutex(ProductStatus(product: product)) }

  package var status: ProductStatus { state.withLock { $0 } }

  func update(_ change: (inout sending ProductStatus) -> Void) { state.withLock { change(&$0) } }
}
