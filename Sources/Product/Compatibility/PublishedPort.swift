import Diagnostics

/// One major version of an output port as its readers know it: what must stay while it is
/// published. The catalog stores it; ``PortPromise`` makes it of files.
package struct PublishedPort: Sendable, Hashable {
  package var name: String
  package var major: Int
  package var version: String
  package var topic: String
  package var isState: Bool
  /// The name of the journal that it is made from; nil of a direct product, and where the record is
  /// from before this was said.
  package var journal: String?
  package var partitions: Int32
  /// The parts of the record's key: of a state port the fields of its primary key, of an event port
  /// their expressions without spaces and comments. Empty: the input record's own key.
  package var key: [String]
  package var fields: [ContractField]
  /// Whether it carries corrections.
  package var corrects: Bool

  package init(
    name: String, major: Int, version: String, topic: String, isState: Bool, journal: String?,
    partitions: Int32, key: [String], fields: [ContractField], corrects: Bool = false
  ) {
    self.corrects = corrects
    self.name = name
    self.major = major
    self.version = version
    self.topic = topic
    self.isState = isState
    self.journal = journal
    self.partitions = partitions
    self.key = key
    self.fields = fields
  }

  /// `claims#claim@1`, as people name it.
  package func address(in product: String) -> String { "\(product)#\(name)@\(major)" }
}

/// A port that the files at hand promise, and where they do.
package struct PortPromise: Sendable {
  package let port: PublishedPort
  /// The port's key in transform.yaml.
  package let span: SourceSpan
  /// The schema object in the contract.
  package let contractSpan: SourceSpan
  /// Where each field's name stands in the contract, by its path joined with dots.
  package let places: [String: SourceSpan]
}

extension TransformReader {
  /// The output ports of a product that is whole.
  func promises(_ definition: ProductDefinition?) -> [PortPromise] {
    guard let definition else { return [] }
    return zip(outputs, definition.outputs).map { draft, output in
      let isState = output.isState
      let keyFields = ContractField.primaryKey(output.fields)
      let port = PublishedPort(
        name: output.port, major: output.major, version: draft.contract.version,
        topic: output.topic, isState: isState,
        journal: definition.journals.isEmpty ? nil : definition.journals[output.journal].name,
        partitions: output.partitions,
        key: isState ? keyFields.map(\.name) : draft.keyTexts, fields: output.fields,
        corrects: output.corrects)
      return PortPromise(
        port: port, span: draft.nameSpan, contractSpan: draft.object.nameSpan,
        places: draft.object.places)
    }
  }
}
