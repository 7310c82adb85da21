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

  package init(
    product: String, group: String, own: [WantedTopic], published: CatalogProduct?,
    existing: Set<String>
  ) {
    self.product = product
    self.group = group
    var names: [String] = []
    for name in own.map(\.name) + (published?.ownTopics ?? []) {
      if existing.contains(name), !names.contains(name) { names.append(name) }
    }
    topics = names
  }

  /// Why it cannot be done now: a worker is still a member of the group.
  package func obstacle(_ admin: Admin, _ deadline: Deadline) throws(KafkaError) -> Diagnostic? {
    guard let members = try admin.group(group, deadline)?.members, !members.isEmpty else {
      return nil
    }
    let names = members.map { "`\($0.memberId)`" }.joined(separator: ", ")
    return Diagnostic(
      .groupInUse, "product `\(product)` is being run, so it cannot be recreated",
      notes: ["members of group `\(group)`: \(names)"],
      help: "stop the worker first; one that has stopped counts as a member for some seconds more "
        + "(on the development broker until that ends: there, try the new logic in an "
        + "environment of its own, `--environment NAME`)")
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
