import CommandLine
import Diagnostics
import Kafka
import Mesh
import Product
import Worker

/// The way to the brokers, for commands that talk to them.
struct Broker {
  /// So long a command waits for brokers that do not answer.
  static let patienceMs = 30_000
  /// One question to them.
  static let answerMs = 3_000
  /// After so long without an answer a person is told that it is waited for.
  static let firstWordMs = 1_000
  /// One piece of work, such as making a topic or reading the catalog.
  static let workMs = 60_000

  let settings: ClientSettings
  let admin: Admin

  /// Waits until the brokers answer, and says so when they do not at once.
  /// - Throws: ``Refusal`` when they refuse, or stay away.
  init(
    _ settings: ClientSettings, _ session: Session, patienceMs: Int = Broker.patienceMs
  ) throws {
    self.settings = settings
    if settings.bootstrap.isEmpty {
      throw Refusal(
        .brokerUnreachable, "it is not said where the brokers are",
        help: "set KAFKA_BOOTSTRAP, or give --bootstrap HOST:PORT")
    }
    do {
      admin = try Admin(settings: settings)
      let patience = Deadline.after(milliseconds: patienceMs)
      var hasSaid = false
      while true {
        do throws(KafkaError) {
          let wait = hasSaid ? Broker.answerMs : Broker.firstWordMs
          try admin.check(patience.atMost(milliseconds: wait))
          return
        } catch {
          if !error.isUnreachable || patience.hasPassed { throw error }
          if !hasSaid {
            session.say("no broker answers at \(settings.bootstrap) yet; trying on …")
          }
          hasSaid = true
        }
      }
    } catch let error as KafkaError {
      throw Broker.refusal(error, settings)
    }
  }

  /// A broker's refusal as a message with a way on.
  static func refusal(_ error: KafkaError, _ settings: ClientSettings) -> Refusal {
    let isOurs =
      error.isAccessDenied || error.isLoginRefused || error.isTopicMissing
      || error.code == .invalidArgument
    return Refusal([Diagnostic(error, settings: settings)], isOurs ? .rejected : .failed)
  }

  /// Runs `work` and turns what Kafka refuses into a message.
  func run<Result>(_ work: (Admin, Deadline) throws -> Result) throws -> Result {
    do {
      return try work(admin, Deadline.after(milliseconds: Broker.workMs))
    } catch let error as KafkaError {
      throw Broker.refusal(error, settings)
    }
  }
}

extension ClientSettings {
  /// What worker.yaml says, with the command line's `--bootstrap` in its place.
  init(_ settings: WorkerSettings, _ session: Session) {
    self.init(settings.with(session))
  }
}

extension WorkerSettings {
  /// The settings with what the command line says instead.
  func with(_ session: Session) -> WorkerSettings {
    guard let bootstrap = session.arguments[Session.bootstrap] else { return self }
    var settings = self
    settings.kafka.removeAll {
      $0.name == "bootstrap.servers" || $0.name == "metadata.broker.list"
    }
    settings.kafka.append(("bootstrap.servers", bootstrap))
    return settings
  }
}
