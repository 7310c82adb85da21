import CRdKafka
import Records

/// When librdkafka's fetcher should look again whether there is room.
///
/// Version 2.0.2 stops fetching while more than `queued.max.messages.kbytes` is queued, and looks
/// again once a second unless something wakes it (`fetch.queue.backoff.ms` came with 2.2): a loop
/// that empties the queue in a fifth of a second then waits for the rest. (Measured on a backlog of
/// 285-byte records: 87,000 records/s so, 350,000 and more when woken.)
package struct FetchPace {
  /// Records that a poll brings before a queue found empty counts as emptied.
  package static let takenMin = 64
  /// So long between two wake-ups, in milliseconds.
  package static let restMs: Int64 = 10

  /// What was left in the queue at most since the last wake-up.
  private var deepest = 0
  private var restsUntilMs = Int64.min

  package init() {}

  /// Whether the fetcher should be woken: most of what was queued is gone.
  /// - Parameter taken: records that the last poll brought.
  /// - Parameter left: records that it left in the queue.
  /// - Parameter nowMs: of a clock that nobody sets.
  package mutating func isDue(taken: Int, left: Int, nowMs: Int64) -> Bool {
    if left > deepest {
      deepest = left
      return false
    }
    let isHalfGone = left < deepest / 2
    let isEmptied = left == 0 && taken >= FetchPace.takenMin
    if !(isHalfGone || isEmptied) || nowMs < restsUntilMs { return false }
    deepest = left
    restsUntilMs = nowMs + FetchPace.restMs
    return true
  }
}

extension GroupConsumer {
  /// Wakes the fetchers of all brokers that lead assigned partitions, by a question whose answer
  /// nobody waits for: no call of librdkafka does only that.
  func wakeFetchers() {
    let partitions = assigned.filter { !asideTopics.contains($0.topic) }
    if partitions.isEmpty { return }
    let list = PartitionList(capacity: partitions.count)
    for at in partitions { list.add(name(of: at.topic), at.partition, offset: -1) }
    _ = unsafe rd_kafka_offsets_for_times(client, list.raw, 0)
  }
}
