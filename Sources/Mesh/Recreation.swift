import Diagnostics
import Dispatch
import Kafka

/// Starting a product over from nothing, for development: its own journal, ports, quarantine and
/// group offsets are deleted. Inputs, other products and the catalog stay.
package struct Recreation: Sendable {
  package let product: String
  package let group: String
  /// Own topics that are there, of the present files and of the version that was applied last.
  package let topics: [String]
  /// Whether the broker forgets a member that has left, after its session. The development broker
  /// does not; it is known by not telling the settings of topics either.
  package let membersAreForgotten: Bool

  package init(
    product: String, group: String, own: [WantedTopic], published: CatalogProduct?,
    existing: [String: ExistingTopic]
  ) {
    self.product = product
    self.group = group
    var names: [String] = []
    for name in own.map(\.name) + (published?.ownTopics ?? []) {
      if existing[name] != nil, !names.contains(name) { names.append(name) }
    }
    topics = names
    membersAreForgotten = existing.isEmpty || existing.values.contains { $0.configs != nil }
  }

  /// Why it cannot be done now: a worker is still a member of the group.
  package func obstacle(_ admin: Admin, _ deadline: Deadline) throws(KafkaError) -> Diagnostic? {
    guard let members = try admin.group(group, deadline)?.members, !members.isEmpty else {
      return nil
    }
    return obstacle(members: members.map(\.memberId))
  }

  package func obstacle(members: [String]) -> Diagnostic {
    let notes = [
      "members of group `\(group)`: " + members.map { "`\($0)`" }.joined(separator: ", ")
    ]
    if membersAreForgotten {
      return Diagnostic(
        .groupInUse, "product `\(product)` is being run, so it cannot be recreated", notes: notes,
        help: "stop the worker first; one that was killed counts as a member until its session "
          + "is over")
    }
    return Diagnostic(
      .groupInUse,
      "the development broker never forgets who has run a product, so `\(product)` cannot be "
        + "recreated on it", notes: notes,
      help: "begin anew under another name, which is put before all topics: give `apply`, `run` "
        + "and `read` `--environment NAME`, or set WEFT_ENVIRONMENT")
  }

  /// Deletes topics and offsets, and waits until the topics are gone.
  package func run(_ admin: Admin, _ deadline: Deadline) throws(KafkaError) {
    try admin.deleteGroup(group, deadline)
    for result in try admin.deleteTopics(topics, deadline) {
      if let error = result.error, !error.isTopicMissing { throw error }
    }
    let pause = DispatchSemaphore(value: 0)
    while true {
      let left = try admin.topics(deadline).contains { topics.contains($0.name) }
      if !left { return }
      if deadline.hasPassed {
        throw KafkaError(
          code: .timedOut, operation: "see the topics of \(product) deleted", isRetriable: true)
      }
      _ = pause.wait(timeout: .now() + .milliseconds(50))
    }
  }
}
