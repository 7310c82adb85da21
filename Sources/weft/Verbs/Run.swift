import CommandLine
import Diagnostics
import Dispatch
import Engine
import Foundation
import Glibc
import Kafka
import Mesh
import Observability
import Product
import Synchronization
import Worker

enum RunVerb {
  private static let instance = Option(
    "instance", value: "NAME", "name of this process among the domain's workers (default: 0)")
  private static let level = Option(
    "log", value: "LEVEL", choices: LogLevel.allCases.map(\.rawValue),
    "how much to tell (default: info)")
  /// A drain that takes longer is given up; what was not committed is done again by the next start.
  static let drainMsMax = 10_000

  static let verb = Verb(
    command: Command(
      "run", "run a domain's worker", arguments: [Workspace.domain], options: [instance, level],
      examples: [
        .init("weft run claims", "run the domain until it is stopped"),
        .init("weft run claims --instance 1", "a second worker that shares its partitions"),
        .init("weft run claims --environment dev", "beside production, with topics of its own"),
      ],
      discussion: "SIGTERM or Ctrl-C: the worker finishes its turn, commits and leaves, within 10 "
        + "seconds; a second signal stops it at once. Nothing is lost or counted twice either way.\n\n"
        + "Brokers that are away are waited for, and so are ports of other domains that these have not "
        + "published yet: workers may be started in any order.\n\n"
        + "Log lines go to standard error: logfmt on a terminal, JSON in a pipe or with --format "
        + "json. At the end each product's counts go to standard output. Exit codes: 0 drained, 1 "
        + "refused, 3 fenced by another worker or stopped by policy, 4 failed.")
  ) { session in
    let signals = Signals()
    guard let workspace = try awaitPorts(signals, session) else {
      session.say("stopped as asked, before anything was begun: ports that it takes are not there")
      return .ok
    }
    try workspace.requireWhole()
    guard workspace.domains.count == 1, var domain = workspace.domains.first?.definition else {
      let names = workspace.domains.compactMap(\.settings?.domain)
      throw Refusal(
        .notOneDomain, "a worker runs one domain, and there are \(names.count) here",
        help: "name one: " + names.joined(separator: ", "))
    }
    domain.settings = domain.settings.with(session)
    Allocator.keepBetweenTurns()
    let worker = try makeWorker(domain, session)
    guard try checkLogin(ClientSettings(domain.settings), signals, session) else {
      session.say("stopped as asked, before anything was begun: no broker has answered yet")
      return .ok
    }
    worker.start()
    let code = wait(worker, signals, domain, session)
    report(worker, domain, session)
    return code
  }

  /// A login that is refused will be refused for ever: told at once. Brokers that are away are the
  /// worker's to wait for; a person is told of it soon. False when a signal came meanwhile.
  private static func checkLogin(
    _ settings: ClientSettings, _ signals: Signals, _ session: Session
  ) throws -> Bool {
    let patience = Deadline.after(milliseconds: Broker.answerMs)
    var hasSaid = !session.errorTerminal.isTerminal
    do {
      let admin = try Admin(settings: settings)
      while !patience.hasPassed {
        do throws(KafkaError) {
          try admin.check(patience.atMost(milliseconds: Broker.firstWordMs))
          return true
        } catch {
          if !error.isUnreachable { throw error }
          if signals.wasAsked(within: 0) { return false }
          if !hasSaid { session.say("no broker answers at \(settings.bootstrap) yet; trying on …") }
          hasSaid = true
        }
      }
    } catch let error as KafkaError {
      throw Broker.refusal(error, settings)
    }
    return true
  }

  private static func makeWorker(_ domain: DomainDefinition, _ session: Session) throws -> Worker {
    guard
      let rules = UnsafeSettings(session.variables[UnsafeSettings.variable] ?? "")
    else {
      throw Refusal(.unknownRule, "\(UnsafeSettings.variable) names a rule that there is not")
    }
    do throws(InstanceLock.Held) {
      return try Worker(
        domain, instance: session.arguments[instance] ?? "0", unsafe: rules, log: log(session))
    } catch {
      throw Refusal(.instanceHeld, error.description)
    }
  }

  static func log(_ session: Session) -> Log {
    let isJSON = session.isJSON || !session.errorTerminal.isTerminal
    let errors = session.errors
    return Log(
      format: isJSON ? .json : .logfmt,
      level: session.arguments[level].flatMap(LogLevel.init) ?? .info,
      clock: { Int64((Date().timeIntervalSince1970 * 1000).rounded()) },
      sink: { errors.write($0 + "\n") })
  }

  /// Waits for the end: of all products, or of the drain after a signal.
  private static func wait(
    _ worker: Worker, _ signals: Signals, _ domain: DomainDefinition, _ session: Session
  ) -> ExitCode {
    var explained: Set<String> = []
    while !signals.wasAsked(within: 0.2) {
      let hasEnded = worker.waitForEnd(milliseconds: 0)
      for status in worker.statuses {
        guard case .stopped(.otherLogic) = status.phase,
          let product = domain.products.first(where: { $0.name == status.product }),
          explained.insert(product.name).inserted
        else { continue }
        explain(product, domain, session)
      }
      if hasEnded { return exitCode(worker) }
    }
    worker.stop()
    if worker.waitForEnd(milliseconds: drainMsMax) { return exitCode(worker) }
    session.say(
      "the worker did not drain within \(drainMsMax / 1000) s; what was not committed is done again"
    )
    return .failed
  }

  /// Says what changed since the logic that the catalog has; the worker knows digests only.
  private static func explain(
    _ product: ProductDefinition, _ domain: DomainDefinition, _ session: Session
  ) {
    let settings = ClientSettings(domain.settings)
    let catalog = try? Catalog.read(
      settings, topic: product.names.catalogTopic,
      Deadline.after(milliseconds: Broker.answerMs))
    let published = catalog?.product(product.name, domain: product.domain)
    let old = published.flatMap {
      catalog?.files(ofLogic: $0.logicDigest, of: product.name, in: product.domain)
    }
    session.report([LogicChange.diagnostic(product: product, old: old)])
  }

  private static func exitCode(_ worker: Worker) -> ExitCode {
    ExitCode(rawValue: worker.exitCode) ?? .failed
  }

  /// One line a product: every record read is in exactly one of the next five.
  private static func report(_ worker: Worker, _ domain: DomainDefinition, _ session: Session) {
    let isJSON = session.isJSON || !session.terminal.isTerminal
    for (status, product) in zip(worker.statuses, domain.products) {
      let counts = status.counts
      let p50 = status.commitLatency.milliseconds(atShare: 0.5)
      let p99 = status.commitLatency.milliseconds(atShare: 0.99)
      if isJSON {
        session.output.write(json(status, product, p50, p99) + "\n")
      } else {
        session.output.write(
          "\(status.product): read \(counts.read) = applied \(counts.applied) + filtered "
            + "\(counts.filtered) + redelivered \(counts.redelivered) + quarantined "
            + "\(counts.quarantined)\(counts.held == 0 ? "" : " + held \(counts.held)")"
            + "\(counts.released == 0 ? "" : " - released again \(counts.released)"); "
            + "\(status.commits) commits, \(shown(p50)) ms at p50, "
            + "\(shown(p99)) ms at p99\n")
      }
    }
  }

  private static func json(
    _ status: ProductStatus, _ product: ProductDefinition, _ p50: Double?, _ p99: Double?
  ) -> String {
    var reason = "drained"
    if case .stopped(let why) = status.phase { reason = why.message }
    let counts = status.counts
    return JSONText.object([
      ("product", JSONText.string(status.product)), ("read", "\(counts.read)"),
      (
        "read_of",
        JSONText.object(zip(product.inputs, status.readOfInputs).map { ($0.topic, "\($1)") })
      ),
      ("applied", "\(counts.applied)"), ("filtered", "\(counts.filtered)"),
      ("redelivered", "\(counts.redelivered)"), ("quarantined", "\(counts.quarantined)"),
      ("held", "\(counts.held)"), ("released", "\(counts.released)"),
      ("discarded", "\(counts.discarded)"),
      ("published", "\(status.published)"), ("commits", "\(status.commits)"),
      ("aborts", "\(status.aborts)"), ("blocks_applied_at_once", "\(status.blocksAppliedAtOnce)"),
      ("blocks_read_back", "\(status.blocksReadBack)"), ("commit_p50_ms", p50.map { "\($0)" }),
      ("commit_p99_ms", p99.map { "\($0)" }), ("ended", JSONText.string(reason)),
    ])
  }

  private static func shown(_ milliseconds: Double?) -> String {
    milliseconds.map { "\(($0 * 10).rounded() / 10)" } ?? "-"
  }
}

/// SIGTERM and SIGINT as a question: the first asks to drain, the second ends the process at once.
final class Signals {
  private let asked = DispatchSemaphore(value: 0)
  private let sources: [any DispatchSourceSignal]

  init() {
    let queue = DispatchQueue(label: "weft.signals")
    let asked = asked
    // Both sources run on one queue, so the count has one owner.
    let count = Count()
    sources = [SIGTERM, SIGINT].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        if count.next() > 1 { Signals.stopAtOnce() }
        asked.signal()
      }
      source.resume()
      return source
    }
  }

  private static func stopAtOnce() -> Never {
    let words = "stopped at once; what was not committed is done again by the next start\n"
    FileHandle.standardError.write(Data(words.utf8))
    _exit(ExitCode.stopped.rawValue)
  }

  private final class Count: Sendable {
    private let value = Mutex(0)
    func next() -> Int {
      value.withLock {
        $0 += 1
        return $0
      }
    }
  }

  func wasAsked(within seconds: Double) -> Bool {
    asked.wait(timeout: .now() + seconds) == .success
  }
}
