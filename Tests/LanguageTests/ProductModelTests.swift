import Diagnostics
import Expressions
import Product
import Testing

@Suite struct ProductModelTests {
  func claims() throws -> ProductDefinition {
    let loaded = LoadedDomain.load(ProductFiles.health + "/claims", environment: "")
    return try #require(loaded.definition?.products.first)
  }

  func shop(_ changes: (file: String, old: String, new: String)...) throws -> ProductDefinition {
    var files = ProductFiles.shop
    for change in changes {
      files[change.file] = files[change.file]?.replacing(change.old, with: change.new)
    }
    let made = try ProductFiles(files)
    let loaded = LoadedDomain.load(made.directory)
    #expect(told(loaded.diagnostics) == [])
    return try #require(loaded.definition?.products.first)
  }

  @Test func `the claims product has the inputs, tables and ports its files say`() throws {
    let product = try claims()
    let input = try #require(product.inputs.first)
    #expect(input.topic == "ops.claims.events")
    #expect(input.discriminator == ["type"])
    #expect(input.id == .init(path: ["eventId"], horizonMs: 7 * 86_400_000))
    #expect(input.time == ["occurredAt"])
    #expect(input.events.map(\.name) == ["ClaimSubmitted", "ClaimTransaction", "ClaimClosed"])
    let amount = try #require(input.events[1].fields.first { $0.name == "amount" })
    #expect(amount.type == .decimal && amount.decimal == .init(precision: 18, scale: 2))
    #expect(!amount.isRequired)
    let table = try #require(product.tables.first)
    #expect(table.keyTypes == [.string])
    #expect(
      table.columns == [
        .init(name: "status", type: .string), .init(name: "payerId", type: .string),
        .init(name: "openedAt", type: .timestamp), .init(name: "charged", type: .decimal),
        .init(name: "paid", type: .decimal), .init(name: "lines", type: .int),
        .init(name: "closedAt", type: .timestamp),
      ])
    #expect(table.clauses.map(\.branch.event?.event) == [0, 1, 2])
    #expect(table.clauses[1].updates.map(\.aggregate) == [.sum, .sum, .count])
    #expect(
      product.outputs.map(\.topic) == [
        "claims.claims.charges.v1", "claims.claims.claim.v1", "claims.claims.payments.v1",
        "claims.claims.submissions.v1", "claims.claims.transactions.v1",
        "claims.claims.transactions.v2",
      ])
    let claim = try #require(product.outputs.first { $0.port == "claim" })
    guard case .state(0, let row, nil, let columns) = claim.content else {
      return #expect(Bool(false), "claim is a state port")
    }
    #expect(row.fields.first?.name == "claimId")
    #expect(columns.map(\.field) == Array(0..<8))
    guard case .keyPart(0) = columns[0].source else { return #expect(Bool(false)) }
  }

  @Test func `a stream's condition holds for the select behind it`() throws {
    let product = try claims()
    let payments = try #require(product.outputs.first { $0.port == "payments" })
    guard case .events(let branches) = payments.content else { return #expect(Bool(false)) }
    #expect(branches.count == 1)
    #expect(branches[0].branch.steps.count == 2)
    #expect(branches[0].branch.identification?.system == "claims")
    #expect(payments.fields.first { $0.name == "amount" }?.isRequired == true)
  }

  @Test func `later events of a key wait where the files say so, which is another logic`() throws {
    let plain = try shop()
    let holding = try shop(
      ("transform.yaml", "kind: Transform", "kind: Transform\norder: hold-key"))
    #expect(plain.order == .skip && holding.order == .holdKey)
    #expect(plain.logicDigest != holding.logicDigest)
    let skipping = try shop(("transform.yaml", "kind: Transform", "kind: Transform\norder: skip"))
    #expect(plain.logicDigest == skipping.logicDigest)
  }

  @Test func `tables whose keys begin alike share one journal by the shorter key`() throws {
    let loaded = LoadedDomain.load(ProductFiles.health + "/labs", environment: "")
    let product = try #require(loaded.definition?.products.first)
    #expect(product.journals.map(\.name) == ["labRef"])
    #expect(product.journals.first?.topic == "weft.labs.labs.journal.labRef")
    #expect(product.journals.first?.partitions == 12)
    #expect(product.tables.map(\.journal) == [0, 0])
    #expect(product.tables.first { $0.name == "latestValue" }?.keyTypes.count == 2)
  }

  @Test func `tables of other keys have journals of their own, and ports follow their key`() throws
  {
    let product = try shop(
      (
        "transform.yaml", "outputs:\n",
        """
          day:
            key: [event.at, event.id]
            on:
              orders.Cancelled: |
                n = count()
        outputs:

        """
      ))
    #expect(product.journals.map(\.name) == ["customer", "at-id"])
    #expect(product.tables.map(\.name) == ["customer", "day"])
    #expect(product.tables.map(\.journal) == [0, 1])
    #expect(product.journals[0].keys.count == 1 && product.journals[1].keys.count == 1)
    #expect(product.outputs.map(\.journal) == [0, 0])
  }

  @Test func `a product without tables has one journal by the input's own key`() throws {
    let product = try shop(
      ("transform.yaml", "tables:\n", "x-tables:\n"),
      (
        "transform.yaml",
        """
        x-tables:
          customer:
            key: event.customer
            on:
              orders.Placed: |
                orders = count()
                spent  = sum(event.total) if has(event.total)
                last   = max(event.at)

        """, ""
      ), ("transform.yaml", "  customer:\n    from: customer\n", ""),
      (
        "product.odps.yaml",
        "  - {name: customer, version: \"1.0.0\", contractId: shop/customer}\n", ""
      ))
    #expect(product.journals.map(\.name) == ["source"])
    guard case .source? = product.journals.first?.keys.values.first else {
      return #expect(Bool(false))
    }
  }

  @Test func `the environment stands before all names of ours and changes no logic`() throws {
    let files = try ProductFiles(ProductFiles.shop)
    let plain = try #require(loadDomain(at: files.directory).0?.products.first)
    let dev = try #require(loadDomain(at: files.directory, environment: "dev").0?.products.first)
    #expect(dev.outputs.map(\.topic) == ["dev.shop.sales.customer.v1", "dev.shop.sales.placed.v1"])
    #expect(dev.journals.first?.topic == "dev.weft.shop.sales.journal.customer")
    #expect(dev.names.quarantineTopic == "dev.shop.sales.quarantine")
    #expect(dev.names.group == "dev.weft.shop.sales")
    #expect(dev.inputs.first?.topic == "ops.orders")
    #expect(dev.logicDigest == plain.logicDigest)
    #expect(loadDomain(at: files.directory, environment: "Dev!").0 == nil)
  }

  @Test func `form changes no logic digest`() throws {
    let plain = try shop()
    let same = try shop(
      (
        "transform.yaml", "where: has(event.total) &&",
        "where: |\n      has(event.total)  // not null\n      &&"
      ),
      (
        "transform.yaml", "      topic: ops.orders",
        "      # where they come from\n      topic: \"ops.orders\""
      ),
      (
        "transform.yaml", "id    = event.id\n      total = event.total",
        "total = event.total\n      id = event.id"
      ),
      ("product.odps.yaml", "status: active", "status: draft\nname: Sales of the shop"),
      ("worker.yaml", "localhost:1", "localhost:2"))
    #expect(same.logicDigest == plain.logicDigest)
    #expect(LogicText.differences(from: plain.logicFiles, to: same.logicFiles) == [])
  }

  @Test(arguments: [
    ("a  &&   // why\n  b", "a && b"), ("a.b  ", "a.b"), ("a == \"x  y\"", "a == \"x  y\""),
    ("'''x\ny'''  + z", "'''x\\ny''' + z"),
  ])
  func `an expression is shown on one line, without comments`(text: String, shown: String) {
    let source = SourceText(name: "transform.yaml", bytes: Array(text.utf8))
    #expect(CanonicalText.shown(SourceSpan(source, 0..<text.utf8.count)) == shown)
  }

  @Test func `a changed logic is told by what changed`() throws {
    let plain = try shop()
    let other = try shop(
      ("transform.yaml", "sum(event.total) if has(event.total)", "sum(event.total)"),
      ("transform.yaml", "decimal(\"0\")", "decimal(\"1\")"),
      (
        "contracts/placed.odcs.yaml", "{name: count, logicalType: integer, required: true}",
        "{name: count, logicalType: integer}"
      ))
    #expect(other.logicDigest != plain.logicDigest)
    #expect(
      LogicText.differences(from: plain.logicFiles, to: other.logicFiles) == [
        "output `placed@1` changed: field `count`", "stream `paid` changed: `where`",
        "table `customer` changed: column `spent`",
      ])
  }
}
