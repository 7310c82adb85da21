import Kafka
import Records
import Testing
import Worker

@Suite struct GroupWatchTests {
  private let one = [TopicPartition(topic: TopicOrdinal(0), partition: Partition(3))]
  private let other = [TopicPartition(topic: TopicOrdinal(1), partition: Partition(0))]

  /// The times, in seconds, at which dividing was due, of looks every other second.
  private func dueTimes(
    _ watch: inout GroupWatch, unowned: [TopicPartition], rank: Int = 0, from: Int64 = 0,
    seconds: Int64
  ) -> [Int64] {
    stride(from: from, to: from + seconds, by: 2).filter {
      watch.isDivisionDue(unowned: unowned, rank: rank, nowMs: $0 * 1000)
    }
  }

  @Test func `a group in which everything is owned is looked at rarely`() {
    var watch = GroupWatch()
    watch.rebalanced(nowMs: 100)
    #expect(!watch.isDue(nowMs: 2099))
    #expect(watch.isDue(nowMs: 2100))
    watch.asked(nowMs: 2100)
    #expect(dueTimes(&watch, unowned: [], seconds: 2) == [])
    #expect(!watch.isDue(nowMs: 32_099))
    #expect(watch.isDue(nowMs: 32_100))
  }

  @Test func `a partition without an owner is looked at soon again, and acted on when it stays so`()
  {
    var watch = GroupWatch()
    #expect(dueTimes(&watch, unowned: one, seconds: 6) == [])
    #expect(watch.isDue(nowMs: 6000))
    #expect(dueTimes(&watch, unowned: one, from: 6, seconds: 2) == [6])
  }

  @Test func `a rebalance in between, or other partitions, begin the count anew`() {
    var watch = GroupWatch()
    #expect(dueTimes(&watch, unowned: one, seconds: 6) == [])
    #expect(dueTimes(&watch, unowned: other, from: 6, seconds: 6) == [])
    watch.rebalanced(nowMs: 12_000)
    #expect(dueTimes(&watch, unowned: other, from: 14, seconds: 8) == [20])
  }

  @Test func `the members try one after the other`() {
    var third = GroupWatch()
    #expect(dueTimes(&third, unowned: one, rank: 2, seconds: 12) == [10])
  }

  @Test func `what does not help is tried less and less often, whatever it brings about`() {
    var watch = GroupWatch()
    var pauses: [Int64] = []
    var last: Int64 = 0
    for second in stride(from: Int64(0), to: 2000, by: 2)
    where watch.isDivisionDue(unowned: one, rank: 0, nowMs: second * 1000) {
      pauses.append(second - last)
      last = second
      watch.rebalanced(nowMs: second * 1000)
    }
    #expect(pauses.sorted() == pauses)
    #expect(pauses.last == 300)
  }
}
