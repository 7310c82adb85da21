import Kafka
import Product

/// A topic that a product needs, and how it must be.
package struct WantedTopic: Sendable, Hashable {
  package enum Purpose: String, Sendable, Hashable {
    case journal, quarantine, observations, catalog, input
    case eventPort = "event port"
    case statePort = "state port"
    /// An input that is another product's port, which nobody else can make.
    case foreignPort = "another product's port"
  }

  package var name: String
  package var purpose: Purpose
  /// The product it belongs to (or that reads it); empty for the catalog.
  package var product: String
  package var partitions: Int32
  /// Only what Weft has an opinion about; the broker's defaults hold for all else.
  package var configs: [String: String]

  package init(
    _ name: String, _ purpose: Purpose, of product: String, partitions: Int32,
    configs: [String: String] = [:]
  ) {
    self.name = name
    self.purpose = purpose
    self.product = product
    self.partitions = partitions
    self.configs = configs
  }
}

extension WantedTopic {
  /// Kafka's own default of `max.message.bytes`.
  package static let messageBytesDefault: Int64 = 1_048_588
  /// What a journal block or a quarantine record adds to the largest input record: prefix, headers.
  package static let messageBytesExtra: Int64 = 65_536

  /// The topics that a product itself writes, without the catalog. Event ports, journals and
  /// quarantine are kept for ever unless the files say otherwise: what a broker's default of a week
  /// took away nobody could bring back.
  ///
  /// - Parameter inputBytesMax: the largest `max.message.bytes` of the product's inputs.
  package static func own(of product: ProductDefinition, inputBytesMax: Int64) -> [WantedTopic] {
    let bytesMax = String(max(inputBytesMax, messageBytesDefault) + messageBytesExtra)
    let journals = product.journals.map { journal in
      WantedTopic(
        journal.topic, .journal, of: product.name, partitions: journal.partitions,
        configs: [
          "cleanup.policy": "delete", "retention.ms": String(journal.retentionMs ?? -1),
          "max.message.bytes": bytesMax, "message.timestamp.type": ownTime,
        ])
    }
    let ports = product.outputs.map { output in
      WantedTopic(
        output.topic, output.isState ? .statePort : .eventPort, of: product.name,
        partitions: output.partitions,
        configs: portConfigs(isState: output.isState))
    }
    // One partition: what is wrong is rare, and people read it in one order.
    let quarantine = WantedTopic(
      product.names.quarantineTopic, .quarantine, of: product.name, partitions: 1,
      configs: [
        "cleanup.policy": "delete", "retention.ms": "-1", "max.message.bytes": bytesMax,
        "message.timestamp.type": ownTime,
      ])
    let observations = WantedTopic(
      product.names.observationsTopic, .observations, of: product.name, partitions: 1,
      configs: ["cleanup.policy": "compact", "segment.ms": observationsSegmentMs])
    return journals + ports + [quarantine, observations]
  }

  /// A record's time is that of its event, or when it was recorded, which replays repeat; some
  /// brokers put their own in its place.
  private static let ownTime = "CreateTime"

  /// Ten minutes: a segment is not compacted while it is written, and each second brings records
  /// that the next ones replace; whoever asks reads them all.
  private static let observationsSegmentMs = "600000"

  /// Ports take what a Kafka producer may send unasked, also where the broker allows less.
  private static func portConfigs(isState: Bool) -> [String: String] {
    var configs = [
      "max.message.bytes": String(messageBytesDefault), "message.timestamp.type": ownTime,
    ]
    configs["cleanup.policy"] = isState ? "compact" : "delete"
    if !isState { configs["retention.ms"] = "-1" }
    return configs
  }

  package static func catalog(named name: String) -> WantedTopic {
    WantedTopic(name, .catalog, of: "", partitions: 1, configs: ["cleanup.policy": "compact"])
  }

  /// The topics a product reads, as they would be made for development.
  package static func inputs(of product: ProductDefinition) -> [WantedTopic] {
    let partitions = product.journals.first?.partitions ?? product.outputs.first?.partitions ?? 1
    return product.inputs.map {
      WantedTopic(
        $0.topic, $0.port == nil ? .input : .foreignPort, of: product.name, partitions: partitions)
    }
  }
}

/// A topic as the broker has it.
package struct ExistingTopic: Sendable, Hashable {
  package var partitions: Int
  /// Nil where the broker does not tell.
  package var configs: [String: String]?

  package init(partitions: Int, configs: [String: String]?) {
    self.partitions = partitions
    self.configs = configs
  }
}
