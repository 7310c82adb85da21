import Product
import Records
import Testing

@testable import Engine

/// Streams that begin with the changes of a table's rows.
@Suite struct ChangeTests {
  /// Customers by what they have paid, their classes by customers, and how often a class changed.
  private static func shop() -> StreamShop {
    var shop = StreamShop()
    shop.streams = """
      moves:
        from: customer
        where: old.?paid.orValue(0) < 10 && row.?paid.orValue(0) >= 10
      gone:
        from: customer
        where: "!has(row.customer)"
      """
    shop.tables = """
      customer:
        key: event.customer
        on:
          paid: |
            delete if event.amount == 0
            paid = sum(event.amount)
            odd  = latest(event.id) if event.amount == 1
      level:
        key: key.customer
        on:
          customer: |
            level = last(row.?paid.orValue(0) / 10)
            seen  = count()
      ups:
        key: [key.customer]
        on:
          level: |
            ups = count() if old.?level.orValue(0) < row.?level.orValue(0)
          moves: |
            big = count()
      """
    let select = "key: key.customer\nselect: |\n  id = key.customer\n"
    shop.outputs = [
      "moves": "from: moves\n\(select)  many = row.?paid",
      "gone": "from: gone\n\(select)  many = old.?paid",
      "level": "from: level", "ups": "from: ups",
    ]
    let key = "name: customer, \(StreamShop.text), primaryKey: true"
    func whole(_ name: String) -> String {
      "name: \(name), logicalType: integer, required: true"
    }
    shop.contracts["level"] = [
      key, "name: level, logicalType: integer", whole("seen"),
    ]
    shop.contracts["ups"] = [key, whole("ups"), whole("big")]
    return shop
  }

  private static func paid(_ id: String, _ amount: Int) -> String {
    #"{"id":"\#(id)","customer":"c","amount":\#(amount),"at":"2024-06-01T00:00:00Z"}"#
  }

  @Test func `a change has the row as it is and as it was, also when it comes or goes`() throws {
    let run = try ChangeTests.shop().run(
      [4, 5, 2, 7, 0, 30].enumerated().map { ChangeTests.paid("p\($0)", $1) })
    #expect(run.port("moves").map(\.text) == [#"{"id":"c","many":11}"#, #"{"id":"c","many":30}"#])
    #expect(run.port("gone").map(\.text) == [#"{"id":"c","many":18}"#])
  }

  @Test func `tables that are made of rows change with the event, one after the other`() throws {
    let run = try ChangeTests.shop().run([4, 8, 9].map { ChangeTests.paid("p\($0)", $0) })
    #expect(
      run.port("level").map(\.text) == [
        #"{"customer":"c","level":0,"seen":1}"#, #"{"customer":"c","level":1,"seen":2}"#,
        #"{"customer":"c","level":2,"seen":3}"#,
      ])
    #expect(
      run.port("ups").map(\.text) == [
        #"{"customer":"c","ups":1,"big":1}"#, #"{"customer":"c","ups":2,"big":1}"#,
      ])
    let ids = run.records.filter { $0.timestampMs == 1_717_200_001_000 }
      .map { $0[header: "ce_id"] }
    #expect(ids.count == 3 && Set(ids).count == 1, "one event's, by one id a port")
  }

  @Test func `an event that shows nothing new changes no row`() throws {
    let run = try ChangeTests.shop().run([
      ChangeTests.paid("p1", 1), ChangeTests.paid("p1", 1), ChangeTests.paid("p2", 0),
      ChangeTests.paid("p3", 0),
    ])
    #expect(run.port("level").count == 2)
    #expect(run.port("gone").count == 1)
  }

  @Test func `all that is made of rows goes back with the event`() throws {
    let run = try ChangeTests.shop().run([
      ChangeTests.paid("p1", 1), ChangeTests.paid("p2", Int.max), ChangeTests.paid("p3", 1),
    ])
    #expect(run.reasons == ["expression"])
    #expect(run.port("level").map(\.text).last == #"{"customer":"c","level":0,"seen":2}"#)
  }

  @Test func `they are in the journal of the rows, and are made again from it`() throws {
    let run = try ChangeTests.shop().run([4, 8, 9].map { ChangeTests.paid("p\($0)", $0) })
    #expect(run.plan.definition.journals.map(\.name) == ["customer"])
    let digests = run.stateDigests
    run.crash()
    #expect(run.stateDigests == digests)
  }

  @Test(arguments: [
    (
      "  level:\n    key: key.customer\n", "  level:\n    key: recorded\n",
      "W0347 the key of table `level` does not begin with"
    ),
    ("many = old.?paid", "many = old.?pad", "W0203 `pad` is not a field"),
    ("    paid: |\n", "    moves: |\n", "W0343 table `customer` is made of itself"),
    ("    paid: |\n", "    ups: |\n", "W0343"),
    ("id = key.customer", "id = event.customer", "W0310 there is no variable `event` here"),
    ("    customer: |\n", "    customers: |\n", "W0341 `customers` is no input"),
  ])
  func `what is wrong with a stream of rows is told`(_ old: String, _ new: String, _ told: String)
    throws
  {
    let found = try ChangeTests.shop().problems(old, new)
    #expect(found.contains { $0.hasPrefix(told) }, "\(found)")
  }
}
