import Foundation
import Testing

@Suite struct NewTests {
  /// Samples of different shapes; each must become a product that checks and whose tests pass.
  static let samples: [String: String] = [
    "two types told by a field": """
    {"eventId":"1","type":"Placed","occurredAt":"2024-01-01T09:00:00Z","orderId":"o1","sum":12.5}
    {"eventId":"2","type":"Paid","occurredAt":"2024-01-01T09:05:00Z","orderId":"o1","paid":12.50}
    """,
    "one type, no id, no time": """
    {"sensorId":"a","celsius":20.13571,"ok":true}
    {"sensorId":"b","celsius":-3e2,"ok":false}
    """,
    "keys before the events": """
    k1\t{"id":"1","customer":"k1","at":"2024-01-01T00:00:00+02:00","day":"2024-01-01"}
    k2\t{"id":"2","customer":"k2","at":"2024-01-02T00:00:00+02:00","day":"2024-01-02"}
    """,
    "nested, mixed, missing, null": """
    {"id":"1","orderNo":7,"lines":[{"sku":"a","n":1}],"tags":["x"],"ship":{"to":"b"},"any":1}
    {"id":"2","orderNo":7,"lines":[],"tags":[],"ship":{"to":null},"any":"text","note":null}
    """,
    "names no expression can say": """
    {"id":"1","order-no":"x","in":"y","größe":3,"order id":"z","type":"a b","orderKey":"q"}
    {"id":"2","order-no":"x","in":"y","größe":4,"order id":"z","type":"c d","orderKey":"q"}
    """,
    "texts that YAML would misread": """
    {"id":"yes","orderId":"no","text":"a: b # c","quote":"it's \\"so\\"","line":"a\\nb","n":"007"}
    """,
    "large numbers": """
    {"id":"1","orderId":"o","big":123456789012345678901234567890,"sum":99999999999999.99}
    """,
  ]

  @Test(arguments: samples.keys.sorted())
  func `a sample becomes a product that checks and whose tests pass`(name: String) throws {
    let weft = try Weft()
    defer { weft.remove() }
    try weft.write(try #require(Self.samples[name]), to: "sample.ndjson")
    let made = try weft("new", "product", "orders", "--from", "sample.ndjson")
    #expect(made.code == 0, "\(made.all)")
    let check = try weft("check", "orders")
    #expect(check.code == 0, "\(check.all)")
    let test = try weft("test", "orders")
    #expect(test.code == 0 && test.output.contains("none failed"), "\(test.all)")
  }

  @Test func `a product that is read as if it were a port is answered with its ports`() throws {
    let weft = try Weft()
    defer { weft.remove() }
    let sample = #"{"id":"1","type":"Placed","at":"2024-01-01T09:00:00Z","orderId":"o1","sum":1.5}"#
    try weft.write(sample, to: "sample.ndjson")
    #expect(try weft("new", "product", "orders", "--from", "sample.ndjson").code == 0)
    let outcome = try weft("read", "orders")
    #expect(outcome.code == 1 && outcome.output.isEmpty)
    #expect(outcome.errors.contains("`orders#order@1`"), "\(outcome.errors)")
    #expect(outcome.errors.contains("weft quarantine list"))
  }

  @Test func `a few malformed events do not change what is learnt from many`() throws {
    let weft = try Weft()
    defer { weft.remove() }
    var lines = (0..<300).map { number in
      let type = number % 3 == 0 ? "Opened" : "Closed"
      let extra = number % 3 == 0 ? #""owner":"w\#(number)""# : #""reason":"r""#
      return #"k\#t{"eventId":"e\#(number)","type":"\#(type)","at":"2024-01-01T00:00:00Z","#
        + #""caseId":"c\#(number % 7)",\#(extra)}"#
    }
    lines[20] = #"{"eventId":"x1","type":"Opend","at":"2024-01-01T00:00:00Z","caseId":"c1"}"#
    lines[30] = #"{"eventId":"x2","type":"Closed","at":"yesterday","caseId":"c1","reason":"r"}"#
    lines[40] = #"{"eventId":"x3","at":"2024-01-01T00:00:00Z"}"#
    lines[50] = "{broken"
    try weft.write(lines.joined(separator: "\n"), to: "sample.ndjson")
    let made = try weft("new", "product", "cases", "--from", "sample.ndjson")
    #expect(made.errors.contains("types by `type` (Opened, Closed)"), "\(made.all)")
    #expect(made.errors.contains("id `eventId`; time `at`; key `caseId`"))
    #expect(made.errors.contains("left out: 4 (line 21, 31, 41, 51)"))
    #expect(try weft("test", "cases").code == 0)
  }

  @Test func `what happened last counts where the events say when, else what came last`() throws {
    let weft = try Weft()
    defer { weft.remove() }
    try weft.write(try #require(Self.samples["two types told by a field"]), to: "timed.ndjson")
    try weft.write(try #require(Self.samples["one type, no id, no time"]), to: "timeless.ndjson")
    _ = try weft("new", "product", "timed", "--from", "timed.ndjson")
    _ = try weft("new", "product", "timeless", "--from", "timeless.ndjson")
    let timed = try weft.read("timed/transform.yaml")
    #expect(timed.contains("sum = latest(event.sum)") && !timed.contains("last(event"))
    #expect(try weft.read("timeless/transform.yaml").contains("ok = last(event.ok)"))
  }

  @Test func `a number that is written with a fraction is no integer`() throws {
    let weft = try Weft()
    defer { weft.remove() }
    let sample = #"{"id":"1","orderId":"o","net":5.000,"n":5,"big":2e3}"#
    try weft.write(sample, to: "sample.ndjson")
    #expect(try weft("new", "product", "orders", "--from", "sample.ndjson").code == 0)
    let contract = try weft.read("orders/contracts/orders-events.odcs.yaml")
    #expect(contract.contains(#"name: net, logicalType: number, physicalType: "decimal(18,3)""#))
    #expect(contract.contains("name: \"n\", logicalType: integer"))
    #expect(contract.contains("name: big, logicalType: number, required"))
  }

  @Test func `nested fields come through, and what is left out is named with the reason`() throws {
    let weft = try Weft()
    defer { weft.remove() }
    let sample = """
      {"id":"1","orderId":"o","ship":{"to":"b","at":{"x":1}},"lines":[{"sku":"a","n":1}],"any":1}
      {"id":"2","orderId":"o","ship":{"to":"c"},"lines":[],"any":"x","none":null,"of it":1}
      """
    try weft.write(sample, to: "sample.ndjson")
    let made = try weft("new", "product", "orders", "--from", "sample.ndjson")
    let transform = try weft.read("orders/transform.yaml")
    for name in ["ship", "lines"] {
      #expect(transform.contains("\(name) = last(event.\(name))"), "\(transform)")
      #expect(transform.contains("\(name) = event.\(name)"))
    }
    for text in [
      "`any` (values of several kinds)", "`none` (null or empty in the sample)",
      "`of it` (its name needs quotes)",
    ] {
      #expect(made.errors.components(separatedBy: text).count == 3, "\(made.errors)")
      #expect(transform.components(separatedBy: "#   " + text).count == 3, "\(transform)")
    }
    #expect(made.errors.contains("`events` is without `any`"))
    let test = try weft("test", "orders")
    #expect(test.code == 0, "\(test.all)")
  }

  @Test func `without a sample there is an example to change, and it is called one`() throws {
    let weft = try Weft()
    defer { weft.remove() }
    let made = try weft("new", "product", "orders")
    #expect(made.code == 0 && made.errors.contains("built-in example"), "\(made.all)")
    #expect(!made.errors.contains("learnt from"))
    #expect(try weft("test").output.contains("none failed"))
  }

  @Test func `a mesh, its domains and their products find each other`() throws {
    let weft = try Weft()
    defer { weft.remove() }
    #expect(try weft("new", "mesh", "shop").code == 0)
    let shop = Weft(in: weft.directory.appending(path: "shop"))
    #expect(try shop("new", "domain", "sales").code == 0)
    let sales = Weft(in: weft.directory.appending(path: "shop/sales"))
    #expect(try sales("new", "product", "orders").code == 0)
    #expect(try sales("new", "product", "carts").code == 0)
    let files = FileManager.default
    #expect(!files.fileExists(atPath: sales.directory.appending(path: "orders/mesh.yaml").path))
    #expect(!files.fileExists(atPath: sales.directory.appending(path: "orders/worker.yaml").path))
    for (place, words) in [
      (weft, ["check", "shop"]), (shop, ["check"]), (shop, ["check", "sales"]),
      (sales, ["check"]), (weft, ["check", "--mesh", "shop"]),
    ] {
      let outcome = try place.run(words)
      #expect(
        outcome.code == 0 && outcome.output.contains("1 domain and 2 products checked"),
        "\(words): \(outcome.all)")
    }
    let one = try Weft(in: sales.directory.appending(path: "orders"))("check")
    #expect(one.output.contains("1 domain and 1 product checked"), "\(one.all)")
  }

  @Test func `nothing is written over`() throws {
    let weft = try Weft()
    defer { weft.remove() }
    #expect(try weft("new", "product", "orders").code == 0)
    try weft.write("mine", to: "orders/transform.yaml")
    let again = try weft("new", "product", "orders")
    #expect(again.code == 1 && again.errors.contains("is there already"))
    #expect(try weft.read("orders/transform.yaml") == "mine")
  }

  @Test func `a name that topics cannot have is refused with a better one`() throws {
    let weft = try Weft()
    defer { weft.remove() }
    let outcome = try weft("new", "product", "My Orders!")
    #expect(outcome.code == 1 && outcome.errors.contains("`my-orders`"), "\(outcome.all)")
  }

  @Test func `lines that are no events are shown`() throws {
    let weft = try Weft()
    defer { weft.remove() }
    try weft.write("{\"a\":1}\nnot json\n[1]\n", to: "sample.ndjson")
    let outcome = try weft("new", "product", "orders", "--from", "sample.ndjson")
    #expect(outcome.code == 1)
    #expect(outcome.errors.contains("sample.ndjson:2:1") && outcome.errors.contains("2 errors"))
    #expect(try weft("new", "product", "x", "--from", "nowhere").errors.contains("cannot be read"))
  }
}
