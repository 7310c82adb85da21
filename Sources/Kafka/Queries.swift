import CRdKafka
import Records

// Questions that every kind of client can ask. They block until answered or the deadline.

/// By the isolation level of the client that asks (rule 25).
func watermarks(
  _ client: OpaquePointer, _ topic: String, _ partition: Partition, _ deadline: Deadline
) throws(KafkaError) -> Range<Int64> {
  var low: Int64 = 0
  var high: Int64 = 0
  while true {
    let code = unsafe rd_kafka_query_watermark_offsets(
      client, topic, partition.value, &low, &high,
      deadline.atMost(milliseconds: 5000).millisecondsLeft)
    if code == RD_KAFKA_RESP_ERR_NO_ERROR { return low..<max(low, high) }
    let error = KafkaError(code, operation: "ask for the ends of \(topic)[\(partition.value)]")
    if !error.isRetriable || deadline.hasPassed { throw error }
  }
}

func offsets(
  _ client: OpaquePointer, _ partitions: [(String, Partition)], notOlderThan milliseconds: Int64,
  _ deadline: Deadline
) throws(KafkaError) -> [Offset] {
  let list = PartitionList(capacity: partitions.count)
  for (topic, partition) in partitions { list.add(topic, partition, offset: milliseconds) }
  let code = unsafe rd_kafka_offsets_for_times(client, list.raw, deadline.millisecondsLeft)
  if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaError(code, operation: "find a time") }
  var result: [Offset] = []
  for index in 0..<list.count {
    let entry = list.entry(index)
    if entry.error != RD_KAFKA_RESP_ERR_NO_ERROR {
      throw KafkaError(entry.error, operation: "find a time in \(entry.topic)")
    }
    if entry.offset >= 0 {
      result.append(Offset(entry.offset))
    } else {
      let ends = try unsafe watermarks(client, entry.topic, entry.partition, deadline)
      result.append(Offset(ends.upperBound))
    }
  }
  return result
}

/// Nil when the broker says that there is no such topic. Asking also warms the topic up: the
/// first produce to it then does not wait (rule 11).
func partitionCount(_ client: OpaquePointer, _ topic: String, _ deadline: Deadline)
  throws(KafkaError) -> Int?
{
  let found = try unsafe metadata(client, topic: topic, deadline)
  guard let first = found.first else { return nil }
  return first.partitions
}

/// A topic as the cluster's metadata has it.
package struct TopicDescription: Hashable, Sendable {
  package let name: String
  package let partitions: Int
  /// How many copies the first partition has.
  package let replicas: Int

  package init(name: String, partitions: Int, replicas: Int) {
    self.name = name
    self.partitions = partitions
    self.replicas = replicas
  }
}

/// One topic, or all. A topic that is not there is left out.
func metadata(_ client: OpaquePointer, topic: String?, _ deadline: Deadline)
  throws(KafkaError) -> [TopicDescription]
{
  var handle: OpaquePointer?
  if let topic { unsafe handle = rd_kafka_topic_new(client, topic, nil) }
  defer { if let handle = unsafe handle { unsafe rd_kafka_topic_destroy(handle) } }
  while true {
    var answer: UnsafePointer<rd_kafka_metadata>?
    let code = unsafe rd_kafka_metadata(
      client, topic == nil ? 1 : 0, handle, &answer,
      max(1, deadline.atMost(milliseconds: 5000).millisecondsLeft))
    guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let answer = unsafe answer else {
      let error = KafkaError(code, operation: "ask for topics")
      if !error.isRetriable || deadline.hasPassed { throw error }
      continue
    }
    defer { unsafe rd_kafka_metadata_destroy(answer) }
    if let result = try unsafe topics(answer, final: deadline.hasPassed) { return result }
  }
}

/// Nil when a topic is just being made or moved, and asking again will help.
private func topics(_ answer: UnsafePointer<rd_kafka_metadata>, final: Bool)
  throws(KafkaError) -> [TopicDescription]?
{
  var result: [TopicDescription] = []
  for index in 0..<Int(unsafe answer.pointee.topic_cnt) {
    let topic = unsafe answer.pointee.topics[index]
    let name = unsafe String(cString: topic.topic)
    let code = unsafe topic.err
    if code != RD_KAFKA_RESP_ERR_NO_ERROR {
      let error = KafkaError(code, operation: "ask for topic \(name)")
      if error.isTopicMissing { continue }
      if error.isRetriable && !final { return nil }
      throw error
    }
    let replicas = unsafe topic.partition_cnt > 0 ? Int(topic.partitions[0].replica_cnt) : 0
    result.append(
      unsafe TopicDescription(
        name: name, partitions: Int(topic.partition_cnt), replicas: replicas))
  }
  return result
}
