import Kafka
import Records
import Testing
import Worker

@Suite struct GroupWatchTests {
  private let one = [TopicPartition(topic: TopicOrdinal(0), partition: Partition(3))]
  private let other = [TopicPartition(topic: TopicOrdinal(1), partition: Partition(0))]

  private func isDue(
    _ watch: inout GroupWatch, unowned: [TopicPartition], rank: Int, nowMs: Int64
  ) -> Bool {
    watch.isDivisionDue(unowned: unowned, rank: rank, nowMs: nowMs)
  }

  @Test func `a group in which everything is owned is looked at rarely`() {
    var watch = GroupWatch()
    watch.rebalanced(nowMs: 100)
    #expect(!watch.isDue(nowMs: 2099))
    #expect(watch.isDue(nowMs: 2100))
    watch.asked(nowMs: 2100)
    #expect(isDue(&watch, unowned: [], rank: 0, nowMs: 2110) == false)
    #expect(!watch.isDue(nowMs: 32_099))
    #expect(watch.isDue(nowMs: 32_100))
  }

  @Test func `a partition without an owner is acted on at the second look, not at the first`() {
    var watch = GroupWatch()
    #expect(isDue(&watch, unowned: one, rank: 0, nowMs: 0) == false)
    #expect(watch.isDue(nowMs: 2000))
    #expect(isDue(&watch, unowned: one, rank: 0, nowMs: 2000) == true)
  }

  @Test func `a rebalance in between, or other partitions, begin the count anew`() {
    var watch = GroupWatch()
    #expect(isDue(&watch, unowned: one, rank: 0, nowMs: 0) == false)
    #expect(isDue(&watch, unowned: other, rank: 0, nowMs: 2000) == false)
    watch.rebalanced(nowMs: 2100)
    #expect(isDue(&watch, unowned: other, rank: 0, nowMs: 4100) == false)
    #expect(isDue(&watch, unowned: other, rank: 0, nowMs: 6100) == true)
  }

  @Test func `the members try one after the other`() {
    var third = GroupWatch()
    let tries = (1...4).map { third.isDivisionDue(unowned: one, rank: 2, nowMs: $0 * 2000) }
    #expect(tries == [false, false, false, true])
  }

  @Test func `what does not help is tried again less and less often`() {
    var watch = GroupWatch()
    var now: Int64 = 0
    var pauses: [Int64] = []
    var last: Int64 = 0
    while pauses.count < 12 {
      while !watch.isDue(nowMs: now) { now += 1000 }
      if watch.isDivisionDue(unowned: one, rank: 0, nowMs: now) {
        pauses.append(now - last)
        last = now
      }
    }
    #expect(pauses.sorted() == pauses)
    #expect(pauses.last == 302_000)
  }
}
