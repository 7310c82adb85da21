import Diagnostics
import Kafka

/// What `weft apply` would do to the broker's topics: a pure comparison of what products need with
/// what is there. Nothing is ever made smaller, and no record is ever deleted by it unasked.
package struct TopicPlan: Sendable {
  package enum Step: Sendable, Hashable {
    case create(WantedTopic)
    /// Settings that differ: their value there (nil: the broker's default) and the one wanted.
    case alter(WantedTopic, [Change])
  }

  package struct Change: Sendable, Hashable {
    package let setting: String
    package let present: String?
    package let wanted: String
    /// Records would be deleted by it, so it is only done when confirmed.
    package let losesRecords: Bool
  }

  package private(set) var steps: [Step] = []
  /// Topics that are as they should be.
  package private(set) var unchangedCount = 0
  /// What stands in the way; nothing is done while there is an error.
  package private(set) var problems: [Diagnostic] = []

  /// - Parameters:
  ///   - inputs: topics that must be there; made as well when `createsInputs`.
  ///   - existing: by name; what is not in it is not there.
  ///   - unpublished: products that the catalog does not have, so that nobody applied them.
  package init(
    wanted: [WantedTopic], inputs: [WantedTopic], existing: [String: ExistingTopic],
    createsInputs: Bool, unpublished: Set<String> = []
  ) {
    var seen: Set<String> = []
    var foreign: [String: [(WantedTopic, ExistingTopic)]] = [:]
    for topic in wanted where seen.insert(topic.name).inserted {
      if let there = existing[topic.name], there.partitions != Int(topic.partitions),
        unpublished.contains(topic.product)
      {
        foreign[topic.product, default: []].append((topic, there))
      } else {
        compare(topic, with: existing[topic.name])
      }
    }
    problems += foreign.sorted { $0.key < $1.key }.map { TopicPlan.notOurs($0.key, $0.value) }
    for topic in inputs where seen.insert(topic.name).inserted && existing[topic.name] == nil {
      if createsInputs && topic.purpose == .input {
        steps.append(.create(topic))
      } else {
        problems.append(TopicPlan.missing(topic))
      }
    }
  }

  private mutating func compare(_ topic: WantedTopic, with existing: ExistingTopic?) {
    guard let existing else { return steps.append(.create(topic)) }
    if existing.partitions != Int(topic.partitions) {
      problems.append(TopicPlan.wrongPartitions(topic, existing.partitions))
      return
    }
    let changes = existing.configs.map { $0.isEmpty ? [] : self.changes(topic, $0) } ?? []
    if changes.isEmpty { unchangedCount += 1 } else { steps.append(.alter(topic, changes)) }
  }

  private func changes(_ topic: WantedTopic, _ present: [String: String]) -> [Change] {
    topic.configs.sorted { $0.key < $1.key }.compactMap { setting, wanted in
      let there = present[setting]
      if there == wanted { return nil }
      var losesRecords = false
      switch (setting, there.flatMap { Int64($0) }, Int64(wanted)) {
      case ("max.message.bytes", let there?, let wanted?):
        // Larger than needed harms nobody.
        if there >= wanted { return nil }
      case ("retention.ms", let there, let wanted?):
        losesRecords = wanted >= 0 && (there ?? -1 < 0 || wanted < there ?? 0)
      case ("cleanup.policy", _, _):
        losesRecords = wanted == "compact" && there != nil && there != "compact"
      default: break
      }
      return Change(setting: setting, present: there, wanted: wanted, losesRecords: losesRecords)
    }
  }

  private static func missing(_ topic: WantedTopic) -> Diagnostic {
    if topic.purpose == .foreignPort {
      return Diagnostic(
        .topicMissing,
        "`\(topic.name)`, an output port that product `\(topic.product)` takes in, is not there",
        help: "have the product that publishes it applied first")
    }
    return Diagnostic(
      .topicMissing, "the input topic `\(topic.name)` of product `\(topic.product)` is not there",
      help: "have its owner make it, or correct `topic:` in transform.yaml; for development "
        + "`weft apply --create-inputs` makes it")
  }

  /// A journal that is gone would be made anew empty, with nothing in it of what the inputs have
  /// brought until now.
  package static func journalMissing(_ topic: String, of product: String) -> Diagnostic {
    Diagnostic(
      .journalMissing, "the journal topic `\(topic)` of product `\(product)` is gone",
      notes: [
        "the product has read its inputs, and would go on from there with an empty state, which "
          + "would not follow from its history"
      ],
      help: "where its history may be thrown away, start over from the inputs with "
        + "`weft apply --recreate \(product)`")
  }

  /// Topics of the product's names that `weft apply` has not made: the names are most likely wrong.
  private static func notOurs(
    _ product: String, _ topics: [(wanted: WantedTopic, there: ExistingTopic)]
  ) -> Diagnostic {
    let lines = topics.map {
      "`\($0.wanted.name)`: \($0.there.partitions) instead of \($0.wanted.partitions)"
    }
    return Diagnostic(
      .partitionsDiffer,
      "the catalog does not know product `\(product)`, and there are topics of its names that "
        + "`weft apply` has not made",
      notes: ["partitions differ:\n" + lines.joined(separator: "\n")],
      help: "if the product was applied under an environment, say which: `--environment NAME`, or "
        + "WEFT_ENVIRONMENT; else delete these topics, or give the product another name")
  }

  private static func wrongPartitions(_ topic: WantedTopic, _ present: Int) -> Diagnostic {
    let why =
      topic.purpose == .journal
      ? "a journal's partition count is fixed for its life"
      : "another partition count would send a key's later records to another partition"
    return Diagnostic(
      .partitionsDiffer,
      "the \(topic.purpose.rawValue) topic `\(topic.name)` has \(present) partitions, "
        + "the files ask for \(topic.partitions)",
      notes: [why],
      help: "set `partitions: \(present)` in transform.yaml, or start over with "
        + "`weft apply --recreate \(topic.product)`")
  }
}
