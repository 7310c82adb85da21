import Kafka
import Testing

/// A fetcher that stopped before a full queue is woken in time, and not all the time.
@Suite struct FetchPaceTests {
  private func isDue(_ pace: inout FetchPace, _ taken: Int, _ left: Int, _ nowMs: Int64) -> Bool {
    pace.isDue(taken: taken, left: left, nowMs: nowMs)
  }

  @Test func `the fetcher is woken when half of what was queued is gone`() {
    var pace = FetchPace()
    #expect(!isDue(&pace, 2000, 40_000, 0))
    #expect(!isDue(&pace, 2000, 38_000, 20))
    #expect(!isDue(&pace, 2000, 20_000, 40))
    #expect(isDue(&pace, 2000, 18_000, 60))
    // Filled again, and emptied again.
    #expect(!isDue(&pace, 2000, 50_000, 80))
    #expect(isDue(&pace, 2000, 24_000, 100))
  }

  @Test func `a queue of few large records is woken when it is empty`() {
    var pace = FetchPace()
    #expect(isDue(&pace, 160, 0, 0))
  }

  @Test func `a trickle wakes nobody`() {
    var pace = FetchPace()
    for ms in 0..<1000 {
      #expect(!isDue(&pace, FetchPace.takenMin - 1, 0, Int64(ms)))
    }
  }

  @Test func `the fetcher is left alone between two wake-ups`() {
    var pace = FetchPace()
    let wakes = (0..<100).filter { isDue(&pace, 2000, 0, Int64($0)) }.count
    #expect(wakes == Int(100 / FetchPace.restMs))
  }
}
