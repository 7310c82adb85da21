import CommandLine
import Diagnostics
import Kafka
import Mesh
import Product
import Worker

/// A topic to read, and what is known of its records.
struct ReadablePort {
  var topic: String
  var settings: ClientSettings
  /// Nil for a topic that is no port.
  var fields: [ContractField]?
  var isState = false
  /// Of a port; 0 where that is not known.
  var partitions: Int32 = 0
  /// For messages: `claims#claim@1`, or the topic.
  var name: String
}

/// Finds a port in the files at hand, else in the mesh's catalog.
struct PortResolver {
  let session: Session
  let isQuarantine: Bool

  func resolve(_ address: PortAddress) throws -> ReadablePort {
    let domains = PublishedProduct.domains(session)
    switch address {
    case .topic(let topic):
      let settings = PublishedProduct.settings(domains, session)
      try checkIsNoProduct(topic, domains, settings)
      return ReadablePort(topic: topic, settings: settings, fields: nil, name: topic)
    case .port(let domain, let product, let port, let major):
      for loaded in domains where domain == nil || loaded.settings?.domain == domain {
        guard let found = loaded.products.first(where: { $0.descriptor?.id == product }) else {
          continue
        }
        guard let definition = found.definition, let worker = loaded.settings else {
          guard let published = try? fromCatalog(domain, product, port, major, domains) else {
            throw Refusal(loaded.diagnostics)
          }
          session.say(
            "note: the files of `\(product)` have errors (`weft check` shows them); this is the port"
              + " as the catalog has it")
          return published
        }
        let settings = ClientSettings(worker, session)
        let ports = found.ports.map(\.port)
        return try pick(
          ports, port, major, product, definition.names.quarantineTopic, settings)
      }
      return try fromCatalog(domain, product, port, major, domains)
    }
  }

  /// Somebody who names a product wants one of its ports, unless there is a topic of that name.
  private func checkIsNoProduct(
    _ topic: String, _ domains: [LoadedDomain], _ settings: ClientSettings
  ) throws {
    let name = topic.split(separator: "/").last.map(String.init) ?? topic
    let products = domains.flatMap(\.products)
    guard let product = products.first(where: { $0.descriptor?.id == name }) else { return }
    let soon = Deadline.after(milliseconds: Broker.answerMs)
    if (try? Admin(settings: settings).topic(topic, soon)) != nil { return }
    let ports = product.ports.map { "`\($0.port.address(in: name))`" }
    throw Refusal(
      .unknownPort, "`\(topic)` is a product; reading takes one of its ports",
      notes: ports.isEmpty ? [] : ["its ports are " + ports.joined(separator: ", ")],
      help: "`weft quarantine list \(name)` shows what could not be processed")
  }

  private func fromCatalog(
    _ domain: String?, _ product: String, _ port: String?, _ major: Int?,
    _ domains: [LoadedDomain]
  ) throws -> ReadablePort {
    let settings = PublishedProduct.settings(domains, session)
    let (found, _) = try PublishedProduct.fromCatalog(product, domain: domain, settings, session)
    return try pick(found.ports, port, major, product, found.quarantineTopic, settings)
  }

  private func pick(
    _ ports: [PublishedPort], _ name: String?, _ major: Int?, _ product: String,
    _ quarantine: String, _ settings: ClientSettings
  ) throws -> ReadablePort {
    if isQuarantine {
      return ReadablePort(
        topic: quarantine, settings: settings, fields: nil, name: "the quarantine of \(product)")
    }
    let of = ports.filter { $0.name == name && (major == nil || $0.major == major) }
    guard let found = of.max(by: { $0.major < $1.major }) else {
      let known = ports.map { "`\($0.address(in: product))`" }
      let near = name.flatMap { closest(to: $0, among: ports.map(\.name)) }
      throw Refusal(
        .unknownPort,
        "product `\(product)` has no port `\(name ?? "")\(major.map { "@\($0)" } ?? "")`",
        notes: ["its ports are " + known.joined(separator: ", ")],
        help: near.map { "did you mean `\(product)#\($0)`?" })
    }
    return ReadablePort(
      topic: found.topic, settings: settings, fields: found.fields, isState: found.isState,
      partitions: found.partitions, name: found.address(in: product))
  }
}
