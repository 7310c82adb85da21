import CRdKafka
import Records

/// When librdkafka's fetcher should look again whether there is room in a queue.
///
/// Version 2.0.2 stops fetching while more is queued than `queued.max.messages.kbytes` or
/// `queued.min.messages` says, and looks again once a second unless something wakes it
/// (`fetch.queue.backoff.ms` came with 2.2): a loop that empties the queue in a fifth of a second
/// then waits for the rest. (Measured on a backlog of 285-byte records and a queue of 16 MiB:
/// 87,000 records/s so, 350,000 and more when woken.)
package struct FetchPace {
  /// As much as half a queue holds.
  private let bytesMax: Int
  private let recordsMax: Int
  private var bytes = 0
  private var records = 0

  /// For a queue that holds so much before fetching stops.
  package init(queueBytes: Int, queueRecords: Int) {
    bytesMax = max(1, queueBytes / 2)
    recordsMax = max(1, queueRecords / 2)
  }

  /// Notes what was taken from the queue. Whether half a queue was taken since the last time that
  /// this was true: there is room then, if there was none.
  package mutating func isDue(records: Int, bytes: Int) -> Bool {
    self.records += records
    self.bytes += bytes
    if self.bytes < bytesMax && self.records < recordsMax { return false }
    self.records = 0
    self.bytes = 0
    return true
  }
}

extension GroupConsumer {
  /// Wakes the fetchers of the brokers that lead partitions of one of the two queues, by a question
  /// whose answer nobody waits for: no call of librdkafka does only that. A partition that is
  /// fetched from a follower (`client.rack`) has the wrong broker woken, and waits its second.
  func wakeFetchers(aside: Bool) {
    let list = PartitionList(capacity: assigned.count)
    for at in assigned where asideTopics.contains(at.topic) == aside {
      list.add(name(of: at.topic), at.partition, offset: -1)
    }
    if list.count > 0 { _ = unsafe rd_kafka_offsets_for_times(client, list.raw, 0) }
  }
}
