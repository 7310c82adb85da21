import Kafka
import Testing

/// A fetcher that stopped before a full queue is woken in time, and not all the time.
@Suite struct FetchPaceTests {
  private func wakes(_ polls: Int, records: Int, bytes: Int) -> Int {
    var pace = FetchPace(queueBytes: 8 << 20, queueRecords: 100_000)
    var count = 0
    for _ in 0..<polls where pace.isDue(records: records, bytes: bytes) { count += 1 }
    return count
  }

  @Test func `the fetcher is woken once for each half of a queue that was taken`() {
    // 64 MiB are 16 halves of 8 MiB.
    #expect(wakes(64, records: 2000, bytes: 1 << 20) == 16)
  }

  @Test func `few large records wake it as well`() {
    #expect(wakes(100, records: 1, bytes: 5 << 20) == 100)
    #expect(wakes(100, records: 40, bytes: 200_000 * 40) == 100)
  }

  @Test func `many small records wake it before as many are queued as librdkafka wants`() {
    #expect(wakes(100, records: 2000, bytes: 20) == 4)
  }

  @Test func `a trickle wakes it seldom`() {
    // 10,000 records/s of 285 bytes, fifty polls a second.
    #expect(wakes(500, records: 200, bytes: 200 * 285) <= 7)
  }
}
