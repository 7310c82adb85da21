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
  /// What the group has given it.
  package let partitions: [NamedPartition]

  package init(memberId: String, partitions: [NamedPartition]) {
    self.memberId = memberId
    self.partitions = partitions
  }

  /// Whether it is the static member `instance` (`group.instance.id`). A broker makes the id of a
  /// static member of its name, a hyphen and a UUID; names of Weft's end with the number of a loop
  /// after a point, and a UUID has none.
  package func isNamed(_ instance: String) -> Bool { Self.isNamed(instance, id: memberId) }

  /// Whether `id` is one that a broker made for the static member `instance`.
  package static func isNamed(_ instance: String, id: String) -> Bool {
    id.hasPrefix(instance + "-") && !id.dropFirst(instance.count + 1).contains(".")
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
  init(reading info: rd_kafka_group_info) {
    isStable = unsafe info.state.map { unsafe String(cString: $0) } == "Stable"
    var members: [GroupMember] = []
    for index in 0..<Int(unsafe info.member_cnt) {
      guard let member = unsafe info.members?[index], let id = unsafe member.member_id else {
        continue
      }
      let partitions = unsafe UnsafeRawBufferPointer(
        start: member.member_assignment, count: Int(member.member_assignment_size))
      members.append(
        unsafe GroupMember(
          memberId: String(cString: id),
          partitions: NamedPartition.reading(assignment: Array(partitions))))
    }
    self.members = members
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

  /// The partitions of an assignment as the consumer protocol writes it: version, then for each
  /// topic its name and its partitions, big-endian. What does not read as that ends the list.
  package static func reading(assignment bytes: [UInt8]) -> [NamedPartition] {
    var rest = bytes[...]
    func number(_ width: Int) -> Int? {
      guard rest.count >= width else { return nil }
      defer { rest = rest.dropFirst(width) }
      return rest.prefix(width).reduce(0) { $0 << 8 | Int($1) }
    }
    var result: [NamedPartition] = []
    guard number(2) != nil, let topics = number(4) else { return result }
    for _ in 0..<topics {
      guard let length = number(2), rest.count >= length else { return result }
      let topic = String(decoding: rest.prefix(length), as: UTF8.self)
      rest = rest.dropFirst(length)
      guard let count = number(4) else { return result }
      for _ in 0..<count {
        guard let partition = number(4) else { return result }
        result.append(
          NamedPartition(topic: topic, partition: Partition(Int32(truncatingIfNeeded: partition))))
      }
    }
    return result
  }
}
