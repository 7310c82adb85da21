import Diagnostics
import Product

/// What the catalog says of one version of a product: enough to find, read and understand its ports
/// without its files.
package struct CatalogProduct: Sendable, Hashable {
  package struct Topic: Sendable, Hashable {
    package var name: String
    package var topic: String
    /// Of an input that is another product's port: `billing/claims#charges@1`.
    package var port: String?
    package init(name: String, topic: String, port: String? = nil) {
      self.name = name
      self.topic = topic
      self.port = port
    }
  }

  package var mesh: String
  package var domain: String
  package var name: String
  package var version: String
  /// 64 hexadecimal digits; the files of that logic are a record of their own.
  package var logicDigest: String
  package var group: String
  package var quarantineTopic: String
  package var observationsTopic: String
  package var inputs: [Topic]
  package var journals: [Topic]
  package var ports: [PublishedPort]
  /// The descriptor and the contracts as they were written, by path within the product.
  package var files: [LogicFile]

  /// As its files have it now; nil when they are not whole.
  package init?(_ loaded: LoadedProduct) {
    guard let product = loaded.definition else { return nil }
    mesh = product.mesh
    domain = product.domain
    name = product.name
    version = product.version
    logicDigest = hexadecimal(product.logicDigest)
    group = product.names.group
    quarantineTopic = product.names.quarantineTopic
    observationsTopic = product.names.observationsTopic
    inputs = product.inputs.map {
      Topic(name: $0.name, topic: $0.topic, port: $0.port?.address)
    }
    journals = product.journals.map { Topic(name: $0.name, topic: $0.topic) }
    ports = loaded.ports.map(\.port)
    // How it is made is private to the domain, and is in the files of its logic.
    files = loaded.files.filter { $0.path != "transform.yaml" }.map {
      LogicFile(path: $0.path, content: String(decoding: $0.text.bytes, as: UTF8.self))
    }
  }

  /// Its own topics: what recreating it deletes.
  package var ownTopics: [String] {
    journals.map(\.topic) + ports.map(\.topic) + [quarantineTopic, observationsTopic]
  }

  /// The record's key in the catalog topic.
  package var key: String { "product/\(domain)/\(name)/\(version)" }
}

package func hexadecimal(_ bytes: [UInt8]) -> String {
  let digits = Array("0123456789abcdef")
  return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
}
