import CommandLine
import Diagnostics
import Kafka
import Mesh
import Product
import Worker

/// A product that commands ask about: what its catalog record says, and where its brokers are. The
/// files at hand count where they are whole, else the mesh's catalog.
struct PublishedProduct {
  static let argument = Argument(
    "PRODUCT", "a product's name, or `domain/product` where several domains have one of that name")

  let product: CatalogProduct
  let settings: ClientSettings
  /// The files' own; nil where it comes from the catalog.
  let definition: ProductDefinition?
  /// What the catalog has of its logic, part by part; empty where the files are at hand.
  let logic: [LogicFile]

  /// `name`, or `domain/name`.
  init(_ text: String, _ session: Session) throws {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard let name = parts.last, parts.count <= 2, !parts.contains(""), !name.contains("#") else {
      throw UsageError(
        "`\(text)` is no product", help: "write `product` or `domain/product`, without a port")
    }
    try self.init(name, domain: parts.count == 2 ? parts[0] : nil, session)
  }

  /// The product of that name, or else all products of the domain of that name.
  static func all(_ text: String, _ session: Session) throws -> [PublishedProduct] {
    do {
      return [try PublishedProduct(text, session)]
    } catch let refusal as Refusal {
      if refusal.diagnostics.first?.code != .unknownProduct { throw refusal }
      let domains = PublishedProduct.domains(session)
      var names = domains.filter { $0.settings?.domain == text }.flatMap(\.products)
        .compactMap { $0.descriptor?.id }
      if names.isEmpty, !text.contains("/") {
        names = try catalog(settings(domains, session), session).products
          .filter { $0.domain == text }.map(\.name)
      }
      if names.isEmpty { throw refusal }
      return try names.map { try PublishedProduct($0, domain: text, session) }
    }
  }

  init(_ name: String, domain: String?, _ session: Session) throws {
    let domains = PublishedProduct.domains(session)
    try PublishedProduct.checkIsOne(
      name, domains.filter { domain == nil || $0.settings?.domain == domain })
    for loaded in domains where domain == nil || loaded.settings?.domain == domain {
      guard let found = loaded.products.first(where: { $0.descriptor?.id == name }),
        let definition = found.definition, let worker = loaded.settings,
        let product = CatalogProduct(found)
      else { continue }
      self.product = product
      self.definition = definition
      logic = []
      settings = ClientSettings(worker, session)
      return
    }
    settings = PublishedProduct.settings(domains, session)
    definition = nil
    (product, logic) = try PublishedProduct.fromCatalog(name, domain: domain, settings, session)
  }

  private static func checkIsOne(_ name: String, _ domains: [LoadedDomain]) throws {
    let holders = domains.filter { $0.products.contains { $0.descriptor?.id == name } }
    let names = Set(holders.compactMap { $0.settings?.domain })
    if names.count > 1 { throw severalDomains(name, names.sorted()) }
    let places = holders.flatMap(\.products).filter { $0.descriptor?.id == name }.map(\.directory)
    if places.count > 1 { throw Workspace.twice(name, places) }
  }

  private static func severalDomains(_ name: String, _ domains: [String]) -> Refusal {
    Refusal(
      .unknownProduct, "several domains have a product `\(name)`",
      help: "name one: " + domains.map { "`\($0)/\(name)`" }.joined(separator: ", "))
  }

  static func domains(_ session: Session) -> [LoadedDomain] {
    Workspace.known(session).map {
      LoadedDomain.load(
        $0, environment: session.arguments[Session.environment],
        elsewhere: session.elsewhere)
    }
  }

  /// Where the brokers are: as told, as the first domain's worker has it, or the environment.
  static func settings(_ domains: [LoadedDomain], _ session: Session) -> ClientSettings {
    if let worker = domains.compactMap(\.settings).first { return ClientSettings(worker, session) }
    let bootstrap =
      session.arguments[Session.bootstrap] ?? session.variables["KAFKA_BOOTSTRAP"] ?? ""
    return ClientSettings(bootstrap: bootstrap)
  }

  /// - Throws: ``Refusal`` that names what the catalog knows.
  static func fromCatalog(
    _ name: String, domain: String?, _ settings: ClientSettings, _ session: Session
  ) throws -> (CatalogProduct, [LogicFile]) {
    let topic = catalogTopic(session)
    let catalog = try catalog(settings, session)
    if let found = catalog.product(name, domain: domain) {
      let logic = catalog.files(ofLogic: found.logicDigest, of: name, in: found.domain)
      return (found, logic ?? [])
    }
    let twins = catalog.products.filter { $0.name == name }
    if twins.count > 1 { throw severalDomains(name, twins.map(\.domain)) }
    throw Refusal(
      .unknownProduct, "neither the files here nor the catalog know a product `\(name)`",
      notes: ["the catalog is `\(topic)` at \(settings.bootstrap)"],
      help: closest(to: name, among: catalog.products.map(\.name)).map { "did you mean `\($0)`?" }
        ?? "`weft apply` publishes a product there; --environment or WEFT_ENVIRONMENT names the "
        + "environment whose catalog is read, --mesh a directory of files")
  }

  private static func catalogTopic(_ session: Session) -> String {
    let environment =
      session.arguments[Session.environment] ?? session.variables["WEFT_ENVIRONMENT"] ?? ""
    return WireNames(environment: environment, domain: "", product: "").catalogTopic
  }

  private static func catalog(_ settings: ClientSettings, _ session: Session) throws -> Catalog {
    try Broker(settings, session).run { _, deadline in
      try Catalog.read(settings, topic: catalogTopic(session), deadline)
    }
  }
}
