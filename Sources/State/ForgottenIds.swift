import Records
import Synchronization

/// The times before which a store's remembered ids are forgotten, by space, as of its last step.
///
/// A forgotten id is no answer any more wherever it still lies; so nothing has to be written to
/// forget one, and RocksDB drops it when it sorts the file in which it is. Those times are the
/// written moment's and no later ones: what was forgotten since is asked for again after a crash.
/// Read by RocksDB's threads.
final class ForgottenIds: Sendable {
  private let times = InlineArray<256, Atomic<Int64>> { _ in Atomic(.min) }

  func set(_ forgotten: [UInt8: Int64]) {
    for (space, time) in forgotten {
      times[Int(space)].store(time, ordering: .relaxed)
    }
  }

  /// Whether what stands in a store under `key` is a forgotten id.
  func isForgotten(_ key: ByteView, _ value: ByteView) -> Bool {
    ForgottenIds.isForgotten(key, value) {
      times[Int($0)].load(ordering: .relaxed)
    }
  }

  @inline(__always)
  static func isForgotten(_ key: ByteView, _ value: ByteView, _ before: (UInt8) -> Int64?) -> Bool {
    guard key.count >= 2, key[0] == RowStore.Kind.remembered.rawValue, value.count == 8,
      let bound = before(key[1])
    else { return false }
    return value.int64(at: 0) < bound
  }
}
