import Engine
import Observability
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
  /// Records in event and state ports, and in quarantine, by committed turns.
  package var published: Int64 = 0
  package var commits: Int64 = 0
  package var aborts: Int64 = 0
  /// Blocks applied in the turn that wrote them, and blocks read back from Kafka.
  package var blocksAppliedAtOnce: Int64 = 0
  package var blocksReadBack: Int64 = 0
  /// From closing a turn to its commit.
  package var commitLatency = LatencyHistogram()
  package var inputPartitions = 0
  package var journalPartitions = 0

  package init(product: String) { self.product = product }
}

/// Where a loop leaves its status and others pick it up.
package final class ProductMonitor: Sendable {
  private let state: Mutex<ProductStatus>

  package init(product: String) { state = Mutex(ProductStatus(product: product)) }

  package var status: ProductStatus { state.withLock { $0 } }

  func update(_ change: (inout sending ProductStatus) -> Void) { state.withLock { change(&$0) } }
}
