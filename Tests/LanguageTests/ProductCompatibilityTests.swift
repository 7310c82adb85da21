import Diagnostics
import Product
import Testing

/// One change of a published port, and the rule it breaks; all others stay silent.
@Suite struct ProductCompatibilityTests {
  func promises(_ changes: [(file: String, old: String, new: String)]) throws -> [PortPromise] {
    var files = ProductFiles.shop
    for change in changes {
      #expect(files[change.file]?.contains(change.old) == true, "\(change.old)")
      files[change.file] = files[change.file]?.replacing(change.old, with: change.new)
    }
    let made = try ProductFiles(files)
    let loaded = LoadedDomain.load(made.directory)
    #expect(told(loaded.diagnostics) == [])
    return try #require(loaded.products.first).ports
  }

  func broken(_ changes: (file: String, old: String, new: String)...) throws -> [Diagnostic] {
    Compatibility.broken(try promises([]).map(\.port), by: try promises(changes))
  }

  @Test func `the same files break nothing`() throws {
    #expect(try broken() == [])
    let ports = try promises([]).map(\.port)
    #expect(ports.map(\.name) == ["customer", "placed"])
    #expect(ports.map(\.key) == [["customer"], ["event.customer"]])
  }

  @Test func `a new field, a wider decimal and a field made required break nothing`() throws {
    let contract = "contracts/placed.odcs.yaml"
    #expect(
      try broken(
        (contract, "decimal(12,2)", "decimal(14,3)"),
        (contract, "- {name: count", "- {name: more, logicalType: string}\n      - {name: count")
      ) == [])
  }

  @Test(arguments: [
    (
      "placed", "      - {name: total, logicalType: number, physicalType: \"decimal(12,2)\"}\n", "",
      "W0701 placed.odcs.yaml:7:11 field `total` of `placed@1` was removed", "total = event.total"
    ),
    (
      "placed", "{name: count, logicalType: integer, required: true}",
      "{name: count, logicalType: number, required: true}",
      "W0702 placed.odcs.yaml:12:16 field `count` of `placed@1` was int, and is now double",
      "count = event.count"
    ),
    (
      "placed", "{name: count, logicalType: integer, required: true}",
      "{name: count, logicalType: integer}",
      "W0703 placed.odcs.yaml:12:16 field `count` of `placed@1` was required, and now may "
        + "be absent",
      ""
    ),
    (
      "placed", "decimal(12,2)", "decimal(12,4)",
      "W0704 placed.odcs.yaml:11:16 field `total` of `placed@1` was decimal(12,2), and is now "
        + "decimal(12,4)", ""
    ),
  ])
  func `what readers rely on cannot be taken from them`(
    _ contract: String, _ old: String, _ new: String, _ expected: String, _ line: String
  ) throws {
    var changes = [(file: "contracts/\(contract).odcs.yaml", old: old, new: new)]
    if line == "total = event.total" { changes.append(("transform.yaml", "      \(line)\n", "")) }
    if line == "count = event.count" {
      changes.append(("transform.yaml", line, "count = 0.5"))
    }
    let found = Compatibility.broken(try promises([]).map(\.port), by: try promises(changes))
    #expect(told(found) == [expected])
    #expect(found.allSatisfy { $0.help?.contains("`placed@2`") == true })
  }

  @Test func `a field of the same type that is new beside one that is gone was renamed`() throws {
    let found = try broken(
      ("contracts/placed.odcs.yaml", "{name: total", "{name: amount"),
      ("transform.yaml", "total = event.total", "amount = event.total"))
    #expect(
      told(found) == [
        "W0701 placed.odcs.yaml:11:16 field `total` of `placed@1` was renamed to `amount`"
      ])
  }

  @Test func `another key, other partitions and another kind of port are refused`() throws {
    #expect(
      told(
        try broken(
          ("transform.yaml", "key: event.customer\n    select", "key: event.id\n    select")))
        == [
          "W0705 transform.yaml:23:3 the key of `placed@1` was `event.customer`, and is "
            + "now `event.id`"
        ])
    #expect(
      told(try broken(("transform.yaml", "    from: paid", "    from: paid\n    partitions: 3")))
        == [
          "W0706 transform.yaml:23:3 `placed@1` had 12 partitions, and now has 3"
        ])
    var state = try promises([]).map(\.port)
    state[1].isState = true
    #expect(
      told(Compatibility.broken(state, by: try promises([]))) == [
        "W0707 transform.yaml:23:3 `placed@1` was a state port"
      ])
  }
}
