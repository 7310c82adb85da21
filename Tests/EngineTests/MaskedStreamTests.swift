import Product
import Testing

@testable import Engine

/// Streams that let only a part of some fields be seen.
@Suite struct MaskedStreamTests {
  private static func shop() -> StreamShop {
    var shop = StreamShop()
    shop.streams = """
      seen:
        from: orders
        where: event.customer != "nobody"
        mask: {customer: mask, items: drop}
      """
    shop.tables = """
      whose:
        key: event.id
        on:
          seen: |
            customer = last(event.customer)
      """
    shop.outputs = [
      "lines": """
      from: seen
      key: event.id
      select: |
        id   = event.id
        what = event.customer
      """,
      "plain": """
      from: orders
      key: event.id
      select: |
        id   = event.id
        what = event.customer
      """,
      "whose": "from: whose",
    ]
    shop.contracts["whose"] = [
      "name: id, \(StreamShop.text), primaryKey: true", "name: customer, logicalType: string",
    ]
    return shop
  }

  @Test func `behind a stream that masks a field nothing sees it, and beside it all do`() throws {
    let simulation = try Self.shop().run([
      #"{"id":"1","customer":"ann","items":[{"sku":"a","qty":1}]}"#,
      #"{"id":"2","customer":"nobody"}"#,
    ])
    #expect(simulation.reasons == [])
    #expect(simulation.port("lines").map(\.text) == [#"{"id":"1","what":"***"}"#])
    #expect(simulation.port("whose").map(\.text) == [#"{"id":"1","customer":"***"}"#])
    #expect(
      simulation.port("plain").map(\.text) == [
        #"{"id":"1","what":"ann"}"#, #"{"id":"2","what":"nobody"}"#,
      ])
  }

  @Test(arguments: [
    ("{customer: mask, items: drop}", "{custmer: mask}", "W0341 `custmer` is no field of the"),
    ("customer: mask, ", "items: mask, customer: mask, ", "W0104 `items` is set twice"),
    ("items: drop}", "items: mask}", "W0204 `mask` takes text, and `event.items` is list"),
    ("customer: mask", "customer: pseudonym", "`pseudonym` needs a key, and worker.yaml has none"),
    ("customer: mask", "customer: encrypt", "is not there yet"),
    ("customer: mask", "customer: hide", "W0204"),
    ("\n  mask:", "\n  let: who = event.customer\n  mask:", "`who` was made of `event.custo"),
    ("key: event.id\n  on", "key: event.customer\n  on", "a key cannot use `event.customer`"),
    ("what = event.customer", "what = event.items[0].sku", "`event.items` is dropped by a stream"),
    ("key: event.id\nselect", "select", "is made of a stream that masks fields, and needs a key"),
  ]) func `what would show a masked field is told`(old: String, new: String, problem: String)
    throws
  {
    var shop = Self.shop()
    shop.streams = shop.streams.replacing(old, with: new)
    shop.tables = shop.tables.replacing(old, with: new)
    for (port, text) in shop.outputs { shop.outputs[port] = text.replacing(old, with: new) }
    let problems = try shop.problems()
    #expect(problems.contains { $0.contains(problem) }, "\(problems)")
  }

  @Test func `a mask is part of the logic`() throws {
    let before = try Self.shop().load().product().logicFiles
    var shop = Self.shop()
    shop.streams = shop.streams.replacing("customer: mask, ", with: "")
    let after = try shop.load().product().logicFiles
    #expect(
      LogicText.differences(from: before, to: after) == [
        "stream `seen` changed: mask `customer`"
      ])
  }
}
