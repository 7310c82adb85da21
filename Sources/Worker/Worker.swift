import Foundation
import Kafka
import Observability
import Product

/// One domain's worker: a thread for each product, each with its own group, producer and state.
/// Products fail alone: what stops one leaves the others running.
///
/// Safe to use from any thread.
package final class Worker: Sendable {
  /// What a product's loop needs of its thread's stack: expressions nest.
  private static let stackBytes = 8 << 20

  package let domain: String
  package let instance: String
  private let loops: [Loop]
  private let observer: Observer
  private let lock: InstanceLock
  private let log: Log

  private struct Loop: Sendable {
    let settings: LoopSettings
    let control: LoopControl
    let monitor: ProductMonitor
  }

  /// Takes the instance's lock; nothing runs before ``start()``.
  /// - Parameter instance: the name under which this process holds its memberships and ids.
  /// - Throws: ``InstanceLock/Held`` with a text for people, if another process has the name here.
  package init(
    _ domain: DomainDefinition, instance: String = "0", unsafe: UnsafeSettings = .none, log: Log
  ) throws(InstanceLock.Held) {
    self.domain = domain.name
    self.instance = instance
    self.log = log
    let settings = domain.settings
    let name = (settings.environment.isEmpty ? "" : settings.environment + ".") + domain.name
    lock = try InstanceLock(
      stateDirectory: settings.stateDirectory, domain: name, instance: instance)
    let state = StateFiles(settings, domain: name, instance: instance)
    let kafka = ClientSettings(settings)
    let turn = TurnMeter.Limits(
      records: settings.commitRecords, ageMs: Int64(settings.commitIntervalMs))
    loops = domain.products.map { product in
      Loop(
        settings: LoopSettings(
          product: product, kafka: kafka, instance: "\(instance).0", turn: turn, state: state,
          unsafe: unsafe, log: log),
        control: LoopControl(), monitor: ProductMonitor(product: product.name))
    }
    observer = Observer(
      loops.map {
        Observer.Source(product: $0.settings.product, monitor: $0.monitor, control: $0.control)
      }, kafka: kafka, instance: instance, log: log)
    if !unsafe.disabled.isEmpty {
      log.write(RulesDisabled(rules: unsafe.disabled.map(\.rawValue).sorted()))
    }
  }

  /// Starts every product's thread.
  package func start() {
    for loop in loops {
      let thread = Thread { [observer] in
        Worker.run(loop)
        // It may be the last: then the last words are said at once.
        observer.control.stop()
      }
      thread.name = "weft-\(loop.settings.product.name)"
      thread.stackSize = Worker.stackBytes
      thread.start()
    }
    let thread = Thread { [observer] in observer.run() }
    thread.name = "weft-observer"
    thread.start()
  }

  private static func run(_ loop: Loop) {
    defer { loop.control.markEnded() }
    do {
      let world = KafkaWorld(loop.settings.kafka, control: loop.control)
      _ = try ProductLoop(
        loop.settings, control: loop.control, monitor: loop.monitor, in: world
      ).run()
    } catch {
      let reason = StopReason.failed("the product could not be compiled: \(error)")
      loop.monitor.update { $0.phase = .stopped(reason) }
      loop.settings.log.write(
        ProductEnded(product: loop.settings.product.name, reason: reason))
    }
  }

  /// Asks every product to finish its turn, commit and leave. Returns at once.
  package func stop() {
    for loop in loops { loop.control.stop() }
  }

  /// Whether all products had ended by then.
  package func waitForEnd(milliseconds: Int) -> Bool {
    let end = Clock.monotonicMs() + Int64(milliseconds)
    return (loops.map(\.control) + [observer.control]).allSatisfy {
      $0.waitForEnd(milliseconds: Int(max(0, end - Clock.monotonicMs())))
    }
  }

  /// How each product is doing, in the order of the domain's definition.
  package var statuses: [ProductStatus] { loops.map(\.monitor.status) }

  /// What the command exits with, once all have ended: the worst of the products'.
  package var exitCode: Int32 {
    statuses.map { status in
      if case .stopped(let reason) = status.phase { return reason.exitCode }
      return 0
    }.max() ?? 0
  }
}

extension ClientSettings {
  /// The `kafka` section of worker.yaml.
  package init(_ settings: WorkerSettings) {
    var properties: [String: String] = [:]
    for (name, value) in settings.kafka { properties[name] = value }
    self.init(bootstrap: properties["bootstrap.servers"] ?? "", properties: properties)
  }
}
