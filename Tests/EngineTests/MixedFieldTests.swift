import Product
import Records
import Testing

@testable import Engine

/// Fields of mixed type (`dyn`) in a product: from the event to rows, ports and quarantine.
@Suite struct MixedFieldTests {
  private static func shop() -> StreamShop {
    var shop = StreamShop()
    shop.streams = """
      notes:
        from: orders
        where: has(event.extra)
        explode: {note: "event.?extra.?notes.orValue([]).map(n, n)"}
        let: |
          words = note.?text.orValue(note)
      """
    shop.tables = """
      customers:
        key: event.customer
        on:
          orders: |
            code   = latest(event.?extra.?code)
            weight = sum(decimal(event.extra.weight)) if has(event.extra.weight)
            all    = collect(event.extra.code) if has(event.extra.code)
            seen   = (has(state.code) && state.code == event.extra.code ? "same" : "new") if has(event.extra.code)
      """
    shop.outputs = [
      "customers": """
      from: customers
      select: |
        ...row
        digits = type(row.?code.orValue("")) == int ? "digits" : "text"
      """,
      "notes": """
      from: notes
      key: event.id
      select: |
        id   = event.id
        what = string(words)
        many = event.?extra.?notes.orValue([]).size()
      """,
      "extras": """
      from: orders
      when: has(event.extra)
      key: event.id
      select: |
        id    = event.id
        extra = {"code": event.?extra.?code.orValue("none"), "tags": [1, "x", event.customer]}
      """,
    ]
    shop.contracts["customers"] = [
      "name: customer, \(StreamShop.text), primaryKey: true, primaryKeyPosition: 1",
      "name: code, \(StreamShop.mixed)", "name: digits, logicalType: string",
      "name: weight, logicalType: number, physicalType: 'decimal(9,2)'",
      "name: all, logicalType: array, items: {\(StreamShop.mixed)}",
      "name: seen, logicalType: string",
    ]
    shop.contracts["extras"] = ["name: id, \(StreamShop.text)", "name: extra, \(StreamShop.mixed)"]
    return shop
  }

  private func order(_ id: String, _ extra: String) -> String {
    #"{"id":"\#(id)","customer":"c","extra":\#(extra)}"#
  }

  @Test func `a mixed value is kept in rows as it came, and is compared by what it is`() throws {
    let documents = [
      order("1", #"{"code": 7.0, "weight": 0.10}"#), order("2", #"{"code":7,"weight":"0.25"}"#),
      order("3", #"{"code":{"a": [1]}}"#), order("4", "{}"),
    ]
    let simulation = try Self.shop().run(documents)
    #expect(simulation.reasons == [])
    #expect(
      simulation.port("customers").map(\.text) == [
        #"{"customer":"c","code":7.0,"digits":"text","weight":0.10,"all":[7.0],"seen":"new"}"#,
        #"{"customer":"c","code":7,"digits":"digits","weight":0.35,"all":[7.0,7],"seen":"same"}"#,
        #"{"customer":"c","code":{"a": [1]},"digits":"text","weight":0.35,"all":[7.0,7,{"a": [1]}],"seen":"new"}"#,
      ])
  }

  @Test func `mixed lists are exploded, and mixed columns are made of literals`() throws {
    let simulation = try Self.shop().run([
      order("1", #"{"notes": ["a\u00fc", {"text": "b"}], "code": "x"}"#),
      order("2", #"{"notes": []}"#),
    ])
    #expect(simulation.reasons == [])
    #expect(
      simulation.port("notes").map(\.text) == [
        #"{"id":"1","what":"aü","many":2}"#, #"{"id":"1","what":"b","many":2}"#,
      ])
    #expect(
      simulation.port("extras").map(\.text) == [
        #"{"id":"1","extra":{"code":"x","tags":[1,"x","c"]}}"#,
        #"{"id":"2","extra":{"code":"none","tags":[1,"x","c"]}}"#,
      ])
  }

  @Test func `a mixed value of another type is told with its place`() throws {
    let simulation = try Self.shop().run([order("1", #"{"weight": [1]}"#)])
    #expect(simulation.reasons == ["expression"])
    let place = simulation.quarantined[0][header: "weft_place"] ?? ""
    #expect(place.hasSuffix("/transform.yaml:20:22"), "\(place)")
    #expect(simulation.port("customers").isEmpty)
  }

  @Test(arguments: [
    ("sum(decimal(event.extra.weight))", "sum(event.extra.weight)", "`sum` does not take dyn"),
    (".map(n, n)", "", "`explode` takes a list, and this is dyn"),
    (
      "many = event.?extra.?notes.orValue([]).size()", "many = event.?extra.?notes",
      "dyn stands where int is wanted"
    ),
    (
      "from: notes\nkey: event.id", "from: notes\nkey: event.?extra.orValue(1)",
      "dyn cannot be part of a key"
    ),
  ]) func `a mixed value is refused where one type is needed`(
    old: String, new: String, problem: String
  ) throws {
    var shop = Self.shop()
    for (port, text) in shop.outputs { shop.outputs[port] = text.replacing(old, with: new) }
    shop.streams = shop.streams.replacing(old, with: new)
    shop.tables = shop.tables.replacing(old, with: new)
    let problems = try shop.problems()
    #expect(problems.contains { $0.contains(problem) }, "\(problems)")
  }
}
