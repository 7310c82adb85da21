import Diagnostics
import Kafka

extension Diagnostic {
  /// What Kafka refused, with the edit or command that helps. `settings` describes where the broker
  /// was looked for; it shows no secret.
  package init(_ error: KafkaError, settings: ClientSettings) {
    let place = settings.bootstrap
    if error.isLoginRefused {
      self.init(
        .loginRefused, "the broker at \(place) refuses the login",
        notes: [error.message],
        help: "check `sasl.username` and `sasl.password` under `kafka` in worker.yaml, and the "
          + "mechanism the broker expects")
    } else if error.isAccessDenied {
      self.init(
        .accessDenied, "the broker at \(place) does not let this user \(error.operation)",
        notes: [error.message],
        help: "ask the cluster's administrator for the right, or use another user under `kafka` in "
          + "worker.yaml")
    } else if error.isTopicMissing {
      self.init(
        .topicMissing, "could not \(error.operation): there is no such topic",
        help: "`weft apply` makes the topics of a product; an input topic is made by who fills it")
    } else if error.isUnreachable {
      self.init(
        .brokerUnreachable, "no broker answers at \(place)", notes: [error.message],
        help: "check that Kafka runs there, or set KAFKA_BOOTSTRAP to where it does")
    } else if error.code == .invalidArgument {
      self.init(
        .kafka, "could not \(error.operation): \(error.message)",
        help: "correct `kafka` in worker.yaml; its keys are librdkafka's properties")
    } else {
      self.init(.kafka, "could not \(error.operation): \(error.message)", notes: [error.code.name])
    }
  }
}
