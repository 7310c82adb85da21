import Diagnostics
import Product
import Testing

/// What is said where records may be taken back, and something stands in the way.
@Suite struct CorrectionProblemTests {
  typealias Change = (file: String, old: String, new: String)

  /// The shop, whose orders may be taken back, as whose placed ones may be.
  private static func changed(_ changes: [Change]) throws -> LoadedDomain {
    let correcting = "status: active\ncustomProperties: [{property: weft.corrections, value: true}]"
    let all: [Change] =
      [
        ("contracts/orders.odcs.yaml", "status: active", correcting),
        ("contracts/placed.odcs.yaml", "status: active", correcting),
        ("transform.yaml", "    id: id\n", ""),
      ] + changes
    let made = try ProductFiles(ProductFiles.changed(ProductFiles.shop, all))
    return withExtendedLifetime(made) { LoadedDomain.load(made.directory) }
  }

  private func problems(_ changes: Change...) throws -> [String] {
    told(try Self.changed(changes).diagnostics)
  }

  @Test func `what may be taken back is part of the logic, of inputs, of ports and of tables`()
    throws
  {
    let loaded = try Self.changed([])
    let product = try #require(loaded.definition?.products.first, "\(told(loaded.diagnostics))")
    #expect(product.inputs[0].corrects && product.tables[0].corrects)
    #expect(product.outputs.map(\.corrects) == [false, true])
    let logic = Dictionary(uniqueKeysWithValues: product.logicFiles.map { ($0.path, $0.content) })
    #expect(logic["input orders"]?.contains("corrections = true\n") == true)
    #expect(logic["output placed@1"]?.contains("corrections = true\n") == true)
    #expect(logic["output customer@1"]?.contains("corrections") == false)
    let port = try #require(loaded.products.first?.ports.first { $0.port.name == "placed" })
    #expect(port.port.corrects)
  }

  @Test func `an id in the content is refused, as a retraction has the same`() throws {
    let found = try problems(
      ("transform.yaml", "    discriminator: type\n", "    discriminator: type\n    id: id\n"))
    #expect(
      found == [
        "W0359 transform.yaml:8:5 records that may be taken back are known by their `ce_id`"
      ])
  }

  @Test func `an event port that does not say so publishes nothing that may be taken back`() throws
  {
    let found = try problems(("contracts/placed.odcs.yaml", "value: true", "value: false"))
    #expect(
      found == [
        "W0359 transform.yaml:22:3 what port `placed` publishes may be taken back, and its contract "
          + "does not say so"
      ])
  }

  @Test func `a state port carries no corrections`() throws {
    let found = try problems(
      (
        "contracts/customer.odcs.yaml", "status: active",
        "status: active\ncustomProperties: [{property: weft.corrections, value: true}]"
      ))
    #expect(
      found == [
        "W0359 customer.odcs.yaml:8:11 a state port carries no corrections: its rows replace each "
          + "other"
      ])
  }

  @Test(arguments: [
    (
      "orders = count()", "orders = count() if recorded > event.at",
      "`recorded` is not the same when this is taken back"
    ),
    ("orders = count()", "orders = count() if source.offset > 1", "`source` is not the same"),
    ("orders = count()", "orders = state.?orders.orValue(0) + 1", "a fold cannot be taken back"),
    (
      "orders = count()", "orders = count()\n        delete if event.count > 9",
      "a row whose values may be taken back is not deleted"
    ),
  ])
  func `what could not be undone is refused in a table`(
    _ old: String, _ new: String, _ message: String
  ) throws {
    let found = try problems(("transform.yaml", old, new))
    #expect(found.count == 1 && found[0].hasPrefix("W0359 transform.yaml:"), "\(found)")
    #expect(found.first?.contains(message) == true, "\(found)")
  }

  @Test func `what a port publishes must be the same when it is taken back`() throws {
    let found = try problems(
      ("transform.yaml", "id    = event.id", "id    = event.id + string(now)"))
    #expect(
      found.map { $0.split(separator: " ", maxSplits: 2).last ?? "" }
        == ["`now` is not the same when this is taken back"])
  }

  @Test func `a value that is neither true nor false is told`() throws {
    let found = try problems(("contracts/placed.odcs.yaml", "value: true", "value: yes please"))
    #expect(found.contains { $0.hasSuffix("`weft.corrections` is true or false") }, "\(found)")
  }

  @Test func `a published port that begins to correct breaks its readers`() throws {
    let before = try Self.changed([
      ("contracts/placed.odcs.yaml", "value: true", "value: false"),
      ("contracts/orders.odcs.yaml", "value: true", "value: false"),
    ])
    let after = try Self.changed([])
    let published = before.products.flatMap { $0.ports.map(\.port) }
    let promises = after.products.flatMap(\.ports)
    #expect(
      told(Compatibility.broken(published, by: promises)) == [
        "W0708 placed.odcs.yaml:8:11 `placed@1` carried no corrections, and now may take back what "
          + "it has published"
      ])
    #expect(
      Compatibility.broken(promises.map(\.port), by: before.products.flatMap(\.ports)).isEmpty)
  }
}
