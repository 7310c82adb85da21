import Diagnostics
import Product
import Testing

@Suite struct ProductTestFileTests {
  func load(_ tests: String) throws -> (tests: [ProductTest], problems: [String]) {
    var files = ProductFiles.shop
    files["tests/one.yaml"] = tests
    let made = try ProductFiles(files)
    let product = try #require(LoadedDomain.load(made.directory).products.first)
    let (found, diagnostics) = product.loadTests()
    return (found, told(diagnostics))
  }

  @Test func `a list of a state port's records may expect a tombstone, an event port's may not`()
    throws
  {
    let (_, problems) = try load(
      """
      - name: both
        given: []
        expect:
          customer: [{orders: 1}, null]
          placed: [null]

      """)
    #expect(problems == ["W0202 one.yaml:5:14 expected a map of fields"])
  }

  @Test(arguments: ["registration", "claims", "visits", "labs"])
  func `the examples of the mesh can be read`(domain: String) throws {
    let loaded = LoadedDomain.load(ProductFiles.health + "/" + domain)
    let (tests, problems) = try #require(loaded.products.first).loadTests()
    #expect(told(problems) == [])
    #expect(!tests.isEmpty)
  }

  @Test func `records come as documents, raw bytes and tombstones, and numbers keep their digits`()
    throws
  {
    let (tests, problems) = try load(
      """
      - name: all kinds of records
        given:
          - orders: {id: a, total: 12.50, count: 007, weight: .5e3, list: [1., true, null, "2"]}
          - {orders: {id: "é"}, key: k1}
          - crash
          - orders: {raw: '{"id":', key: bad}
          - orders: {base64: "/wA="}
          - orders: {tombstone: true, key: gone}
          - orders: null
          - rebalance
          - advance: 2d
        expect:
          customer: {k1: {orders: 1}, k2: null}
          placed: [{total: 12.5}]
          quarantine: [{reason: not-json}]
          held: 0

      """)
    #expect(problems == [])
    let test = try #require(tests.first)
    let given = test.steps.compactMap { step -> ProductTest.Given? in
      if case .record(let given) = step { given } else { nil }
    }
    func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
    #expect(
      text(given[0].value)
        == "{\"id\":\"a\",\"total\":12.50,\"count\":7,\"weight\":0.5e3,"
        + "\"list\":[1,true,null,\"2\"]}"
    )
    #expect(text(given[1].value) == "{\"id\":\"é\"}" && text(given[1].key) == "k1")
    #expect(text(given[2].value) == "{\"id\":" && text(given[2].key) == "bad")
    #expect(given[3].value == [0xFF, 0x00])
    #expect(given[4].value == nil && text(given[4].key) == "gone")
    #expect(given[5].value == nil && given[5].key == nil)
    guard case .advance(172_800_000)? = test.steps.last else { return #expect(Bool(false)) }
    #expect(test.held == 0 && test.quarantine?.count == 1)
    #expect(test.expectations.map(\.output) == [0, 1])
    guard case .rows(let rows) = test.expectations[0].content else { return #expect(Bool(false)) }
    #expect(rows.map(\.key) == ["k1", "k2"] && rows[1].value == nil)
    #expect(rows[0].value?.json == "{\"orders\":1}")
  }

  @Test func `a field that is nearly one of the contract's is a warning, and the test still runs`()
    throws
  {
    let (tests, problems) = try load(
      """
      - name: a slip, and a field more
        given:
          - orders: {type: Placed, id: a, custmer: c, total: 12.50, remark: fast}
        expect: {}

      """)
    #expect(tests.count == 1)
    #expect(problems == ["W0341 one.yaml:3:46 `custmer` is no field of the input's contract"])
  }

  @Test func `what a test cannot mean is told where it stands`() throws {
    let (tests, problems) = try load(
      """
      - name: wrong in many ways
        given:
          - crush
          - order: {id: a}
          - orders: {base64: "!"}
          - advance: 2 days
          - orders: {weight: .inf}
        expect:
          custmer: {}
          customer: {a: {ordrs: 1}}
          placed@2: []
          quarantine: 5
          held: many
      - given: []
        expect: {}

      """)
    #expect(tests.isEmpty)
    #expect(
      problems == [
        "W0204 one.yaml:3:7 `crush` is no step", "W0341 one.yaml:4:7 `order` is no input",
        "W0204 one.yaml:5:24 this is no base64",
        "W0204 one.yaml:6:16 `advance` takes a time span such as `100ms`, `15m` or `7d`",
        "W0204 one.yaml:7:24 JSON has no number `.inf`",
        "W0341 one.yaml:9:5 `custmer` is no output port",
        "W0341 one.yaml:10:27 `ordrs` is not a field of this port",
        "W0341 one.yaml:11:5 `placed@2` is no output port",
        "W0202 one.yaml:12:17 expected a list, found a number",
        "W0202 one.yaml:13:11 expected a number, found a text",
        "W0207 one.yaml:14:3 `name` is missing",
      ])
  }
}
