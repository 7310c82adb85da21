import Formats
import Kafka
import Records

extension PlainProducer {
  /// Queues a record of a compacted topic: a text as its key, a document as its value.
  package func produce(
    to topic: TopicOrdinal, key: String, value: JSONValue, _ deadline: Deadline
  ) throws(KafkaError) {
    let keyBytes = ByteBuffer(capacity: 256)
    keyBytes.append(key)
    let valueBytes = ByteBuffer()
    valueBytes.append(value)
    try produce(to: topic, nil, key: keyBytes.view, value: valueBytes.view, deadline)
  }
}
