import Product
import Records
import Testing

@testable import Engine

/// Streams that look up rows of tables.
@Suite struct LookupTests {
  private static func shop() -> StreamShop {
    var shop = StreamShop()
    shop.streams = """
      known:
        from: paid
        lookup: {customer: "customer[event.customer]"}
        where: has(customer.last)
      counted:
        from: orders
        lookup: {before: "customer[event.customer]"}
      sold:
        from: orders
        explode: {item: event.items}
        lookup: {stock: "stock[[event.customer, item.sku]]"}
      """
    shop.tables = """
      customer:
        key: event.customer
        on:
          orders: |
            delete if event.id == "gone"
            orders = count()
            last   = last(event.id)
      stock:
        key:
          - event.customer
          - 'event.amount > 5 ? "a" : "b"'
        on:
          paid: |
            paid = sum(event.amount)
      """
    let select = "key: event.id\nselect: |\n  id = event.id\n  what = "
    shop.outputs = [
      "known": "from: known\n\(select)customer.last\n  many = customer.orders + 0",
      "counted": "from: counted\n\(select)before.?customer\n  many = before.?orders",
      "sold": "from: sold\n\(select)stock.?key2.orValue(\"none\")\n  many = stock.?paid",
    ]
    return shop
  }

  private static func order(_ id: String, _ customer: String = "c", items: String = "") -> String {
    #"{"id":"\#(id)","customer":"\#(customer)","items":[\#(items)]}"#
  }

  private static func paid(_ id: String, _ amount: Int, _ customer: String = "c") -> String {
    #"{"id":"\#(id)","customer":"\#(customer)","amount":\#(amount),"at":"2024-06-01T00:00:00Z"}"#
  }

  @Test func `a row is as the journal's order has it, and an event without one is told apart`()
    throws
  {
    let run = try LookupTests.shop().run([
      LookupTests.paid("p1", 1), LookupTests.order("o1"), LookupTests.order("o2"),
      LookupTests.paid("p2", 1), LookupTests.paid("p3", 1, "d"), LookupTests.order("gone"),
      LookupTests.paid("p4", 1),
    ])
    #expect(run.port("known").map(\.text) == [#"{"id":"p2","what":"o2","many":2}"#])
  }

  @Test func `an event sees the row as it was before the event itself`() throws {
    let run = try LookupTests.shop().run(["o1", "o2", "gone", "o3"].map { LookupTests.order($0) })
    #expect(
      run.port("counted").map(\.text) == [
        #"{"id":"o1"}"#, #"{"id":"o2","what":"c","many":1}"#, #"{"id":"gone","what":"c","many":2}"#,
        #"{"id":"o3"}"#,
      ])
  }

  @Test
  func `each element looks up its own row, and a part of the key that is computed has a name`()
    throws
  {
    let items = ["b", "a", "c"].map { #"{"sku":"\#($0)","qty":1}"# }.joined(separator: ",")
    let run = try LookupTests.shop().run([
      LookupTests.paid("p1", 4), LookupTests.paid("p2", 7), LookupTests.paid("p3", 8),
      LookupTests.order("o1", items: items),
    ])
    #expect(
      run.port("sold").map(\.text) == [
        #"{"id":"o1","what":"b","many":4}"#, #"{"id":"o1","what":"a","many":15}"#,
        #"{"id":"o1","what":"none"}"#,
      ])
  }

  @Test(arguments: [
    (
      "customer[event.customer]", "customer[event.id]",
      "W0347 rows of `customer` are in the journal by `event.customer`, and this asks for one of"
    ),
    (
      "customer[event.customer]", "customers[event.customer]", "W0341 there is no table `customers`"
    ),
    ("customer[event.customer]", "customer", "W0350 `lookup` takes a row of a table"),
    (
      "customer[event.customer]", "stock[event.customer]",
      "W0347 the key of table `stock` has 2 parts"
    ),
    ("\"customer[event.customer]\"}", "\"customer[event.amount]\"}", "W0203"),
    ("{customer:", "{event:", "W0342 `event` is a variable"),
    ("    where: has(customer.last)\n", "", "W0312 `customer.orders` may be absent"),
    ("before.?orders", "before.?order", "W0203 `order` is not a field"),
    (
      "    orders: |\n", "    counted: |\n", "W0343 stream `counted` is made of itself"
    ),
  ])
  func `what is wrong with a lookup is told`(_ old: String, _ new: String, _ told: String) throws {
    let found = try LookupTests.shop().problems(old, new)
    #expect(found.contains { $0.hasPrefix(told) }, "\(found)")
  }

  @Test func `a row of a table with another journal cannot be looked up`() throws {
    var shop = LookupTests.shop()
    shop.tables += """

      amounts:
        key: event.amount
        on:
          known: |
            many = count()
      """
    let found = try shop.problems()
    #expect(
      found.contains {
        $0.hasPrefix("W0347 rows of `customer` are in the journal by `event.customer`, and table")
      }, "\(found)")
  }
}
