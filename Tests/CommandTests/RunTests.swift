import Foundation
import Testing

/// What `weft run` does without a broker: nothing answers at port 1.
@Suite struct RunTests {
  private func product() throws -> Weft {
    var weft = try Weft()
    try #require(try weft("new", "product", "orders").code == 0)
    weft.variables["KAFKA_BOOTSTRAP"] = "127.0.0.1:1"
    weft.variables["WEFT_STATE"] = weft.directory.appending(path: "state").path
    return weft
  }

  @Test func `brokers that are away are waited for, and a signal ends the wait in order`() throws {
    let weft = try product()
    defer { weft.remove() }
    let output = weft.directory.appending(path: "out")
    let errors = weft.directory.appending(path: "err")
    let process = try weft.process(["run", "orders"], output: output, errors: errors)
    try process.run()
    defer { if process.isRunning { process.terminate() } }
    let hasSaid = try wait { try weft.read("err").contains("\"event\":\"brokers-away\"") }
    let said = try weft.read("err")
    #expect(hasSaid, "\(said)")
    #expect(process.isRunning)

    // The same instance, in the same state directory, is refused meanwhile.
    let second = try weft("run", "orders")
    #expect(second.code == 1 && second.errors.contains("already runs here"), "\(second.all)")

    let began = ContinuousClock.now
    process.terminate()
    process.waitUntilExit()
    #expect(began.duration(to: .now) < .seconds(12))
    #expect(process.terminationStatus == 0)
    let ended = try weft.read("out")
    #expect(ended.contains("\"product\":\"orders\",\"read\":0"))
    #expect(ended.contains("before anything was begun") && !ended.contains("last turn"), "\(ended)")
  }

  @Test func `ports that nobody has published yet are waited for, and a signal ends the wait`()
    throws
  {
    let weft = try product()
    defer { weft.remove() }
    let topic = "    topic: ops.orders.orders\n"
    try weft.edit("orders/transform.yaml", topic, "    port: nobody#orders@1\n")
    for line in ["format: json\n", "contract: contracts/", "discriminator: type"] {
      try weft.edit("orders/transform.yaml", "    \(line)", "    # \(line)")
    }
    let process = try weft.process(
      ["run", "orders"], output: weft.directory.appending(path: "out"),
      errors: weft.directory.appending(path: "err"))
    try process.run()
    defer { if process.isRunning { process.terminate() } }
    let hasSaid = try wait { try weft.read("err").contains("\"event\":\"ports-awaited\"") }
    let said = try weft.read("err")
    #expect(hasSaid && said.contains("\"ports\":\"nobody#orders@1\""), "\(said)")
    process.terminate()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }

  @Test func `on a terminal it is said at once that no broker answers`() throws {
    let weft = try product()
    defer { weft.remove() }
    let process = try weft.process(
      [], output: weft.directory.appending(path: "out"),
      errors: weft.directory.appending(path: "err"))
    // `script` gives a command a terminal.
    process.executableURL = URL(filePath: "/usr/bin/script")
    process.arguments = ["-qfec", "exec '\(Weft.path)' run orders", "/dev/null"]
    try process.run()
    defer { if process.isRunning { process.terminate() } }
    let word = "no broker answers at 127.0.0.1:1 yet"
    _ = try wait { try weft.read("out").contains(word) }
    let said = try weft.read("out")
    // Not only when the worker has given up its first try.
    #expect(said.components(separatedBy: "brokers-away")[0].contains(word), "\(said)")
  }

  @Test func `a state directory that cannot be one is told in words of ours`() throws {
    var weft = try product()
    defer { weft.remove() }
    try weft.write("", to: "file")
    for path in ["file", "file/below"] {
      weft.variables["WEFT_STATE"] = weft.directory.appending(path: path).path
      let outcome = try weft("run", "orders")
      #expect(outcome.code == 1 && outcome.errors.contains("/file is a file; set state.directory"))
      #expect(!outcome.errors.contains("operation"), "\(outcome.errors)")
    }
  }

  @Test func `a second signal ends it at once`() throws {
    let weft = try product()
    defer { weft.remove() }
    let errors = weft.directory.appending(path: "err")
    let process = try weft.process(
      ["run", "orders"], output: weft.directory.appending(path: "out"), errors: errors)
    try process.run()
    defer { if process.isRunning { process.terminate() } }
    // It is trying to reach a broker, which takes it seconds to give up.
    let hasSaid = try wait { try weft.read("err").contains("\"event\":\"brokers-away\"") }
    try #require(hasSaid)
    process.terminate()
    process.interrupt()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    // 3: stopped before it had drained; 0 if the drain was faster than the second signal.
    #expect([0, 3].contains(process.terminationStatus))
  }

  @Test func `a worker runs one domain, of files that are right`() throws {
    let weft = try product()
    defer { weft.remove() }
    try #require(try weft("new", "product", "carts").code == 0)
    let two = try weft("run", ".")
    #expect(two.code == 1 && two.errors.contains("name one: carts, orders"), "\(two.all)")
    try weft.edit("orders/worker.yaml", "kind: Worker", "kind: Wrker")
    #expect(try weft("run", "orders").code == 1)
  }

  @Test func `rules are switched off only by their names`() throws {
    var weft = try product()
    defer { weft.remove() }
    weft.variables["WEFT_TEST_DISABLE"] = "ofset-rule"
    let outcome = try weft("run", "orders")
    #expect(outcome.code == 1 && outcome.errors.contains("WEFT_TEST_DISABLE"))
  }
}
