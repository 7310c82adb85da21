import Diagnostics

/// Reads a domain's directory and checks all of it. `environment` takes the place of worker.yaml's.
///
/// The definition is nil when there are errors; `diagnostics` has all of them, of all files, in
/// reading order. Warnings do not stand in the way.
package func loadDomain(
  at directory: String, environment: String? = nil, elsewhere: PortsElsewhere? = nil
) -> (DomainDefinition?, [Diagnostic]) {
  let loaded = LoadedDomain.load(directory, environment: environment, elsewhere: elsewhere)
  return (loaded.definition, loaded.diagnostics)
}

/// The path of the mesh.yaml that holds for a directory: its own, or that of the nearest folder
/// above.
package func findMesh(from directory: String) -> String? {
  var folder = directory
  // A path is written as the user would write it while that is possible.
  for candidate in ["mesh.yaml", "../mesh.yaml", "../../mesh.yaml"] {
    let path = FileTree.join(directory, candidate)
    if FileTree.isFile(path) { return DomainLoader.tidy(path) }
  }
  while let parent = FileTree.parent(of: folder) {
    let path = FileTree.join(parent, "mesh.yaml")
    if FileTree.isFile(path) { return path }
    folder = parent
  }
  return nil
}

/// The domain directories in a folder or up to two folders down: those with a worker.yaml, sorted.
package func findDomains(in directory: String) -> [String] {
  func search(_ folder: String, _ depth: Int) -> [String] {
    if FileTree.isFile(FileTree.join(folder, "worker.yaml")) { return [folder] }
    if depth == 0 { return [] }
    return FileTree.names(in: folder).map { FileTree.join(folder, $0) }
      .filter { FileTree.isFolder($0) }.flatMap { search($0, depth - 1) }
  }
  return search(directory, 2)
}

extension LoadedDomain {
  /// The same as ``loadDomain(at:environment:elsewhere:)``, with the files' other contents.
  package static func load(
    _ directory: String, environment: String? = nil, elsewhere: PortsElsewhere? = nil
  ) -> LoadedDomain {
    var loader = DomainLoader(directory, environment, elsewhere)
    return loader.load()
  }
}

/// Reads the files of one domain, each once.
struct DomainLoader {
  private let directory: String
  private let environment: String?
  private let elsewhere: PortsElsewhere?
  private var result = LoadedDomain()

  init(_ directory: String, _ environment: String?, _ elsewhere: PortsElsewhere? = nil) {
    self.directory = DomainLoader.tidy(directory)
    self.environment = environment
    self.elsewhere = elsewhere
  }

  /// What stands before topics of ours.
  var prefix: String { result.settings?.environment ?? environment ?? "" }

  /// The folders in it that hold a product, itself among them.
  var productFolders: [String] {
    ([directory] + FileTree.names(in: directory).map { FileTree.join(directory, $0) })
      .filter { FileTree.isFile(FileTree.join($0, DomainLoader.marker)) }
  }
  private static let marker = "product.odps.yaml"

  mutating func load() -> LoadedDomain {
    guard FileTree.isFolder(directory) else {
      result.diagnostics = [
        Diagnostic(.missingFile, "there is no directory `\(directory)`")
      ]
      return result
    }
    result.settings = readWorker()
    result.mesh = readMesh()
    let root = result.mesh.flatMap { FileTree.parent(of: $0.path) } ?? directory
    let finder = PortFinder(
      root: root, environment: prefix, settings: result.settings, elsewhere: elsewhere)
    readProducts(finder)
    let failed = result.diagnostics.contains { $0.severity == .error }
    if let settings = result.settings, !failed {
      result.definition = DomainDefinition(
        name: settings.domain, directory: directory, settings: settings,
        products: result.products.compactMap(\.definition))
    }
    result.diagnostics = result.diagnostics.inReadingOrder()
    result.notActedOn = result.notActedOn.inReadingOrder()
    return result
  }

  /// `a/../b` as `b`, without `./` and doubled or last slashes.
  static func tidy(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == "..", let last = parts.last, last != ".." {
        parts.removeLast()
      } else {
        parts.append(part)
      }
    }
    let joined = (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    return joined.isEmpty ? "." : joined
  }

  /// The text of a file; nil when it is not there, which is told if it `isNeeded`.
  private mutating func text(_ path: String, isNeeded: Bool, help: String? = nil) -> SourceText? {
    guard FileTree.isFile(path) else {
      if isNeeded {
        result.diagnostics.append(
          Diagnostic(.missingFile, "there is no file `\(path)`", help: help))
      }
      return nil
    }
    guard let bytes = FileTree.read(path) else {
      result.diagnostics.append(Diagnostic(.unreadableFile, "`\(path)` cannot be read"))
      return nil
    }
    return SourceText(name: path, bytes: bytes)
  }

  private mutating func record(_ source: SourceText, _ spec: RecordSpec) -> FileRecord? {
    guard let root = YAMLReader.read(source, into: &result.diagnostics) else { return nil }
    var reader = FieldReader()
    let record = reader.read(root, as: spec)
    result.diagnostics += reader.diagnostics
    result.notActedOn += reader.notActedOn
    return record
  }

  private mutating func readWorker() -> WorkerSettings? {
    let path = FileTree.join(directory, "worker.yaml")
    let help = "a domain's directory has a worker.yaml; `weft new domain` makes one"
    guard let source = text(path, isNeeded: true, help: help) else { return nil }
    let before = (result.diagnostics.count, result.notActedOn.count)
    var file = WorkerFile(directory: directory)
    let record = record(source, WorkerSpec.file)
    let settings = record.flatMap { file.settings($0, environment: environment) }
    result.diagnostics += file.diagnostics
    // From here on nothing points into the true text: a message shows the line it is about.
    let masked = SecretMask.masked(source)
    result.diagnostics =
      Array(result.diagnostics.prefix(before.0))
      + SecretMask.moved(
        Array(result.diagnostics.dropFirst(before.0)), from: source, to: masked)
    result.notActedOn =
      Array(result.notActedOn.prefix(before.1))
      + SecretMask.moved(Array(result.notActedOn.dropFirst(before.1)), from: source, to: masked)
    return settings
  }

  private mutating func readMesh() -> MeshDefinition? {
    guard let path = findMesh(from: directory), let source = text(path, isNeeded: false) else {
      return nil
    }
    return record(source, MeshSpec.file).flatMap {
      MeshDefinition.read($0, path: path, into: &result.diagnostics)
    }
  }

  private mutating func readProducts(_ finder: PortFinder) {
    let folders = productFolders
    if folders.isEmpty {
      result.diagnostics.append(
        Diagnostic(
          .missingFile, "there is no product in `\(directory)`",
          help: "a product's directory has a product.odps.yaml; `weft new product` makes one"))
    }
    var seen: [String: String] = [:]
    for folder in folders {
      let product = readProduct(folder, finder)
      if let descriptor = product.descriptor, !descriptor.lacksName {
        if let first = seen[descriptor.id] {
          result.diagnostics.append(
            Diagnostic(
              .ambiguousName, "`\(descriptor.id)` is the product in `\(first)` already",
              at: descriptor.record.span("id")))
        }
        seen[descriptor.id] = folder
      }
      result.products.append(product)
    }
  }

  mutating func readDescriptor(_ folder: String, _ product: inout LoadedProduct)
    -> ProductDescriptor?
  {
    let path = FileTree.join(folder, DomainLoader.marker)
    guard let source = text(path, isNeeded: true) else { return nil }
    product.files.append(.init(path: DomainLoader.marker, text: source))
    return record(source, DescriptorSpec.file).flatMap {
      ProductDescriptor.read($0, into: &result.diagnostics)
    }
  }

  mutating func readTransform(_ folder: String, _ product: inout LoadedProduct) -> FileRecord? {
    let path = "transform.yaml"
    guard let source = text(FileTree.join(folder, path), isNeeded: true) else { return nil }
    product.files.append(.init(path: path, text: source))
    return record(source, TransformSpec.file)
  }

  private mutating func readProduct(_ folder: String, _ finder: PortFinder) -> LoadedProduct {
    var product = LoadedProduct(directory: folder)
    product.descriptor = readDescriptor(folder, &product)
    var contracts = readContracts(folder, &product)
    guard let record = readTransform(folder, &product), let descriptor = product.descriptor
    else { return product }
    checkDomain(descriptor)
    // An input's contract may be another product's, or one that several share.
    for (_, input) in record["inputs"]?.entries ?? [] {
      guard let path = input.record?.text("contract"), contracts.byPath[path] == nil,
        !contracts.brokenPaths.contains(path), FileTree.isFile(FileTree.join(folder, path))
      else { continue }
      if let contract = readContract(path, in: folder, &contracts, &product) {
        product.contracts.append(contract)
      }
    }
    let around = TransformReader.Surroundings(
      mesh: result.mesh?.name ?? descriptor.domain,
      environment: result.settings?.environment ?? "", descriptor: descriptor,
      contracts: contracts, ports: finder, pseudonymKey: result.settings?.pseudonymKey,
      identifiers: result.mesh?.identifiers ?? [], masks: result.mesh?.masks ?? [:])
    var reader = TransformReader(record, around)
    product.definition = reader.read()
    product.ports = reader.promises(product.definition)
    result.diagnostics += reader.diagnostics
    return product
  }

  private mutating func checkDomain(_ descriptor: ProductDescriptor) {
    guard let domain = result.settings?.domain, domain != descriptor.domain,
      !descriptor.lacksName
    else { return }
    result.diagnostics.append(
      Diagnostic(
        .unknownReference, "worker.yaml runs domain `\(domain)`, not `\(descriptor.domain)`",
        at: descriptor.record.span("domain"), help: "write `domain: \(domain)`"))
  }

  mutating func readContracts(_ folder: String, _ product: inout LoadedProduct)
    -> ProductContracts
  {
    var contracts = ProductContracts()
    let names = FileTree.names(in: FileTree.join(folder, "contracts"))
    for name in names where name.hasSuffix(".odcs.yaml") {
      guard let contract = readContract("contracts/" + name, in: folder, &contracts, &product)
      else { continue }
      if let twin = contracts.contract(id: contract.id, major: contract.major) {
        result.diagnostics.append(
          Diagnostic(
            .ambiguousName, "`\(twin.source.name)` is version \(twin.major) of this contract too",
            at: contract.idSpan, help: "a major version has one file"))
      }
      contracts.all.append(contract)
    }
    product.contracts = contracts.all
    return contracts
  }

  private mutating func readContract(
    _ path: String, in folder: String, _ contracts: inout ProductContracts,
    _ product: inout LoadedProduct
  ) -> Contract? {
    guard let source = text(DomainLoader.tidy(FileTree.join(folder, path)), isNeeded: true) else {
      contracts.brokenPaths.insert(path)
      return nil
    }
    product.files.append(.init(path: path, text: source))
    var reader = ContractReader()
    let contract = record(source, ContractSpec.file).flatMap { reader.read($0) }
    result.diagnostics += reader.diagnostics
    if let contract {
      contracts.byPath[path] = contract
    } else {
      contracts.brokenPaths.insert(path)
    }
    return contract
  }
}
