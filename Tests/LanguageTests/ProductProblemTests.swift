import Diagnostics
import Product
import Testing

/// What is said about files that are wrong: one change to files that are right, and all that is
/// told.
@Suite struct ProductProblemTests {
  func problems(_ changes: (file: String, old: String, new: String)...) throws -> [String] {
    var files = ProductFiles.shop
    for change in changes {
      let text = try #require(files[change.file], "no file \(change.file)")
      #expect(text.contains(change.old), "`\(change.old)` is not in \(change.file)")
      files[change.file] = text.replacing(change.old, with: change.new)
    }
    let made = try ProductFiles(files)
    let loaded = LoadedDomain.load(made.directory)
    #expect((loaded.definition == nil) == loaded.diagnostics.contains { $0.severity == .error })
    return told(loaded.diagnostics)
  }

  @Test func `the shop is right before anything is changed`() throws {
    #expect(try problems() == [])
  }

  @Test func `all problems of all files come at once, in reading order`() throws {
    let found = try problems(
      ("worker.yaml", "domain: shop", "domian: shop"),
      ("product.odps.yaml", "id: sales", "id: Sales"),
      ("transform.yaml", "id: id", "id: idd"),
      ("transform.yaml", "kind: Transform", "kind: Transform\njournal: {partitions: 0}"),
      ("contracts/placed.odcs.yaml", "logicalType: integer", "logicalType: int"),
      ("transform.yaml", "orders = count()", "orders = count(event.id)"))
    #expect(
      found == [
        "W0204 placed.odcs.yaml:12:36 `int` is not one of `string`, `date`, `timestamp`, `time`, "
          + "`number`, `integer`, `boolean`, `object`, `array`, `map`",
        "W0204 product.odps.yaml:3:5 `Sales` is not a name of lower-case letters, digits and `-`",
        "W0204 transform.yaml:2:23 `0` is not a whole number from 1 to 10000",
        "W0341 transform.yaml:9:9 `idd` is not a field of `Placed`",
        "W0346 transform.yaml:20:18 `count` takes nothing",
        "W0201 worker.yaml:2:1 `domian` is not a key of worker.yaml",
      ])
  }

  @Test func `an input without a contract silences what depends on it, not the rest`() throws {
    let found = try problems(
      ("contracts/orders.odcs.yaml", "logicalType: string}", "logicalType: strong}"),
      ("transform.yaml", "sum(event.total)", "sum(event.nothing)"),
      ("transform.yaml", "customer:\n    from: customer", "custmer:\n    from: customer")
    )
    #expect(
      found == [
        "W0204 orders.odcs.yaml:24:37 `strong` is not one of `string`, `date`, "
          + "`timestamp`, `time`, "
          + "`number`, `integer`, `boolean`, `object`, `array`, `map`",
        "W0349 product.odps.yaml:11:12 output port `customer@1` is promised, and transform.yaml "
          + "does not make it",
        "W0349 transform.yaml:30:3 `custmer@1` is no output port of product.odps.yaml",
      ])
  }

  @Test func `a misspelt key is read as what was meant, and hides nothing`() throws {
    let found = try problems(
      ("transform.yaml", "discriminator: type", "discriminatr: typ"),
      ("transform.yaml", "time: at", "time: att"),
      ("transform.yaml", "sum(event.total)", "sum(event.totl)"),
      ("product.odps.yaml", "placed, version: \"1.0.0\"", "placed, version: 1.0")
    )
    #expect(
      found == [
        "W0202 product.odps.yaml:10:29 expected a quoted version such as `\"1.0.0\"`, "
          + "found a number",
        "W0201 transform.yaml:7:5 `discriminatr` is not a key of an input",
        "W0341 transform.yaml:7:19 `typ` is not a field of `Placed`",
        "W0341 transform.yaml:9:11 `att` is not a field of `Placed`",
        "W0203 transform.yaml:20:22 `totl` is not a field of event type `Placed`",
      ])
  }

  @Test func `one expression that is wrong for several event types is told once`() throws {
    let found = try problems(
      (
        "transform.yaml", "        last   = max(event.at)\n",
        "        last   = max(event.at)\n      orders.Cancelled: |\n        orders = count()\n"
      ),
      ("transform.yaml", "key: event.customer\n    on", "key: event.custmer\n    on"))
    #expect(found == ["W0203 transform.yaml:16:10 `custmer` is not a field of event type `Placed`"])
  }

  @Test(arguments: [
    (
      "id    = event.id\n", "id    = event.id +\n",
      "W0301 transform.yaml:27:24 expected a value, found the end of the line"
    ),
    (
      "id    = event.id\n", "= event.id\n",
      "W0301 transform.yaml:27:7 expected a line `name = expression`, found `=`"
    ),
    (
      "spent  = sum(event.total)", "spent  = sum(event.total",
      "W0301 transform.yaml:20:34 expected `,` or `)`, found `if`"
    ),
    (
      "    where: has(event.total) && event.total > decimal(\"0\")\n",
      "    let: |\n      count = event.count *\n",
      "W0301 transform.yaml:14:27 expected a value, found the end of the line"
    ),
  ])
  func `a broken line is told on that line, and what depends on it is silent`(
    _ old: String, _ new: String, _ expected: String
  ) throws {
    let found = try problems(
      ("transform.yaml", old, new),
      (
        "transform.yaml", "count = event.count\n",
        new.contains("let") ? "count = count\n" : "count = event.count\n"
      ))
    #expect(found == [expected])
  }

  /// The help of the one problem that a change makes.
  private func help(_ file: String, _ old: String, _ new: String) throws -> String? {
    var files = ProductFiles.shop
    files[file] = try #require(files[file]).replacing(old, with: new)
    let made = try ProductFiles(files)
    let found = LoadedDomain.load(made.directory).diagnostics
    #expect(found.count == 1, "\(told(found))")
    return found.first?.help
  }

  @Test func `help names the place and what can serve there`() throws {
    let key = (
      "  customer:\n    key: event.customer", "  customer:\n    key: event.customer + \"x\""
    )
    #expect(
      try help("transform.yaml", key.0, key.1)
        == "add a line `journal: {name: customer}` at the top level of transform.yaml")
    let given = "give a default: `event.?total.orValue(decimal(\"0\"))`"
    #expect(try help("transform.yaml", key.0, "  customer:\n    key: event.total") == given)
    #expect(
      try help(
        "transform.yaml", "from: paid\n    key: event.customer",
        "from: orders.Placed\n    key: event.total")
        == given + ", or publish only events that have it: `when: has(event.total)`")
    var files = ProductFiles.shop
    files["transform.yaml"] = files["transform.yaml"]?
      .replacing("product: sales\n", with: "product: sales\njournal: {partitions: 3}\n")
      .replacing(key.0, with: key.1)
    let made = try ProductFiles(files)
    let found = LoadedDomain.load(made.directory).diagnostics
    #expect(
      found.map(\.help) == [
        "add `name: customer` to the top-level `journal` of transform.yaml, in line 3"
      ])
    #expect(
      try help("transform.yaml", "from: customer\n", "from: custmer\n")
        == "did you mean `customer`?")
    #expect(
      try help("product.odps.yaml", "contractId: shop/placed", "contractId: bill/of-lading")
        == "write contracts/of-lading.odcs.yaml with `apiVersion: v3.1.0`, `kind: DataContract`, "
        + "`id: bill/of-lading`, `version: \"1.0.0\"`, `status: draft`, and under `schema` the "
        + "record's `name` and its `properties`")
  }

  @Test(arguments: [
    (
      "transform.yaml", "topic: ops.orders", "topic: ops.order",
      "W0345 transform.yaml:5:12 the contract says that `Placed` comes in topic `ops.orders`"
    ),
    (
      "transform.yaml", "    topic: ops.orders\n", "",
      "W0207 transform.yaml:5:5 `topic` is missing"
    ),
    (
      "transform.yaml", "contracts/orders.odcs.yaml", "contracts/order.odcs.yaml",
      "W0106 transform.yaml:6:15 there is no contract `contracts/order.odcs.yaml`"
    ),
    (
      "transform.yaml", "    discriminator: type\n", "",
      "W0207 transform.yaml:6:15 `discriminator` is missing: the contract has 2 event types"
    ),
    (
      "transform.yaml", "time: at", "time: id",
      "W0344 transform.yaml:9:11 a required timestamp or date is needed here, and `id` of `Placed` "
        + "is string"
    ),
    (
      "transform.yaml", "id: id", "id: {field: id, horizon: 7 days}",
      "W0204 transform.yaml:8:30 `7 days` is not a time span such as `100ms`, `15m` or `7d`"
    ),
    (
      "transform.yaml", "id: id", "id: {field: id, horizon: 36501d}",
      "W0204 transform.yaml:8:30 `36501d` is more than `36500d`, the longest time span"
    ),
    (
      "transform.yaml", "from: orders.Placed", "from: orders.Placd",
      "W0341 transform.yaml:12:11 input `orders` has no event type `Placd`"
    ),
    (
      "transform.yaml", "from: paid", "from: payed",
      "W0341 transform.yaml:24:11 there is no table, stream or input `payed`"
    ),
    (
      "transform.yaml", "  paid:\n    from: orders.Placed", "  paid:\n    from: paid",
      "W0343 transform.yaml:11:3 stream `paid` is made of itself"
    ),
    (
      "transform.yaml", "last   = max(event.at)", "last   = event.at",
      "W0346 transform.yaml:21:18 a column is set by an aggregate"
    ),
    (
      "transform.yaml", "last   = max(event.at)", "last   = maxx(event.at)",
      "W0346 transform.yaml:21:18 `maxx` is no aggregate"
    ),
    (
      "transform.yaml", "sum(event.total)", "sum(event.id)",
      "W0346 transform.yaml:20:22 `sum` does not take string"
    ),
    (
      "transform.yaml", "id    = event.id", "id    = event.id\n      ident = event.id",
      "W0344 transform.yaml:28:7 `ident` is not a field of contract `shop/placed`"
    ),
    (
      "transform.yaml", "      count = event.count\n", "",
      "W0344 transform.yaml:23:3 the contract requires `count`, and nothing sets it"
    ),
    ("transform.yaml", "key: event.customer\n    select", "key: event.total\n    select", ""),
    (
      "transform.yaml", "key: event.customer\n    select", "key: event\n    select",
      "W0347 transform.yaml:25:10 object `Placed` cannot be part of a key"
    ),
    (
      "contracts/customer.odcs.yaml", "{name: orders, logicalType: integer, required: true}",
      "{name: orders, logicalType: number}",
      "W0344 transform.yaml:19:9 `orders` is int, and the contract says double for `orders`"
    ),
    (
      "contracts/customer.odcs.yaml", "{name: last, logicalType: timestamp}",
      "{name: latest, logicalType: timestamp}",
      "W0344 transform.yaml:21:9 `last` is not a field of contract `shop/customer`"
    ),
    (
      "contracts/customer.odcs.yaml", "{name: last, logicalType: timestamp}",
      "{name: last, logicalType: timestamp, required: true}",
      "W0344 transform.yaml:21:9 column `last` may still be null, and the contract requires `last`"
    ),
    (
      "contracts/customer.odcs.yaml", ", primaryKey: true", "",
      "W0344 transform.yaml:30:3 table `customer` has a key of 1, and the contract's primary key "
        + "has 0"
    ),
    (
      "contracts/customer.odcs.yaml", "shop.sales.customer.v1", "shop.sales.customers.v1",
      "W0345 customer.odcs.yaml:8:19 the topic of `customer@1` is `shop.sales.customer.v1`, not "
        + "`shop.sales.customers.v1`"
    ),
    (
      "contracts/customer.odcs.yaml", "decimal(18,2)", "decimal(40,2)",
      "W0204 customer.odcs.yaml:12:58 `decimal(40,2)` is no decimal: 1 to 38 digits, as many or "
        + "fewer behind the point"
    ),
    (
      "contracts/customer.odcs.yaml", "{name: last, logicalType: timestamp}", "{name: last}",
      "W0207 customer.odcs.yaml:13:10 `last` has no `logicalType`"
    ),
    (
      "contracts/customer.odcs.yaml", "version: \"1.0.0\"", "version: 1.0",
      "W0202 customer.odcs.yaml:4:10 expected a quoted version such as `\"1.0.0\"`, found a number"
    ),
    (
      "product.odps.yaml", "contractId: shop/placed", "contractId: shop/place",
      "W0341 product.odps.yaml:10:50 there is no contract `shop/place` of version 1 in `contracts`"
    ),
    (
      "worker.yaml", "domain: shop", "domain: other",
      "W0341 product.odps.yaml:6:9 worker.yaml runs domain `other`, not `shop`"
    ),
    (
      "worker.yaml", "{bootstrap.servers: \"localhost:1\"}", "{}",
      "W0207 worker.yaml:3:1 `bootstrap.servers` is missing"
    ),
    (
      "transform.yaml", "product: sales", "product: sale",
      "W0341 transform.yaml:2:10 product.odps.yaml describes `sales`, not `sale`"
    ),
    (
      "transform.yaml", "kind: Transform", "kind: Transform\njournal: none",
      "W0348 transform.yaml:16:3 a product with `journal: none` has no tables"
    ),
    (
      "transform.yaml", "  customer:\n    from: customer",
      "  customer:\n    from: customer\n    key: 1",
      "W0350 transform.yaml:32:10 a state port's key is its table's"
    ),
    (
      "transform.yaml", "  customer:\n    key: event.customer", "  paid:\n    key: event.customer",
      "W0342 transform.yaml:15:3 `paid` is a stream already"
    ),
    (
      "contracts/placed.odcs.yaml", "schema:\n",
      "servers:\n  - {server: a, type: kafka, host: b, topic: c}\nschema:\n",
      "W0201 placed.odcs.yaml:7:39 `topic` is not a key of a server of type `kafka`"
    ),
    (
      "transform.yaml", "from: customer\n", "from: custmer\n",
      "W0341 transform.yaml:31:11 there is no table, stream or input `custmer`"
    ),
    (
      "transform.yaml", "customer:\n    key: event.customer", "customer:\n    key: recorded",
      "W0347 transform.yaml:16:10 the key of `Placed` cannot be computed from every event of that "
        + "type"
    ),
    (
      "transform.yaml", "  customer:\n    key: event.customer",
      "  customer:\n    key: event.customer + \"x\"",
      "W0348 transform.yaml:16:10 this key gives its journal no name of its own"
    ),
    (
      "transform.yaml", "    where: has", "    let: \"now = event.id\"\n    where: has",
      "W0342 transform.yaml:13:11 `now` is a variable of Weft's own"
    ),
  ])
  func `one thing wrong is told where it is`(
    _ file: String, _ old: String, _ new: String, _ expected: String
  ) throws {
    let found = try problems((file, old, new))
    if expected.isEmpty {
      #expect(!found.contains { $0.contains("W0347") }, "a decimal known to be there is a key")
    } else {
      #expect(found.contains(expected), "\(found)")
    }
  }

  @Test(arguments: [
    ("transform.yaml", "    time: at", "    time: at\n    envelope: debezium"),
    ("transform.yaml", "    time: at", "    time: at\n    format: avro"),
    ("transform.yaml", "id    = event.id", "id    = headers.id"),
    (
      "transform.yaml", "  customer:\n    from: customer",
      "  customer:\n    from: [customer]\n    when: key == \"a\""
    ),
  ])
  func `what a later version brings and would change results is refused as not there yet`(
    _ file: String, _ old: String, _ new: String
  ) throws {
    let found = try problems((file, old, new))
    #expect(found.contains { $0.hasPrefix("W0205") && $0.contains("not there yet") }, "\(found)")
  }

  @Test func `what only describes is accepted and named`() throws {
    var files = ProductFiles.shop
    files["worker.yaml"]? +=
      "http: {listen: \"127.0.0.1:9400\"}\nsnapshots: {store: \"file:///x\"}\n"
    files["transform.yaml"]? += "    snapshot: {every: 15m, format: delta, keep: 30}\n"
    files["mesh.yaml"] = """
      kind: Mesh
      name: trade
      masks: {pii: [drop]}
      policies:
        - {name: one, check: "true"}
        - {name: two, check: "1 +"}

      """
    #expect(try told(LoadedDomain.load(ProductFiles(files).directory).diagnostics).count == 1)
    files["mesh.yaml"] = files["mesh.yaml"]?.replacing("1 +", with: "1 + 1 == 2")
    let made = try ProductFiles(files)
    let loaded = LoadedDomain.load(made.directory)
    #expect(told(loaded.diagnostics) == [])
    #expect(loaded.definition?.products.first?.mesh == "trade")
    #expect(
      told(loaded.notActedOn) == [
        "W0206 mesh.yaml:4:1 `policies` is read and checked, but nothing acts on it yet",
        "W0206 transform.yaml:32:5 `snapshot` is read and checked, but nothing acts on it yet",
        "W0206 worker.yaml:5:1 `http` is read and checked, but nothing acts on it yet",
        "W0206 worker.yaml:6:1 `snapshots` is read and checked, but nothing acts on it yet",
      ])
    #expect(loaded.notActedOn.allSatisfy { $0.severity == .warning })
  }

  @Test func `no message shows a secret`() throws {
    var files = ProductFiles.shop
    files["worker.yaml"] = """
      kind: Worker
      domain: Shop
      kafka:
        bootstrap.servers: [x]
        sasl.password: hunter2-secret
        sasl.username: "${WEFT_TEST_NOT_SET}"
        ssl.key.pem: |
          hunter2-key
        ssl.key.password: {a: hunter2-map}
        x: {ssl.keystore.password: hunter2-flow, y: @hunter2
      """
    for broken in [true, false] {
      if !broken {
        files["worker.yaml"] = files["worker.yaml"]?.replacing("@hunter2", with: "hunter2}")
      }
      let made = try ProductFiles(files)
      let loaded = LoadedDomain.load(made.directory)
      let all = loaded.diagnostics + loaded.notActedOn
      #expect(!all.isEmpty)
      let text = TextRenderer(colours: false).render(all) + JSONRenderer().render(all)
      #expect(!text.contains("hunter2"), "\(text)")
    }
  }

  @Test func `settings take secrets from the environment and from files`() throws {
    var files = ProductFiles.shop
    files["worker.yaml"] = """
      kind: Worker
      domain: shop
      kafka:
        bootstrap.servers: "${WEFT_TEST_NOT_SET:-a:1},${WEFT_TEST_NOT_SET:-b:2}"
        sasl.password: "@secret.txt"
      commit: {interval: 250ms, records: 10}

      """
    files["secret.txt"] = "hunter2\n"
    let made = try ProductFiles(files)
    let loaded = LoadedDomain.load(made.directory)
    #expect(told(loaded.diagnostics) == [])
    let settings = try #require(loaded.settings)
    #expect(settings.kafka.map(\.value) == ["a:1,b:2", "hunter2"])
    #expect(settings.commitIntervalMs == 250 && settings.commitRecords == 10)
  }

  @Test func `a directory without files says what belongs there`() throws {
    let made = try ProductFiles(["notes.txt": ""])
    let (domain, found) = loadDomain(at: made.directory)
    #expect(domain == nil)
    #expect(found.count == 2 && found.allSatisfy { $0.help?.contains("weft new") == true })
    #expect(loadDomain(at: made.directory + "/none").1.map(\.code.text) == ["W0106"])
  }

  @Test func `domains and their mesh are found`() {
    let health = ProductFiles.health
    #expect(
      findDomains(in: health)
        == ["claims", "labs", "patients", "registration", "visits"].map {
          health + "/" + $0
        })
    #expect(findMesh(from: health + "/claims") == health + "/mesh.yaml")
  }
}
