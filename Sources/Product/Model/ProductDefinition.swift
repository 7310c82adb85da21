import Expressions

/// One product, read and checked: all references resolved, all expressions typed, all names on the
/// wire computed. What the engine compiles and the worker runs; it holds no file and no position.
package struct ProductDefinition: Sendable {
  package var mesh: String
  package var domain: String
  package var name: String
  package var version: String
  package var inputs: [InputDefinition]
  /// Empty for `journal: none`: such a product runs direct, input to output in one transaction.
  package var journals: [JournalDefinition]
  /// Of the mesh's, those that its streams use.
  package var identifiers: [IdentifierDefinition]
  package var streams: [StreamDefinition]
  /// In the order of their names.
  package var joins: [JoinDefinition]
  package var tables: [TableDefinition]
  package var outputs: [OutputDefinition]
  package var onError: ErrorReaction
  package var order: KeyOrder
  /// How far an actual time may lie ahead of the recorded time, in milliseconds.
  package var futureMsMax: Int64
  package var names: WireNames
  /// SHA-256 over all that can change what the product publishes (idea.md, "Changing a product").
  package var logicDigest: [UInt8]
  /// The canonical texts the digest was made of, by path, for the catalog and for saying what
  /// changed.
  package var logicFiles: [LogicFile]

  package init(
    mesh: String, domain: String, name: String, version: String, inputs: [InputDefinition],
    journals: [JournalDefinition], identifiers: [IdentifierDefinition] = [],
    streams: [StreamDefinition] = [], joins: [JoinDefinition] = [], tables: [TableDefinition],
    outputs: [OutputDefinition],
    onError: ErrorReaction = .quarantine, order: KeyOrder = .skip, futureMsMax: Int64 = 3_600_000,
    names: WireNames,
    logicDigest: [UInt8], logicFiles: [LogicFile] = []
  ) {
    self.mesh = mesh
    self.domain = domain
    self.name = name
    self.version = version
    self.inputs = inputs
    self.journals = journals
    self.identifiers = identifiers
    self.streams = streams
    self.joins = joins
    self.tables = tables
    self.outputs = outputs
    self.onError = onError
    self.order = order
    self.futureMsMax = futureMsMax
    self.names = names
    self.logicDigest = logicDigest
    self.logicFiles = logicFiles
  }
}

extension ProductDefinition {
  /// The different ways in which events of a type are identified, in the order of tables and ports:
  /// a handed event names its own by its place here.
  package func identifications(of event: EventReference) -> [Identification] {
    var found: [Identification] = []
    func add(_ branch: Branch) {
      guard branch.event == event, let new = branch.identification else { return }
      if !found.contains(where: { $0.isSame(as: new) }) { found.append(new) }
    }
    for clause in tables.flatMap(\.clauses) { add(clause.branch) }
    for case .events(let branches) in outputs.map(\.content) {
      for branch in branches { add(branch.branch) }
    }
    return found
  }

  /// The inputs by whose actual times a journal's clock goes: all that it takes events of. None
  /// where nothing that is made of the journal asks for the time.
  package func clockInputs(ofJournal journal: Int) -> Set<Int> {
    let isAsked =
      tables.contains { $0.journal == journal && $0.needsClock }
      || joins.contains { $0.journal == journal }
    if !isAsked { return [] }
    return Set(journals[journal].keys.keys.map(\.input))
  }

  /// How its tables and event ports find global ids.
  package var identifications: [Identification] {
    let ofPorts = outputs.flatMap { output -> [Branch] in
      guard case .events(let branches) = output.content else { return [] }
      return branches.map(\.branch)
    }
    return (tables.flatMap(\.clauses).map(\.branch) + ofPorts).compactMap(\.identification)
  }
}

/// What becomes of a record that cannot be processed.
package enum ErrorReaction: Sendable, Hashable {
  /// It goes to the quarantine port in the same transaction (the default).
  case quarantine
  /// The product stops before it, uncommitted.
  case stop
}

/// What becomes of the later events of a key of which one is in quarantine.
package enum KeyOrder: String, Sendable, Hashable {
  /// They go on (the default); what is released comes at the end.
  case skip
  /// They wait, until it is released or discarded.
  case holdKey = "hold-key"
}

/// A text that the logic digest covers, such as the inputs or one output in canonical form.
package struct LogicFile: Sendable, Hashable {
  package let path: String
  package let content: String
  package init(path: String, content: String) {
    self.path = path
    self.content = content
  }
}

/// The product's names on the broker, with the environment's prefix.
package struct WireNames: Sendable, Hashable {
  /// `weft.<domain>.<product>`
  package let group: String
  /// `weft.<domain>.<product>`, to which the worker adds `.<instance>.<loop>`.
  package let transactionalIdPrefix: String
  /// `<domain>.<product>.quarantine`
  package let quarantineTopic: String
  /// `<domain>.<product>.observations`
  package let observationsTopic: String
  /// `weft.catalog`
  package let catalogTopic: String

  package init(environment: String, domain: String, product: String) {
    let prefix = environment.isEmpty ? "" : environment + "."
    group = "\(prefix)weft.\(domain).\(product)"
    transactionalIdPrefix = group
    quarantineTopic = "\(prefix)\(domain).\(product).quarantine"
    observationsTopic = "\(prefix)\(domain).\(product).observations"
    catalogTopic = "\(prefix)weft.catalog"
  }
}
