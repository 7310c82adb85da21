import Formats
import Kafka
import Records

/// The observations of a product as they stand in its topic.
package struct Observations: Sendable {
  /// By instance name.
  package private(set) var instances: [String: InstanceObservation] = [:]
  /// By journal and partition.
  package private(set) var partitions: [Place: PartitionObservation] = [:]

  package struct Place: Hashable, Sendable {
    package let journal: String
    package let partition: Int32
    package init(journal: String, partition: Int32) {
      self.journal = journal
      self.partition = partition
    }
  }

  package init() {}

  /// Takes one record over, in the order of the topic; what cannot be read is passed over.
  package mutating func take(value: ByteView?) {
    guard let value, let json = try? JSONValue(parsing: value) else { return }
    switch Observation(json) {
    case .instance(let instance): instances[instance.instance] = instance
    case .partition(let place):
      partitions[Place(journal: place.journal, partition: place.partition)] = place
    case nil: break
    }
  }

  /// Reads the whole topic; nil when it is not there.
  package static func read(
    _ settings: ClientSettings, topic: String, _ deadline: Deadline
  ) throws(KafkaError) -> Observations? {
    var result = Observations()
    do {
      let reader = try TopicReader(settings: settings, topic: topic, from: .earliest, deadline)
      try reader.readToEnd(deadline) { batch in
        for index in 0..<batch.count { result.take(value: batch.value(at: index)) }
      }
    } catch  where error.isTopicMissing {
      return nil
    }
    return result
  }
}
