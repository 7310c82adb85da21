import CRdKafka
import Synchronization

/// A line that librdkafka wrote for people: connections, fencing, refused logins.
package struct ClientLogLine: Sendable {
  /// As syslog has it: 3 error, 4 warning, 5 notice, 6 information, 7 debug.
  package let level: Int
  /// What part of librdkafka speaks, such as `FAIL`.
  package let facility: String
  package let text: String
}

/// The last lines of a client's log. librdkafka's threads write it, the owner drains it; beyond
/// ``linesMax`` the newest are dropped and counted, so that it stays small.
package final class ClientLog: Sendable {
  package static let linesMax = 200

  private struct State {
    var lines: [ClientLogLine] = []
    var dropped = 0
  }
  private let state = Mutex(State())

  package init() {}

  func append(_ line: ClientLogLine) {
    state.withLock {
      if $0.lines.count < ClientLog.linesMax {
        $0.lines.append(line)
      } else {
        $0.dropped += 1
      }
    }
  }

  /// Takes the lines out, oldest first.
  package func drain() -> (lines: [ClientLogLine], dropped: Int) {
    state.withLock {
      let taken = ($0.lines, $0.dropped)
      $0 = State()
      return taken
    }
  }
}

/// What a client's callbacks reach through librdkafka's one opaque pointer per client. The log may
/// be written from any thread; the events only from the owner's, inside its poll.
@safe final class ClientContext {
  let log: ClientLog
  /// Rebalances and errors, oldest first, until the owner takes them.
  var events: [RawEvent] = []
  /// Whether the consumer is closing: then a rebalance is only noted here.
  var isClosing = false
  /// Whether a rebalance came while closing, or was left unanswered before.
  var awaitsAnswer = false
  /// The queue that the owner polls.
  var queue: OpaquePointer?

  enum RawEvent {
    case rebalance(assigned: Bool, [NamedPartition], lost: Bool)
    case failed(KafkaError, NamedPartition?)
  }

  init(log: ClientLog) { self.log = log }

  static func of(_ opaque: UnsafeMutableRawPointer?) -> ClientContext? {
    guard let opaque = unsafe opaque else { return nil }
    return unsafe Unmanaged<ClientContext>.fromOpaque(opaque).takeUnretainedValue()
  }

  /// Has a client's configuration call back into this object, which must outlive the client.
  func attach(_ configuration: borrowing Configuration) {
    let opaque = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe configuration.lending { raw in
      unsafe rd_kafka_conf_set_opaque(raw, opaque)
      unsafe rd_kafka_conf_set_log_cb(raw) { client, level, facility, text in
        guard let client = unsafe client, let facility = unsafe facility, let text = unsafe text,
          let context = unsafe ClientContext.of(rd_kafka_opaque(client))
        else { return }
        context.log.append(
          ClientLogLine(
            level: Int(level), facility: unsafe String(cString: facility),
            text: unsafe String(cString: text)))
      }
      unsafe rd_kafka_conf_set_error_cb(raw) { _, code, reason, opaque in
        guard let context = unsafe ClientContext.of(opaque) else { return }
        let code = rd_kafka_resp_err_t(rawValue: code)
        let message = unsafe reason.map { unsafe String(cString: $0) }
        context.note(.failed(KafkaError(code, operation: "reach Kafka", message: message), nil))
      }
    }
  }

  /// Bounded: what an owner does not take is dropped after so many, errors of brokers that are away
  /// repeat for ever. A rebalance is never dropped.
  static let eventsMax = 1000

  func note(_ event: RawEvent) {
    if case .failed = event, events.count >= ClientContext.eventsMax { return }
    events.append(event)
  }
}
