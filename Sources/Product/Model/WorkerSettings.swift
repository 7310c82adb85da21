/// What worker.yaml says: how one domain's worker runs. Only its keys can change what is published.
package struct WorkerSettings: Sendable {
  package var domain: String
  package var environment: String
  /// librdkafka properties, secrets resolved; never printed.
  package var kafka: [(name: String, value: String)]
  package var stateDirectory: String
  /// What all states of the process may take of its memory.
  package var stateMemoryBytes: Int
  /// A turn closes when it is so old …
  package var commitIntervalMs: Int
  /// … or holds so many records, whichever comes first.
  package var commitRecords: Int
  /// The key of `pseudonym()`; never printed.
  package var pseudonymKey: [UInt8]?

  package init(
    domain: String, environment: String, kafka: [(name: String, value: String)],
    stateDirectory: String, stateMemoryBytes: Int = 256 << 20, commitIntervalMs: Int = 100,
    commitRecords: Int = 50_000
  ) {
    self.domain = domain
    self.environment = environment
    self.kafka = kafka
    self.stateDirectory = stateDirectory
    self.stateMemoryBytes = stateMemoryBytes
    self.commitIntervalMs = commitIntervalMs
    self.commitRecords = commitRecords
  }
}

/// A domain directory, read and checked.
package struct DomainDefinition: Sendable {
  package var name: String
  package var directory: String
  package var settings: WorkerSettings
  package var products: [ProductDefinition]

  package init(
    name: String, directory: String, settings: WorkerSettings, products: [ProductDefinition]
  ) {
    self.name = name
    self.directory = directory
    self.settings = settings
    self.products = products
  }
}
