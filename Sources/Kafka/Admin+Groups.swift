import CRdKafka
import Records

extension Admin {
  /// Deletes a group with its committed offsets; it must have no members. A group that is not there
  /// is no error.
  package func deleteGroup(_ group: String, _ deadline: Deadline) throws(KafkaError) {
    let operation = "delete group \(group)"
    var item = unsafe rd_kafka_DeleteGroup_new(group)
    defer { unsafe rd_kafka_DeleteGroup_destroy(item) }
    try settled(deadline) { () throws(KafkaError) -> (Void, KafkaError?) in
      try unsafe request(operation, deadline) { options, queue in
        unsafe rd_kafka_DeleteGroups(client, &item, 1, options, queue)
      } read: { answer in
        var count = 0
        guard let list = unsafe rd_kafka_DeleteGroups_result_groups(answer, &count), count > 0,
          let first = unsafe list[0]
        else { return nil }
        let error = unsafe Admin.groupError(rd_kafka_group_result_error(first), operation)
        // 69: there is no such group.
        return ((), error?.code.value == 69 ? nil : error)
      }
    }
  }

  /// The group and its members; nil when no broker that answered has it in its list. Right after a
  /// coordinator went away that need not mean that it is gone.
  ///
  /// By the older of librdkafka's two calls. The newer, like everything that its admin interface
  /// sends to a coordinator, ends the process by an assertion when that broker goes away at the
  /// wrong moment (`eonce->refcnt > 0`; librdkafka's pull request 5397, open), which is when a
  /// worker asks.
  package func group(_ name: String, _ deadline: Deadline) throws(KafkaError) -> GroupDescription? {
    let operation = "describe group \(name)"
    return try settled(deadline) { () throws(KafkaError) -> (GroupDescription?, KafkaError?) in
      var list: UnsafePointer<rd_kafka_group_list>?
      let code = unsafe rd_kafka_list_groups(
        client, name, &list, max(1, deadline.millisecondsLeft))
      defer { if let list = unsafe list { unsafe rd_kafka_group_list_destroy(list) } }
      // Partial: a broker that has nothing to do with the group did not answer.
      if code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR__PARTIAL {
        return (nil, KafkaError(code, operation: operation))
      }
      for index in 0..<Int(unsafe list?.pointee.group_cnt ?? 0) {
        guard let info = unsafe list?.pointee.groups?[index] else { break }
        let error = unsafe info.err
        if error != RD_KAFKA_RESP_ERR_NO_ERROR {
          return (nil, KafkaError(error, operation: operation))
        }
        return unsafe (GroupDescription(reading: info), nil)
      }
      return (nil, nil)
    }
  }

  /// What a group has committed for partitions of a topic, in their order; nil where nothing. Only
  /// stable offsets: waits for pending transactions.
  package func committed(
    by group: String, _ topic: String, _ partitions: [Partition], _ deadline: Deadline
  ) throws(KafkaError) -> [(offset: Offset?, metadata: String)] {
    let operation = "read the committed offsets of \(group)"
    let list = PartitionList(capacity: partitions.count)
    for partition in partitions { list.add(topic, partition) }
    var item = unsafe rd_kafka_ListConsumerGroupOffsets_new(group, list.raw)
    defer { unsafe rd_kafka_ListConsumerGroupOffsets_destroy(item) }
    typealias Entries = [Int32: (offset: Offset?, metadata: String)]
    let entries = try settled(deadline) { () throws(KafkaError) -> (Entries, KafkaError?) in
      try unsafe request(operation, deadline) { options, queue in
        if let error = unsafe rd_kafka_AdminOptions_set_require_stable_offsets(options, 1) {
          unsafe rd_kafka_error_destroy(error)
        }
        unsafe rd_kafka_ListConsumerGroupOffsets(client, &item, 1, options, queue)
      } read: { answer in
        var count = 0
        guard let groups = unsafe rd_kafka_ListConsumerGroupOffsets_result_groups(answer, &count),
          count > 0, let first = unsafe groups[0]
        else { return nil }
        if let error = unsafe Admin.groupError(rd_kafka_group_result_error(first), operation) {
          return ([:], error)
        }
        return unsafe Admin.entries(rd_kafka_group_result_partitions(first), operation)
      }
    }
    return partitions.map { entries[$0.value] ?? (nil, "") }
  }

  /// An error of one partition hides under the group's "ok" (rule 24).
  private static func entries(
    _ list: UnsafePointer<rd_kafka_topic_partition_list_t>?, _ operation: String
  ) -> ([Int32: (offset: Offset?, metadata: String)], KafkaError?) {
    var entries: [Int32: (offset: Offset?, metadata: String)] = [:]
    guard let list = unsafe list, let copy = unsafe rd_kafka_topic_partition_list_copy(list) else {
      return (entries, nil)
    }
    let owned = unsafe PartitionList(taking: copy)
    for index in 0..<owned.count {
      let entry = owned.entry(index)
      if entry.error != RD_KAFKA_RESP_ERR_NO_ERROR {
        return ([:], KafkaError(entry.error, operation: operation))
      }
      entries[entry.partition.value] = (
        entry.offset < 0 ? nil : Offset(entry.offset), entry.metadata
      )
    }
    return (entries, nil)
  }

  private static func groupError(_ error: OpaquePointer?, _ operation: String) -> KafkaError? {
    guard let error = unsafe error else { return nil }
    let code = unsafe rd_kafka_error_code(error)
    if code == RD_KAFKA_RESP_ERR_NO_ERROR { return nil }
    return KafkaError(
      code, operation: operation, message: unsafe String(cString: rd_kafka_error_string(error)))
  }
}
