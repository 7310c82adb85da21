import CRdKafka
import Kafka

/// The broker inside librdkafka, for control flow and faults. It cannot show exactly-once: its
/// transactions are not isolated.
@safe final class MockCluster {
  private let client: OpaquePointer
  private let cluster: OpaquePointer

  /// Numbers of Kafka's requests, for ``fail(_:with:)``.
  enum Request: Int16 {
    case produce = 0
    case addOffsetsToTransaction = 25
    case endTransaction = 26
    case commitOffsetsOfTransaction = 28
  }

  struct NotMade: Error {}

  init(topics: [String: Int32]) throws {
    var text = [CChar](repeating: 0, count: 512)
    let configuration = unsafe rd_kafka_conf_new()
    unsafe rd_kafka_conf_set(configuration, "test.mock.num.brokers", "1", &text, text.count)
    unsafe rd_kafka_conf_set(configuration, "log_level", "0", &text, text.count)
    guard
      let client = unsafe rd_kafka_new(RD_KAFKA_PRODUCER, configuration, &text, text.count),
      let cluster = unsafe rd_kafka_handle_mock_cluster(client)
    else { throw NotMade() }
    unsafe self.client = client
    unsafe self.cluster = cluster
    for (topic, partitions) in topics {
      unsafe rd_kafka_mock_topic_create(cluster, topic, partitions, 1)
    }
  }

  deinit { unsafe rd_kafka_destroy(client) }

  var bootstrap: String { unsafe String(cString: rd_kafka_mock_cluster_bootstraps(cluster)) }

  func settings(_ properties: [String: String] = [:]) -> ClientSettings {
    ClientSettings(bootstrap: bootstrap, properties: properties)
  }

  /// The next requests of this kind are answered with these errors, one each.
  func fail(_ request: Request, with codes: [Int32]) {
    var errors = codes.map { rd_kafka_resp_err_t(rawValue: $0) }
    unsafe rd_kafka_mock_push_request_errors_array(
      cluster, request.rawValue, errors.count, &errors)
  }

  func setDown() { unsafe rd_kafka_mock_broker_set_down(cluster, 1) }
  func setUp() { unsafe rd_kafka_mock_broker_set_up(cluster, 1) }
}
