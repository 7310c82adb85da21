import Product
import Records
import Testing

@testable import Engine

/// Windows that ports show once, when they take no more events.
@Suite struct FinalWindowTests {
  /// What customers have paid in windows of ten minutes, with two minutes of grace.
  private static func shop() -> StreamShop {
    var shop = StreamShop()
    shop.tables = """
      payments:
        key: event.customer
        window: {tumbling: 10m, grace: 2m, emit: final}
        on:
          paid: |
            paid = sum(event.amount)
            last = last(event.id)
      """
    shop.outputs["payments"] = "from: payments"
    shop.contracts["payments"] = [
      "name: customer, \(StreamShop.text), primaryKey: true, primaryKeyPosition: 1",
      "name: since, logicalType: timestamp, required: true, primaryKey: true, primaryKeyPosition: 2",
      "name: paid, logicalType: integer", "name: last, logicalType: string",
    ]
    shop.streams = """
      large:
        from: payments
        where: row.?paid.orValue(0) > 5
        let: minutes = string(window.end - window.start)
      """
    shop.outputs["large"] = """
      from: large
      key: key.customer
      select: |
        id   = key.customer
        what = minutes
        many = 100 / (row.?paid.orValue(0) - 50)
      """
    return shop
  }

  private static func paid(_ id: String, _ customer: String, _ minute: Int, _ amount: Int)
    -> String
  {
    let at = "2024-06-01T00:\(minute < 10 ? "0" : "")\(minute):00Z"
    return #"{"id":"\#(id)","customer":"\#(customer)","amount":\#(amount),"at":"\#(at)"}"#
  }

  @Test func `a window is shown once, when its end and its grace have passed, and not before`()
    throws
  {
    let run = try Self.shop().simulation()
    func take(_ documents: String...) { for one in documents { run.take(one, input: 1) } }
    take(Self.paid("a", "c", 1, 3), Self.paid("b", "c", 9, 4), Self.paid("c", "c", 10, 1))
    take(Self.paid("d", "d", 11, 1))
    #expect(run.published.isEmpty, "there may still come something for it")
    take(Self.paid("e", "c", 2, 5), Self.paid("f", "d", 12, 1))
    #expect(
      run.port("payments").map(\.text) == [
        #"{"customer":"c","since":"2024-06-01T00:00:00Z","paid":12,"last":"e"}"#
      ])
    #expect(run.port("large").map(\.text) == [#"{"id":"c","what":"600s","many":-2}"#])
    take(Self.paid("g", "c", 3, 1))
    #expect(run.reasons == ["late"])
    #expect(run.records.count == 2)
  }

  @Test func `what is shown has the last moment of its window as its time`() throws {
    let run = try Self.shop().run([Self.paid("a", "c", 1, 7), Self.paid("b", "d", 40, 1)])
    #expect(run.records.count == 2)
    for record in run.records {
      #expect(record[header: "ce_time"] == "2024-06-01T00:09:59.999Z")
    }
  }

  @Test func `without traffic windows are closed, and the same is shown after a crash`() throws {
    let (one, other) = (try Self.shop().simulation(), try Self.shop().simulation())
    for run in [one, other] {
      run.take(Self.paid("a", "c", 1, 7), input: 1)
      run.recordedMs += 10 * 60_000
      run.run()
      if run === other { run.crash() }
      #expect(run.records.isEmpty)
      run.recordedMs += 60_000
      run.run()
      #expect(run.records.count == 2)
    }
    #expect(one.records == other.records)
    #expect(one.stateDigests == other.stateDigests)
  }

  @Test func `an event after which its window could not be shown goes to quarantine`() throws {
    let run = try Self.shop().run([
      Self.paid("a", "c", 1, 7), Self.paid("b", "c", 2, 43), Self.paid("c", "c", 3, 1),
      Self.paid("d", "d", 40, 1),
    ])
    #expect(run.reasons == ["expression"])
    #expect(run.port("payments").map(\.text).first?.contains(#""paid":8,"last":"c""#) == true)
  }

  @Test(arguments: [
    ("what = minutes", "what = string(recorded)", "W0310 there is no variable `recorded` here"),
    ("what = minutes", "what = string(old.?paid.orValue(0))", "W0310 there is no variable `old`"),
    (
      "from: payments\n    where", "from: payments\n    explode: {one: '[1]'}\n    where",
      "W0205 `explode`"
    ),
    ("minutes\n", "minutes\n", ""),
  ])
  func `what may be otherwise when a window is closed has no part in what is shown`(
    _ old: String, _ new: String, _ told: String
  ) throws {
    var shop = Self.shop()
    shop.changes = [(old, new)]
    let found = try shop.problems()
    #expect(told.isEmpty ? found == [] : found.contains { $0.hasPrefix(told) }, "\(found)")
  }

  @Test func `no table is made of windows that are closed`() throws {
    var shop = Self.shop()
    shop.tables += """

      often:
        key: key.customer
        on:
          large: |
            often = count()
      """
    let found = try shop.problems()
    #expect(found.contains { $0.hasPrefix("W0205 tables of windows that are closed") }, "\(found)")
  }
}
