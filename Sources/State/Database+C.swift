import CRocksDB
import Glibc
import Records
import Synchronization

// The one place that calls RocksDB. `unsafe` because it is C: every pointer handed in is read
// during the call only, and what comes back has one owner here that frees it.

/// Blocks of the stores' files in memory, with their indexes and filters. Used by all threads.
@safe final class BlockCache: Sendable {
  // RocksDB's caches lock themselves.
  nonisolated(unsafe) fileprivate let handle: OpaquePointer

  init(bytes: Int) {
    unsafe handle = rocksdb_cache_create_lru(bytes)
  }

  deinit { unsafe rocksdb_cache_destroy(handle) }

  var bytesUsed: Int { unsafe rocksdb_cache_get_usage(handle) }
}

/// A directory of sorted, immutable files: bytes by bytes, in the order of their keys. Nothing is
/// written but by ``ingest(_:)``, so there is no log and nothing to flush.
///
/// `@unchecked Sendable`: RocksDB locks itself, so that any thread may read beside the owner.
@safe final class Database: @unchecked Sendable {
  let directory: String
  private let options: DatabaseOptions
  private let stepOptions: StepOptions
  private let handle: OpaquePointer
  private let column: OpaquePointer
  private let reading: OpaquePointer
  private let passing: OpaquePointer
  private let calls = Atomic(0)
  /// Kept as long as the database uses it.
  private let blocks: BlockCache
  let forgottenIds: ForgottenIds

  /// Opens the database of a directory; makes both when they are not there.
  init(directory: String, blocks: BlockCache) throws(StoreFailure) {
    try Database.makeDirectories(directory)
    let forgottenIds = ForgottenIds()
    let options = DatabaseOptions(blocks, dropping: forgottenIds)
    var message: UnsafeMutablePointer<CChar>?
    var column: OpaquePointer?
    let opened = unsafe directory.withCString { path in
      unsafe "default".withCString { name in
        var names: UnsafePointer<CChar>? = unsafe name
        var all: OpaquePointer? = unsafe options.handle
        return unsafe rocksdb_open_column_families(
          options.handle, path, 1, &names, &all, &column, &message)
      }
    }
    if let text = unsafe Database.taken(message) {
      throw StoreFailure(told: text, directory: directory)
    }
    guard let opened = unsafe opened, let column = unsafe column else {
      throw StoreFailure(.failed, directory: directory, detail: "it does not open")
    }
    self.directory = directory
    self.options = options
    stepOptions = StepOptions(blocks)
    self.blocks = blocks
    self.forgottenIds = forgottenIds
    unsafe handle = opened
    unsafe self.column = column
    unsafe reading = rocksdb_readoptions_create()
    unsafe passing = rocksdb_readoptions_create()
    unsafe rocksdb_readoptions_set_fill_cache(passing, 0)
  }

  deinit {
    unsafe rocksdb_readoptions_destroy(reading)
    unsafe rocksdb_readoptions_destroy(passing)
    unsafe rocksdb_column_family_handle_destroy(column)
    unsafe rocksdb_close(handle)
  }

  /// Lends what stands under `key` for the length of `body`; nil when nothing does. 10 to 14 µs
  /// cold, about one when it is absent.
  func get<Result>(_ key: ByteView, _ body: (ByteView?) -> Result) throws(StoreFailure) -> Result {
    var message: UnsafeMutablePointer<CChar>?
    let slice = unsafe rocksdb_get_pinned_cf(
      handle, reading, column, key.characters, key.count, &message)
    if let text = unsafe Database.taken(message) {
      throw StoreFailure(told: text, directory: directory)
    }
    guard let slice = unsafe slice else { return body(nil) }
    defer { unsafe rocksdb_pinnableslice_destroy(slice) }
    var count = 0
    let value = unsafe rocksdb_pinnableslice_value(slice, &count)
    return body(unsafe ByteView(value, count))
  }

  /// How many keys are asked for at once: as many as RocksDB takes together, and all that stands
  /// under them is held until it is lent.
  private static let keysAtOnce = 32

  /// The first calls keep the blocks they have read, and then one in so many. A block of rows is
  /// seldom asked for again before it is pushed out, and keeping it costs a fifth of a read; but
  /// parts of indexes are, and after a few calls all of them are kept.
  private static let (firstCalls, callsToKeep) = (64, 16)

  /// Lends what stands under each of `keys`, ranges of `bytes` in rising order, in their order,
  /// until `body` says no. Reads files block by block: several keys of one block cost one read.
  func get(
    sorted keys: ContiguousArray<Range<Int>>, of bytes: ByteView, _ body: (ByteView?) -> Bool
  ) throws(StoreFailure) {
    var start = 0
    while start < keys.count {
      let end = min(start + Database.keysAtOnce, keys.count)
      if try !get(keys[start..<end], of: bytes, body) { return }
      start = end
    }
  }

  private func get(
    _ keys: ContiguousArray<Range<Int>>.SubSequence, of bytes: ByteView, _ body: (ByteView?) -> Bool
  ) throws(StoreFailure) -> Bool {
    let pointers = unsafe keys.map { unsafe Optional(bytes[$0].characters) }
    let lengths = keys.map(\.count)
    var slices = unsafe [OpaquePointer?](repeating: nil, count: keys.count)
    var messages = unsafe [UnsafeMutablePointer<CChar>?](repeating: nil, count: keys.count)
    let call = calls.add(1, ordering: .relaxed).oldValue
    let keeps = call < Database.firstCalls || call % Database.callsToKeep == 0
    unsafe rocksdb_batched_multi_get_cf(
      handle, keeps ? reading : passing, column, keys.count, pointers, lengths, &slices,
      &messages, true)
    var failure: StoreFailure?
    var isWanted = true
    for index in 0..<keys.count {
      if let text = unsafe Database.taken(messages[index]) {
        failure = failure ?? StoreFailure(told: text, directory: directory)
      }
      guard let slice = unsafe slices[index] else {
        if failure == nil && isWanted { isWanted = body(nil) }
        continue
      }
      var count = 0
      let value = unsafe rocksdb_pinnableslice_value(slice, &count)
      if failure == nil && isWanted { isWanted = body(unsafe ByteView(value, count)) }
      unsafe rocksdb_pinnableslice_destroy(slice)
    }
    if let failure { throw failure }
    return isWanted
  }

  /// Lends every key not before `start` with what stands under it, in order, until `body` says no.
  /// Sees the database as it was at the call.
  func scan(from start: ByteView, _ body: (ByteView, ByteView) -> Bool) throws(StoreFailure) {
    let scanning = unsafe rocksdb_readoptions_create()
    defer { unsafe rocksdb_readoptions_destroy(scanning) }
    // Reading everything once must not push out what is read often.
    unsafe rocksdb_readoptions_set_fill_cache(scanning, 0)
    guard let iterator = unsafe rocksdb_create_iterator_cf(handle, scanning, column) else {
      throw StoreFailure(.failed, directory: directory, detail: "it cannot be scanned")
    }
    defer { unsafe rocksdb_iter_destroy(iterator) }
    unsafe rocksdb_iter_seek(iterator, start.characters, start.count)
    while unsafe rocksdb_iter_valid(iterator) != 0 {
      var keyLength = 0
      var rowLength = 0
      let key = unsafe rocksdb_iter_key(iterator, &keyLength)
      let row = unsafe rocksdb_iter_value(iterator, &rowLength)
      if !body(unsafe ByteView(key, keyLength), unsafe ByteView(row, rowLength)) { return }
      unsafe rocksdb_iter_next(iterator)
    }
    var message: UnsafeMutablePointer<CChar>?
    unsafe rocksdb_iter_get_error(iterator, &message)
    if let text = unsafe Database.taken(message) {
      throw StoreFailure(told: text, directory: directory)
    }
  }

  /// Files that no compaction has sorted in yet: each is asked by each get.
  var looseFiles: Int {
    var count: UInt64 = 0
    _ = unsafe rocksdb_property_int(handle, "rocksdb.num-files-at-level0", &count)
    return Int(count)
  }

  /// Of the sorted files that are in use.
  var fileBytes: Int {
    var count: UInt64 = 0
    _ = unsafe rocksdb_property_int(handle, "rocksdb.total-sst-files-size", &count)
    return Int(count)
  }

  // MARK: Writing

  /// A sorted file being written in the database's directory.
  func file(_ path: String) throws(StoreFailure) -> SortedFile {
    try SortedFile(path, directory, stepOptions)
  }

  /// Takes a finished file in: at once and for good. When this returns, the file, the list of files
  /// and the directory were synced by RocksDB.
  func ingest(_ path: String) throws(StoreFailure) {
    let how = unsafe rocksdb_ingestexternalfileoptions_create()
    defer { unsafe rocksdb_ingestexternalfileoptions_destroy(how) }
    unsafe rocksdb_ingestexternalfileoptions_set_move_files(how, 1)
    var message: UnsafeMutablePointer<CChar>?
    unsafe path.withCString { path in
      var paths: UnsafePointer<CChar>? = unsafe path
      unsafe rocksdb_ingest_external_file_cf(handle, column, &paths, 1, how, &message)
    }
    if let text = unsafe Database.taken(message) {
      throw StoreFailure(told: text, directory: directory)
    }
  }

  // MARK: Files

  /// Removes the database's files and the directory, if nothing else is in it.
  static func destroy(directory: String) throws(StoreFailure) {
    if unsafe access(directory, F_OK) != 0 { return }
    let options = unsafe rocksdb_options_create()
    defer { unsafe rocksdb_options_destroy(options) }
    var message: UnsafeMutablePointer<CChar>?
    unsafe rocksdb_destroy_db(options, directory, &message)
    if let text = unsafe taken(message) { throw StoreFailure(told: text, directory: directory) }
    // Not before: until then it may be another's.
    remove(RowStore.draft(directory))
    _ = unsafe rmdir(directory)
  }

  /// Removes a file if it is there.
  static func remove(_ path: String) { _ = unsafe unlink(path) }

  private static func makeDirectories(_ path: String) throws(StoreFailure) {
    var made = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/") {
      made += "/\(part)"
      if unsafe mkdir(made, 0o755) == 0 || errno == EEXIST { continue }
      let number = errno
      // A directory that is there says so by other errors, too, where it may not be written.
      if unsafe access(made, F_OK) == 0 { continue }
      let text = unsafe String(cString: strerror(number))
      throw StoreFailure(told: "While making \(made): \(text)", directory: path)
    }
  }

  /// The text of an error, freed.
  fileprivate static func taken(_ message: UnsafeMutablePointer<CChar>?) -> String? {
    guard let message = unsafe message else { return nil }
    defer { unsafe rocksdb_free(message) }
    return unsafe String(cString: message)
  }
}

/// A file whose keys are added in rising order. On failure the file is left to whoever named it.
@safe final class SortedFile {
  private let directory: String
  private let handle: OpaquePointer
  private let environment: OpaquePointer
  private let options: StepOptions

  fileprivate init(_ path: String, _ directory: String, _ options: StepOptions)
    throws(StoreFailure)
  {
    self.directory = directory
    self.options = options
    unsafe environment = rocksdb_envoptions_create()
    unsafe handle = rocksdb_sstfilewriter_create(environment, options.handle)
    var message: UnsafeMutablePointer<CChar>?
    unsafe rocksdb_sstfilewriter_open(handle, path, &message)
    try unsafe check(message)
  }

  deinit {
    unsafe rocksdb_sstfilewriter_destroy(handle)
    unsafe rocksdb_envoptions_destroy(environment)
  }

  func put(_ key: ByteView, _ row: ByteView) throws(StoreFailure) {
    var message: UnsafeMutablePointer<CChar>?
    unsafe rocksdb_sstfilewriter_put(
      handle, key.characters, key.count, row.characters, row.count, &message)
    try unsafe check(message)
  }

  /// Says that nothing stands under `key` any more.
  func delete(_ key: ByteView) throws(StoreFailure) {
    var message: UnsafeMutablePointer<CChar>?
    unsafe rocksdb_sstfilewriter_delete(handle, key.characters, key.count, &message)
    try unsafe check(message)
  }

  /// Writes the rest and syncs the file; returns its bytes.
  func finish() throws(StoreFailure) -> Int {
    var message: UnsafeMutablePointer<CChar>?
    unsafe rocksdb_sstfilewriter_finish(handle, &message)
    try unsafe check(message)
    var bytes: UInt64 = 0
    unsafe rocksdb_sstfilewriter_file_size(handle, &bytes)
    return Int(bytes)
  }

  private func check(_ message: UnsafeMutablePointer<CChar>?) throws(StoreFailure) {
    if let text = unsafe Database.taken(message) {
      throw StoreFailure(told: text, directory: directory)
    }
  }
}

/// RocksDB's threads, which all databases of a process share: one for merges of a few steps, one
/// for those of a whole state, which may take minutes and would have the others wait.
@safe private final class Environment: Sendable {
  static let shared = Environment()
  // Locks itself, and lives as long as the process.
  nonisolated(unsafe) fileprivate let handle: OpaquePointer?

  private init() {
    unsafe handle = rocksdb_create_default_env()
    unsafe rocksdb_env_set_bottom_priority_background_threads(handle, 1)
  }
}

/// How the files of steps are laid out: small and soon gone, so with a whole index and filter each,
/// which is found in one look.
@safe private final class StepOptions {
  fileprivate let handle: OpaquePointer

  init(_ blocks: BlockCache) {
    unsafe handle = rocksdb_options_create()
    let tables = unsafe DatabaseOptions.tables(blocks)
    defer { unsafe rocksdb_block_based_options_destroy(tables) }
    unsafe rocksdb_options_set_block_based_table_factory(handle, tables)
    unsafe rocksdb_options_set_compression(handle, Int32(rocksdb_no_compression))
  }

  deinit { unsafe rocksdb_options_destroy(handle) }
}

/// How files are laid out and kept. Lives longer than the database.
@safe private final class DatabaseOptions {
  fileprivate let handle: OpaquePointer
  private let filter: OpaquePointer
  private static let filterName: StaticString = "weft.forgotten-ids"

  init(_ blocks: BlockCache, dropping forgotten: ForgottenIds) {
    unsafe handle = rocksdb_options_create()
    unsafe filter = rocksdb_compactionfilter_create(
      Unmanaged.passRetained(forgotten).toOpaque(),
      { forgotten in
        if let forgotten = unsafe forgotten {
          unsafe Unmanaged<ForgottenIds>.fromOpaque(forgotten).release()
        }
      },
      { forgotten, _, key, keyLength, value, valueLength, _, _, _ in
        guard let forgotten = unsafe forgotten else { return 0 }
        return unsafe Unmanaged<ForgottenIds>.fromOpaque(forgotten)._withUnsafeGuaranteedRef {
          unsafe $0.isForgotten(ByteView(key, keyLength), ByteView(value, valueLength)) ? 1 : 0
        }
      },
      { _ in
        unsafe UnsafeRawPointer(DatabaseOptions.filterName.utf8Start)
          .assumingMemoryBound(to: CChar.self)
      })
    unsafe rocksdb_options_set_compaction_filter(handle, filter)
    let tables = unsafe DatabaseOptions.tables(blocks)
    defer { unsafe rocksdb_block_based_options_destroy(tables) }
    // Indexes and filters count in the bound, in parts of a block's size: whole ones of a large
    // file are larger than a share of the cache, and then read anew for each get (634 µs).
    unsafe rocksdb_block_based_options_set_index_type(
      tables, Int32(rocksdb_block_based_table_index_type_two_level_index_search))
    unsafe rocksdb_block_based_options_set_partition_filters(tables, 1)
    unsafe rocksdb_options_set_block_based_table_factory(handle, tables)
    unsafe rocksdb_options_set_create_if_missing(handle, 1)
    unsafe rocksdb_options_set_env(handle, Environment.shared.handle)
    // A state is what was merged, in a few files, and up to a dozen steps of a few megabytes that
    // were not: what is written over and over is merged with its like before it is with all.
    unsafe rocksdb_options_set_compaction_style(handle, Int32(rocksdb_universal_compaction))
    let universal = unsafe rocksdb_universal_compaction_options_create()
    defer { unsafe rocksdb_universal_compaction_options_destroy(universal) }
    unsafe rocksdb_universal_compaction_options_set_max_size_amplification_percent(
      universal, 100)
    unsafe rocksdb_options_set_universal_compaction_options(handle, universal)
    unsafe rocksdb_options_set_level0_file_num_compaction_trigger(handle, 12)
    // Few enough to be kept open.
    unsafe rocksdb_options_set_target_file_size_base(handle, 64 << 20)
    // Packing costs a third of a read and half of a merge, and saves half of the disk.
    unsafe rocksdb_options_set_compression(handle, Int32(rocksdb_no_compression))
    // Nothing is ever written through it, but it bounds the files whose index and filter stay in
    // memory: one and a half times as much. Each of them is asked by each get.
    unsafe rocksdb_options_set_write_buffer_size(handle, 8 << 20)
    unsafe rocksdb_options_set_arena_block_size(handle, 4096)
    unsafe rocksdb_options_set_max_open_files(handle, 256)
    unsafe rocksdb_options_set_max_background_jobs(handle, 3)
    // One file of words for people, and no numbers that nobody reads.
    unsafe rocksdb_options_set_info_log_level(handle, 3)
    unsafe rocksdb_options_set_keep_log_file_num(handle, 1)
    unsafe rocksdb_options_set_max_manifest_file_size(handle, 1 << 20)
    unsafe rocksdb_options_set_stats_dump_period_sec(handle, 0)
    unsafe rocksdb_options_set_stats_persist_period_sec(handle, 0)
    unsafe rocksdb_options_set_skip_stats_update_on_db_open(handle, 1)
  }

  deinit {
    unsafe rocksdb_options_destroy(handle)
    unsafe rocksdb_compactionfilter_destroy(filter)
  }

  /// What all files have in common.
  fileprivate static func tables(_ blocks: BlockCache) -> OpaquePointer? {
    let tables = unsafe rocksdb_block_based_options_create()
    unsafe rocksdb_block_based_options_set_block_cache(tables, blocks.handle)
    unsafe rocksdb_block_based_options_set_format_version(tables, 5)
    unsafe rocksdb_block_based_options_set_filter_policy(
      tables, rocksdb_filterpolicy_create_bloom_full(10))
    unsafe rocksdb_block_based_options_set_data_block_index_type(
      tables, Int32(rocksdb_block_based_table_data_block_index_type_binary_search_and_hash))
    unsafe rocksdb_block_based_options_set_cache_index_and_filter_blocks(tables, 1)
    unsafe rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(
      tables, 1)
    unsafe rocksdb_block_based_options_set_pin_top_level_index_and_filter(tables, 1)
    unsafe rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(tables, 1)
    return unsafe tables
  }
}

extension ByteView {
  /// For C, which has no other word for bytes.
  fileprivate var characters: UnsafePointer<CChar> {
    unsafe UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self)
  }

  fileprivate init(_ characters: UnsafePointer<CChar>?, _ count: Int) {
    guard let characters = unsafe characters, count > 0 else {
      self = .empty
      return
    }
    unsafe self.init(
      base: UnsafeRawPointer(characters).assumingMemoryBound(to: UInt8.self), count: count)
  }
}
