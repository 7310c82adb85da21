import Foundation
import Records
import State
import Testing

/// Rows of one journal partition on disk.
struct RowStoreTests {
  private let rows = Space(3)
  private let directory = StateDirectory()
  private let memory = StateMemory(bytes: StateMemory.bytesMin)

  private func moment(_ position: Int64, rows: Int = 0) -> RowStore.Moment {
    RowStore.Moment(
      stamp: Stamp(generation: 4, digest: .none, position: Offset(position)), rowCount: rows,
      forgotten: [9: 37])
  }

  private func open(_ name: String = "0") throws(StoreFailure) -> RowStore {
    try RowStore(directory: directory.at("shop/g0/order/\(name)"), memory: memory)
  }

  private func put(_ store: RowStore, _ keys: Range<Int>, _ row: String, at position: Int64)
    throws(StoreFailure)
  {
    try store.write(moment(position)) { writer throws(StoreFailure) in
      for key in keys {
        try lendStore(key, row) { key, row throws(StoreFailure) in
          try writer.put(rows, key, row)
        }
      }
    }
  }

  private func get(_ store: RowStore, _ key: Int) throws -> String? {
    try lendStore(key, "") { key, _ throws(StoreFailure) in
      try store.row(rows, key) { $0?.text }
    }
  }

  @Test func `what one step wrote is there again after opening, with its moment`() throws {
    do {
      let store = try open()
      #expect(store.moment == nil)
      try put(store, 0..<100, "one", at: 7)
      try put(store, 50..<150, "two", at: 9)
      #expect(try get(store, 49) == "one")
    }
    let store = try open()
    #expect(store.moment == moment(9))
    #expect(try get(store, 49) == "one")
    #expect(try get(store, 50) == "two")
    #expect(try get(store, 150) == nil)
  }

  @Test func `a deleted row is gone, and an empty one is there`() throws {
    let store = try open()
    try put(store, 0..<3, "", at: 1)
    try store.write(moment(2)) { writer throws(StoreFailure) in
      try lendStore(1, "") { key, _ throws(StoreFailure) in try writer.delete(rows, key) }
    }
    #expect(try get(store, 0) == "")
    #expect(try get(store, 1) == nil)
    #expect(try get(store, 2) == "")
  }

  @Test func `rows are lent in the order of space and key`() throws {
    let store = try open()
    try put(store, 0..<500, "a", at: 1)
    try put(store, 250..<260, "b", at: 2)
    var seen: [String] = []
    try store.scan { space, key, row in
      #expect(space == rows)
      seen.append("\(key.text)=\(row.text)")
      return true
    }
    #expect(seen.count == 500)
    #expect(seen == seen.sorted())
  }

  @Test func `a step that fails leaves the store as it was`() throws {
    let store = try open()
    try put(store, 0..<10, "one", at: 1)
    let failure = #expect(throws: StoreFailure.self) {
      try store.write(moment(2)) { writer throws(StoreFailure) in
        // Not in order: the file refuses it.
        for key in [5, 4] {
          try lendStore(key, "two") { key, row throws(StoreFailure) in
            try writer.put(rows, key, row)
          }
        }
      }
    }
    #expect(failure?.directory == store.directory)
    #expect(store.moment == moment(1))
    #expect(try get(store, 5) == "one")
    try put(store, 5..<6, "two", at: 3)
    #expect(try get(store, 5) == "two")
  }

  @Test func `a directory in use is refused, and says what to do`() throws {
    let store = try open()
    let failure = #expect(throws: StoreFailure.self) { _ = try open() }
    #expect(failure?.kind == .inUse)
    #expect(failure?.description.contains("stop the process") == true)
    #expect(throws: StoreFailure.self) { try RowStore.destroy(directory: store.directory) }
    try put(store, 0..<1, "still there", at: 1)
    #expect(try get(store, 0) == "still there")
  }

  @Test func `a destroyed store is empty when it is opened again`() throws {
    var path = ""
    do {
      let store = try open()
      path = store.directory
      try put(store, 0..<10, "one", at: 1)
    }
    try RowStore.destroy(directory: path)
    #expect(!FileManager.default.fileExists(atPath: path))
    try RowStore.destroy(directory: path)
    let store = try open()
    #expect(store.moment == nil)
    #expect(try get(store, 1) == nil)
  }

  @Test(arguments: [".sst", "MANIFEST", "CURRENT"])
  func `a damaged store says so, and can be destroyed`(_ ending: String) throws {
    do {
      let store = try open()
      try put(store, 0..<5000, String(repeating: "row ", count: 20), at: 1)
    }
    let files = try directory.files("shop/g0/order/0", "").filter {
      $0.lastPathComponent.contains(ending)
    }
    for file in files {
      var bytes = try Data(contentsOf: file)
      for index in bytes.indices where index % 7 == 3 { bytes[index] ^= 0x55 }
      try bytes.write(to: file)
    }
    let failure = #expect(throws: StoreFailure.self) {
      let store = try open()
      try store.scan { _, _, _ in true }
    }
    #expect(failure?.kind == .damaged, "\(failure?.detail ?? "")")
    #expect(failure?.description.contains("from the journal") == true)
    try RowStore.destroy(directory: directory.at("shop/g0/order/0"))
    #expect(try open().moment == nil)
  }

  @Test func `a file that is missing is damage`() throws {
    do {
      let store = try open()
      try put(store, 0..<100, "one", at: 1)
    }
    for file in try directory.files("shop/g0/order/0", ".sst") {
      try FileManager.default.removeItem(at: file)
    }
    let failure = #expect(throws: StoreFailure.self) { _ = try open() }
    #expect(failure?.kind == .damaged, "\(failure?.detail ?? "")")
  }

  @Test func `a directory that cannot be made is named`() {
    let failure = #expect(throws: StoreFailure.self) {
      _ = try RowStore(directory: "/proc/no/0", memory: memory)
    }
    #expect(failure?.description.contains("/proc/no") == true)
    #expect(failure?.description.contains("state.directory") == true)
  }
}

struct OpenFilesTests {
  @Test func `the limit of open files is as high as the system lets it be`() {
    let raised = OpenFiles.raiseLimit()
    #expect(raised >= 256)
    #expect(OpenFiles.raiseLimit() == raised)
  }
}

func keyText(_ number: Int) -> String { String(String(1_000_000_000 + number).dropFirst()) }

func lendStore<Result>(
  _ key: Int, _ row: String, _ body: (ByteView, ByteView) throws(StoreFailure) -> Result
) throws(StoreFailure) -> Result {
  let bytes = ByteBuffer()
  bytes.append(keyText(key))
  let end = bytes.count
  bytes.append(row)
  return try body(bytes[0..<end], bytes.view.suffix(from: end))
}

struct StoreFailureTests {
  @Test(
    arguments: [
      ("IO error: No space left on device: While appending to file: 9.sst: x", .full),
      ("IO error: Disk quota exceeded: While fsync", .full),
      ("IO error: While mkdir: s/0: Read-only file system", .readOnly),
      ("IO error: While open a file for appending: s/0/LOCK: Permission denied", .denied),
      ("IO error: While lock file: s/0/LOCK: Resource temporarily unavailable", .inUse),
      ("Corruption: block checksum mismatch: stored = 1, computed = 2", .damaged),
      ("IO error: No such file or directory: While open a file: s/0/000009.sst", .damaged),
      ("IO error: While open a file: s/0/000009.sst: Too many open files", .tooManyFiles),
      ("IO error: While pread: s/0/000009.sst: Input/output error", .failed),
    ] as [(String, StoreFailure.Kind)])
  func `what the store says is named by what it asks for`(text: String, kind: StoreFailure.Kind) {
    let failure = StoreFailure(told: text, directory: "s/0")
    #expect(failure.kind == kind)
    #expect(failure.description.contains("s/0"))
    #expect(failure.description.contains(text))
  }
}
