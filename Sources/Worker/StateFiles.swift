import Product
import Records
import State

/// Where one instance of a domain's worker keeps the states of its products, and the memory that
/// they share. The instance's ``InstanceLock`` lies beside the directory and guards it.
package struct StateFiles: Sendable {
  /// The build of a product's state and outputs: there is no other before a rebuild.
  static let generation: UInt32 = 0

  private let directory: String
  let memory: StateMemory

  /// - Parameter domain: with the environment before it.
  package init(_ settings: WorkerSettings, domain: String, instance: String) {
    OpenFiles.raiseLimit()
    self.init(
      directory: "\(settings.stateDirectory)/\(domain).\(instance)",
      memory: StateMemory(bytes: settings.stateMemoryBytes))
  }

  package init(directory: String, memory: StateMemory) {
    self.directory = directory
    self.memory = memory
  }

  /// A directory of each journal partition's own, so that it comes and goes as one.
  package func directory(_ product: ProductDefinition, journal: Int, _ partition: Partition)
    -> String
  {
    "\(directory)/\(product.name)/g\(StateFiles.generation)"
      + "/\(product.journals[journal].name)-\(partition.value)"
  }
}

/// What a state on disk must be of before a loop goes on from it. A pure value.
package struct StateCheck: Hashable, Sendable {
  /// Why a state is of no use. It is thrown away then and made anew from the journal, which is
  /// always right: the journal has everything. But not where the offset cannot be relied on: one
  /// below the state, or set by somebody else. Then the product stops.
  package enum Objection: Hashable, Sendable {
    case otherGeneration
    case otherLogic
    /// The journal was deleted and made anew since, or the group's offsets were.
    case otherJournal
    /// It has blocks that no committed turn covers: somebody set the group's offsets back. What is
    /// above them was published, so going on from them would do so twice.
    case ahead(of: Offset)
    /// The offset says nothing of what it was reached with, as a worker's do, and the state is not
    /// exactly there: what lies between, or whether the offset is right, nobody knows.
    case setElsewhere(to: Offset, state: Offset)
    case damaged(String)
  }

  private let digest: LogicDigest
  private let incarnation: UInt64?
  private let committed: Offset
  private let isSetElsewhere: Bool

  /// - Parameters:
  ///   - incarnation: the journal's, from the committed offset's metadata; nil: nothing was
  ///     committed, so that no state of it can be.
  ///   - isSetElsewhere: the offset was committed, and not by a worker.
  package init(
    digest: LogicDigest, incarnation: UInt64?, committed: Offset, isSetElsewhere: Bool = false
  ) {
    self.digest = digest
    self.incarnation = incarnation
    self.committed = committed
    self.isSetElsewhere = isSetElsewhere
  }

  /// What speaks against a state of that stamp; nil when it can be gone on from.
  package func objection(to stamp: Stamp) -> Objection? {
    if isSetElsewhere {
      let isThere =
        stamp.generation == StateFiles.generation && stamp.digest == digest
        && stamp.position == committed
      return isThere ? nil : .setElsewhere(to: committed, state: stamp.position)
    }
    if stamp == .empty { return nil }
    if stamp.generation != StateFiles.generation { return .otherGeneration }
    if stamp.digest != digest { return .otherLogic }
    if stamp.incarnation != incarnation { return .otherJournal }
    if stamp.position > committed { return .ahead(of: committed) }
    return nil
  }
}

/// The text that goes with each committed offset: the logic that the offset was reached with, and
/// with a journal's which making of the journal it counts in.
package struct OffsetMetadata: Hashable, Sendable {
  /// The logic digest in hexadecimal digits; empty where nothing was committed.
  package let logic: String
  package let incarnation: UInt64?

  package init(logic: String, incarnation: UInt64? = nil) {
    self.logic = logic
    self.incarnation = incarnation
  }

  /// Reads what ``text`` wrote; anything else is logic that is not ours.
  package init(_ text: String) {
    let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    let incarnation = parts.count == 2 ? UInt64(parts[1], radix: 16) : nil
    logic = incarnation == nil ? text : String(parts[0])
    self.incarnation = incarnation
  }

  package var text: String {
    incarnation.map { "\(logic) \(String($0, radix: 16))" } ?? logic
  }
}
