import Engine
import Formats
import Foundation
import Kafka
import Mesh
import Observability
import Product
import Records

/// Publishes what a worker's products do on their observations ports, about once a second while it
/// changes. It must never stand in the way: what cannot be published is left out, and the next
/// second tells more.
///
/// One thread of its own; loops leave their status where it picks it up.
final class Observer: Sendable {
  private static let intervalMs = 1000
  /// How long the last words at the end may take.
  private static let farewellMs = 1000
  /// Until a topic that was not there is looked for again.
  private static let missingMs: Int64 = 30_000

  struct Source: Sendable {
    let product: ProductDefinition
    let monitor: ProductMonitor
    let control: LoopControl
  }

  private let sources: [Source]
  private let kafka: ClientSettings
  private let instance: String
  private let log: Log
  /// For waiting and for the end.
  let control = LoopControl()

  init(_ sources: [Source], kafka: ClientSettings, instance: String, log: Log) {
    self.sources = sources
    self.kafka = kafka
    self.instance = instance
    self.log = log
  }

  /// Until all loops have ended.
  func run() {
    defer { control.markEnded() }
    guard let producer = try? PlainProducer(settings: kafka) else { return }
    let startedMs = Clock.wallMs()
    var ports = sources.map { Port($0, instance: instance, startedMs: startedMs) }
    while true {
      let hasEnded = sources.allSatisfy { $0.control.waitForEnd(milliseconds: 0) }
      let limit = Deadline.after(milliseconds: Observer.farewellMs)
      for index in ports.indices { publish(&ports[index], producer, limit) }
      if hasEnded {
        try? producer.flush(limit)
        return
      }
      // Also takes note of what was delivered; what was not is told again.
      do throws(KafkaError) {
        try producer.flush(Deadline.after(milliseconds: Observer.intervalMs / 2))
      } catch {
        if !error.isRetriable && !error.isUnreachable {
          for index in ports.indices { ports[index].forget() }
        }
      }
      control.pause(milliseconds: Observer.intervalMs)
    }
  }

  private func publish(_ port: inout Port, _ producer: PlainProducer, _ limit: Deadline) {
    let now = Clock.monotonicMs()
    if let until = port.missingUntilMs, now < until { return }
    let observations = port.changes(nowMs: now, wallMs: Clock.wallMs())
    if observations.isEmpty { return }
    let topic = port.source.product.names.observationsTopic
    do throws(KafkaError) {
      let ordinal = try producer.open(topic, limit)
      for observation in observations {
        try producer.produce(to: ordinal, key: observation.key, value: observation.json, limit)
      }
      port.sent(observations, atMs: now)
    } catch {
      if !error.isTopicMissing { return }
      if port.missingUntilMs == nil {
        log.write(ObservationsMissing(product: port.source.product.name, topic: topic))
      }
      port.missingUntilMs = now + Observer.missingMs
    }
  }

  /// What was told of a product last.
  private struct Port {
    let source: Source
    private let instance: String
    private let startedMs: Int64
    private let logic: String
    private var last: InstanceObservation?
    private var lastMs: Int64 = 0
    private var places: [String: PartitionObservation] = [:]
    var missingUntilMs: Int64?

    init(_ source: Source, instance: String, startedMs: Int64) {
      self.source = source
      self.instance = instance
      self.startedMs = startedMs
      logic = hexadecimal(source.product.logicDigest)
    }

    /// What differs from what was told, and now and then that the instance is there.
    mutating func changes(nowMs: Int64, wallMs: Int64) -> [Observation] {
      let status = source.monitor.status
      var result: [Observation] = []
      var owned: Set<String> = []
      for place in status.states {
        let found = PartitionObservation(
          journal: place.journal, partition: place.partition.value, instance: instance,
          logic: logic, position: place.position, stateRows: place.rows,
          fileBytes: place.fileBytes, memoryBytes: place.memoryBytes,
          held: place.held.map {
            .init(
              identifier: $0.identifier, count: $0.count, asked: $0.asked, sinceMs: $0.sinceMs)
          }, waiting: place.waiting, waitingSinceMs: place.waitingSinceMs, observedMs: wallMs)
        let observation = Observation.partition(found)
        owned.insert(observation.key)
        if places[observation.key]?.isAsBefore(found) != true { result.append(observation) }
      }
      // One that went and comes back is told again, as another may have told of it meanwhile.
      places = places.filter { owned.contains($0.key) }
      let found = InstanceObservation(
        status, instance: instance, logic: logic, startedMs: startedMs, observedMs: wallMs)
      let isDue = nowMs - lastMs >= InstanceObservation.aliveMs
      if isDue || last?.isAsBefore(found) != true { result.append(.instance(found)) }
      return result
    }

    /// What was told last may not have arrived.
    mutating func forget() {
      last = nil
      places = [:]
    }

    mutating func sent(_ observations: [Observation], atMs: Int64) {
      for observation in observations {
        switch observation {
        case .instance(let instance): (last, lastMs) = (instance, atMs)
        case .partition(let place): places[observation.key] = place
        }
      }
    }
  }
}

extension InstanceObservation {
  fileprivate init(
    _ status: ProductStatus, instance: String, logic: String, startedMs: Int64,
    observedMs: Int64
  ) {
    self.init(
      instance: instance, phase: "", logic: logic, startedMs: startedMs, observedMs: observedMs)
    switch status.phase {
    case .starting: phase = "starting"
    case .restoring: phase = "restoring"
    case .running: phase = "running"
    case .waiting(let why): (phase, reason) = ("waiting", why)
    case .stopped(let why): (phase, reason) = ("stopped", why.message)
    }
    read = status.counts.read
    applied = status.counts.applied
    filtered = status.counts.filtered
    redelivered = status.counts.redelivered
    quarantined = status.counts.quarantined
    held = status.counts.held
    released = status.counts.released
    discarded = status.counts.discarded
    published = status.published
    commits = status.commits
    aborts = status.aborts
    commitP50Ms = status.commitLatency.milliseconds(atShare: 0.5)
    commitP99Ms = status.commitLatency.milliseconds(atShare: 0.99)
    lastCommitMs = status.lastCommitMs
  }
}
