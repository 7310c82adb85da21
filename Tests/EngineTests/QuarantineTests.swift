import Formats
import Product
import Records
import Testing

@testable import Engine

/// No input can stop a product or vanish: each bad record is in quarantine once, with its reason,
/// its bytes and where it came from.
@Suite struct QuarantineTests {
  static let good = Claims.charge("c1", id: "e1", "1")

  struct Case: CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]?
    let reason: String
    var testDescription: String { name }
    init(_ name: String, _ text: String, _ reason: String) {
      self.init(name, bytes: Array(text.utf8), reason)
    }
    init(_ name: String, bytes: [UInt8]?, _ reason: String) {
      self.name = name
      self.bytes = bytes
      self.reason = reason
    }
  }

  static let cases: [Case] = [
    Case("not JSON", "hello", "not-json"),
    Case("cut off", String(good.dropLast()), "truncated"),
    Case(
      "invalid UTF-8", bytes: Array(#"{"type":""#.utf8) + [0xFF] + Array("\"}".utf8), "invalid-utf8"
    ),
    Case("100,000 brackets", String(repeating: "[", count: 100_000), "too-deep"),
    Case("5 MB", "\"" + String(repeating: "x", count: 5_000_000) + "\"", "unknown-type"),
    Case("missing field", good.replacing(#""chargeId":"1""#, with: #""x":1"#), "contract-input"),
    Case(
      "null for required", good.replacing(#""chargeId":"1""#, with: #""chargeId":null"#),
      "contract-input"),
    Case(
      "wrong type", good.replacing(#""chargeId":"1""#, with: #""chargeId":1"#), "contract-input"),
    Case(
      "wrong type in an unused field",
      good.replacing(#""transfer":null"#, with: #""transfer":"x""#), "contract-input"),
    Case(
      "number out of range", good.replacing(#""amount":1"#, with: #""amount":1e17"#),
      "contract-input"),
    Case(
      "too many places", good.replacing(#""amount":1"#, with: #""amount":1.005"#),
      "contract-input"),
    Case(
      "no timestamp", good.replacing("2024-01-02T00:00:00Z", with: "yesterday"), "contract-input"),
    Case("unknown type", good.replacing("ClaimTransaction", with: "Nothing"), "unknown-type"),
    Case("no type", "{}", "unknown-type"),
    Case("a list", "[1]", "unknown-type"),
    Case("null value", bytes: nil, "null-value"),
    Case("empty value", bytes: [], "empty-value"),
    Case("missing key", good.replacing(#""claimId":"c1","#, with: ""), "missing-key"),
    Case(
      "key of a wrong type", good.replacing(#""claimId":"c1""#, with: #""claimId":{}"#),
      "missing-key"),
    Case("in the future", good.replacing("2024-01-02", with: "2025-01-02"), "future"),
  ]

  @Test(arguments: cases)
  func `a bad record is in quarantine once, whole, with its reason`(example: Case) throws {
    let simulation = try ProductSimulation(Claims.product())
    simulation.plan.limits.quarantineBytesMax = 8_000_000
    simulation.plan.limits.journalBytesMax = 8_000_000
    simulation.take(QuarantineTests.good.replacing("e1", with: "first"))
    simulation.take(bytes: example.bytes, key: [1, 2], 3)
    simulation.take(QuarantineTests.good.replacing("e1", with: "last"))
    try #require(simulation.quarantined.count == 1)
    let record = simulation.quarantined[0]
    #expect(record[header: "weft_reason"] == example.reason)
    #expect(record.key == [1, 2])
    #expect(record.value == example.bytes)
    #expect(record[header: "weft_input"] == "claim-events")
    #expect(record[header: "weft_topic"] == "ops.claims.events")
    #expect(record[header: "weft_partition"] == "3")
    #expect(record[header: "weft_offset"] == "0")
    #expect(record[header: "weft_recordedtime"] == "2024-06-01T00:00:00Z")
    #expect(record[header: "weft_message"]?.isEmpty == false)
    #expect(simulation.counts.read == 3)
    #expect(simulation.counts.applied == 2)
    #expect(simulation.counts.quarantined == 1)
  }

  @Test func `a record without its key names the field that the key is made of`() throws {
    let simulation = try ProductSimulation(Claims.product())
    simulation.take(QuarantineTests.good.replacing(#""claimId":"c1","#, with: ""))
    let message = try #require(simulation.quarantined.first?[header: "weft_message"])
    #expect(message.contains("the key, `event.claimId`, has no value"), "\(message)")
  }

  @Test(arguments: cases)
  func `a product that stops on errors publishes nothing and says why`(example: Case) throws {
    var options = Claims.Options()
    options.onError = .stop
    let simulation = try ProductSimulation(Claims.product(options))
    simulation.plan.limits.journalBytesMax = 8_000_000
    simulation.take(bytes: example.bytes, key: nil)
    #expect(simulation.stop?.reason == example.reason)
    #expect(simulation.published.isEmpty)
    #expect(simulation.journal.joined().joined().isEmpty)
  }

  @Test func `an original that is too large is kept as beginning, hash and length`() throws {
    let simulation = try ProductSimulation(Claims.product())
    let value = Array(("\"" + String(repeating: "x", count: 5_000_000) + "\"").utf8)
    simulation.take(bytes: value, key: [9])
    let record = try #require(simulation.quarantined.first)
    let kept = try #require(record.value)
    #expect(kept.count < 1_000_000)
    #expect(kept.count > 990_000)
    #expect(kept[...] == value.prefix(kept.count))
    #expect(record[header: "weft_length"] == "5000002")
    #expect(
      record[header: "weft_sha256"]
        == "d45b1ed74397b3596c868df2f94bd871ca9dfe7b4ef8ed66f796362071b266e4")
  }

  @Test func `an event that fits no journal record is quarantined as too large`() throws {
    let simulation = try ProductSimulation(Claims.product())
    let note = String(repeating: "n", count: 2_000_000)
    simulation.take(QuarantineTests.good.replacing(#""kind""#, with: #""note":"\#(note)","kind""#))
    #expect(simulation.reasons == ["too-large"])
  }

  @Test(arguments: [690_000, 980_000, 996_000, 999_000, 999_900])
  func `what is journaled fits the topic, with its id, key and positions`(length: Int) throws {
    let simulation = try ProductSimulation(Claims.product())
    let id = String(repeating: "i", count: 15_000)
    let start = QuarantineTests.good.replacing("e1", with: id)
    let note = String(repeating: "n", count: length - start.utf8.count)
    simulation.take(start.replacing(#""kind""#, with: #""note":"\#(note)","kind""#))
    let blocks = simulation.journal.joined().joined()
    #expect(blocks.count == (length < 984_000 ? 1 : 0))
    for block in blocks { #expect(block.bytes.count < 1_000_000) }
    #expect(simulation.reasons == (length < 984_000 ? [] : ["too-large"]))
  }

  @Test func `an id or key that is longer than 16 KiB is quarantined as that`() throws {
    let simulation = try ProductSimulation(Claims.product())
    let long = String(repeating: "i", count: 600_000)
    simulation.take(QuarantineTests.good.replacing("e1", with: long))
    simulation.take(QuarantineTests.good.replacing(#""c1""#, with: "\"\(long)\""))
    #expect(simulation.reasons == ["id-too-large", "key-too-large"])
    #expect(simulation.stop == nil)
    #expect(simulation.journal.joined().joined().isEmpty)
  }

  @Test func `what becomes of a journaled event does not depend on what topics take`() throws {
    let simulation = try ProductSimulation(Claims.product())
    let payer = String(repeating: "p", count: 300_000)
    simulation.take(Claims.submit("c1", id: "s1", at: "2024-01-02T00:00:00Z", payer: payer))
    simulation.take(QuarantineTests.good)
    let live = simulation.stateDigests
    let applied = simulation.counts.applied
    simulation.plan.limits.journalBytesMax = 200_000
    simulation.plan.limits.quarantineBytesMax = 200_000
    simulation.crash()
    #expect(applied == 2)
    #expect(simulation.stateDigests == live)
  }

  @Test func `the hash is SHA-256`() {
    let abc = ByteView.lending(Array("abc".utf8)) { SHA256.hexadecimal($0) }
    #expect(abc == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    let bytes = Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8)
    let long = ByteView.lending(bytes) { SHA256.hexadecimal($0) }
    #expect(long == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
  }

  @Test func `a key is the record's own where the journal says source, and then it must be there`()
    throws
  {
    var options = Claims.Options()
    options.keyedBySource = true
    let simulation = try ProductSimulation(Claims.product(options))
    simulation.take(QuarantineTests.good, key: nil)
    #expect(simulation.reasons == ["missing-key"])
    simulation.take(QuarantineTests.good, key: "c1")
    #expect(simulation.counts.applied == 1)
  }

  @Test func `a quarantined event's redelivery is a redelivery`() throws {
    let simulation = try ProductSimulation(Claims.product())
    let bad = QuarantineTests.good.replacing(#""chargeId":"1""#, with: #""chargeId":1"#)
    simulation.take(bad)
    simulation.take(bad)
    #expect(simulation.quarantined.count == 1)
    #expect(simulation.counts.redelivered == 1)
  }

  @Test(arguments: [
    Int64.max, .min, -1, 253_402_300_800_000, 300_000_000_000_000, -62_135_596_800_001,
  ])
  func `no Kafka timestamp can stop a product`(timestampMs: Int64) throws {
    let orders = try ProductSimulation(Orders.count())
    orders.feed(
      .init(
        input: 0, key: nil, value: Array(DirectTests.order.utf8), timestampMs: timestampMs))
    orders.run()
    #expect(orders.stop == nil)
    #expect(orders.reasons == (timestampMs > 0 ? ["future"] : []))
    let direct = try ProductSimulation(Orders.map(envelope: .cloudevents))
    direct.feed(
      .init(
        input: 0, key: nil, value: Array(DirectTests.order.utf8), timestampMs: timestampMs))
    direct.run()
    #expect(direct.reasons == (timestampMs > 0 ? ["future"] : []))
  }

  @Test func `extra fields are passed over`() throws {
    let simulation = try ProductSimulation(Claims.product())
    simulation.take(QuarantineTests.good.replacing(#""kind""#, with: #""extra":{"a":[1]},"kind""#))
    #expect(simulation.quarantined.isEmpty)
    #expect(simulation.counts.applied == 1)
  }
}
