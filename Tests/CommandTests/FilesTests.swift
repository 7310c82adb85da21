import Foundation
import Testing

@Suite struct FilesTests {
  /// A product that is right, in a directory of its own.
  private func product() throws -> Weft {
    let weft = try Weft()
    try #require(try weft("new", "product", "orders").code == 0)
    return weft
  }

  @Test func `the example mesh checks, and its tests pass`() throws {
    let weft = Weft(in: Repository.root)
    let check = try weft("check", "Config/health")
    #expect(check.code == 0 && check.output.contains("no problems"), "\(check.all)")
    #expect(check.output.contains("not acted on yet") && check.output.contains("policies"))
    let test = try weft("test", "Config/health")
    #expect(test.code == 0 && test.output.contains("none failed"), "\(test.all)")
    #expect(try weft("check", "claims").output.contains("1 domain and 1 product checked"))
  }

  @Test func `all problems of all files are told at once`() throws {
    let weft = try product()
    defer { weft.remove() }
    try weft.edit("orders/product.odps.yaml", "status:", "statsu:")
    try weft.edit("orders/worker.yaml", "interval: 100ms", "interval: soon")
    let outcome = try weft("check", "orders")
    #expect(outcome.code == 1)
    for part in [
      "statsu", "did you mean `status`?", "worker.yaml:", "product.odps.yaml:", "errors",
    ] {
      #expect(outcome.output.contains(part), "\(part): \(outcome.output)")
    }
    let json = try weft("check", "orders", "--format", "json")
    #expect(json.code == 1)
    for line in json.lines {
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      #expect(object?["code"] is String && object?["message"] is String)
    }
  }

  @Test func `a test that fails says where, what and what came`() throws {
    let weft = try product()
    defer { weft.remove() }
    try weft.write(
      """
      - name: counts wrong
        given:
          - orders-events: {eventId: e1, type: Placed, occurredAt: "2024-01-01T09:00:00Z", \
      orderId: o1, customer: c1, amount: 12.50}
        expect:
          order: {o1: {events: 2, amount: 12.5}}
          placed: []
          quarantine: [{reason: not-json}]
      """, to: "orders/tests/wrong.yaml")
    let outcome = try weft("test", "orders", "--filter", "wrong")
    #expect(outcome.code == 1)
    for part in [
      "orders/tests/wrong.yaml:5:26", "`events` is 1", "^ expected 2",
      "1 record more than expected came out of `placed`", "came out of quarantine",
      "1 test, 1 failed",
    ] { #expect(outcome.output.contains(part), "\(part): \(outcome.output)") }
    let json = try weft("test", "orders", "--format", "json")
    #expect(json.lines.count { $0.contains("\"passed\":false") } == 1)
    #expect(json.lines.count { $0.contains("\"passed\":true") } == 3)
    let none = try weft("test", "orders", "--filter", "no such name")
    #expect(none.code == 2 && none.errors.contains("no test's name contains `no such name`"))
  }

  @Test func `a place that is not there is named with those that are`() throws {
    let weft = try product()
    defer { weft.remove() }
    let outcome = try weft("check", "oders")
    #expect(outcome.code == 1 && outcome.errors.contains("did you mean `orders`?"))
    let empty = try Weft()
    defer { empty.remove() }
    #expect(try empty("check").errors.contains("weft new product"))
    #expect(try empty("apply").code == 1)
  }

  @Test func `a product is found in its directory, whatever that is called`() throws {
    let weft = try Weft()
    defer { weft.remove() }
    try #require(try weft("new", "domain", "shop").code == 0)
    let domain = Weft(in: weft.directory.appending(path: "shop"))
    try #require(try domain("new", "product", "orders").code == 0)
    try FileManager.default.moveItem(
      at: domain.directory.appending(path: "orders"), to: domain.directory.appending(path: "other"))
    let check = try weft("check", "shop/other")
    #expect(check.output.contains("1 domain and 1 product checked"), "\(check.all)")
    let test = try weft("test", "shop/other")
    #expect(test.code == 0 && test.output.contains("none failed"), "\(test.all)")
    try weft.edit("shop/other/product.odps.yaml", "id: orders", "id: [")
    let broken = try weft("check", "shop/other")
    #expect(broken.code == 1 && broken.output.contains("product.odps.yaml"), "\(broken.all)")
  }

  @Test func `no secret of worker.yaml is ever printed`() throws {
    var weft = try product()
    defer { weft.remove() }
    weft.variables["SECRET"] = "hunter2-in-variable"
    try weft.edit(
      "orders/worker.yaml", "kafka: {",
      "kafka: {sasl.password: hunter2-in-file, no.such: x, "
        + "ssl.key.password: \"${SECRET}\", ")
    for words in [["check"], ["run", "orders"], ["plan"], ["read", "orders#order"]] {
      let outcome = try weft.run(words)
      #expect(!outcome.all.contains("hunter2"), "\(words): \(outcome.all)")
    }
    try weft.edit("orders/worker.yaml", "commit:", "commit: [")
    let broken = try weft("check")
    #expect(broken.code == 1 && !broken.all.contains("hunter2"))
  }
}
