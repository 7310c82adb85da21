import Diagnostics
import Expressions
import Product
import Testing

/// What is said about the lines of tables, and what becomes of those that are right.
@Suite struct TableProblemTests {
  /// The shop with one more column of its customers, and lines for it.
  static func shop(column: String, lines: [String]) throws -> ProductFiles {
    var files = ProductFiles.shop
    var contract = files["contracts/customer.odcs.yaml", default: ""] + "      - \(column)\n"
    if column.contains("logicalType: map") {
      contract = contract.replacing("v3.1.0", with: "v3.2.0")
    }
    files["contracts/customer.odcs.yaml"] = contract
    files["transform.yaml"] = files["transform.yaml"]?.replacing(
      "        last   = max(event.at)\n",
      with: "        last   = max(event.at)\n"
        + lines.map { "        \($0)\n" }.joined())
    return try ProductFiles(files)
  }

  static let number = "{name: figure, logicalType: number}"
  static let money = "{name: figure, logicalType: number, physicalType: \"decimal(18,3)\"}"
  static let map =
    "{name: figure, logicalType: map, required: true, map: {key: {logicalType: string}, "
    + "value: {logicalType: number, physicalType: \"decimal(9,4)\"}}}"
  static let objects =
    "{logicalType: object, properties: [{name: count, logicalType: integer, required: true}, "
    + "{name: total, logicalType: number, physicalType: \"decimal(9,4)\"}]}"
  static let whole = "{name: figure, logicalType: integer, required: true}"

  private func problems(_ column: String, _ lines: [String]) throws -> [String] {
    let files = try TableProblemTests.shop(column: column, lines: lines)
    return told(LoadedDomain.load(files.directory).diagnostics)
  }

  private func table(_ column: String, _ line: String) throws -> TableDefinition {
    let files = try TableProblemTests.shop(column: column, lines: [line])
    let loaded = LoadedDomain.load(files.directory)
    #expect(told(loaded.diagnostics) == [])
    return try #require(loaded.definition?.products.first?.tables.first)
  }

  @Test(arguments: [
    (number, "figure = avg(event.weight)"), (number, "figure = avg(event.count)"),
    (money, "figure = avg(event.total)"), (whole, "figure = countDistinct(event.id)"),
    (number, "figure = quantile(event.total, 0.95)"), (number, "figure = quantile(event.count, 1)"),
    (
      "{name: figure, logicalType: array, items: {logicalType: string}}",
      "figure = collect(event.id) if event.count > 1"
    ),
    (
      "{name: figure, logicalType: array, items: {logicalType: timestamp}}",
      "figure = collectSet(event.at)"
    ),
    (map, "figure[event.id] = sum(event.total)"), (map, "figure[event.type] = avg(event.total)"),
    (
      map.replacing("{logicalType: number, physicalType: \"decimal(9,4)\"}", with: objects),
      "figure[event.id] = latest({\"count\": event.count, ?\"total\": event.?total})"
    ),
    (number, "figure = state.?figure.orValue(0.0) + double(state.orders)"),
    (money, "figure = has(state.spent) ? state.spent : decimal(\"0\")"),
  ])
  func `every aggregate is read, and its column has the type that the contract promises`(
    _ column: String, _ line: String
  ) throws {
    let table = try table(column, line)
    #expect(table.columns.last?.name == "figure")
    #expect(table.clauses[0].updates.count == 4)
  }

  @Test func `an average has the decimal places of its contract, a quantile its billionths`() throws
  {
    #expect(
      try table(TableProblemTests.money, "figure = avg(event.total)").columns.last?.decimalPlaces
        == 3)
    #expect(
      try table(TableProblemTests.number, "figure = avg(event.count)").columns.last?.decimalPlaces
        == nil)
    #expect(
      try table(TableProblemTests.map, "figure[event.id] = avg(event.total)").columns.last
        == .init(
          name: "figure", type: .map(key: .string, value: .decimal), decimalPlaces: 4))
    #expect(
      try table(TableProblemTests.number, "figure = quantile(event.total, 0.95)").columns.last?
        .quantileBillionths == 950_000_000)
  }

  @Test(arguments: [
    (number, "figure = avg(event.id)", "22:22 `avg` does not take string"),
    (number, "figure = quantile(event.id, 0.5)", "22:27 `quantile` does not take string"),
    (
      number, "figure = quantile(event.count)",
      "22:18 `quantile` takes a value and which quantile"
    ),
    (
      number, "figure = quantile(event.count, 95)",
      "22:40 which quantile is a constant from 0 to 1, of at most 9 decimal places"
    ),
    (
      number, "figure = quantile(event.count, -0.1)",
      "22:40 which quantile is a constant from 0 to 1, of at most 9 decimal places"
    ),
    (
      number, "figure = quantile(event.count, event.weight)",
      "22:40 which quantile is a constant from 0 to 1, of at most 9 decimal places"
    ),
    (
      number, "figure = quantile(event.count, 0.1234567891)",
      "22:40 which quantile is a constant from 0 to 1, of at most 9 decimal places"
    ),
    (whole, "figure = countDistinct(event)", "22:32 `countDistinct` does not take object `Placed`"),
    (whole, "figure = collectSet(event)", "22:29 `collectSet` does not take object `Placed`"),
    (whole, "figure = countDistinct()", "22:18 `countDistinct` takes one value"),
    (whole, "figure = colect(event.id)", "22:18 `colect` is no aggregate"),
    (whole, "other = state.orders + 1", "22:9 no contract declares the type of `other`"),
    (
      map, "figure = sum(event.total)\n        figure[event.id] = sum(event.total)",
      "23:9 column `figure` is a map here and none in line 22"
    ),
  ])
  func `an aggregate that is used wrongly is told where it stands`(
    _ column: String, _ line: String, _ told: String
  ) throws {
    #expect(try problems(column, [line]) == ["W0346 transform.yaml:\(told)"])
  }

  @Test(arguments: [
    (map, "figure[event.count] = sum(event.total)", "W0315 transform.yaml:22:16"),
    (
      map, "figure[event.id] = count()",
      "W0344 transform.yaml:22:9 `figure` is map of string to int"
    ),
    (map, "figure[event.id] = state.orders", "W0350 transform.yaml:22:28 an entry of a map"),
    (number, "figure = state.figure + 1.0", "W0312 transform.yaml:22:18"),
    (number, "figure = state.orders", "W0315 transform.yaml:22:18 int stands where double"),
    (number, "figure = max(state)", "W0346 transform.yaml:22:22"),
    (number, "figure = state.?figure.orValue(double(state.figured))", "W0203 transform.yaml:22:"),
    (
      "{name: figure, logicalType: string}",
      "figure = string(state.?figure.orValue(\"\") + event.id) if state.count() > 1", "W03"
    ),
    (
      map.replacing("key: {logicalType: string}", with: "key: {logicalType: integer}"),
      "figure[event.id] = sum(event.total)",
      "W0204 customer.odcs.yaml:14:83 the keys of a map are strings"
    ),
  ])
  func `maps and folds that are wrong are told where they stand`(
    _ column: String, _ line: String, _ told: String
  ) throws {
    let found = try problems(column, [line])
    #expect(found.first?.hasPrefix(told) == true, "\(found)")
    #expect(found.count { $0.hasPrefix("W0349") } == 0, "\(found)")
  }

  @Test func `an object is told by its fields, which may stand in another order or be left out`()
    throws
  {
    let column = TableProblemTests.map.replacing(
      "{logicalType: number, physicalType: \"decimal(9,4)\"}", with: TableProblemTests.objects)
    let right = [
      "{\"count\": event.count}", "{?\"total\": event.?total, \"count\": event.count}",
    ]
    for value in right {
      #expect(try problems(column, ["figure[event.id] = last(\(value))"]) == [])
    }
    let files = try TableProblemTests.shop(
      column: column, lines: ["figure[event.id] = last({\"count\": event.id})"])
    let found = LoadedDomain.load(files.directory).diagnostics
    #expect(found.map(\.code.text) == ["W0344"])
    #expect(
      found.first?.notes.prefix(2) == [
        "fields here: `count` string",
        "fields in the contract: `count` int, `total` optional decimal",
      ])
  }

  @Test func `what readers of a map's values rely on cannot be taken from them`() throws {
    func ports(_ total: String) throws -> [PortPromise] {
      let column = TableProblemTests.map.replacing(
        "{logicalType: number, physicalType: \"decimal(9,4)\"}",
        with: TableProblemTests.objects.replacing(
          ", {name: total, logicalType: number, physicalType: \"decimal(9,4)\"}", with: total))
      let files = try TableProblemTests.shop(
        column: column, lines: ["figure[event.id] = last({\"count\": event.count})"])
      let loaded = LoadedDomain.load(files.directory)
      #expect(told(loaded.diagnostics) == [])
      return try #require(loaded.products.first).ports
    }
    let more = ", {name: total, logicalType: string}"
    #expect(Compatibility.broken(try ports("").map(\.port), by: try ports(more)) == [])
    let broken = Compatibility.broken(try ports(more).map(\.port), by: try ports(""))
    #expect(broken.map(\.message) == ["field `figure.total` of `customer@1` was removed"])
    let retyped = Compatibility.broken(
      try ports(more).map(\.port), by: try ports(more.replacing("string", with: "date")))
    #expect(retyped.map(\.code.text) == ["W0702"])
  }

  @Test func `a map needs the version of the standard that has it`() throws {
    var files = ProductFiles.shop
    files["contracts/customer.odcs.yaml", default: ""] += "      - \(TableProblemTests.map)\n"
    let made = try ProductFiles(files)
    #expect(
      told(LoadedDomain.load(made.directory).diagnostics) == [
        "W0204 customer.odcs.yaml:14:37 `map` is a type of version 3.2 of the standard"
      ])
  }

  @Test func `the column that state shows in another type is told`() throws {
    let column = "{name: figure, logicalType: string}"
    var files = ProductFiles.shop
    files["contracts/customer.odcs.yaml", default: ""] += "      - \(column)\n"
    files["transform.yaml"] = files["transform.yaml"]?
      .replacing(
        "        last   = max(event.at)\n",
        with:
          "        last   = max(event.at) if state.orders > 0\n        figure = max(event.count)\n"
      )
      .replacing(
        "    from: customer\n",
        with: "    from: customer\n    select: |\n      ...row\n      figure = string(row.orders)\n"
      )
    let made = try ProductFiles(files)
    let found = told(LoadedDomain.load(made.directory).diagnostics)
    #expect(
      found.contains("W0344 transform.yaml:22:9 `figure` is int, and the contract says string"))
  }

  @Test func `delete if is read with its condition, and counts to the logic`() throws {
    let plain = try TableProblemTests.shop(column: TableProblemTests.number, lines: [])
    let before = LoadedDomain.load(plain.directory).definition?.products.first
    let files = try TableProblemTests.shop(
      column: TableProblemTests.number, lines: ["delete if", "  event.count == 0"])
    let loaded = LoadedDomain.load(files.directory)
    #expect(told(loaded.diagnostics) == [])
    let product = try #require(loaded.definition?.products.first)
    #expect(product.tables[0].clauses[0].delete != nil)
    #expect(product.tables[0].clauses[0].updates.count == 3)
    #expect(product.logicDigest != before?.logicDigest)
    #expect(
      product.logicFiles.contains {
        $0.content.contains("delete = orders.Placed: event.count==0")
      })
  }

  @Test(arguments: [
    (["delete if event.count"], "W0315 transform.yaml:22:19 int stands where bool is wanted"),
    (["delete if"], "W0301 transform.yaml:22:16 expected a value, found the end of the line"),
    (
      ["delete if event.count == 0", "delete if event.id == \"\""],
      "W0305 transform.yaml:23:9 `delete if` is said twice"
    ),
    (["delete = count()"], "W0344 transform.yaml:22:9 `delete` is not a field of contract"),
  ])
  func `delete if that is wrong is told where it stands`(_ lines: [String], _ told: String) throws {
    let found = try problems(TableProblemTests.number, lines)
    #expect(found.count == 1)
    #expect(found.first?.hasPrefix(told) == true, "\(found)")
  }

  @Test func `delete if stands in a table alone`() throws {
    var files = ProductFiles.shop
    files["transform.yaml"] = files["transform.yaml"]?
      .replacing(
        "    from: orders.Placed\n", with: "    from: orders.Placed\n    let: delete if true\n")
    let made = try ProductFiles(files)
    #expect(
      told(LoadedDomain.load(made.directory).diagnostics) == [
        "W0350 transform.yaml:13:10 `let` takes lines `name = expression`"
      ])
  }

  @Test func `an average that no contract promises as it is fits none`() throws {
    #expect(
      try problems(TableProblemTests.whole, ["figure = avg(event.count)"]) == [
        "W0344 transform.yaml:22:9 `figure` is double, and the contract says int for `figure`"
      ])
  }

  @Test func `one column is one aggregate of one type in all clauses`() throws {
    func clauses(_ second: String) throws -> [String] {
      try problems(
        TableProblemTests.number,
        ["figure = quantile(event.count, 0.5)\n      paid: |", "figure = \(second)"])
    }
    #expect(
      try clauses("quantile(event.total, 0.5)").first?.contains("is of decimal here and of int")
        == true)
    #expect(
      try clauses("quantile(event.count, 0.9)").first?.contains("is another quantile here") == true)
    #expect(try clauses("avg(event.count)").first?.contains("is `avg` here and `quantile`") == true)
  }

  private func expiring(_ text: String) throws -> ProductFiles {
    try ProductFiles.shop(
      (
        "transform.yaml", "    key: event.customer\n    on:",
        "    key: event.customer\n    \(text)\n    on:"
      ))
  }

  @Test func `a window's start is the last part of the key`() throws {
    let files = try expiring("window: {hopping: {size: 1h, every: 10m}, grace: 5m}")
    let problems = told(LoadedDomain.load(files.directory).diagnostics)
    #expect(problems.contains { $0.contains("a key of 2, and the contract's primary key has 1") })
    let contract = try #require(ProductFiles.shop["contracts/customer.odcs.yaml"])
    var all = try ProductFiles.changed(
      ProductFiles.shop,
      [
        (
          "transform.yaml", "    key: event.customer\n    on:",
          "    key: event.customer\n    window: {hopping: {size: 1h, every: 10m}, grace: 5m}\n    on:"
        )
      ])
    all["contracts/customer.odcs.yaml"] =
      contract
      + "      - {name: since, logicalType: timestamp, required: true, primaryKey: true}\n"
    let good = try ProductFiles(all)
    let loaded = LoadedDomain.load(good.directory)
    #expect(told(loaded.diagnostics) == [])
    let table = try #require(loaded.definition?.products.first?.tables.first)
    #expect(
      table.window
        == TableDefinition.Window(
          .regular(sizeMs: 3_600_000, everyMs: 600_000), graceMs: 300_000))
    #expect(table.keyTypes == [.string, .timestamp])
  }

  @Test(arguments: [
    ("window: {grace: 5m}", "one of `tumbling`, `hopping` and `session`"),
    ("window: {tumbling: 1h, hopping: {size: 1h, every: 1m}}", "one of `tumbling`, `hopping`"),
    ("window: {tumbling: 1h, session: 1h}", "one of `tumbling`, `hopping`"),
    ("window: {tumbling: 0s}", "cannot begin that often"),
    ("window: {hopping: {size: 1m, every: 1h}}", "cannot begin that often"),
    ("window: {hopping: {size: 1d, every: 1s}}", "cannot begin that often"),
    ("window: {tumbling: 1h}\n    expire: {after: 1d}", "go when their window is closed"),
    ("window: {session: 0s}", "a session ends when"),
    ("window: {tumbling: 1h, emit: last}", "is not `changes` or `final`"),
  ])
  func `what is no window is refused`(_ text: String, _ message: String) throws {
    let files = try expiring(text)
    let problems = told(LoadedDomain.load(files.directory).diagnostics)
    #expect(problems.contains { $0.contains(message) }, "\(problems)")
  }

  @Test func `rows expire after some time, which is a part of the logic`() throws {
    let (shop, files) = (try ProductFiles.shop(), try expiring("expire: {after: 90d}"))
    let kept = LoadedDomain.load(shop.directory)
    let loaded = LoadedDomain.load(files.directory)
    #expect(told(loaded.diagnostics) == [])
    let product = try #require(loaded.definition?.products.first)
    #expect(product.tables.first?.expireAfterMs == 7_776_000_000)
    #expect(product.logicDigest != kept.definition?.products.first?.logicDigest)
    #expect(product.clockInputs(ofJournal: 0) == [0])
    #expect(kept.definition?.products.first?.clockInputs(ofJournal: 0) == [])
  }

  @Test(arguments: [
    ("expire: {after: 0s}", "rows expire after some time"),
    ("expire: {}", "`after` is missing"), ("expire: 90d", "expected"),
  ])
  func `what is no expiry is refused`(_ text: String, _ message: String) throws {
    let files = try expiring(text)
    let problems = told(LoadedDomain.load(files.directory).diagnostics)
    #expect(problems.contains { $0.contains(message) }, "\(problems)")
  }
}
