import Foundation
import Kafka
import Records
import Testing

/// Quarantine as an operator sees it, on a real broker: `weft run` and `weft quarantine`.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["WEFT_TEST_KAFKA"] != nil), .serialized)
struct QuarantineKafkaTests {
  private let bootstrap = ProcessInfo.processInfo.environment["WEFT_TEST_KAFKA"] ?? ""
  private let name = "orders\(UInt32.random(in: 0...UInt32.max))"

  /// A product whose events may lie four seconds ahead at most.
  private func product() throws -> Weft {
    var weft = try Weft()
    try weft.write(
      """
      {"eventId":"e1","type":"Placed","occurredAt":"2024-05-01T09:00:00Z","orderId":"o1","amount":12.50}
      {"eventId":"e2","type":"Placed","occurredAt":"2024-05-01T09:05:00Z","orderId":"o2","amount":80.00}

      """, to: "sample.ndjson")
    weft.variables["KAFKA_BOOTSTRAP"] = bootstrap
    weft.variables["WEFT_STATE"] = weft.directory.appending(path: "state").path
    try #require(try weft("new", "product", name, "--from", "sample.ndjson").code == 0)
    try weft.edit("\(name)/transform.yaml", "product: \(name)", "product: \(name)\nfuture: 4s")
    let applied = try weft("apply", name, "--create-inputs")
    try #require(applied.code == 0, "\(applied.all)")
    return weft
  }

  private func feed(_ lines: [String]) throws {
    let producer = try PlainProducer(settings: ClientSettings(bootstrap: bootstrap))
    let soon = Deadline.after(milliseconds: 20_000)
    let topic = try producer.open("ops.\(name).\(name)", soon)
    for line in lines {
      try ByteView.lending(line) {
        try producer.produce(to: topic, Partition(0), key: nil, value: $0, soon)
      }
    }
    try producer.flush(soon)
  }

  private func worker(_ weft: Weft) throws -> Process {
    let process = try weft.process(
      ["run", name], output: weft.directory.appending(path: "out"),
      errors: weft.directory.appending(path: "err"))
    try process.run()
    return process
  }

  /// How much was written to the product's journal, committed or not.
  private func journalEnd() throws -> Int64 {
    let admin = try Admin(settings: ClientSettings(bootstrap: bootstrap), readsUncommitted: true)
    let soon = Deadline.after(milliseconds: 20_000)
    var end: Int64 = 0
    for topic in try admin.topics(soon) where topic.name.contains("\(name).journal.") {
      for number in 0..<topic.partitions {
        end += try admin.watermarks(topic.name, Partition(Int32(number)), soon).upperBound
      }
    }
    return end
  }

  /// The place of the first event with a reason that is open.
  private func open(_ reason: String, _ weft: Weft) throws -> String? {
    let list = try weft("quarantine", "list", name, "--open", "--format", "json").lines
    return list.first { $0.contains("\"kind\":\"record\"") && $0.contains(reason) }
      .flatMap { $0.firstMatch(of: /"position":(\d+)/).map { String($0.1) } }
  }

  @Test func `an event is released once, by two operators, twice, and through a killed worker`()
    throws
  {
    let weft = try product()
    defer { weft.remove() }
    let due = Date().addingTimeInterval(6)
    let ahead = due.addingTimeInterval(3).ISO8601Format()
    try feed([
      #"{"eventId":"f","type":"Placed","occurredAt":"\#(ahead)","orderId":"o9","amount":1.50}"#,
      #"{"eventId":"g","type":"Placed","occurredAt":"\#(ahead)","orderId":"o8","amount":"much"}"#,
      "no event",
    ])
    var process = try worker(weft)
    defer { if process.isRunning { process.terminate() } }
    try #require(try wait { try open("future", weft) != nil })
    let future = try #require(try open("future", weft))

    // Shown whole; and refused where it cannot be.
    let shown = try weft("quarantine", "show", name, future)
    #expect(shown.code == 0 && shown.output.contains(#""orderId":"o9""#), "\(shown.all)")
    let keyless = try #require(try open("not-json", weft))
    let refused = try weft("quarantine", "release", name, keyless)
    #expect(refused.code == 1 && refused.errors.contains("W0421"), "\(refused.all)")
    let nothing = try weft("quarantine", "release", name, "1000")
    #expect(nothing.code == 1 && nothing.errors.contains("W0420"), "\(nothing.all)")

    // While no worker runs, twice, once it is time.
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    _ = wait { Date() > due }
    let before = try journalEnd()
    var releases: [Process] = []
    for number in 0..<2 {
      let release = try weft.process(
        ["quarantine", "release", name, future],
        output: weft.directory.appending(path: "release\(number).out"),
        errors: weft.directory.appending(path: "release\(number).err"))
      try release.run()
      releases.append(release)
    }
    try #require(try wait { try journalEnd() >= before + 2 })
    process = try worker(weft)
    for release in releases { release.waitUntilExit() }
    try #require(try wait { try open("future", weft) == nil })

    // An event of a wrong type fails again, and can be discarded for good.
    let wrong = try #require(try open("contract-input", weft))
    let again = try weft("quarantine", "release", name, wrong)
    #expect(again.code == 1 && again.output.contains("failed again and lies at"), "\(again.all)")
    let second = try #require(try open("contract-input", weft))
    #expect(second != wrong)
    #expect(try weft("quarantine", "discard", name, second).code == 0)
    #expect(try weft("quarantine", "discard", name, keyless).code == 0)
    let late = try weft("quarantine", "release", name, second, future)
    #expect(late.code == 0 && late.output.contains("settled before: discarded"), "\(late.all)")
    #expect(try weft("quarantine", "list", name, "--open").output.contains("contract-input"))
    #expect(try open("", weft) == nil)

    let rows = try weft("read", "\(name)#events", "--format", "json").lines
    #expect(rows.filter { $0.contains("o9") }.count == 1, "\(rows)")
    let status = try weft("status", name, "--format", "json").output
    #expect(status.contains("\"quarantined\":0") && status.contains("\"settled\":4"), "\(status)")
    let trace = try weft("trace", name, "f")
    #expect(trace.output.contains("released   from quarantine, position \(future)"), "\(trace.all)")
    process.terminate()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }

  @Test func `files by which the product does not run release nothing`() throws {
    let weft = try product()
    defer { weft.remove() }
    try feed([#"{"eventId":"g","type":"Placed","occurredAt":"2024-05-01T09:00:00Z","orderId":"o"}"#]
    )
    try feed([#"{"eventId":"h","type":"Placed","occurredAt":"now","orderId":"o8","amount":1}"#])
    let process = try worker(weft)
    defer { if process.isRunning { process.terminate() } }
    try #require(try wait { try open("contract-input", weft) != nil })
    let place = try #require(try open("contract-input", weft))
    try weft.edit("\(name)/transform.yaml", "future: 4s", "future: 5s")
    let outcome = try weft("quarantine", "release", name, place)
    #expect(outcome.code == 1 && outcome.errors.contains("W0422"), "\(outcome.all)")
    process.terminate()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }
}
