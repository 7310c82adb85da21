import Records

/// The rows of one journal partition on disk, in a directory of their own, with the moment of the
/// journal that they are.
///
/// Written in steps: ``write(_:_:)`` puts changed rows and the new moment into one sorted file that
/// is taken in whole and synced, or not at all. So after any crash it holds exactly what one such
/// step left. No log. One thread owns it; a second store of the directory is refused.
package final class RowStore {
  /// What is written with the rows, in the same step.
  package struct Moment: Hashable, Sendable {
    package var stamp: Stamp
    /// Rows and remembered keys.
    package var rowCount: Int
    /// By space: which entries of its queue are there.
    package var queues: [UInt8: Range<UInt64>]

    package init(stamp: Stamp, rowCount: Int, queues: [UInt8: Range<UInt64>] = [:]) {
      self.stamp = stamp
      self.rowCount = rowCount
      self.queues = queues
    }
  }

  /// What a key begins with, in the order in which a file has them.
  private enum Kind: UInt8 { case moment, row, queue }

  /// Bytes before a row's own key.
  private static let keyHead = 2
  private static let format: UInt8 = 2

  package let directory: String
  /// What bounds the memory of it and of the state over it.
  let memory: StateMemory
  private let files: RowFiles
  private let key = ByteBuffer()
  /// Nil: nothing was ever written.
  package private(set) var moment: Moment?
  /// Bytes of all files that were taken in since it was opened.
  package private(set) var bytesWritten = 0
  /// Bytes of all files that are there.
  package var fileBytes: Int { files.bytes }

  /// Opens the store of a directory, which is made when it is not there. 10 to 25 ms with 10
  /// million rows.
  package init(directory: String, memory: StateMemory) throws(StoreFailure) {
    let database = try Database(directory: directory, blocks: memory.blocks)
    // What a crash left half written.
    Database.remove(RowStore.draft(directory))
    self.directory = directory
    self.memory = memory
    files = .database(database)
    try readMoment()
  }

  /// Opens the store that a disk in memory has of a directory.
  package init(directory: String, memory: StateMemory, on disk: MemoryDisk) throws(StoreFailure) {
    self.directory = directory
    self.memory = memory
    files = .memory(try MemoryDatabase(directory: directory, disk: disk))
    try readMoment()
  }

  private func readMoment() throws(StoreFailure) {
    let found: Moment?? = try files.get(momentKey()) { $0.map(RowStore.read) }
    switch found {
    case .some(.some(let moment)): self.moment = moment
    case .some(nil): throw damaged("its moment cannot be read")
    case nil:
      var isEmpty = true
      try files.scan(from: .empty) { _, _ in
        isEmpty = false
        return false
      }
      if !isEmpty { throw damaged("it has rows, but not their moment") }
    }
  }

  /// Removes the store of a directory, damaged or not. One that is in use is refused.
  package static func destroy(directory: String) throws(StoreFailure) {
    try Database.destroy(directory: directory)
  }

  static func draft(_ directory: String) -> String { directory + "/written.draft" }

  private func damaged(_ detail: String) -> StoreFailure {
    StoreFailure(.damaged, directory: directory, detail: detail)
  }

  // MARK: Reading

  /// Lends the row of `key` for the length of `body`; nil when there is none.
  package func row<Result>(_ space: Space, _ key: ByteView, _ body: (ByteView?) -> Result)
    throws(StoreFailure) -> Result
  {
    setKey(.row, space.number)
    self.key.append(key)
    return try files.get(self.key.view, body)
  }

  /// Lends the rows of keys of a space, ranges of `bytes` that rise by their bytes, each with its
  /// place among them. Cheaper than one by one where the keys lie close together.
  package func rows(
    _ space: Space, sorted keys: ContiguousArray<Range<Int>>, of bytes: ByteView,
    _ body: (Int, ByteView?) -> Void
  ) throws(StoreFailure) {
    key.clear()
    var whole = ContiguousArray<Range<Int>>()
    whole.reserveCapacity(keys.count)
    for range in keys {
      let start = key.count
      key.append(Kind.row.rawValue)
      key.append(space.number)
      key.append(bytes[range])
      whole.append(start..<key.count)
    }
    try files.get(sorted: whole, of: key.view, body)
  }

  /// Lends every row in the order of space and key, until `body` says no. 0.4 µs a row.
  package func scan(_ body: (Space, ByteView, ByteView) -> Bool) throws(StoreFailure) {
    setKey(.row, 0)
    try files.scan(from: key.view) { key, row in
      if key.count < RowStore.keyHead || key[0] != Kind.row.rawValue { return false }
      return body(Space(key[1]), key.suffix(from: RowStore.keyHead), row)
    }
  }

  /// Lends the entries of a space's queue from `number` on, until `body` says no.
  func scanQueue(
    _ space: UInt8, from number: UInt64, _ body: (UInt64, _ time: Int64, _ id: ByteView) -> Bool
  ) throws(StoreFailure) {
    setKey(.queue, space)
    append(bigEndian: number)
    var isWrong = false
    try files.scan(from: key.view) { key, entry in
      if key.count < RowStore.keyHead || key[0] != Kind.queue.rawValue || key[1] != space {
        return false
      }
      guard key.count == RowStore.keyHead + 8, entry.count >= 8 else {
        isWrong = true
        return false
      }
      return body(
        RowStore.number(key.suffix(from: RowStore.keyHead)), entry.int64(at: 0),
        entry.suffix(from: 8))
    }
    if isWrong { throw damaged("an entry of a queue cannot be read") }
  }

  /// Files that wait to be sorted in; while there are many, each get has more to ask.
  package var looseFiles: Int { files.looseFiles }

  // MARK: Writing

  /// Writes what `body` hands to the writer, and the moment, in one step that is synced when this
  /// returns. 0.5 µs a row and a few syncs. When it throws, the store is as it was.
  package func write(_ moment: Moment, _ body: (Writer) throws(StoreFailure) -> Void)
    throws(StoreFailure)
  {
    let step = try files.step(RowStore.draft(directory))
    let writer = Writer(step)
    setKey(.moment, nil)
    let bytes = ByteBuffer()
    RowStore.write(moment, to: bytes)
    do {
      try step.put(key.view, bytes.view)
      try body(writer)
      bytesWritten += try step.finish()
    } catch {
      step.discard()
      throw error
    }
    self.moment = moment
  }

  /// Takes the changes of one step, in the order of space and key; first rows, then queues.
  package final class Writer {
    private let step: RowStep
    private let key = ByteBuffer()
    private let entry = ByteBuffer()

    fileprivate init(_ step: RowStep) { self.step = step }

    package func put(_ space: Space, _ key: ByteView, _ row: ByteView) throws(StoreFailure) {
      try step.put(whole(space, key), row)
    }

    package func delete(_ space: Space, _ key: ByteView) throws(StoreFailure) {
      try step.delete(whole(space, key))
    }

    func putEntry(_ space: UInt8, _ number: UInt64, time: Int64, id: ByteView)
      throws(StoreFailure)
    {
      entry.clear()
      entry.append(int64: time)
      entry.append(id)
      try step.put(entryKey(space, number), entry.view)
    }

    func deleteEntry(_ space: UInt8, _ number: UInt64) throws(StoreFailure) {
      try step.delete(entryKey(space, number))
    }

    private func whole(_ space: Space, _ key: ByteView) -> ByteView {
      self.key.clear()
      self.key.append(Kind.row.rawValue)
      self.key.append(space.number)
      self.key.append(key)
      return self.key.view
    }

    private func entryKey(_ space: UInt8, _ number: UInt64) -> ByteView {
      key.clear()
      key.append(Kind.queue.rawValue)
      key.append(space)
      key.append(uint64: number.byteSwapped)
      return key.view
    }
  }

  // MARK: Bytes

  private func momentKey() -> ByteView {
    setKey(.moment, nil)
    return key.view
  }

  private func setKey(_ kind: Kind, _ space: UInt8?) {
    key.clear()
    key.append(kind.rawValue)
    if let space { key.append(space) }
  }

  private func append(bigEndian number: UInt64) { key.append(uint64: number.byteSwapped) }

  private static func number(_ bytes: ByteView) -> UInt64 { bytes.uint64(at: 0).byteSwapped }

  private static func write(_ moment: Moment, to bytes: ByteBuffer) {
    bytes.append(format)
    bytes.append(uint32: moment.stamp.generation)
    bytes.append(moment.stamp.digest)
    bytes.append(uint64: moment.stamp.incarnation)
    bytes.append(int64: moment.stamp.position.value)
    bytes.append(int64: Int64(moment.rowCount))
    bytes.append(varint: UInt64(moment.queues.count))
    for (space, entries) in moment.queues.sorted(by: { $0.key < $1.key }) {
      bytes.append(space)
      bytes.append(uint64: entries.lowerBound)
      bytes.append(uint64: entries.upperBound)
    }
  }

  private static func read(_ bytes: ByteView) -> Moment? {
    var reader = ByteReader(bytes)
    guard reader.byte() == format, let generation = reader.uint32(),
      let digest = reader.bytes(LogicDigest.byteCount).flatMap({ LogicDigest($0) }),
      let incarnation = reader.bytes(8)?.uint64(at: 0),
      let position = reader.bytes(8)?.int64(at: 0), let rows = reader.bytes(8)?.int64(at: 0),
      let queueCount = reader.varint()
    else { return nil }
    var queues: [UInt8: Range<UInt64>] = [:]
    for _ in 0..<queueCount {
      guard let space = reader.byte(), let first = reader.bytes(8)?.uint64(at: 0),
        let end = reader.bytes(8)?.uint64(at: 0), first <= end
      else { return nil }
      queues[space] = first..<end
    }
    return Moment(
      stamp: Stamp(
        generation: generation, digest: digest, incarnation: incarnation,
        position: Offset(position)),
      rowCount: Int(rows), queues: queues)
  }
}
