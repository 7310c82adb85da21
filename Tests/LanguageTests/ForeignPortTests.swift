import Diagnostics
import Expressions
import Foundation
import Product
import Testing

/// Output ports of other products as inputs.
@Suite struct ForeignPortTests {
  /// A product that counts what the shop has placed.
  private static let counts: [String: String] = [
    "worker.yaml": """
    kind: Worker
    domain: desk
    kafka: {bootstrap.servers: "localhost:1"}

    """,
    "product.odps.yaml": """
    apiVersion: v1.0.0
    kind: DataProduct
    id: counts
    version: "1.0.0"
    status: active
    domain: desk
    inputPorts:
      - {name: placed, version: "1.0.0", contractId: shop/placed}
    outputPorts:
      - {name: total, version: "1.0.0", contractId: desk/total}

    """,
    "contracts/total.odcs.yaml": """
    apiVersion: v3.1.0
    kind: DataContract
    id: desk/total
    version: "1.0.0"
    status: active
    schema:
      - name: Total
        physicalName: desk.counts.total.v1
        properties:
          - {name: id, logicalType: string, required: true, primaryKey: true}
          - {name: total, logicalType: number, physicalType: "decimal(18,2)"}

    """,
    "transform.yaml": """
    kind: Transform
    product: counts
    inputs:
      placed: {port: sales#placed@1}
    tables:
      total:
        key: event.id
        on:
          placed: |
            total = sum(event.total)
    outputs:
      total: {from: total}

    """,
  ]

  private static func mesh(
    _ changes: (file: String, old: String, new: String)..., without: String? = nil
  ) throws -> ProductFiles {
    var files = ["mesh.yaml": "kind: Mesh\nname: small\n"]
    for (path, text) in ProductFiles.shop where without != "shop" { files["shop/\(path)"] = text }
    for (path, text) in counts { files["desk/\(path)"] = text }
    return try ProductFiles(ProductFiles.changed(files, changes))
  }

  @Test func `a port of the mesh's files brings its topic, its fields and its name`() throws {
    let files = try Self.mesh()
    let loaded = LoadedDomain.load(files.directory + "/desk", environment: "dev")
    #expect(told(loaded.diagnostics).isEmpty)
    let input = try #require(loaded.definition?.products.first?.inputs.first)
    #expect(input.topic == "dev.shop.sales.placed.v1")
    #expect(input.port?.address == "shop/sales#placed@1")
    #expect(input.port?.isState == false)
    #expect(input.time == nil && input.id == nil && input.discriminator == nil)
    // `count` is not used, and so is no part of the product.
    #expect(input.events.map { $0.fields.map(\.name) } == [["id", "total"]])
  }

  @Test func `a state port says what its key is`() throws {
    let files = try Self.mesh(
      ("desk/transform.yaml", "sales#placed@1", "shop/sales#customer"),
      ("desk/transform.yaml", "key: event.id", "key: event.customer"),
      ("desk/transform.yaml", "event.total", "event.spent"))
    let loaded = LoadedDomain.load(files.directory + "/desk")
    #expect(told(loaded.diagnostics).isEmpty)
    let port = try #require(loaded.definition?.products.first?.inputs.first?.port)
    #expect(port.isState && port.key == ["customer"])
  }

  @Test func `where no file has the product the catalog is asked, for the same logic`() throws {
    let whole = try Self.mesh()
    let alone = try Self.mesh(without: "shop")
    let shop = LoadedDomain.load(whole.directory + "/shop")
    let ports = shop.products[0].ports.map {
      ForeignPort(domain: "shop", product: "sales", port: $0.port)
    }
    let elsewhere = PortsElsewhere { product, settings in
      #expect(settings.domain == "desk")
      return .ports(product == "sales" ? ports : [])
    }
    let here = LoadedDomain.load(whole.directory + "/desk")
    let there = LoadedDomain.load(alone.directory + "/desk", elsewhere: elsewhere)
    #expect(told(there.diagnostics).isEmpty)
    #expect(
      here.definition?.products.first?.logicDigest
        == there.definition?.products.first?.logicDigest)
  }

  @Test(arguments: [
    ("count, logicalType: integer, required: true}", "count, logicalType: string}", true),
    (
      "name: count, logicalType: integer, required: true}",
      "name: count, logicalType: integer, required: true}\n"
        + "      - {name: more, logicalType: string}", true
    ),
    ("\"decimal(12,2)\"", "\"decimal(14,3)\"", false),
  ])
  func `what a port's owner changes is this product's logic only where it is used`(
    _ old: String, _ new: String, _ isSame: Bool
  ) throws {
    func digest(_ files: ProductFiles) throws -> [UInt8] {
      try #require(
        LoadedDomain.load(files.directory + "/desk").definition?.products.first?.logicDigest)
    }
    let before = try digest(Self.mesh())
    let after = try digest(Self.mesh(("shop/contracts/placed.odcs.yaml", old, new)))
    #expect((before == after) == isSame)
  }

  @Test(arguments: [
    ("sales#placed@2", "W0341 transform.yaml:4:18 there is no output port `sales#placed@2`"),
    ("sales#orders", "W0341 transform.yaml:4:18 there is no output port `sales#orders@1`"),
    (
      "other/sales#placed",
      "W0341 transform.yaml:4:18 there is no output port `other/sales#placed@1`"
    ),
    ("sales.placed", "W0204 transform.yaml:4:18 `sales.placed` names no output port"),
    (
      "none#placed@1",
      "W0341 transform.yaml:4:18 the output port `none#placed@1` is not to be found"
    ),
    (
      "sales#placed@1, topic: a",
      "W0350 transform.yaml:4:34 `topic` is what the port says"
    ),
    (
      "sales#placed@1, time: id", "W0344 transform.yaml:4:40 a required timestamp or date is needed"
    ),
  ])
  func `a port that cannot be had is told where it is named`(_ text: String, _ wanted: String)
    throws
  {
    let files = try Self.mesh(("desk/transform.yaml", "sales#placed@1", text))
    let found = told(LoadedDomain.load(files.directory + "/desk").diagnostics)
    #expect(found.count == 1 && found.first?.hasPrefix(wanted) == true, "\(found)")
  }

  @Test(arguments: [
    (PortsElsewhere.Answer.ports([]), "W0352", "is not published yet"),
    (.away("no broker answers"), "W0352", "is not published yet"),
    (.unknown("the broker refuses the login"), "W0341", "is not to be found"),
  ])
  func `a port that may come later is told apart from one that cannot be had`(
    _ answer: PortsElsewhere.Answer, _ code: String, _ message: String
  ) throws {
    let files = try Self.mesh(without: "shop")
    let elsewhere = PortsElsewhere { _, _ in answer }
    let found = told(LoadedDomain.load(files.directory + "/desk", elsewhere: elsewhere).diagnostics)
    #expect(found == ["\(code) transform.yaml:4:18 the output port `sales#placed@1` \(message)"])
  }

  @Test func `what comes of a port that is not there yet is not complained of`() throws {
    let files = try Self.mesh(
      (
        "desk/product.odps.yaml", "outputPorts:",
        "outputPorts:\n"
          + "  - {name: seen, version: \"1.0.0\", contractId: desk/total}"
      ),
      (
        "desk/transform.yaml", "outputs:",
        "streams:\n  all: {from: [placed]}\noutputs:\n"
          + "  seen: {from: all, key: event.id, select: {placed: \"id = event.id\"}}"
      ),
      without: "shop")
    let elsewhere = PortsElsewhere { _, _ in .ports([]) }
    let found = told(LoadedDomain.load(files.directory + "/desk", elsewhere: elsewhere).diagnostics)
    #expect(found.contains { $0.hasPrefix("W0352") }, "\(found)")
    #expect(!found.contains { $0.hasPrefix("W0341") }, "\(found)")
  }

  @Test func `two domains with a product of one name are told apart by the domain`() throws {
    let ports = ["shop", "yard"].map { domain in
      ForeignPort(
        domain: domain, product: "sales",
        port: PublishedPort(
          name: "placed", major: 1, version: "1.0.0", topic: "\(domain).sales.placed.v1",
          isState: false, journal: nil, partitions: 1, key: [],
          fields: [
            ContractField(name: "id", type: .string, isRequired: true),
            ContractField(
              name: "total", type: .decimal, isRequired: false,
              decimal: .init(precision: 12, scale: 2)),
          ]))
    }
    let elsewhere = PortsElsewhere { _, _ in .ports(ports) }
    let files = try Self.mesh(without: "shop")
    let found = LoadedDomain.load(files.directory + "/desk", elsewhere: elsewhere).diagnostics
    #expect(told(found) == ["W0342 transform.yaml:4:18 several domains have a product `sales`"])
    #expect(found.first?.help == "name one: `shop/sales#placed@1`, `yard/sales#placed@1`")
    let named = try Self.mesh(
      ("desk/transform.yaml", "sales#placed@1", "yard/sales#placed@1"), without: "shop")
    let loaded = LoadedDomain.load(named.directory + "/desk", elsewhere: elsewhere)
    #expect(loaded.definition?.products.first?.inputs.first?.topic == "yard.sales.placed.v1")
  }

  @Test func `a version that the descriptor does not take in is told`() throws {
    let files = try Self.mesh(
      (
        "desk/product.odps.yaml", "{name: placed, version: \"1.0.0\"",
        "{name: placed, version: \"2.1.0\""
      ))
    #expect(
      told(LoadedDomain.load(files.directory + "/desk").diagnostics) == [
        "W0341 transform.yaml:4:18 this is version 1, and product.odps.yaml takes in 2.1.0"
      ])
  }
}
