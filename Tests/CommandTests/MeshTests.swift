import Diagnostics
import Expressions
import Formats
import Kafka
import Mesh
import Product
import Records
import Testing

@Suite struct TopicPlanTests {
  private let journal = WantedTopic(
    "weft.d.p.journal.k", .journal, of: "p", partitions: 6,
    configs: [
      "cleanup.policy": "delete", "retention.ms": "-1", "max.message.bytes": "1114124",
    ])
  private let input = WantedTopic("ops.events", .input, of: "p", partitions: 6)

  private func plan(
    _ existing: [String: ExistingTopic], inputs: [WantedTopic] = [], creates: Bool = false
  ) -> TopicPlan {
    TopicPlan(wanted: [journal], inputs: inputs, existing: existing, createsInputs: creates)
  }

  @Test func `what is missing is created, what is as wanted is left`() {
    #expect(plan([:]).steps == [.create(journal)])
    let same = ExistingTopic(partitions: 6, configs: journal.configs)
    let found = plan([journal.name: same])
    #expect(found.steps.isEmpty && found.problems.isEmpty && found.unchangedCount == 1)
  }

  @Test func `settings that differ are changed, and a change that loses records says so`() throws {
    var configs = journal.configs
    configs["max.message.bytes"] = "1048588"
    configs["cleanup.policy"] = "compact"
    let found = plan([journal.name: ExistingTopic(partitions: 6, configs: configs)])
    guard case .alter(_, let changes) = try #require(found.steps.first) else {
      Issue.record("no change")
      return
    }
    #expect(changes.map(\.setting) == ["cleanup.policy", "max.message.bytes"])
    #expect(changes.map(\.losesRecords) == [false, false])

    var shorter = journal
    shorter.configs["retention.ms"] = "86400000"
    let losing = TopicPlan(
      wanted: [shorter], inputs: [],
      existing: [journal.name: ExistingTopic(partitions: 6, configs: journal.configs)],
      createsInputs: false)
    guard case .alter(_, let lost) = try #require(losing.steps.first) else {
      Issue.record("no change")
      return
    }
    #expect(lost.map(\.losesRecords) == [true])
  }

  @Test func `more room for messages than needed is left alone`() {
    var configs = journal.configs
    configs["max.message.bytes"] = "99999999"
    #expect(plan([journal.name: ExistingTopic(partitions: 6, configs: configs)]).steps.isEmpty)
  }

  @Test func `a broker that tells no settings is taken by its partitions`() {
    #expect(plan([journal.name: ExistingTopic(partitions: 6, configs: nil)]).steps.isEmpty)
  }

  @Test func `another partition count is refused with the way on`() throws {
    let found = plan([journal.name: ExistingTopic(partitions: 4, configs: nil)])
    #expect(found.steps.isEmpty)
    let problem = try #require(found.problems.first)
    #expect(problem.help?.contains("--recreate p") == true)
  }

  @Test func `an input that is missing is named, and made only when asked`() throws {
    let there = [journal.name: ExistingTopic(partitions: 6, configs: journal.configs)]
    let problem = try #require(plan(there, inputs: [input]).problems.first)
    #expect(problem.message.contains("ops.events") && problem.help?.contains("--create") == true)
    #expect(plan(there, inputs: [input], creates: true).steps == [.create(input)])
  }

  @Test func `what one product publishes is no missing input of another`() {
    let port = WantedTopic("ops.events", .eventPort, of: "other", partitions: 3)
    let found = TopicPlan(wanted: [port], inputs: [input], existing: [:], createsInputs: false)
    #expect(found.problems.isEmpty && found.steps == [.create(port)])
  }
}

@Suite struct CatalogTests {
  private let fields = [
    ContractField(
      name: "id", type: .string, isRequired: true, primaryKeyPosition: 1, classification: "pii",
      description: "who"),
    ContractField(
      name: "sums", type: .list(.decimal), isRequired: false,
      decimal: .init(precision: 18, scale: 2)),
    ContractField(
      name: "at",
      type: .object(ObjectType(name: "at", fields: [.init("x", .double, isRequired: true)])),
      isRequired: false, fields: [ContractField(name: "x", type: .double, isRequired: true)]),
    ContractField(name: "any", type: .map(key: .string, value: .dyn), isRequired: false),
  ]

  private func port(_ name: String = "claim") -> PublishedPort {
    PublishedPort(
      name: name, major: 1, version: "1.2.0", topic: "d.p.\(name).v1", isState: true,
      journal: "id", partitions: 12, key: ["id"], fields: fields)
  }

  private func record(_ version: String, ports: [PublishedPort]) throws -> JSONValue {
    JSONValue.members([
      "kind": "DataProduct", "format": 1, "mesh": "m", "domain": "d", "product": "p",
      "version": .string(version), "logicDigest": "00ff", "group": "weft.d.p",
      "quarantine": "d.p.quarantine", "observations": "d.p.observations",
      "inputs": .array([]),
      "journals": .array([.members(["name": "k", "topic": "weft.d.p.journal.k"])]),
      "ports": .array(ports.map(\.json)), "files": .array([]),
      "later": "a member of a later version",
    ])
  }

  private func take(_ catalog: inout Catalog, _ key: String, _ value: JSONValue?) {
    ByteView.lending(key) { key in
      if let value {
        ByteView.lending(value.description) { catalog.take(key: key, value: $0) }
      } else {
        catalog.take(key: key, value: nil)
      }
    }
  }

  @Test func `a port comes back from its record as it was`() throws {
    var correcting = port()
    correcting.corrects = true
    for port in [port(), correcting] {
      let json = try JSONValue(parsing: port.json.description)
      #expect(PublishedPort(json) == port)
    }
  }

  @Test func `the version applied last counts, whatever its number`() throws {
    var catalog = Catalog()
    take(&catalog, "product/d/p/2.0.0", try record("2.0.0", ports: [port("new")]))
    take(&catalog, "product/d/p/1.0.0", try record("1.0.0", ports: [port("old")]))
    #expect(catalog.products.map(\.version) == ["1.0.0"])
    #expect(catalog.product("p")?.ports.map(\.name) == ["old"])
    #expect(
      catalog.product("p", domain: "d")?.ownTopics
        == ["weft.d.p.journal.k", "d.p.old.v1", "d.p.quarantine", "d.p.observations"])
    take(&catalog, "product/d/p/1.0.0", nil)
    #expect(catalog.products.isEmpty)
  }

  @Test func `the files of a logic are found by its digest`() {
    var catalog = Catalog()
    let files: JSONValue = .members([
      "files": .array([.members(["path": "table claim", "content": "x"])])
    ])
    take(&catalog, Catalog.logicKey("d", "p", "00ff"), files)
    let found = catalog.files(ofLogic: "00ff", of: "p", in: "d")
    #expect(found == [LogicFile(path: "table claim", content: "x")])
    #expect(catalog.files(ofLogic: "00fe", of: "p", in: "d") == nil)
  }

  @Test func `what cannot be read is counted and harms nothing`() {
    var catalog = Catalog()
    take(&catalog, "product/d/p/1.0.0", .members(["kind": "DataProduct"]))
    take(&catalog, "subscription/x", .members(["kind": "Later"]))
    ByteView.lending("product/d/q/1") { key in
      ByteView.lending("{no json") { catalog.take(key: key, value: $0) }
    }
    #expect(catalog.products.isEmpty && catalog.unreadableCount == 3)
  }
}

@Suite struct KafkaMessageTests {
  private let settings = ClientSettings(
    bootstrap: "kafka:9092", properties: ["sasl.password": "hunter2"])

  @Test(arguments: [
    (Int32(-195), "W0401", "no broker answers at kafka:9092"), (3, "W0402", "no such topic"),
    (29, "W0403", "does not let this user"), (-169, "W0404", "refuses the login"),
    (58, "W0404", "refuses the login"), (87, "W0405", "could not read x"),
  ])
  func `each refusal of a broker has one message with a way on`(
    code: Int32, name: String, part: String
  ) {
    let error = KafkaError(code: KafkaErrorCode(value: code), operation: "read x", message: "m")
    let diagnostic = Diagnostic(error, settings: settings)
    #expect(diagnostic.code.text == name)
    #expect(diagnostic.message.contains(part), "\(diagnostic.message)")
    #expect(diagnostic.help != nil || name == "W0405")
    #expect(!TextRenderer(colours: false).render(diagnostic).contains("hunter2"))
  }
}
