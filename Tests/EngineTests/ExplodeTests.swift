import Product
import Records
import Testing

@testable import Engine

/// Streams that make many events of one.
@Suite struct ExplodeTests {
  private static func shop() -> StreamShop {
    var shop = StreamShop()
    shop.streams = """
      items:
        from: orders
        explode: {item: event.items}
        where: item.qty > 0
      parts:
        from: items
        explode: {part: item.parts}
        let: name = item.sku + "/" + part
      """
    shop.tables = """
      stock:
        key: [event.customer, item.sku]
        on:
          items: |
            pieces = sum(item.qty)
            orders = count()
      """
    shop.outputs = [
      "lines": """
      from: items
      key: event.id
      select: |
        id = event.id
        what = item.sku
        many = item.qty
      """,
      "parts": """
      from: parts
      key: event.id
      select: |
        id = event.id
        what = name
        many = event.items.size()
      """,
      "stock": "from: stock",
    ]
    shop.contracts["stock"] = [
      "name: customer, \(StreamShop.text), primaryKey: true, primaryKeyPosition: 1",
      "name: sku, \(StreamShop.text), primaryKey: true, primaryKeyPosition: 2",
      "name: pieces, logicalType: integer", "name: orders, logicalType: integer, required: true",
    ]
    return shop
  }

  private static let lists =
    #"{"id":"o1","customer":"c","items":["#
    + #"{"sku":"a","qty":2,"parts":["x","y"]},{"sku":"b","qty":0,"parts":["z"]},"#
    + #"{"sku":"c","qty":1},{"sku":"a","qty":5,"parts":[]},{"sku":"d","qty":3,"parts":["w"]}]}"#

  @Test func `each element goes on by itself, in order, with an id of its own`() throws {
    let run = try ExplodeTests.shop().run([ExplodeTests.lists])
    let lines = run.port("lines")
    #expect(
      lines.map(\.text) == [
        #"{"id":"o1","what":"a","many":2}"#, #"{"id":"o1","what":"c","many":1}"#,
        #"{"id":"o1","what":"a","many":5}"#, #"{"id":"o1","what":"d","many":3}"#,
      ])
    #expect(Set(lines.compactMap { $0[header: "ce_id"] }).count == 4)
  }

  @Test func `a list in a list is exploded by the next stream`() throws {
    let run = try ExplodeTests.shop().run([ExplodeTests.lists])
    #expect(
      run.port("parts").map(\.text)
        == ["a/x", "a/y", "d/w"].map {
          #"{"id":"o1","what":"\#($0)","many":5}"#
        })
  }

  @Test func `a row that several elements change is published once`() throws {
    let run = try ExplodeTests.shop().run([ExplodeTests.lists])
    #expect(
      run.port("stock").map(\.text) == [
        #"{"customer":"c","sku":"a","pieces":7,"orders":2}"#,
        #"{"customer":"c","sku":"c","pieces":1,"orders":1}"#,
        #"{"customer":"c","sku":"d","pieces":3,"orders":1}"#,
      ])
  }

  @Test(arguments: [#""#, #","items":null"#, #","items":[]"#])
  func `of an empty or absent list nothing comes`(_ items: String) throws {
    let run = try ExplodeTests.shop().run([#"{"id":"o1","customer":"c"\#(items)}"#])
    #expect(run.records.isEmpty)
    #expect(run.counts.filtered == 1)
  }

  @Test func `an element that fails takes the whole event with it`() throws {
    let items = #"[{"sku":"a","qty":9223372036854775807},{"sku":"a","qty":1}]"#
    let run = try ExplodeTests.shop().run([#"{"id":"o1","customer":"c","items":\#(items)}"#])
    #expect(run.records.isEmpty)
    #expect(run.reasons == ["expression"])
  }

  @Test func `more elements than an event may become are refused, all of them`() throws {
    func order(_ count: Int) -> String {
      let items = Array(repeating: #"{"sku":"a","qty":1}"#, count: count)
      return #"{"id":"o\#(count)","customer":"c","items":[\#(items.joined(separator: ","))]}"#
    }
    let most = RowLayout.entriesMax
    let run = try ExplodeTests.shop().run([order(most), order(most + 1)])
    #expect(run.port("lines").count == most)
    #expect(run.reasons == ["too-many-entries"])
  }

  @Test(arguments: [
    ("{item: event.items}", "{item: event.id}", "W0204 `explode` takes a list"),
    ("{item: event.items}", "{event: event.items}", "W0342 `event` is a variable of Weft's own"),
    ("{item: event.items}", "{an-item: event.items}", "W0204 expressions cannot use a variable"),
    ("{item: event.items}", "{item: event.items, more: event.items}", "W0350 `explode` takes one"),
    ("{item: event.items}", "{}", "W0207 `explode` names no list"),
    ("{part: item.parts}", "{item: item.parts}", "W0342 `item` is named before"),
    ("{part: item.parts}", "{part: item.part}", "W0203 `part` is not a field"),
    ("key: [event.customer, item.sku]", "key: item.sku", "W0347 the key of `orders`"),
  ])
  func `what is wrong with an explosion is told`(_ old: String, _ new: String, _ told: String)
    throws
  {
    let found = try ExplodeTests.shop().problems(old, new)
    #expect(found.contains { $0.hasPrefix(told) }, "\(found)")
  }
}
