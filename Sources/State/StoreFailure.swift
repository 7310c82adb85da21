/// Why a state on disk cannot be used. The message stands alone: what, where, what to do.
package struct StoreFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// Named by what the failure asks for.
  package enum Kind: Hashable, Sendable {
    /// The files are not what was written. To be destroyed and made anew from the journal.
    case damaged
    /// No room, or no more inodes or quota. Right again once there is room.
    case full
    /// The file system takes no writes. Right again once it does.
    case readOnly
    /// Another process, or another part of this one, has it open.
    case inUse
    /// The user that the process runs as may not.
    case denied
    /// The process has as many files open as it may.
    case tooManyFiles
    /// The disk or the system fails in another way.
    case failed
  }

  package let kind: Kind
  package let directory: String
  /// What the system or the store said.
  package let detail: String

  package init(_ kind: Kind, directory: String, detail: String) {
    self.kind = kind
    self.directory = directory
    self.detail = detail
  }

  /// Reads a text of RocksDB, which tells kinds apart by words alone; those after the last colon
  /// are the system's.
  package init(told detail: String, directory: String) {
    self.init(StoreFailure.kind(detail), directory: directory, detail: detail)
  }

  private static func kind(_ text: String) -> Kind {
    func has(_ words: String) -> Bool { text.firstRange(of: words) != nil }
    if text.hasPrefix("Corruption") { return .damaged }
    if has("lock hold by current process") || has("/LOCK: Resource temporarily unavailable") {
      return .inUse
    }
    if has("No space left on device") || has("Disk quota exceeded") { return .full }
    if has("Read-only file system") { return .readOnly }
    if has("Permission denied") || has("Operation not permitted") { return .denied }
    if has("Too many open files") { return .tooManyFiles }
    // Files that the store's list of files names.
    if has("No such file or directory") && (has(".sst") || has("MANIFEST")) { return .damaged }
    return .failed
  }

  package var description: String {
    switch kind {
    case .damaged:
      "the state in \(directory) is damaged: \(detail); it can be made anew from the journal"
    case .full:
      "no room for the state in \(directory): \(detail); make room on that disk, or set"
        + " state.directory in worker.yaml, and start again: nothing is lost"
    case .readOnly:
      "the state in \(directory) cannot be written, its file system is read-only: \(detail);"
        + " mount it for writing, or set state.directory in worker.yaml"
    case .inUse:
      "the state in \(directory) is in use: \(detail); stop the process that uses it, or set another"
        + " state.directory in worker.yaml"
    case .denied:
      "the state in \(directory) may not be used: \(detail); give the worker's user the right to read"
        + " and write there, or set state.directory in worker.yaml"
    case .tooManyFiles:
      "the state in \(directory) cannot be opened: \(detail); raise the limit of open files of the"
        + " process (LimitNOFILE= of a service, `ulimit -n` of a shell): up to 256 a partition"
    case .failed:
      "the state in \(directory) cannot be used: \(detail); look at that disk, or set state.directory"
        + " in worker.yaml"
    }
  }
}
