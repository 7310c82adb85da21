import Foundation
import Kafka
import Records
import Testing

/// What the built command says to a person of what it found at a broker.
@Suite struct CommandMessageTests {
  private let directory = FileManager.default.temporaryDirectory
    .appending(path: "weft-test-\(UUID().uuidString)")

  /// The command, run on a terminal, which `script` gives it; output and errors are one there.
  private func weft(_ words: String, at bootstrap: String) throws -> String {
    let here = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let command = URL(filePath: here).deletingLastPathComponent().appending(path: "weft").path
    let said = directory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    #expect(FileManager.default.createFile(atPath: said.path, contents: nil))
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/script")
    process.arguments = ["-qefc", "'\(command)' \(words)", "/dev/null"]
    process.currentDirectoryURL = directory
    var environment = ProcessInfo.processInfo.environment
    environment["KAFKA_BOOTSTRAP"] = bootstrap
    environment["WEFT_ENVIRONMENT"] = nil
    process.environment = environment
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: said)
    try process.run()
    process.waitUntilExit()
    return try String(contentsOf: said, encoding: .utf8)
  }

  @Test func `a limit that was given is not proposed again`() throws {
    defer { try? FileManager.default.removeItem(at: directory) }
    let cluster = try MockCluster(topics: ["orders.orders.order.v1": 1])
    let producer = try PlainProducer(settings: cluster.settings())
    let topic = try producer.open("orders.orders.order.v1", soon)
    for number in 1...101 {
      try ByteView.lending("o\(number)") { key in
        try ByteView.lending("{\"orderId\":\"o\(number)\"}") { value in
          try producer.produce(to: topic, Partition(0), key: key, value: value, soon)
        }
      }
    }
    try producer.flush(soon)
    _ = try weft("new product orders", at: cluster.bootstrap)
    let limited = try weft("read 'orders#order' --limit 1", at: cluster.bootstrap)
    #expect(limited.contains("1 of 101 rows") && !limited.contains("--limit"), "\(limited)")
    let all = try weft("read 'orders#order'", at: cluster.bootstrap)
    #expect(all.contains("100 of 101 rows; --limit shows more"), "\(all)")
  }
}
