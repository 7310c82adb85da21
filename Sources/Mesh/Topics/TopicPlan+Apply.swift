import Diagnostics
import Dispatch
import Kafka

extension TopicPlan {
  /// Does what the plan says, step by step; `report` is told of each before it is done.
  /// - Parameter losingRecords: whether changes that delete records were confirmed; without it only
  ///   the others are made.
  package func apply(
    _ admin: Admin, losingRecords: Bool, _ deadline: Deadline, report: (Step) -> Void
  ) throws(KafkaError) {
    for step in steps {
      report(step)
      switch step {
      case .create(let topic):
        let new = NewTopic(
          name: topic.name, partitions: Int(topic.partitions), configs: topic.configs)
        for result in try admin.createTopics([new], deadline) {
          // Another `weft apply` was faster: as good as done.
          if let error = result.error, error.code != .topicExists { throw error }
        }
      case .alter(let topic, let changes):
        var values: [String: String?] = [:]
        for change in changes where losingRecords || !change.losesRecords {
          values[change.setting] = change.wanted
        }
        if !values.isEmpty { try admin.alterTopicConfigs(topic.name, values, deadline) }
      }
    }
    try waitForNew(admin, deadline)
  }

  /// A topic is there when the brokers' metadata says so, a moment after it was made.
  private func waitForNew(_ admin: Admin, _ deadline: Deadline) throws(KafkaError) {
    var missing: Set<String> = []
    for case .create(let topic) in steps { missing.insert(topic.name) }
    let pause = DispatchSemaphore(value: 0)
    while !missing.isEmpty {
      for topic in try admin.topics(deadline) where topic.partitions > 0 {
        missing.remove(topic.name)
      }
      if missing.isEmpty { return }
      if deadline.hasPassed {
        throw KafkaError(
          code: .timedOut, operation: "see \(missing.sorted()[0]) made", isRetriable: true)
      }
      _ = pause.wait(timeout: .now() + .milliseconds(50))
    }
  }

  /// Describes the topics of these names that are there, and inputs. A broker that does not tell
  /// settings (the development broker) gives partitions only; those of inputs are others' and may
  /// be hidden.
  /// - Throws: among others where the user may not know that an input is there.
  package static func existing(
    _ own: Set<String>, inputs: Set<String>, _ admin: Admin, _ deadline: Deadline
  ) throws(KafkaError) -> [String: ExistingTopic] {
    let names = own.union(inputs)
    var found: [String: ExistingTopic] = [:]
    for topic in try admin.topics(deadline) where names.contains(topic.name) {
      var configs: [String: String]?
      do throws(KafkaError) {
        configs = [:]
        for config in try admin.topicConfigs(topic.name, deadline) {
          configs?[config.name] = config.value
        }
      } catch {
        let isHidden = error.isAccessDenied && !own.contains(topic.name)
        if (error.isAccessDenied || error.isLoginRefused) && !isHidden { throw error }
        configs = nil
      }
      found[topic.name] = ExistingTopic(partitions: topic.partitions, configs: configs)
    }
    for topic in inputs where found[topic] == nil { _ = try admin.topic(topic, deadline) }
    return found
  }
}
