import CommandLine
import Diagnostics
import Dispatch
import Kafka
import Mesh
import Product
import Records

/// What `weft apply` finds out and does for products on one cluster: first everything is looked at
/// and compared, then, if nothing stands in the way, topics are made and the catalog is written.
struct Application {
  /// So long a recreation waits for workers that have stopped to be forgotten: a session and a bit.
  private static let leaveMs = 12_000

  private let broker: Broker
  private let products: [LoadedProduct]
  private let createsInputs: Bool
  private let session: Session
  /// Topics of ports whose readers the files would break: that is said once, and at its place.
  private var broken: Set<String> = []
  /// By the catalog topic's name, which has the environment's prefix.
  private var catalogs: [String: Catalog] = [:]
  private(set) var existing: [String: ExistingTopic] = [:]
  private(set) var recreations: [Recreation] = []
  private(set) var topics: TopicPlan
  private(set) var problems: [Diagnostic] = []

  /// Looks at files, broker and catalog; changes nothing.
  /// - Parameter recreating: the product that is to start over, if one is.
  init(
    _ products: [LoadedProduct], _ broker: Broker, _ session: Session, createsInputs: Bool,
    recreating: String?
  ) throws {
    self.broker = broker
    self.session = session
    self.products = products
    self.createsInputs = createsInputs
    topics = TopicPlan(wanted: [], inputs: [], existing: [:], createsInputs: false)
    try readCatalogs()
    try lookAtTopics()
    for product in products {
      guard let definition = product.definition else { continue }
      if definition.name == recreating {
        try planRecreation(definition)
      } else {
        try compare(product, definition)
      }
    }
    planTopics(gone: Set(recreations.flatMap(\.topics)))
  }

  /// `weft run claims`, and so on for each domain, with what this command was told of them.
  var runCommands: String {
    let options = session.arguments.repeating([
      Session.environment, Session.mesh, Session.bootstrap,
    ])
    return Set(definitions.map(\.domain)).sorted().map { "`weft run \($0)\(options)`" }
      .joined(separator: ", ")
  }

  private var definitions: [ProductDefinition] { products.compactMap(\.definition) }

  private mutating func readCatalogs() throws {
    for name in Set(definitions.map(\.names.catalogTopic)) {
      catalogs[name] = try broker.run { _, deadline in
        try Catalog.read(broker.settings, topic: name, deadline)
      }
    }
  }

  private func published(_ product: ProductDefinition) -> CatalogProduct? {
    catalogs[product.names.catalogTopic]?.product(product.name, domain: product.domain)
  }

  private mutating func lookAtTopics() throws {
    var own: Set<String> = []
    var inputs: Set<String> = []
    for product in definitions {
      own.formUnion(WantedTopic.own(of: product, inputBytesMax: 0).map(\.name))
      own.insert(product.names.catalogTopic)
      own.formUnion(published(product)?.ownTopics ?? [])
      inputs.formUnion(product.inputs.map(\.topic))
    }
    existing = try broker.run { admin, deadline in
      try TopicPlan.existing(own, inputs: inputs, admin, deadline)
    }
  }

  private mutating func planRecreation(_ product: ProductDefinition) throws {
    let recreation = Recreation(
      product: product.name, group: product.names.group,
      own: WantedTopic.own(of: product, inputBytesMax: 0), published: published(product),
      existing: existing)
    // A worker that has just stopped counts as a member until its session is over.
    let patience = Deadline.after(milliseconds: Application.leaveMs)
    let pause = DispatchSemaphore(value: 0)
    var hasSaid = false
    while let obstacle = try broker.run({ try recreation.obstacle($0, $1) }) {
      if patience.hasPassed || !recreation.membersAreForgotten {
        problems.append(obstacle)
        break
      }
      if !hasSaid { session.say("waiting for the members of \(recreation.group) to leave …") }
      hasSaid = true
      _ = pause.wait(timeout: .now() + .milliseconds(250))
    }
    recreations.append(recreation)
  }

  /// What the files would break: for readers of a published major, and in the product's own
  /// history.
  private mutating func compare(_ loaded: LoadedProduct, _ product: ProductDefinition) throws {
    guard let before = published(product) else { return }
    var isBroken = false
    for promise in loaded.ports {
      let found = Compatibility.broken(before.ports, by: [promise])
      if found.isEmpty { continue }
      problems += found
      broken.insert(promise.port.topic)
      isBroken = true
    }
    if isBroken { return }
    if before.logicDigest == hexadecimal(product.logicDigest) {
      if let gone = before.journals.first(where: { existing[$0.topic] == nil }),
        try hasCommittedInputs(before), try isGone(gone.topic)
      {
        problems.append(TopicPlan.journalMissing(gone.topic, of: product.name))
      }
    } else if try hasBegun(before) {
      let old = catalogs[product.names.catalogTopic]?.files(
        ofLogic: before.logicDigest, of: product.name, in: product.domain)
      problems.append(LogicChange.diagnostic(product: product, old: old))
    }
  }

  /// Whether the product has a history: anything in its journals, or inputs it has committed.
  private func hasBegun(_ product: CatalogProduct) throws -> Bool {
    try broker.run { admin, deadline in
      for journal in product.journals {
        for partition in partitions(of: journal.topic) {
          let range = try admin.watermarks(journal.topic, partition, deadline)
          if range.upperBound > 0 { return true }
        }
      }
      return false
    } || hasCommittedInputs(product)
  }

  /// Whether a topic is not there, rather than hidden from this user.
  private func isGone(_ topic: String) throws -> Bool {
    try broker.run { admin, deadline in try admin.topic(topic, deadline) == nil }
  }

  private func hasCommittedInputs(_ product: CatalogProduct) throws -> Bool {
    try broker.run { admin, deadline in
      for input in product.inputs where existing[input.topic] != nil {
        let committed = try admin.committed(
          by: product.group, input.topic, partitions(of: input.topic), deadline)
        if committed.contains(where: { $0.offset != nil }) { return true }
      }
      return false
    }
  }

  private mutating func planTopics(gone: Set<String>) {
    let left = existing.filter { !gone.contains($0.key) }
    var wanted: [WantedTopic] = []
    for product in definitions {
      let sizes = product.inputs.compactMap {
        existing[$0.topic]?.configs?["max.message.bytes"].flatMap { Int64($0) }
      }
      wanted += WantedTopic.own(of: product, inputBytesMax: sizes.max() ?? 0)
      wanted.append(.catalog(named: product.names.catalogTopic))
    }
    topics = TopicPlan(
      wanted: wanted.filter { !broken.contains($0.name) },
      inputs: definitions.flatMap { WantedTopic.inputs(of: $0) }, existing: left,
      createsInputs: createsInputs,
      unpublished: Set(definitions.filter { published($0) == nil }.map(\.name)))
    problems += topics.problems
  }

  /// Products whose self-description or logic the catalog does not have yet.
  var unpublished: [CatalogProduct] {
    products.compactMap { loaded in
      guard let product = loaded.definition, let now = CatalogProduct(loaded) else { return nil }
      return published(product) == now ? nil : now
    }
  }

  /// Published ports that the files do not have any more; they stay as they are.
  var abandoned: [(product: String, port: PublishedPort)] {
    products.flatMap { loaded -> [(product: String, port: PublishedPort)] in
      guard let product = loaded.definition else { return [] }
      let names = Set(loaded.ports.map { $0.port.address(in: product.name) })
      return (published(product)?.ports ?? []).filter {
        !names.contains($0.address(in: product.name))
      }.map { (product.name, $0) }
    }
  }

  /// Does all of it; `report` is told of each step before it is done.
  func carryOut(losingRecords: Bool, report: (TopicPlan.Step) -> Void) throws {
    try broker.run { admin, deadline in
      for recreation in recreations { try recreation.run(admin, deadline) }
      try topics.apply(admin, losingRecords: losingRecords, deadline, report: report)
    }
    for loaded in products {
      guard let product = loaded.definition, let now = CatalogProduct(loaded) else { continue }
      let topic = product.names.catalogTopic
      try broker.run { _, deadline in
        _ = try (catalogs[topic] ?? Catalog()).publish(
          now, logicFiles: product.logicFiles, broker.settings, topic: topic, deadline)
      }
    }
  }
}

extension Application {
  private func partitions(of topic: String) -> [Partition] {
    (0..<Int32(existing[topic]?.partitions ?? 0)).map { Partition($0) }
  }
}
