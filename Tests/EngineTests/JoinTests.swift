import Product
import Records
import Testing

@testable import Engine

/// Streams of pairs. The time of an order is when it was taken in, a second apart from the next;
/// that of a payment stands in it.
@Suite struct JoinTests {
  private static func shop(_ join: String = "within: 10s") -> StreamShop {
    var shop = StreamShop()
    shop.streams = """
      large:
        from: paid
        where: event.amount > 1
        let: half = event.amount / 2
      settled:
        join: {left: orders, right: large, key: event.customer, \(join)}
        where: right.half < 100
      """
    shop.tables = """
      customer:
        key: key.customer
        on:
          settled: |
            pairs = count()
            paid  = sum(right.amount)
            last  = latest(left.id)
      """
    shop.outputs = [
      "pairs": """
      from: settled
      key: key.customer
      select: |
        id = left.id + "-" + right.id
        what = key.customer
        many = right.half
      """,
      "customer": "from: customer",
    ]
    shop.contracts["customer"] = [
      "name: customer, \(StreamShop.text), primaryKey: true",
      "name: pairs, logicalType: integer, required: true", "name: paid, logicalType: integer",
      "name: last, logicalType: string",
    ]
    return shop
  }

  private static func order(_ id: String, _ customer: String = "c") -> String {
    #"{"id":"\#(id)","customer":"\#(customer)"}"#
  }

  /// - Parameter at: so many seconds after the first order could have come.
  private static func paid(
    _ id: String, _ amount: Int, at: String = "00", _ customer: String = "c"
  ) -> String {
    #"{"id":"\#(id)","customer":"\#(customer)","amount":\#(amount),"#
      + #""at":"2024-06-01T00:00:\#(at)Z"}"#
  }

  private static func ids(_ run: ProductSimulation) -> [String] {
    run.port("pairs").map { String($0.text.split(separator: "\"")[3]) }
  }

  @Test func `events of two streams with one key are paired, whichever comes first`() throws {
    let run = try JoinTests.shop().run([
      JoinTests.paid("p1", 8), JoinTests.order("o1"), JoinTests.order("o2", "d"),
      JoinTests.order("o3"), JoinTests.paid("p2", 4, at: "04"), JoinTests.paid("p3", 1, at: "05"),
      JoinTests.paid("p4", 900, at: "05"),
    ])
    #expect(JoinTests.ids(run) == ["o1-p1", "o3-p1", "o1-p2", "o3-p2"])
    #expect(run.port("pairs").first?.text == #"{"id":"o1-p1","what":"c","many":4}"#)
    #expect(
      run.port("customer").map(\.text) == [
        #"{"customer":"c","pairs":1,"paid":8,"last":"o1"}"#,
        #"{"customer":"c","pairs":2,"paid":16,"last":"o3"}"#,
        #"{"customer":"c","pairs":4,"paid":24,"last":"o3"}"#,
      ])
    #expect(run.quarantined.isEmpty)
  }

  @Test func `a pair's actual time is the later one's, and its ids are its event's`() throws {
    let run = try JoinTests.shop().run([
      JoinTests.order("o1"), JoinTests.order("o2"), JoinTests.paid("p1", 4, at: "00.5"),
    ])
    let pairs = run.port("pairs")
    #expect(
      pairs.map { $0[header: "ce_time"] } == ["2024-06-01T00:00:00.500Z", "2024-06-01T00:00:01Z"])
    #expect(Set(pairs.map { $0[header: "ce_id"] }).count == 2)
  }

  @Test(arguments: [("10", 1), ("10.000000001", 0), ("09.999", 1)])
  func `the distance is exact`(_ at: String, _ count: Int) throws {
    let run = try JoinTests.shop("within: 10s, grace: 1h").run([
      JoinTests.order("o1"), JoinTests.paid("p1", 4, at: at),
    ])
    #expect(run.port("pairs").count == count)
  }

  @Test func `an event that comes later than its grace goes to quarantine`() throws {
    let run = try JoinTests.shop("within: 10s, grace: 3s").run([
      JoinTests.paid("p1", 4, at: "20"), JoinTests.paid("p2", 4, at: "17"),
      JoinTests.paid("p3", 4, at: "16.9"),
    ])
    #expect(run.reasons == ["late"])
  }

  @Test func `what nothing can be paired with any more leaves the state`() throws {
    let run = try JoinTests.shop("within: 10s, grace: 5s").simulation()
    run.take(JoinTests.order("o1"))
    run.take(JoinTests.paid("p1", 4, at: "01", "d"), input: 1)
    #expect(run.scheduledCount == 2, "of each side and key one entry")
    for number in 0..<3 {
      run.recordedMs += 10_000
      run.take(JoinTests.order("x\(number)", "e"))
    }
    #expect(run.scheduledCount == 1)
    let digests = run.stateDigests
    run.crash()
    #expect(run.stateDigests == digests)
  }

  @Test func `an event that fails is not kept for others`() throws {
    var shop = JoinTests.shop()
    shop.changes = [("many = right.half", "many = 100 / (right.amount - 13)")]
    let run = try shop.run([
      JoinTests.order("o1"), JoinTests.paid("p0", 13, at: "01"),
      JoinTests.paid("p1", 4, at: "01"), JoinTests.order("o2"),
    ])
    #expect(run.reasons == ["expression"])
    #expect(JoinTests.ids(run) == ["o1-p1", "o2-p1"])
  }

  @Test(arguments: [
    ("right: large", "right: orders", "W0350 both sides of the join are made of `orders`"),
    ("right: large", "right: customer", "W0343"),
    ("right: large", "right: larger", "W0341"),
    ("key: event.customer,", "key: event.amount,", "W0203"),
    ("key: event.customer,", "", "W0207 `key` is missing"),
    ("within: 10s", "grace: 10s", "W0207 `within` is missing"),
    ("right.half < 100", "right.half < \"\"", "W0314"),
    ("right.half < 100", "right.quarter < 100", "W0203 `quarter` is not a field"),
    (
      "  settled:\n    join", "  settled:\n    from: orders\n    join",
      "W0350 a stream has `from` or"
    ),
    ("key: key.customer\n    on", "key: left.id\n    on", "W0347 the key of table `customer`"),
    ("  large:\n    from: paid\n", "  large:\n", "W0207 `from` is missing"),
  ])
  func `what is wrong with a join is told`(_ old: String, _ new: String, _ told: String) throws {
    let found = try JoinTests.shop().problems(old, new)
    #expect(found.contains { $0.hasPrefix(told) }, "\(found)")
  }
}
