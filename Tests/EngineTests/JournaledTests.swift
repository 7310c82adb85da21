import Product
import Testing

@testable import Engine

/// What a journaled product does with its events: rows, records, redelivery.
@Suite struct JournaledTests {
  @Test func `a claim's row is exact in every column`() throws {
    let simulation = try ProductSimulation(Claims.product())
    simulation.take(Claims.submit("c1", id: "e1"))
    simulation.take(Claims.charge("c1", id: "e2", "12.50"))
    simulation.take(Claims.charge("c1", id: "e3", "0.1"))
    simulation.take(Claims.charge("c1", id: "e4", "5", kind: "PAYMENT"))
    simulation.take(Claims.close("c1", id: "e5"))
    let opened =
      #"{"claimId":"c1","status":"submitted","openedAt":"2024-01-01T00:00:00Z","payerId":"p1""#
    let closed = opened.replacing("submitted", with: "closed")
    #expect(
      simulation.values(1) == [
        opened + #","lines":0}"#,
        opened + #","charged":12.50,"lines":1}"#,
        opened + #","charged":12.60,"lines":2}"#,
        opened + #","charged":12.60,"paid":5.00,"lines":2}"#,
        closed + #","closedAt":"2024-01-03T00:00:00Z","charged":12.60,"paid":5.00,"lines":2}"#,
      ])
    #expect(simulation.values(0).count == 3)
    #expect(simulation.counts.applied == 5)
    #expect(simulation.counts.read == 5)
  }

  @Test func `latest goes by actual time, ties by the journal's order`() throws {
    let simulation = try ProductSimulation(Claims.product())
    simulation.take(Claims.close("c1", id: "e1", at: "2024-01-03T00:00:00Z"))
    simulation.take(Claims.submit("c1", id: "e2", at: "2024-01-01T00:00:00Z"))
    #expect(simulation.values(1).last?.contains(#""status":"closed""#) == true)
    simulation.take(Claims.submit("c1", id: "e3", at: "2024-01-03T00:00:00Z"))
    #expect(simulation.values(1).last?.contains(#""status":"submitted""#) == true)
  }

  @Test func `an event that changes nothing of what a row shows makes no record`() throws {
    let simulation = try ProductSimulation(Claims.product())
    simulation.take(Claims.submit("c1", id: "e1", at: "2024-01-02T00:00:00Z"))
    simulation.take(Claims.submit("c1", id: "e2", at: "2024-01-02T00:00:00Z"))
    #expect(simulation.values(1).count == 1)
    #expect(simulation.counts.applied == 2)
  }

  @Test func `a row does not come to be while no update's condition holds`() throws {
    let simulation = try ProductSimulation(Claims.product())
    simulation.take(Claims.charge("c1", id: "e1", "1", kind: "ADJUSTMENT"))
    #expect(simulation.values(1).isEmpty)
    #expect(simulation.values(0).count == 1)
    simulation.take(Claims.charge("c1", id: "e2", "null", kind: "CHARGE"))
    #expect(simulation.values(1) == [#"{"claimId":"c1","lines":1}"#])
  }

  @Test(arguments: [1, 2, 10, 500])
  func `a redelivered event counts once, at every distance`(distance: Int) throws {
    let simulation = try ProductSimulation(Claims.product())
    simulation.take(Claims.charge("c1", id: "e", "12.50"))
    for other in 1..<distance {
      simulation.take(Claims.charge("c\(other % 7)", id: "o\(other)", "1"))
    }
    let before = simulation.values(1).count
    let digests = simulation.stateDigests
    simulation.take(Claims.charge("c1", id: "e", "12.50"))
    #expect(simulation.values(1).count == before)
    #expect(simulation.stateDigests == digests)
    #expect(simulation.counts.redelivered == 1)
  }

  @Test func `an empty id is none, so that each such event counts`() throws {
    let simulation = try ProductSimulation(Claims.product())
    simulation.take(Claims.charge("c1", id: "", "1"))
    simulation.take(Claims.charge("c1", id: "", "1"))
    #expect(simulation.counts.applied == 2 && simulation.counts.redelivered == 0)
  }

  @Test func `the same id under another key is another event`() throws {
    let simulation = try ProductSimulation(Claims.product())
    simulation.take(Claims.charge("c1", id: "e", "1"))
    simulation.take(Claims.charge("c2", id: "e", "1"))
    #expect(simulation.counts.applied == 2)
  }

  @Test func `an id is forgotten when the journal's clock has left its horizon`() throws {
    var options = Claims.Options()
    options.horizonMs = 1000
    options.partitions = 1
    let simulation = try ProductSimulation(Claims.product(options))
    simulation.take(Claims.charge("c1", id: "e", "1"))
    simulation.recordedMs += 1000
    simulation.take(Claims.charge("c1", id: "e", "1"))
    #expect(simulation.counts.redelivered == 1)
    simulation.recordedMs += 1
    simulation.take(Claims.charge("c1", id: "e", "1"))
    #expect(simulation.counts.applied == 2)
    // A clock that is set back forgets nothing and brings nothing back.
    simulation.recordedMs -= 500
    simulation.take(Claims.charge("c1", id: "e", "1"))
    #expect(simulation.counts.redelivered == 2)
  }

  @Test func `a row that when no longer lets through is taken back by a tombstone, once`() throws {
    var options = Claims.Options()
    options.when = "!has(row.closedAt)"
    let simulation = try ProductSimulation(Claims.product(options))
    simulation.take(Claims.submit("c1", id: "e1"))
    simulation.take(Claims.close("c1", id: "e2"))
    simulation.take(Claims.charge("c1", id: "e3", "3"))
    #expect(simulation.values(1).count == 2)
    #expect(simulation.values(1).last == "null")
    let tombstone = try #require(simulation.published.last { $0.value == nil })
    #expect(tombstone.keyText == "c1")
    #expect(tombstone[header: "ce_id"] != nil)
    // A row that was never let through is not taken back either.
    simulation.take(Claims.close("c2", id: "e4"))
    #expect(simulation.values(1).count == 2)
  }

  @Test func `each record carries its position, its actual and its recorded time`() throws {
    let simulation = try ProductSimulation(Claims.product())
    simulation.take(Claims.charge("c1", id: "e1", "1", at: "2024-01-02T03:04:05.678Z"))
    let record = try #require(simulation.published.first { $0.port == 0 })
    let partition = try #require(
      simulation.journal[0].firstIndex { !$0.isEmpty })
    #expect(record[header: "ce_id"] == "\(partition)-0-0")
    #expect(record[header: "ce_time"] == "2024-01-02T03:04:05.678Z")
    #expect(record[header: "ce_recordedtime"] == "2024-06-01T00:00:00Z")
    #expect(record.timestampMs == simulation.recordedMs)
    let row = try #require(simulation.published.first { $0.port == 1 })
    #expect(row.partition == Int32(partition))
    #expect(row.keyText == "c1")
  }

  @Test func `every record read ends in exactly one count`() throws {
    let simulation = try ProductSimulation(Claims.product())
    simulation.take(Claims.charge("c1", id: "e1", "1"))
    simulation.take(Claims.charge("c1", id: "e1", "1"))
    simulation.take("{")
    simulation.take(Claims.charge("c1", id: "e2", "\"x\""))
    simulation.take(Claims.submit("c1", id: "e3").replacing("ClaimSubmitted", with: "NoteAdded"))
    let counts = simulation.counts
    #expect(counts.read == 5)
    #expect(counts.applied == 1)
    #expect(counts.redelivered == 1)
    #expect(counts.filtered == 1)
    #expect(counts.quarantined == 2)
  }
}
