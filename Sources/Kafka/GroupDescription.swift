import CRdKafka
import Records

/// A consumer group as its coordinator sees it.
package struct GroupDescription: Hashable, Sendable {
  /// Whether no rebalance is under way: every member has what it was given last.
  package let isStable: Bool
  package let members: [GroupMember]

  package init(isStable: Bool, members: [GroupMember]) {
    self.isStable = isStable
    self.members = members
  }
}

/// One member of a consumer group.
package struct GroupMember: Hashable, Sendable {
  package let memberId: String
  /// `group.instance.id`; nil for a dynamic member.
  package let instance: String?
  /// `client.id`, which the member chose itself.
  package let clientId: String
  /// What the group has given it.
  package let partitions: [NamedPartition]

  package init(
    memberId: String, instance: String?, clientId: String, partitions: [NamedPartition]
  ) {
    self.memberId = memberId
    self.instance = instance
    self.clientId = clientId
    self.partitions = partitions
  }
}

/// A partition by its topic's name, where a group's members need not have the same topics.
package struct NamedPartition: Hashable, Sendable {
  package let topic: String
  package let partition: Partition

  package init(topic: String, partition: Partition) {
    self.topic = topic
    self.partition = partition
  }
}

extension GroupDescription {
  /// Reads librdkafka's description, which the caller keeps.
  init(reading raw: OpaquePointer) {
    isStable =
      unsafe rd_kafka_ConsumerGroupDescription_state(raw) == RD_KAFKA_CONSUMER_GROUP_STATE_STABLE
    members = (0..<(unsafe rd_kafka_ConsumerGroupDescription_member_count(raw))).compactMap {
      guard let member = unsafe rd_kafka_ConsumerGroupDescription_member(raw, $0) else {
        return nil
      }
      return unsafe GroupMember(reading: member)
    }
  }
}

extension GroupMember {
  fileprivate init?(reading raw: OpaquePointer) {
    guard let id = unsafe rd_kafka_MemberDescription_consumer_id(raw) else { return nil }
    let instance = unsafe rd_kafka_MemberDescription_group_instance_id(raw)
      .map { unsafe String(cString: $0) }
    let client = unsafe rd_kafka_MemberDescription_client_id(raw)
      .map { unsafe String(cString: $0) }
    var partitions: [NamedPartition] = []
    if let assignment = unsafe rd_kafka_MemberDescription_assignment(raw),
      let list = unsafe rd_kafka_MemberAssignment_partitions(assignment)
    {
      partitions = unsafe NamedPartition.reading(list)
    }
    self.init(
      memberId: unsafe String(cString: id), instance: instance?.isEmpty == true ? nil : instance,
      clientId: client ?? "", partitions: partitions)
  }
}

extension NamedPartition {
  /// The partitions of librdkafka's list, which the caller keeps.
  static func reading(_ list: UnsafePointer<rd_kafka_topic_partition_list_t>) -> [NamedPartition] {
    (0..<Int(unsafe list.pointee.cnt)).map {
      let element = unsafe list.pointee.elems[$0]
      return unsafe NamedPartition(
        topic: String(cString: element.topic), partition: Partition(element.partition))
    }
  }
}
