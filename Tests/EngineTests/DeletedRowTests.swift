import Diagnostics
import Product
import Records
import Testing

@testable import Engine

/// Rows of another product's state port that are deleted there: a tombstone takes back what they
/// have given.
@Suite struct DeletedRowTests {
  // MARK: A mesh of two domains

  private static let text = "logicalType: string, required: true"

  private static let files: [String: String] = [
    "mesh.yaml": "kind: Mesh\nname: small\n",
    "desk/worker.yaml": MeshFiles.worker("desk"),
    "desk/product.odps.yaml": MeshFiles.descriptor(
      "desk", "people", inputs: ["told"], outputs: ["person", "seat"]),
    "desk/contracts/person.odcs.yaml": MeshFiles.contract(
      "people/person", "desk.people.person.v1",
      [
        "name: person, \(text), primaryKey: true", "name: name, logicalType: string",
        "name: town, logicalType: string", "name: score, logicalType: integer",
      ]),
    "desk/contracts/seat.odcs.yaml": MeshFiles.contract(
      "people/seat", "desk.people.seat.v1",
      [
        "name: row, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1",
        "name: person, \(text), primaryKey: true, primaryKeyPosition: 2",
        "name: price, logicalType: integer",
      ]),
    "desk/transform.yaml": """
    kind: Transform
    product: people
    inputs: {}
    tables: {persons: {key: event.person, on: {}}}
    outputs:
      person: {from: persons}
      seat: {from: persons}

    """,
    "shop/worker.yaml": MeshFiles.worker("shop"),
    "shop/product.odps.yaml": MeshFiles.descriptor(
      "shop", "sales", inputs: ["orders", "persons", "seats"], outputs: ["buyer", "place", "seen"]),
    "shop/contracts/orders.odcs.yaml": MeshFiles.contract(
      "ops/orders", "ops.orders",
      ["name: person, \(text)", "name: amount, logicalType: integer"]),
    "shop/contracts/buyer.odcs.yaml": MeshFiles.contract(
      "sales/buyer", "shop.sales.buyer.v1",
      [
        "name: person, \(text), primaryKey: true", "name: name, logicalType: string",
        "name: towns, logicalType: integer, required: true", "name: mean, logicalType: number",
        "name: spent, logicalType: integer",
      ]),
    "shop/contracts/place.odcs.yaml": MeshFiles.contract(
      "sales/place", "shop.sales.place.v1",
      [
        "name: person, \(text), primaryKey: true, primaryKeyPosition: 1",
        "name: row, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 2",
        "name: price, logicalType: integer",
      ]),
    "shop/contracts/seen.odcs.yaml": MeshFiles.contract(
      "sales/seen", "shop.sales.seen.v1", ["name: name, logicalType: string"]),
    "shop/transform.yaml": """
    kind: Transform
    product: sales
    inputs:
      orders: {topic: ops.orders, contract: contracts/orders.odcs.yaml}
      persons: {port: people#person@1}
      seats: {port: people#seat@1}
    journal: {partitions: 2}
    streams:
      grown:
        from: persons
        where: has(event.score) && event.score > 10
    tables:
      buyer:
        key: event.person
        on:
          persons: |
            name  = last(event.name)
            towns = countDistinct(event.town)
          grown: |
            mean  = avg(event.score)
          orders: |
            spent = sum(event.amount)
      place:
        key: [event.person, event.row]
        on:
          seats: |
            price = last(event.price)
    outputs:
      buyer: {from: buyer}
      place: {from: place}
      seen:
        from: persons
        select: |
          name = event.name

    """,
  ]

  private static func load(_ changes: [(String, String)] = []) throws -> LoadedDomain {
    var files = files
    for (old, new) in changes {
      let text = files["shop/transform.yaml"] ?? ""
      try #require(text.contains(old), "\(old) is there")
      files["shop/transform.yaml"] = text.replacing(old, with: new)
    }
    return try MeshFiles.load(files, domain: "shop")
  }

  private static func simulation(_ changes: [(String, String)] = []) throws -> ProductSimulation {
    try ProductSimulation(load(changes).product())
  }

  // Inputs in the order of their names, outputs in that of theirs.
  private static let (orders, persons, seats) = (0, 1, 2)
  private static let (buyer, place, seen) = (0, 1, 2)

  private static func person(_ name: String, town: String, score: Int) -> String {
    "{\"person\":\"p\",\"name\":\"\(name)\",\"town\":\"\(town)\",\"score\":\(score)}"
  }

  // MARK: What is promised

  @Test func `a tombstone takes back what the row has given, and nothing else`() throws {
    let simulation = try Self.simulation()
    simulation.take(Self.person("Ann", town: "Ulm", score: 12), key: "p", input: Self.persons)
    simulation.take("{\"person\":\"p\",\"amount\":5}", key: "o", input: Self.orders)
    simulation.take(Self.person("Anna", town: "Bonn", score: 14), key: "p", input: Self.persons)
    simulation.take(bytes: nil, key: Array("p".utf8), input: Self.persons)
    #expect(
      simulation.values(Self.buyer).suffix(2) == [
        "{\"person\":\"p\",\"name\":\"Anna\",\"towns\":2,\"mean\":13.0,\"spent\":5}",
        "{\"person\":\"p\",\"towns\":0,\"spent\":5}",
      ])
    // It begins again as if it had never been there.
    simulation.take(Self.person("Ann", town: "Ulm", score: 20), key: "p", input: Self.persons)
    #expect(
      simulation.values(Self.buyer).last
        == "{\"person\":\"p\",\"name\":\"Ann\",\"towns\":1,\"mean\":20.0,\"spent\":5}")
    #expect(simulation.reasons.isEmpty)
    // An event port tells what came, and a tombstone brings nothing.
    #expect(simulation.values(Self.seen).count == 3)
  }

  @Test func `a row of which nothing is left goes, with a tombstone at its ports`() throws {
    let simulation = try Self.simulation()
    simulation.take(Self.person("Ann", town: "Ulm", score: 12), key: "p", input: Self.persons)
    simulation.take(bytes: nil, key: Array("p".utf8), input: Self.persons)
    #expect(simulation.values(Self.buyer).last == "null")
    #expect(simulation.published.last { $0.port == Self.buyer }?.keyText == "p")
    let before = simulation.published.count
    // Where there is no row, or no more, nothing happens.
    simulation.take(bytes: nil, key: Array("p".utf8), input: Self.persons)
    simulation.take(bytes: nil, key: Array("q".utf8), input: Self.persons)
    #expect(simulation.published.count == before)
    #expect(simulation.counts.filtered == 2 && simulation.counts.applied == 2)
  }

  @Test func `a key of several parts is found in any order of the table's`() throws {
    let simulation = try Self.simulation()
    for row in [7, 8] {
      simulation.take(
        "{\"row\":\(row),\"person\":\"a \\\"b\",\"price\":3}", key: "[\(row),\"a \\\"b\"]",
        input: Self.seats)
    }
    simulation.take(bytes: nil, key: Array("[7, \"a \\\"b\"]".utf8), input: Self.seats)
    #expect(simulation.values(Self.place).suffix(1) == ["null"])
    #expect(simulation.published.last { $0.port == Self.place }?.keyText == "[\"a \\\"b\",7]")
    #expect(simulation.reasons.isEmpty)
  }

  @Test(arguments: [nil, "", "7", "[7]", "[7,\"p\",1]", "[\"p\",7]", "{}"])
  func `a key that is none of the port's goes to quarantine`(_ key: String?) throws {
    let simulation = try Self.simulation()
    simulation.take(bytes: nil, key: key.map { Array($0.utf8) }, input: Self.seats)
    #expect(simulation.reasons == ["missing-key"])
  }

  @Test func `an empty value is no tombstone, nor is a null of another topic`() throws {
    let simulation = try Self.simulation()
    simulation.take("", key: "p", input: Self.persons)
    simulation.take(bytes: nil, key: Array("p".utf8), input: Self.orders)
    #expect(simulation.reasons == ["empty-value", "null-value"])
  }

  @Test func `deletions may mean nothing`() throws {
    let simulation = try Self.simulation([("people#person@1", "people#person@1, deletions: ignore")]
    )
    simulation.take(Self.person("Ann", town: "Ulm", score: 12), key: "p", input: Self.persons)
    simulation.take(bytes: nil, key: Array("p".utf8), input: Self.persons)
    #expect(simulation.values(Self.buyer).count == 1)
    #expect(simulation.reasons.isEmpty && simulation.counts.filtered == 1)
  }

  @Test func `a deletion survives crashes and lost turns, and is the same when read back`() throws {
    func run(_ disturb: (ProductSimulation, Int) -> Void) throws -> ProductSimulation {
      let simulation = try Self.simulation()
      for number in 0..<60 {
        let key = "p\(number % 4)"
        let isDeletion = number % 7 == 5
        let value =
          number % 3 == 0
          ? "{\"person\":\"\(key)\",\"amount\":\(number)}"
          : "{\"person\":\"\(key)\",\"name\":\"n\(number)\",\"score\":\(number)}"
        let isOrder = number % 3 == 0 && !isDeletion
        simulation.feed(
          .init(
            input: isOrder ? Self.orders : Self.persons, key: Array(key.utf8),
            value: isDeletion ? nil : Array(value.utf8), timestampMs: simulation.recordedMs))
        disturb(simulation, number)
        simulation.run()
        simulation.recordedMs += 1000
      }
      return simulation
    }
    let straight = try run { _, _ in }
    let rough = try run { simulation, number in
      simulation.readsBack = true
      if number % 5 == 1 { simulation.loseTurn(of: 1) }
      if number % 11 == 3 { simulation.crash() }
    }
    #expect(straight.stateDigests == rough.stateDigests)
    #expect(Set(straight.published) == Set(rough.published))
    #expect(straight.values(Self.buyer).contains("null"))
  }

  // MARK: What is refused

  @Test(arguments: [
    (
      "key: event.person\n", "key: event.person + \"\"\n", "W0347",
      "a row of `buyer` is made of several rows of `persons`"
    ),
    (
      "key: [event.person, event.row]", "key: event.person", "W0347",
      "a row of `place` is made of several rows of `seats`"
    ),
    (
      "spent = sum(event.amount)", "name = last(event.person)", "W0346",
      "column `name` is set by rows of `persons`, and not by these alone"
    ),
    (
      "{topic: ops.orders,", "{topic: ops.orders, deletions: undo,", "W0350",
      "`deletions` is for a state port, whose records are rows"
    ),
  ])
  func `what a deletion would take back has to be known`(
    _ old: String, _ new: String, _ code: String, _ message: String
  ) throws {
    let found = try Self.load([(old, new)]).diagnostics
    #expect(found.contains { $0.code.text == code && $0.message == message }, "\(found)")
    if code != "W0350" {
      let ignored = try Self.load([
        (old, new), ("person@1}", "person@1, deletions: ignore}"),
        ("seat@1}", "seat@1, deletions: ignore}"),
      ]).diagnostics
      #expect(!ignored.contains { $0.message == message }, "\(ignored)")
    }
  }

  @Test func `whether deletions count is part of the logic`() throws {
    func digest(_ changes: [(String, String)]) throws -> [UInt8] {
      try Self.load(changes).product().logicDigest
    }
    let undone = try digest([])
    #expect(try digest([("person@1}", "person@1, deletions: undo}")]) == undone)
    #expect(try digest([("person@1}", "person@1, deletions: ignore}")]) != undone)
  }
}
