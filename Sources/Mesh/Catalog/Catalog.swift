import Formats
import Kafka
import Product
import Records

/// The mesh's catalog as it stands in its topic: the products that were applied, with their ports,
/// and the files of each logic. The last record of a key counts.
package struct Catalog: Sendable {
  /// The version of each product that was applied last, in the order of application.
  package private(set) var products: [CatalogProduct] = []
  /// Records that this version of Weft cannot read; others may.
  package private(set) var unreadableCount = 0
  private var logic: [String: [LogicFile]] = [:]

  package init() {}

  /// Takes one record over, in the order of the topic; nil is a tombstone.
  package mutating func take(key: ByteView, value: ByteView?) {
    let key = key.text
    guard let value else { return forget(key) }
    guard let json = try? JSONValue(parsing: value) else { return unreadableCount += 1 }
    if key.hasPrefix("product/"), let product = CatalogProduct(json) {
      products.removeAll { $0.domain == product.domain && $0.name == product.name }
      products.append(product)
    } else if key.hasPrefix("logic/"), let files = json["files"].all(LogicFile.init) {
      logic[key] = files
    } else {
      unreadableCount += 1
    }
  }

  private mutating func forget(_ key: String) {
    products.removeAll { $0.key == key }
    logic[key] = nil
  }

  /// The product of that name; with a nil domain, nil as well when several domains have one.
  package func product(_ name: String, domain: String? = nil) -> CatalogProduct? {
    let found = products.filter { $0.name == name && (domain == nil || $0.domain == domain) }
    return found.count == 1 ? found.first : nil
  }

  /// The files of a logic that was applied; nil when the catalog does not have them.
  package func files(ofLogic digest: String, of product: String, in domain: String) -> [LogicFile]?
  {
    logic[Catalog.logicKey(domain, product, digest)]
  }

  package static func logicKey(_ domain: String, _ product: String, _ digest: String) -> String {
    "logic/\(domain)/\(product)/\(digest)"
  }
}

extension Catalog {
  /// Reads the whole topic; empty when there is none yet.
  package static func read(
    _ settings: ClientSettings, topic: String, _ deadline: Deadline
  ) throws(KafkaError) -> Catalog {
    var catalog = Catalog()
    do {
      let reader = try TopicReader(settings: settings, topic: topic, from: .earliest, deadline)
      try reader.readToEnd(deadline) { batch in
        for index in 0..<batch.count {
          guard let key = batch.key(at: index) else { continue }
          catalog.take(key: key, value: batch.value(at: index))
        }
      }
    } catch  where error.isTopicMissing {
      return Catalog()
    }
    return catalog
  }

  /// Publishes a product and the files of its logic; what the catalog has already is not written
  /// again. Returns whether anything was new.
  package func publish(
    _ product: CatalogProduct, logicFiles: [LogicFile], _ settings: ClientSettings,
    topic: String, _ deadline: Deadline
  ) throws(KafkaError) -> Bool {
    var records: [(key: String, value: JSONValue)] = []
    let digest = product.logicDigest
    if files(ofLogic: digest, of: product.name, in: product.domain) != logicFiles {
      let key = Catalog.logicKey(product.domain, product.name, digest)
      let value = JSONValue.members([
        "kind": "Logic", "format": 1, "digest": .string(digest),
        "files": .array(logicFiles.map(\.json)),
      ])
      records.append((key, value))
    }
    // The product comes last: who sees it finds its logic.
    if self.product(product.name, domain: product.domain) != product {
      records.append((product.key, product.json))
    }
    if records.isEmpty { return false }
    let producer = try PlainProducer(settings: settings)
    let ordinal = try producer.open(topic, deadline)
    for record in records {
      try producer.produce(to: ordinal, key: record.key, value: record.value, deadline)
    }
    try producer.flush(deadline)
    return true
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
  package init(stringLiteral value: String) { self = .string(value) }
  package init(integerLiteral value: Int) { self = .integer(value) }
}
