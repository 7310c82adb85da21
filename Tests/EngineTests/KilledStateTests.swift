import Foundation
import Records
import State
import Testing

/// A process that is killed while it writes its state: what is left is one of its steps.
struct KilledStateTests {
  private static let variable = "WEFT_TEST_STATE_TO_WRITE"
  private static let keys = 500
  private let space = Space(1)
  private let directory = StateDirectory()

  private static func open(_ path: String) throws(StoreFailure) -> PartitionState {
    PartitionState(
      try RowStore(
        directory: path, memory: StateMemory(bytes: StateMemory.bytesMin, hotBytes: 10_000)))
  }

  /// What a child process does until it is killed: turn after turn it sets every row to the turn's
  /// number and writes it, and tells the number in a file once it is written.
  @Test(.enabled(if: ProcessInfo.processInfo.environment[variable] != nil))
  func `the child writes until it is killed`() throws {
    let path = try #require(ProcessInfo.processInfo.environment[Self.variable])
    let state = try Self.open(path)
    let told = URL(filePath: path + ".told")
    var turn = state.stamp.position.value
    while true {
      turn += 1
      state.begin()
      for key in 0..<Self.keys {
        ByteView.lending(keyText(key)) { key in
          state.upsert(space, key, length: 300).row.set(int64: turn, at: 0)
        }
      }
      state.commit(Stamp(generation: 0, digest: .none, position: Offset(turn)))
      try state.writeBack()
      try Data("\(turn)".utf8).write(to: told, options: .atomic)
    }
  }

  private func told() -> Int64 {
    let text = try? String(contentsOfFile: directory.at("state.told"), encoding: .utf8)
    return text.flatMap { Int64($0) } ?? 0
  }

  @Test func `after a kill, the state is one step of what was written, whole, and none older`()
    throws
  {
    try FileManager.default.createDirectory(
      at: directory.url, withIntermediateDirectories: true)
    var last: Int64 = 0
    for round in 0..<5 {
      let child = Process()
      child.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
      child.arguments =
        CommandLine.arguments.dropFirst().filter { $0.hasSuffix(".xctest") } + [
          "--testing-library", "swift-testing", "--filter",
          "the child writes until it is killed",
        ]
      var environment = ProcessInfo.processInfo.environment
      environment[Self.variable] = directory.at("state")
      child.environment = environment
      child.standardOutput = FileHandle.nullDevice
      child.standardError = FileHandle.nullDevice
      try child.run()
      // It has written some, and is anywhere in the next.
      let enough = last + 3 + Int64(round)
      while told() < enough && child.isRunning { _ = poll(nil, 0, 3) }
      #expect(child.isRunning, "the child ended by itself")
      kill(child.processIdentifier, SIGKILL)
      child.waitUntilExit()
      let sure = told()
      let state = try Self.open(directory.at("state"))
      last = state.stamp.position.value
      #expect(last >= sure && last <= sure + 1)
      #expect(state.rowCount == Self.keys)
      for key in 0..<Self.keys {
        let row = ByteView.lending(keyText(key)) { state.get(space, $0)?.int64(at: 0) }
        #expect(row == last)
      }
    }
  }
}
