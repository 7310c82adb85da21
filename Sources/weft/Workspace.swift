import CommandLine
import Diagnostics
import Foundation
import Product

/// The domains a command is about: found from a path, a name, or where it was called.
struct Workspace {
  static let path = Argument(
    "PATH", isRequired: false,
    "a mesh, a domain or a product: its directory, or its name (default: what is here)")
  static let domain = Argument("DOMAIN", "a domain: its directory, or its name")

  /// In the order of their directories.
  let domains: [LoadedDomain]
  private let directories: [String]
  /// Only this product of them, by name; nil for all.
  let product: String?

  /// Finds and reads the domains. What is wrong with their files is in them, not thrown.
  /// - Throws: ``Refusal`` when there is nothing of that name.
  init(_ place: String?, _ session: Session) throws {
    let directory = place ?? session.arguments[Session.mesh] ?? "."
    let environment = session.arguments[Session.environment]
    func load(_ directories: [String]) -> [LoadedDomain] {
      directories.map {
        LoadedDomain.load($0, environment: environment, elsewhere: session.elsewhere)
      }
    }
    func only(_ name: String, _ found: [Int], of known: [String]) throws {
      if found.count > 1 { throw Workspace.twice(name, found.map { known[$0] }) }
    }
    if let found = Workspace.directories(at: directory, isNamed: place != nil) {
      let loaded = load(found.domains)
      domains = loaded
      directories = found.domains
      product = found.product.map { Workspace.name(ofProductAt: $0, in: loaded) }
      return
    }
    let known = Workspace.known(session)
    guard let name = place else {
      throw Refusal(
        .nothingOfThatName, "there is no mesh, domain or product here",
        help: "go to its directory, name it, or begin one with `weft new product NAME`")
    }
    var found = known.indices.filter {
      known[$0].split(separator: "/").last.map(String.init) == name
    }
    try only(name, found, of: known)
    if let index = found.first {
      directories = [known[index]]
      domains = load(directories)
      product = nil
      return
    }
    let all = load(known)
    found = all.indices.filter { all[$0].settings?.domain == name }
    let isDomain = !found.isEmpty
    if !isDomain {
      found = all.indices.filter { all[$0].products.contains { $0.descriptor?.id == name } }
    }
    try only(name, found, of: known)
    if let index = found.first {
      directories = [known[index]]
      domains = [all[index]]
      product = isDomain ? nil : name
      return
    }
    let names = all.flatMap {
      [$0.settings?.domain].compactMap(\.self) + $0.products.compactMap(\.descriptor?.id)
    }
    let near = closest(to: name, among: names).map { "did you mean `\($0)`?" }
    throw Refusal(
      .nothingOfThatName, "there is no directory, domain or product `\(name)`",
      notes: names.isEmpty ? [] : ["there are: " + Set(names).sorted().joined(separator: ", ")],
      help: near ?? "give its directory, or the mesh's with --mesh")
  }

  /// What the product at a directory calls itself: its directory may have another name. Where its
  /// file does not say, all that is to be told of it is what is wrong with that.
  private static func name(ofProductAt place: String, in domains: [LoadedDomain]) -> String {
    func standard(_ path: String) -> String { URL(filePath: path).standardizedFileURL.path }
    let products = domains.flatMap(\.products)
    let found = products.first { standard($0.directory) == standard(place) }
    return found?.descriptor?.id ?? URL(filePath: place).standardizedFileURL.lastPathComponent
  }

  /// The domains at a directory: itself, those in it, or (unless a place was named) the one that
  /// holds it; of a product its directory as well.
  private static func directories(
    at place: String, isNamed: Bool
  ) -> (domains: [String], product: String?)? {
    let values = try? URL(filePath: place).resourceValues(forKeys: [.isDirectoryKey])
    if values?.isDirectory != true { return nil }
    func has(_ file: String, _ directory: String) -> Bool {
      FileManager.default.fileExists(atPath: directory + "/" + file)
    }
    let within = findDomains(in: place)
    if !within.isEmpty { return (within, nil) }
    if has("product.odps.yaml", place) || !isNamed {
      var above = URL(filePath: place).standardizedFileURL
      while above.path != "/" {
        if has("worker.yaml", above.path) {
          let isProduct = has("product.odps.yaml", place)
          return ([above.path], isProduct ? place : nil)
        }
        above = above.deletingLastPathComponent().standardizedFileURL
      }
    }
    if !isNamed {
      let inConfig = roots(in: "Config").flatMap { findDomains(in: $0) }
      if !inConfig.isEmpty { return (inConfig, nil) }
    }
    return nil
  }

  /// The directories of all domains at hand.
  static func known(_ session: Session) -> [String] {
    let roots = roots(session)
    return (roots.isEmpty ? ["."] : roots).flatMap { findDomains(in: $0) }
  }

  /// Where meshes are: as told, around the present directory, or in `Config`.
  private static func roots(_ session: Session) -> [String] {
    if let told = session.arguments[Session.mesh] { return [told] }
    if let file = findMesh(from: ".") {
      return [URL(filePath: file).deletingLastPathComponent().relativePath]
    }
    return roots(in: "Config")
  }

  private static func roots(in folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.sorted().map { folder + "/" + $0 }.filter {
      FileManager.default.fileExists(atPath: $0 + "/mesh.yaml")
    }
  }

  /// All that is wrong, each once though domains share files.
  var diagnostics: [Diagnostic] { Workspace.once(domains.flatMap(\.diagnostics)) + twins }

  /// Domains of one name would write to each other's topics.
  private var twins: [Diagnostic] {
    var places: [String: [String]] = [:]
    for (domain, directory) in zip(domains, directories) {
      guard let settings = domain.settings else { continue }
      let environment = settings.environment.isEmpty ? "" : settings.environment + "."
      places[environment + settings.domain, default: []].append(directory)
    }
    return places.filter { $0.value.count > 1 }.sorted { $0.key < $1.key }
      .flatMap { Workspace.twice($0.key, $0.value).diagnostics }
  }

  /// Why a name does not say which of several is meant.
  static func twice(_ name: String, _ directories: [String]) -> Refusal {
    Refusal(
      .nameTwice, "`\(name)` is in \(directories.count) places",
      notes: [directories.joined(separator: "\n")],
      help: "name one directory; a name is one domain's or product's, as topics are made of it")
  }

  var notActedOn: [Diagnostic] { Workspace.once(domains.flatMap(\.notActedOn)) }

  private static func once(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
    var seen: Set<String> = []
    return diagnostics.inReadingOrder().filter { seen.insert(JSONRenderer().render($0)).inserted }
  }

  /// Products that are whole, with their domain; nil where files are not.
  var products: [(domain: DomainDefinition, product: LoadedProduct)] {
    domains.flatMap { domain in
      domain.definition.map { definition in
        domain.products.filter { product == nil || $0.descriptor?.id == product }
          .map { (definition, $0) }
      } ?? []
    }
  }

  /// Refuses to go on from files that are not right.
  func requireWhole() throws {
    if diagnostics.contains(where: { $0.severity == .error }) { throw Refusal(diagnostics) }
  }
}
