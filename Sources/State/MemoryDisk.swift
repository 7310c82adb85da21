import Records

/// A disk in memory, for simulations: what was written whole is there, and nothing else.
///
/// It holds the stores of any number of directories and outlives those who have them open, as a
/// machine's disk outlives a process. One thread at a time may use it.
package final class MemoryDisk {
  /// One step of a store: keys in rising order, each with its bytes or, when it is to go, nil.
  package typealias Step = [(key: [UInt8], value: [UInt8]?)]

  /// The rows of each directory.
  private var stores: [String: [[UInt8]: [UInt8]]] = [:]
  /// What they were before each of the last steps, oldest first.
  private var earlier: [String: [[[UInt8]: [UInt8]]]] = [:]
  private static let earlierMax = 3
  private var openDirectories: Set<String> = []
  /// Sees each step before it is taken in, may change it, and may throw, as a disk that is full.
  package var intercept: ((String, inout Step) throws(StoreFailure) -> Void)?
  /// Directories that are to be found damaged when they are opened next.
  package var damaged: Set<String> = []
  /// Directories of whose rows some cannot be read, the same each time, as of a file with a damaged
  /// block.
  package var unreadable: Set<String> = []
  /// Such a row seems to be absent instead, as no disk should have it.
  package var hidesUnreadable = false

  package init() {}

  package var directories: [String] { stores.keys.sorted() }

  /// Whoever had stores open is gone.
  package func closeAll(under directory: String) {
    openDirectories = openDirectories.filter { !$0.hasPrefix(directory) }
  }

  /// All that there is now will outlast any loss of power.
  package func sync() { earlier.removeAll() }

  /// Power goes before the last steps of each directory were synced, as many of them as `body` says
  /// of so many that could go; whoever had stores open is gone, too.
  package func losePower(under directory: String, _ body: (Int) -> Int) {
    closeAll(under: directory)
    for (name, states) in earlier.sorted(by: { $0.key < $1.key }) where name.hasPrefix(directory) {
      let lost = body(states.count)
      if lost == 0 { continue }
      stores[name] = states[states.count - lost]
      earlier[name]?.removeLast(lost)
    }
  }

  fileprivate func open(_ directory: String) throws(StoreFailure) {
    if damaged.contains(directory) {
      throw StoreFailure(.damaged, directory: directory, detail: "a checksum does not match")
    }
    if openDirectories.contains(directory) {
      throw StoreFailure(.inUse, directory: directory, detail: "it is open already")
    }
    openDirectories.insert(directory)
    if stores[directory] == nil { stores[directory] = [:] }
  }

  fileprivate func close(_ directory: String) { openDirectories.remove(directory) }

  package func destroy(_ directory: String) throws(StoreFailure) {
    if openDirectories.contains(directory) {
      throw StoreFailure(.inUse, directory: directory, detail: "it is open")
    }
    stores[directory] = nil
    earlier[directory] = nil
    damaged.remove(directory)
    unreadable.remove(directory)
  }

  /// Whether a key can be read; a store's moment always can.
  fileprivate func isReadable(_ key: [UInt8], _ directory: String) throws(StoreFailure) -> Bool {
    if unreadable.isEmpty || !unreadable.contains(directory) || key.count < 2 { return true }
    if key.reduce(0, { $0 &* 31 &+ Int($1) }) % 3 != 0 { return true }
    if hidesUnreadable { return false }
    throw StoreFailure(.damaged, directory: directory, detail: "a block's checksum does not match")
  }

  fileprivate func rows(_ directory: String) -> [[UInt8]: [UInt8]] { stores[directory] ?? [:] }

  fileprivate func take(_ given: Step, _ directory: String) throws(StoreFailure) {
    var step = given
    try intercept?(directory, &step)
    earlier[directory, default: []].append(stores[directory] ?? [:])
    if earlier[directory, default: []].count > MemoryDisk.earlierMax {
      earlier[directory]?.removeFirst()
    }
    for (key, value) in step { stores[directory]?[key] = value }
  }

  fileprivate func forget(_ forgotten: [UInt8: Int64], _ directory: String) {
    stores[directory] = stores[directory]?.filter { key, value in
      !ByteView.lending(key) { key in
        ByteView.lending(value) { ForgottenIds.isForgotten(key, $0) { forgotten[$0] } }
      }
    }
  }
}

/// The doors of ``Database`` over one directory of a disk in memory.
final class MemoryDatabase {
  let directory: String
  private let disk: MemoryDisk

  init(directory: String, disk: MemoryDisk) throws(StoreFailure) {
    self.directory = directory
    self.disk = disk
    try disk.open(directory)
  }

  deinit { disk.close(directory) }

  func get<Result>(_ key: ByteView, _ body: (ByteView?) -> Result) throws(StoreFailure) -> Result {
    let key = key.copied()
    guard let value = disk.rows(directory)[key], try disk.isReadable(key, directory)
    else { return body(nil) }
    return ByteView.lending(value) { body($0) }
  }

  func scan(from start: ByteView, _ body: (ByteView, ByteView) -> Bool) throws(StoreFailure) {
    let first = start.copied()
    let rows = disk.rows(directory).filter { !$0.key.lexicographicallyPrecedes(first) }
    for (key, value) in rows.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      if try !disk.isReadable(key, directory) { continue }
      let goesOn = ByteView.lending(key) { key in
        ByteView.lending(value) { body(key, $0) }
      }
      if !goesOn { return }
    }
  }

  func ingest(_ step: MemoryDisk.Step) throws(StoreFailure) { try disk.take(step, directory) }

  /// At once, where files do it when they are sorted in.
  func forget(_ forgotten: [UInt8: Int64]) {
    if !forgotten.isEmpty { disk.forget(forgotten, directory) }
  }
}

/// What a store's rows lie in: files of a directory, or a disk in memory.
enum RowFiles {
  case database(Database)
  case memory(MemoryDatabase)

  func get<Result>(_ key: ByteView, _ body: (ByteView?) -> Result) throws(StoreFailure) -> Result {
    switch self {
    case .database(let files): try files.get(key, body)
    case .memory(let rows): try rows.get(key, body)
    }
  }

  func get(
    sorted keys: ContiguousArray<Range<Int>>, of bytes: ByteView, _ body: (ByteView?) -> Bool
  ) throws(StoreFailure) {
    switch self {
    case .database(let files): try files.get(sorted: keys, of: bytes, body)
    case .memory(let rows):
      for range in keys {
        if try !rows.get(bytes[range], body) { return }
      }
    }
  }

  func scan(from start: ByteView, _ body: (ByteView, ByteView) -> Bool) throws(StoreFailure) {
    switch self {
    case .database(let files): try files.scan(from: start, body)
    case .memory(let rows): try rows.scan(from: start, body)
    }
  }

  /// Ids that were remembered before these times, by space, may go from now on.
  func forget(_ forgotten: [UInt8: Int64]) {
    switch self {
    case .database(let files): files.forgottenIds.set(forgotten)
    case .memory(let rows): rows.forget(forgotten)
    }
  }

  var looseFiles: Int {
    switch self {
    case .database(let files): files.looseFiles
    case .memory: 0
    }
  }

  /// Bytes of the files that there are.
  var bytes: Int {
    switch self {
    case .database(let files): files.fileBytes
    case .memory: 0
    }
  }

  /// A step to be written, by way of the file at `path` where there are files.
  func step(_ path: String) throws(StoreFailure) -> RowStep {
    switch self {
    case .database(let files):
      // One that was left by a failure before.
      Database.remove(path)
      return RowStep(.file(try files.file(path), path, files))
    case .memory(let rows): return RowStep(.memory([], rows))
    }
  }
}

/// One step of a store being written, in the order of its keys.
final class RowStep {
  fileprivate enum Target {
    case file(SortedFile, String, Database)
    case memory(MemoryDisk.Step, MemoryDatabase)
  }
  private var target: Target

  fileprivate init(_ target: Target) { self.target = target }

  func put(_ key: ByteView, _ row: ByteView) throws(StoreFailure) { try add(key, row) }
  func delete(_ key: ByteView) throws(StoreFailure) { try add(key, nil) }

  private func add(_ key: ByteView, _ row: ByteView?) throws(StoreFailure) {
    switch target {
    case .file(let file, _, _):
      if let row { try file.put(key, row) } else { try file.delete(key) }
    case .memory(var step, let rows):
      step.append((key.copied(), row?.copied()))
      target = .memory(step, rows)
    }
  }

  /// Takes the step in, whole; returns the bytes of its file.
  func finish() throws(StoreFailure) -> Int {
    switch target {
    case .file(let file, let path, let database):
      let bytes = try file.finish()
      try database.ingest(path)
      return bytes
    case .memory(let step, let rows):
      try rows.ingest(step)
      return 0
    }
  }

  /// Nothing of the step is to be left.
  func discard() {
    if case .file(_, let path, _) = target { Database.remove(path) }
  }
}
