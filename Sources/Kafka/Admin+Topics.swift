import CRdKafka

extension Admin {
  /// Makes topics; each has its own result. One that is there already is an error with code
  /// ``KafkaErrorCode/topicExists``.
  package func createTopics(_ topics: [NewTopic], _ deadline: Deadline)
    throws(KafkaError) -> [ItemResult]
  {
    if topics.isEmpty { return [] }
    var refused: [ItemResult] = []
    var requests: [OpaquePointer?] = unsafe []
    defer { unsafe requests.forEach { unsafe rd_kafka_NewTopic_destroy($0) } }
    for topic in topics {
      var text = [CChar](repeating: 0, count: 256)
      let made = unsafe rd_kafka_NewTopic_new(
        topic.name, Int32(clamping: topic.partitions), Int32(clamping: topic.replicas ?? -1),
        &text, text.count)
      guard let made = unsafe made else {
        let error = KafkaError(
          code: .invalidArgument, operation: "make topic \(topic.name)", message: string(text))
        refused.append(ItemResult(name: topic.name, error: error))
        continue
      }
      for (name, value) in topic.configs.sorted(by: { $0.key < $1.key }) {
        unsafe rd_kafka_NewTopic_set_config(made, name, value)
      }
      unsafe requests.append(made)
    }
    if unsafe requests.isEmpty { return refused }
    let results = try unsafe request("make topics", deadline) { options, queue in
      unsafe rd_kafka_CreateTopics(client, &requests, requests.count, options, queue)
    } read: { answer in
      var count = 0
      let list = unsafe rd_kafka_CreateTopics_result_topics(answer, &count)
      return unsafe Admin.topicResults(list, count, "make topic")
    }
    for result in results where result.error == nil { try awaitTopic(result.name, deadline) }
    return refused + results
  }

  /// Brokers learn of a new topic a moment after it was made: only then can it be used.
  private func awaitTopic(_ name: String, _ deadline: Deadline) throws(KafkaError) {
    let patience = deadline.atMost(milliseconds: 5000)
    while try topic(name, deadline) == nil && !patience.hasPassed {
      unsafe rd_kafka_poll(client, 20)
    }
  }

  /// Deletes topics; each has its own result.
  package func deleteTopics(_ names: [String], _ deadline: Deadline)
    throws(KafkaError) -> [ItemResult]
  {
    if names.isEmpty { return [] }
    var requests = unsafe names.map { unsafe rd_kafka_DeleteTopic_new($0) }
    defer { unsafe requests.forEach { unsafe rd_kafka_DeleteTopic_destroy($0) } }
    return try unsafe request("delete topics", deadline) { options, queue in
      unsafe rd_kafka_DeleteTopics(client, &requests, requests.count, options, queue)
    } read: { answer in
      var count = 0
      let list = unsafe rd_kafka_DeleteTopics_result_topics(answer, &count)
      return unsafe Admin.topicResults(list, count, "delete topic")
    }
  }

  private static func topicResults(
    _ list: UnsafeMutablePointer<OpaquePointer?>?, _ count: Int, _ operation: String
  ) -> [ItemResult] {
    var results: [ItemResult] = []
    guard let list = unsafe list else { return results }
    for index in 0..<count {
      let result = unsafe list[index]
      let name = unsafe String(cString: rd_kafka_topic_result_name(result))
      let code = unsafe rd_kafka_topic_result_error(result)
      let message = unsafe rd_kafka_topic_result_error_string(result)
        .map { unsafe String(cString: $0) }
      let error =
        code == RD_KAFKA_RESP_ERR_NO_ERROR
        ? nil : KafkaError(code, operation: "\(operation) \(name)", message: message)
      results.append(ItemResult(name: name, error: error))
    }
    return results
  }

  /// The settings of a topic, by name.
  package func topicConfigs(_ topic: String, _ deadline: Deadline)
    throws(KafkaError) -> [TopicConfig]
  {
    let operation = "describe topic \(topic)"
    var resource = unsafe rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic)
    defer { unsafe rd_kafka_ConfigResource_destroy(resource) }
    let answer: (configs: [TopicConfig], error: KafkaError?)
    answer = try unsafe request(operation, deadline) { options, queue in
      unsafe rd_kafka_DescribeConfigs(client, &resource, 1, options, queue)
    } read: { answer in
      var count = 0
      guard let list = unsafe rd_kafka_DescribeConfigs_result_resources(answer, &count),
        count > 0, let first = unsafe list[0]
      else { return nil }
      if let error = unsafe Admin.resourceError(first, operation) { return ([], error) }
      return unsafe (Admin.entries(first), nil)
    }
    if let error = answer.error { throw error }
    return answer.configs
  }

  /// Changes settings of a topic and keeps the others: librdkafka's call replaces all of them, so
  /// what was set before is read, merged and written (rule 24). Two at the same time may lose one
  /// change. A nil value goes back to the broker's default.
  package func alterTopicConfigs(
    _ topic: String, _ changes: [String: String?], _ deadline: Deadline
  ) throws(KafkaError) {
    let operation = "change settings of topic \(topic)"
    var wanted: [String: String] = [:]
    for config in try topicConfigs(topic, deadline) where config.isOverride {
      if let value = config.value { wanted[config.name] = value }
    }
    for (name, value) in changes { wanted[name] = value }
    var resource = unsafe rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic)
    defer { unsafe rd_kafka_ConfigResource_destroy(resource) }
    for (name, value) in wanted.sorted(by: { $0.key < $1.key }) {
      unsafe rd_kafka_ConfigResource_set_config(resource, name, value)
    }
    let answer: (done: Bool, error: KafkaError?)
    answer = try unsafe request(operation, deadline) { options, queue in
      unsafe rd_kafka_AlterConfigs(client, &resource, 1, options, queue)
    } read: { answer in
      var count = 0
      guard let list = unsafe rd_kafka_AlterConfigs_result_resources(answer, &count), count > 0,
        let first = unsafe list[0]
      else { return nil }
      return unsafe (true, Admin.resourceError(first, operation))
    }
    if let error = answer.error { throw error }
  }

  private static func resourceError(_ resource: OpaquePointer, _ operation: String) -> KafkaError? {
    let code = unsafe rd_kafka_ConfigResource_error(resource)
    if code == RD_KAFKA_RESP_ERR_NO_ERROR { return nil }
    let message = unsafe rd_kafka_ConfigResource_error_string(resource)
      .map { unsafe String(cString: $0) }
    return KafkaError(code, operation: operation, message: message)
  }

  private static func entries(_ resource: OpaquePointer) -> [TopicConfig] {
    var count = 0
    guard let list = unsafe rd_kafka_ConfigResource_configs(resource, &count) else { return [] }
    var configs: [TopicConfig] = []
    for index in 0..<count {
      let entry = unsafe list[index]
      let source = unsafe rd_kafka_ConfigEntry_source(entry)
      configs.append(
        unsafe TopicConfig(
          name: String(cString: rd_kafka_ConfigEntry_name(entry)),
          value: rd_kafka_ConfigEntry_value(entry).map { unsafe String(cString: $0) },
          isOverride: source == RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG))
    }
    return configs.sorted { $0.name < $1.name }
  }
}
