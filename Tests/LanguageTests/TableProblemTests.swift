import Diagnostics
import Product
import Testing

/// What is said about the lines of tables, and what becomes of those that are right.
@Suite struct TableProblemTests {
  /// The shop with one more column of its customers, and lines for it.
  static func shop(column: String, lines: [String]) throws -> ProductFiles {
    var files = ProductFiles.shop
    files["contracts/customer.odcs.yaml", default: ""] += "      - \(column)\n"
    files["transform.yaml"] = files["transform.yaml"]?.replacing(
      "        last   = max(event.at)\n",
      with: "        last   = max(event.at)\n"
        + lines.map { "        \($0)\n" }.joined())
    return try ProductFiles(files)
  }

  static let number = "{name: figure, logicalType: number}"
  static let money = "{name: figure, logicalType: number, physicalType: \"decimal(18,3)\"}"
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
  ])
  func `an aggregate that is used wrongly is told where it stands`(
    _ column: String, _ line: String, _ told: String
  ) throws {
    #expect(try problems(column, [line]) == ["W0346 transform.yaml:\(told)"])
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
    (["delete if"], "W0301 transform.yaml:22:18 expected a value, found the end"),
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
}
