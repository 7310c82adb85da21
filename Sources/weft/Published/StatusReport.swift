import Diagnostics
import Formats
import Kafka
import Mesh
import Records

/// How a product stands: what its worker has published of itself, and what the broker knows.
struct StatusReport {
  private static let quarantineCountedMax: Int64 = 100_000

  struct Instance {
    let observation: InstanceObservation
    /// Whether the group has it as a member now.
    let isMember: Bool
  }

  /// A partition of a journal or an input.
  struct Place {
    let name: String
    let topic: String
    let partition: Int32
    /// What the group has committed; nil: nothing yet.
    let position: Int64?
    /// Records, and for journals blocks, that are still to come; markers of transactions count.
    let behind: Int64
    /// Of a journal's, if its worker has told.
    let observation: PartitionObservation?
    /// When the instance that has it committed last, which it does for all that it has at once.
    let lastCommitMs: Int64?
  }

  let product: CatalogProduct
  var instances: [Instance] = []
  var journals: [Place] = []
  var inputs: [Place] = []
  /// Topics of its that this user does not see: nil of one that is not there, else what the broker
  /// says.
  var unseen: [(topic: String, reason: String?)] = []
  /// Events in quarantine that nobody has dealt with, and those that were released or discarded.
  var quarantined: Int64 = 0
  var settled: Int64 = 0
  /// Otherwise ``quarantined`` counts all that there is, the transactions' markers as well: it is
  /// at most so many.
  var isQuarantineCounted = true
  /// Whether there is such a topic that this user sees.
  var isQuarantineSeen = true
  /// The product was applied before there were observations.
  var isUnobserved = false

  /// Events that are identified, and those that wait for links, by identifier, as the workers have
  /// told: over all partitions, with the time of the one that has waited longest.
  var held: [PartitionObservation.Held] {
    let all = Dictionary(
      grouping: journals.compactMap(\.observation).flatMap(\.held), by: \.identifier)
    return all.sorted { $0.key < $1.key }.map { identifier, places in
      .init(
        identifier: identifier, count: places.reduce(0) { $0 + $1.count },
        asked: places.reduce(0) { $0 + $1.asked }, sinceMs: places.compactMap(\.sinceMs).min())
    }
  }

  /// Asks the broker.
  init(_ found: PublishedProduct, _ broker: Broker) throws {
    product = found.product
    try broker.run { admin, deadline in
      let topics = try admin.topics(deadline)
      let counts = Dictionary(topics.map { ($0.name, $0.partitions) }) { first, _ in first }
      let absent = found.product.ownTopics.filter { counts[$0] == nil }
      // Journals are looked at below, and who has no observations is told so.
      let toldOf = found.product.journals.map(\.topic) + [found.product.observationsTopic]
      for topic in absent where !toldOf.contains(topic) {
        unseen.append((topic, try reasonHidden(topic, admin, deadline)))
      }
      if absent.count == found.product.ownTopics.count {
        _ = try admin.topic(found.product.quarantineTopic, deadline)
        throw StatusReport.notApplied(found)
      }
      let observations = try Observations.read(
        found.settings, topic: found.product.observationsTopic, deadline)
      isUnobserved = observations == nil
      let group = try admin.group(found.product.group, deadline)
      instances = StatusReport.instances(observations, group, found.product)
      for journal in found.product.journals {
        journals += try places(journal, counts, admin, observations, isJournal: true, deadline)
      }
      for input in found.product.inputs {
        inputs += try places(input, counts, admin, nil, isJournal: false, deadline)
      }
      try countQuarantine(found, counts, admin, deadline)
    }
  }

  /// Only reading tells records from markers, which takes too long where much is wrong.
  private mutating func countQuarantine(
    _ found: PublishedProduct, _ counts: [String: Int], _ admin: Admin, _ deadline: Deadline
  ) throws(KafkaError) {
    let topic = found.product.quarantineTopic
    guard let count = counts[topic] else {
      isQuarantineSeen = false
      return
    }
    for partition in 0..<Int32(clamping: count) {
      let range = try admin.watermarks(topic, Partition(partition), deadline)
      quarantined += range.upperBound - range.lowerBound
    }
    isQuarantineCounted = quarantined <= StatusReport.quarantineCountedMax
    if !isQuarantineCounted { return }
    let log = try QuarantineLog(
      found, keepsOriginals: false, deadline, { _ in true }, progress: { _ in })
    quarantined = Int64(log.events.count(where: log.isOpen))
    settled = Int64(log.events.count) - quarantined
  }

  private static func notApplied(_ found: PublishedProduct) -> Refusal {
    Refusal(
      .unknownProduct,
      "product `\(found.product.name)` was not applied to the broker at"
        + " \(found.settings.bootstrap)",
      notes: ["there is no topic `\(found.product.quarantineTopic)`"],
      help: "`weft apply` does it; if it was applied under an environment, say which:"
        + " `--environment NAME`, or WEFT_ENVIRONMENT")
  }

  private static func instances(
    _ observations: Observations?, _ group: GroupDescription?, _ product: CatalogProduct
  ) -> [Instance] {
    (observations?.instances.values.map { observation in
      let name = "\(product.group).\(observation.instance).0"
      return Instance(
        observation: observation,
        isMember: group?.members.contains { $0.isNamed(name) } == true)
    } ?? []).sorted { $0.observation.instance < $1.observation.instance }
  }

  private mutating func places(
    _ topic: CatalogProduct.Topic, _ counts: [String: Int], _ admin: Admin,
    _ observations: Observations?, isJournal: Bool, _ deadline: Deadline
  ) throws(KafkaError) -> [Place] {
    guard let count = counts[topic.topic] else {
      unseen.append((topic.topic, try reasonHidden(topic.topic, admin, deadline)))
      return []
    }
    let partitions = (0..<Int32(clamping: count)).map { Partition($0) }
    let committed = try admin.committed(by: product.group, topic.topic, partitions, deadline)
    var result: [Place] = []
    for (partition, offset) in zip(partitions, committed) {
      let range = try admin.watermarks(topic.topic, partition, deadline)
      let position = offset.offset?.value
      let from = max(position ?? range.lowerBound, range.lowerBound)
      // Behind the last record of a journal, or of a port, lies the marker of its transaction.
      let isTransactional = isJournal || topic.port != nil
      let markers: Int64 = isTransactional && position != nil ? 1 : 0
      let observation =
        observations?.partitions[.init(journal: topic.name, partition: partition.value)]
      let owner = observation.flatMap { observations?.instances[$0.instance] }
      result.append(
        Place(
          name: topic.name, topic: topic.topic, partition: partition.value, position: position,
          behind: max(0, range.upperBound - from - markers),
          observation: observation, lastCommitMs: owner?.lastCommitMs))
    }
    return result
  }
}

extension StatusReport {
  private func reasonHidden(_ topic: String, _ admin: Admin, _ deadline: Deadline)
    throws(KafkaError) -> String?
  {
    do {
      _ = try admin.topic(topic, deadline)
      return nil
    } catch {
      if error.isAccessDenied { return error.message }
      throw error
    }
  }

  var json: JSONValue {
    .members([
      "domain": .string(product.domain), "product": .string(product.name),
      "version": .string(product.version), "logicDigest": .string(product.logicDigest),
      "instances": .array(instances.map(\.json)), "journals": .array(journals.map(\.json)),
      "inputs": .array(inputs.map(\.json)), "held": .array(held.map(\.json)),
      "unseen": .array(
        unseen.map {
          .members(["topic": .string($0.topic), "reason": .string($0.reason ?? "it is not there")])
        }),
      "quarantined": isQuarantineSeen ? .integer(quarantined) : .null,
      "settled": isQuarantineSeen && isQuarantineCounted ? .integer(settled) : .null,
      "quarantinedExactly": .bool(isQuarantineSeen && isQuarantineCounted),
    ])
  }
}

extension StatusReport.Instance {
  fileprivate var json: JSONValue {
    guard case .object(var members) = Observation.instance(observation).json else { return .null }
    members.removeAll { $0.name == "kind" }
    members.append(.init("isMember", .bool(isMember)))
    return .object(members)
  }
}

extension StatusReport.Place {
  fileprivate var json: JSONValue {
    var members: [JSONValue.Member] = [
      .init("name", .string(name)), .init("topic", .string(topic)),
      .init("partition", .integer(Int64(partition))),
      .init("position", position.map { .integer($0) } ?? .null),
      .init("behind", .integer(behind)),
    ]
    if let observation {
      members += [
        .init("instance", .string(observation.instance)),
        .init("logicDigest", .string(observation.logic)),
        .init("stateRows", .integer(observation.stateRows)),
        .init("fileBytes", .integer(observation.fileBytes)),
        .init("memoryBytes", .integer(observation.memoryBytes)),
        .init("held", .array(observation.held.map(\.json))),
        .init("waiting", .integer(observation.waiting)),
        .init("waitingSinceMs", observation.waitingSinceMs.map { .integer($0) } ?? .null),
        .init("lastCommitMs", lastCommitMs.map { .integer($0) } ?? .null),
        .init("observedMs", .integer(observation.observedMs)),
      ]
    }
    return .object(members)
  }
}
