import Synchronization

/// One bound on the memory that all states on disk of a process take together.
///
/// A quarter holds blocks of the stores' files, a half hot rows, an eighth what open turns take for
/// undo logs and for rows beyond that half; the rest is left to reading ahead and writing back.
/// Rows are shared out evenly among the states that are open, and so is the work that a restart may
/// cost. Safe to use from any thread.
package final class StateMemory: Sendable {
  /// Below this the parts are too small to work in.
  package static let bytesMin = 16 << 20
  /// What re-applying may cost a process before it is written back, in nanoseconds. Under a second,
  /// as states wait for each other and a turn may be long.
  package static let reapplyNanoseconds = 500_000_000

  package let bytes: Int
  let blocks: BlockCache
  private let hotBytes: Int
  private let open = Atomic<Int>(0)

  /// - Parameter hotBytes: what all rows in memory may take; only to show what happens when few
  ///   fit.
  package init(bytes: Int, hotBytes: Int? = nil) {
    self.bytes = max(bytes, StateMemory.bytesMin)
    self.hotBytes = hotBytes ?? self.bytes / 2
    blocks = BlockCache(bytes: self.bytes / 4)
  }

  /// Bytes of rows that one state may keep.
  var rowBytes: Int { hotBytes / max(1, open.load(ordering: .relaxed)) }
  /// Bytes that an open turn may take for one state, on top of what the state may keep.
  package var turnBytes: Int { rowBytes / 4 }
  /// The work of re-applying that one state may leave to a restart.
  var reapplyNanoseconds: Int {
    StateMemory.reapplyNanoseconds / max(1, open.load(ordering: .relaxed))
  }

  func opened() { open.add(1, ordering: .relaxed) }
  func closed() { open.subtract(1, ordering: .relaxed) }
}
