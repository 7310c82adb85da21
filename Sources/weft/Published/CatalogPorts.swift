import Diagnostics
import Kafka
import Mesh
import Product
import Synchronization
import Worker

/// Finds the ports of products whose files are not at hand: in the mesh's catalog, which is read
/// once a command, and only when something asks for it.
final class CatalogPorts: Sendable {
  /// So long a command waits for brokers that it may not need for anything else.
  static let patienceMs = 10_000

  private let patienceMs: Int
  private let catalogs = Mutex<[String: Result<Catalog, Refusal>]>([:])

  init(patienceMs: Int = CatalogPorts.patienceMs) { self.patienceMs = patienceMs }

  func elsewhere(_ session: Session) -> PortsElsewhere {
    PortsElsewhere { [self] product, settings in ports(of: product, settings, session) }
  }

  private func ports(of product: String, _ worker: WorkerSettings, _ session: Session)
    -> PortsElsewhere.Answer
  {
    switch catalog(worker, session) {
    case .success(let catalog):
      return .ports(
        catalog.products.filter { $0.name == product }.flatMap { found in
          found.ports.map { ForeignPort(domain: found.domain, product: found.name, port: $0) }
        })
    case .failure(let refusal):
      let first = refusal.diagnostics.first
      let why =
        "no file here has it, and the catalog was not read: \(first?.message ?? "no reason is known")"
      let isAway =
        first?.code == .brokerUnreachable && !ClientSettings(worker, session).bootstrap.isEmpty
      return isAway ? .away(why) : .unknown(why)
    }
  }

  private func catalog(_ worker: WorkerSettings, _ session: Session) -> Result<Catalog, Refusal> {
    let settings = ClientSettings(worker, session)
    let topic = WireNames(environment: worker.environment, domain: "", product: "").catalogTopic
    let name = "\(settings.bootstrap) \(topic)"
    if let known = catalogs.withLock({ $0[name] }) { return known }
    let result: Result<Catalog, Refusal>
    do {
      let broker = try Broker(settings, session, patienceMs: patienceMs)
      result = .success(
        try broker.run { _, deadline in try Catalog.read(settings, topic: topic, deadline) })
    } catch let refusal as Refusal {
      result = .failure(refusal)
    } catch {
      result = .failure(Refusal(.brokerUnreachable, "\(error)"))
    }
    catalogs.withLock { $0[name] = result }
    return result
  }
}
