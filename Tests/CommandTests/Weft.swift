import Foundation
import Testing

/// The built command, run as a process.
struct Weft {
  struct Outcome {
    let code: Int32
    let output: String
    let errors: String
    /// Both, for messages of tests.
    var all: String { output + errors }
    var lines: [String] { output.split(separator: "\n").map(String.init) }
  }

  /// Beside the test bundle, whichever directory it was built into.
  static let path: String = {
    let here = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return URL(filePath: here).deletingLastPathComponent().appending(path: "weft").path
  }()

  let directory: URL
  var variables: [String: String] = [:]

  /// A directory of its own, which goes with the test.
  init() throws {
    directory = FileManager.default.temporaryDirectory
      .appending(path: "weft-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }

  init(in directory: URL) { self.directory = directory }

  func write(_ text: String, to path: String) throws {
    let url = directory.appending(path: path)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  func read(_ path: String) throws -> String {
    try String(contentsOf: directory.appending(path: path), encoding: .utf8)
  }

  /// Replaces the one place where `old` stands.
  func edit(_ path: String, _ old: String, _ new: String) throws {
    let text = try read(path)
    try #require(text.ranges(of: old).count == 1, "`\(old)` in \(path)")
    try write(text.replacing(old, with: new), to: path)
  }

  func process(_ arguments: [String], output: URL, errors: URL) throws -> Process {
    let process = Process()
    process.executableURL = URL(filePath: Weft.path)
    process.arguments = arguments
    process.currentDirectoryURL = directory
    let own = ["KAFKA_BOOTSTRAP", "WEFT_ENVIRONMENT", "WEFT_STATE", "WEFT_TEST_DISABLE"]
    var environment = ProcessInfo.processInfo.environment.filter { !own.contains($0.key) }
    for (name, value) in variables { environment[name] = value }
    process.environment = environment
    for url in [output, errors] {
      try #require(FileManager.default.createFile(atPath: url.path, contents: nil))
    }
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    process.standardInput = FileHandle.nullDevice
    return process
  }

  /// Runs it to its end.
  func callAsFunction(_ words: String...) throws -> Outcome { try run(words) }

  func run(_ arguments: [String]) throws -> Outcome {
    // Beside the directory it runs in, which may be the repository.
    let name = FileManager.default.temporaryDirectory.path + "/weft-test-\(UUID().uuidString)"
    let output = URL(filePath: name + ".out")
    let errors = URL(filePath: name + ".err")
    defer { for url in [output, errors] { try? FileManager.default.removeItem(at: url) } }
    let process = try process(arguments, output: output, errors: errors)
    try process.run()
    process.waitUntilExit()
    return try Outcome(
      code: process.terminationStatus, output: String(contentsOf: output, encoding: .utf8),
      errors: String(contentsOf: errors, encoding: .utf8))
  }

  func remove() { try? FileManager.default.removeItem(at: directory) }
}

/// Asks again and again, at most 30 s; false: it did not become true.
func wait(until isTrue: () throws -> Bool) rethrows -> Bool {
  for _ in 0..<600 {
    if try isTrue() { return true }
    Thread.sleep(forTimeInterval: 0.05)
  }
  return false
}
