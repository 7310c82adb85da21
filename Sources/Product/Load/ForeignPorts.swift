import Diagnostics

/// How transform.yaml and mesh.yaml name another product's output port: `claims#charges@1`, with
/// the domain before it, `billing/claims#charges@1`, where several have a product of that name.
/// Without a version it is the first.
package struct PortReference: Sendable, Hashable, CustomStringConvertible {
  package let domain: String?
  package let product: String
  package let port: String
  package let major: Int

  /// Nil when the text names no port.
  package init?(_ text: String) {
    let halves = text.split(separator: "#", omittingEmptySubsequences: false).map(String.init)
    guard halves.count == 2 else { return nil }
    let place = halves[0].split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let name = halves[1].split(separator: "@", omittingEmptySubsequences: false).map(String.init)
    guard place.count <= 2, place.allSatisfy(FieldReader.isWireName), name.count <= 2,
      FieldReader.isWireName(name[0]), let major = name.count == 2 ? Int(name[1]) : 1, major >= 0
    else { return nil }
    domain = place.count == 2 ? place[0] : nil
    product = place[place.count - 1]
    port = name[0]
    self.major = major
  }

  package var description: String {
    "\(domain.map { "\($0)/" } ?? "")\(product)#\(port)@\(major)"
  }
}

/// An output port of another product, as its files or the catalog have it.
package struct ForeignPort: Sendable, Hashable {
  package let domain: String
  package let product: String
  package let port: PublishedPort

  package init(domain: String, product: String, port: PublishedPort) {
    self.domain = domain
    self.product = product
    self.port = port
  }

  /// `billing/claims#charges@1`
  package var address: String { "\(domain)/\(product)#\(port.name)@\(port.major)" }
}

/// Where ports are found that no file at hand has: the mesh's catalog.
package struct PortsElsewhere: Sendable {
  package enum Answer: Sendable {
    /// All ports of all products of that name.
    case ports([ForeignPort])
    /// It could not be looked for; says why.
    case unknown(String)
    /// Nobody answers; says who. Asked again, somebody may.
    case away(String)
  }

  /// Asked with a product's name and the settings of the domain that takes from it.
  let ports: @Sendable (_ product: String, WorkerSettings) -> Answer

  package init(_ ports: @escaping @Sendable (_ product: String, WorkerSettings) -> Answer) {
    self.ports = ports
  }
}

/// Finds the ports that a domain's files name: in the files of the mesh at hand, else elsewhere.
final class PortFinder {
  enum Finding {
    case found(ForeignPort)
    /// There is none; says what there is.
    case missing(help: String?)
    case several(domains: [String])
    case unknown(String)
    /// It may be there later: its product is neither at hand nor in the catalog, or that does not
    /// answer. Says which.
    case unpublished(String)
  }

  private let root: String
  private let environment: String
  private let settings: WorkerSettings?
  private let elsewhere: PortsElsewhere?
  /// By product: the ports of those at hand, of all domains.
  private var atHand: [String: [ForeignPort]] = [:]

  /// - Parameter root: the folder of mesh.yaml, or the domain's where there is none.
  init(root: String, environment: String, settings: WorkerSettings?, elsewhere: PortsElsewhere?) {
    self.root = root
    self.environment = environment
    self.settings = settings
    self.elsewhere = elsewhere
  }

  func find(_ reference: PortReference) -> Finding {
    var all = ports(ofProduct: reference.product)
    if all.isEmpty {
      guard let elsewhere, let settings else {
        return .unknown("the files of no product `\(reference.product)` are at hand")
      }
      switch elsewhere.ports(reference.product, settings) {
      case .ports(let ports): all = ports
      case .unknown(let why): return .unknown(why)
      case .away(let why): return .unpublished(why)
      }
      if all.isEmpty {
        return .unpublished(
          "neither the files here nor the catalog have a product `\(reference.product)`")
      }
    }
    all = all.filter { reference.domain == nil || $0.domain == reference.domain }
    let domains = Set(all.map(\.domain)).sorted()
    if domains.count > 1 { return .several(domains: domains) }
    let found = all.first { $0.port.name == reference.port && $0.port.major == reference.major }
    if let found { return .found(found) }
    let names = all.map { $0.port.address(in: $0.product) }
    return .missing(
      help: names.isEmpty
        ? nil : "its ports are " + names.sorted().map { "`\($0)`" }.joined(separator: ", "))
  }

  private func ports(ofProduct name: String) -> [ForeignPort] {
    if let known = atHand[name] { return known }
    let found = findDomains(in: root).flatMap { directory in
      var loader = DomainLoader(directory, environment)
      return loader.ports(ofProduct: name)
    }
    atHand[name] = found
    return found
  }
}
