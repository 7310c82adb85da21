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
    /// Rows, without remembered ids.
    package var rowCount: Int
    /// By space: ids that were remembered before that time are forgotten.
    package var forgotten: [UInt8: Int64]

    package init(stamp: Stamp, rowCount: Int, forgotten: [UInt8: Int64] = [:]) {
      self.stamp = stamp
      self.rowCount = rowCount
      self.forgotten = forgotten
    }
  }

  /// What a key begins with, in the order in which a file has them. A space follows, but after the
  /// moment's.
  enum Kind: UInt8 { case moment, row, remembered }

  /// Bytes before a row's own key.
  static let keyHead = 2
  private static let format: UInt8 = 3

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
    case .some(.some(let moment)):
      self.moment = moment
      files.forget(moment.forgotten)
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
    try get(.row, space, key, body)
  }

  /// Lends the same for a row or for the time of a remembered id, which may be a forgotten one's.
  func get<Result>(
    _ kind: Kind, _ space: Space, _ key: ByteView, _ body: (ByteView?) -> Result
  ) throws(StoreFailure) -> Result {
    self.key.clear()
    RowStore.appendKey(kind, space, key, to: self.key)
    return try files.get(self.key.view, body)
  }

  /// Makes a request one of this store's.
  func prepare(_ request: ReadAhead, _ tag: UInt64, bytesMax: Int) {
    request.prepare(files, tag: tag, bytesMax: bytesMax)
  }

  /// The beginning of a key as it stands in the files, by which most are put in order without a
  /// look at the rest.
  static func beginning(_ kind: Kind, _ space: UInt8, _ key: ByteView) -> UInt64 {
    var result = UInt64(kind.rawValue) << 56 | UInt64(space) << 48
    for index in 0..<min(key.count, 6) { result |= UInt64(key[index]) << UInt64(40 - 8 * index) }
    return result
  }

  /// A key as it stands in the files.
  static func appendKey(_ kind: Kind, _ space: Space, _ key: ByteView, to bytes: ByteBuffer) {
    bytes.append(kind.rawValue)
    bytes.append(space.number)
    bytes.append(key)
  }

  /// Lends every row in the order of space and key, until `body` says no. 0.4 µs a row.
  package func scan(_ body: (Space, ByteView, ByteView) -> Bool) throws(StoreFailure) {
    try scan(.row, body)
  }

  /// Lends the same for all of a kind; of remembered ids some that are forgotten as well.
  func scan(_ kind: Kind, _ body: (Space, ByteView, ByteView) -> Bool) throws(StoreFailure) {
    setKey(kind, 0)
    try files.scan(from: key.view) { key, row in
      if key.count < RowStore.keyHead || key[0] != kind.rawValue { return false }
      return body(Space(key[1]), key.suffix(from: RowStore.keyHead), row)
    }
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
    files.forget(moment.forgotten)
  }

  /// Takes the changes of one step, in the order of space and key; first rows, then remembered ids.
  package final class Writer {
    private let step: RowStep
    private let key = ByteBuffer()

    fileprivate init(_ step: RowStep) { self.step = step }

    package func put(_ space: Space, _ key: ByteView, _ row: ByteView) throws(StoreFailure) {
      try step.put(whole(.row, space, key), row)
    }

    package func delete(_ space: Space, _ key: ByteView) throws(StoreFailure) {
      try step.delete(whole(.row, space, key))
    }

    /// - Parameter time: 8 bytes, see ``RememberedTime``.
    func remember(_ space: Space, _ id: ByteView, _ time: ByteView) throws(StoreFailure) {
      try step.put(whole(.remembered, space, id), time)
    }

    private func whole(_ kind: Kind, _ space: Space, _ key: ByteView) -> ByteView {
      self.key.clear()
      RowStore.appendKey(kind, space, key, to: self.key)
      return self.key.view
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

  private static func write(_ moment: Moment, to bytes: ByteBuffer) {
    bytes.append(format)
    bytes.append(uint32: moment.stamp.generation)
    bytes.append(moment.stamp.digest)
    bytes.append(uint64: moment.stamp.incarnation)
    bytes.append(int64: moment.stamp.position.value)
    bytes.append(int64: Int64(moment.rowCount))
    bytes.append(varint: UInt64(moment.forgotten.count))
    for (space, time) in moment.forgotten.sorted(by: { $0.key < $1.key }) {
      bytes.append(space)
      bytes.append(int64: time)
    }
  }

  private static func read(_ bytes: ByteView) -> Moment? {
    var reader = ByteReader(bytes)
    guard reader.byte() == format, let generation = reader.uint32(),
      let digest = reader.bytes(LogicDigest.byteCount).flatMap({ LogicDigest($0) }),
      let incarnation = reader.bytes(8)?.uint64(at: 0),
      let position = reader.bytes(8)?.int64(at: 0), let rows = reader.bytes(8)?.int64(at: 0),
      let spaceCount = reader.varint()
    else { return nil }
    var forgotten: [UInt8: Int64] = [:]
    for _ in 0..<spaceCount {
      guard let space = reader.byte(), let time = reader.bytes(8)?.int64(at: 0)
      else { return nil }
      forgotten[space] = time
    }
    return Moment(
      stamp: Stamp(
        generation: generation, digest: digest, incarnation: incarnation,
        position: Offset(position)),
      rowCount: Int(rows), forgotten: forgotten)
  }
}
