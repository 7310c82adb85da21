import Diagnostics

/// All that was found in a domain's directory.
package struct LoadedDomain: Sendable {
  /// Nil when there are errors: nothing runs from files that are partly right.
  package var definition: DomainDefinition?
  /// What is wrong, in reading order.
  package var diagnostics: [Diagnostic] = []
  /// Warnings: what is written and nothing acts on yet. For `weft check`.
  package var notActedOn: [Diagnostic] = []
  package var mesh: MeshDefinition?
  package var settings: WorkerSettings?
  package var products: [LoadedProduct] = []
}

/// One product of a domain: its files and what they say.
package struct LoadedProduct: Sendable {
  /// A text that was read, by its path within the product's directory.
  package struct File: Sendable {
    package let path: String
    package let text: SourceText
  }

  package var directory: String
  package var descriptor: ProductDescriptor?
  package var contracts: [Contract] = []
  package var definition: ProductDefinition?
  /// The output ports as they will be published, with the places of what they promise.
  package var ports: [PortPromise] = []
  /// Product, contracts and transform, as they stand on disk.
  package var files: [File] = []
}
