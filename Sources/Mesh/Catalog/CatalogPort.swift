import Diagnostics
import Expressions
import Product

/// An output port as it is published: what its readers rely on.
package struct CatalogPort: Sendable, Hashable {
  package var name: String
  package var major: Int
  package var topic: String
  /// One row a key, rather than a log of events.
  package var isState: Bool
  package var partitions: Int32
  package var contractId: String
  /// How the key is made, as text; compared, not parsed.
  package var key: [String]
  package var fields: [ContractField]

  package init(
    name: String, major: Int, topic: String, isState: Bool, partitions: Int32, contractId: String,
    key: [String], fields: [ContractField]
  ) {
    self.name = name
    self.major = major
    self.topic = topic
    self.isState = isState
    self.partitions = partitions
    self.contractId = contractId
    self.key = key
    self.fields = fields
  }

  package init(_ output: OutputDefinition, of product: ProductDefinition) {
    var key: [String] = []
    switch output.content {
    case .events(let branches):
      for branch in branches {
        let text = branch.key.map(\.text).joined(separator: ", ")
        if !key.contains(text) { key.append(text) }
      }
    case .state(let table, _, _, _):
      let positions = output.fields.filter { $0.primaryKeyPosition != nil }
        .sorted { ($0.primaryKeyPosition ?? 0) < ($1.primaryKeyPosition ?? 0) }
      // A key without names in the contract is told by its types.
      key = positions.map(\.name)
      if key.isEmpty { key = product.tables[table].keyTypes.map(\.description) }
    }
    self.init(
      name: output.port, major: output.major, topic: output.topic, isState: output.isState,
      partitions: output.partitions, contractId: output.contractId, key: key,
      fields: output.fields)
  }

  /// `claims#claim@1`, as people name it.
  package func address(in product: String) -> String { "\(product)#\(name)@\(major)" }
}

extension CheckedExpression {
  /// The expression as it stands in the file, in one line.
  var text: String {
    let range = span.range.clamped(to: 0..<span.source.bytes.count)
    return String(decoding: span.source.bytes[range], as: UTF8.self)
      .split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }
}
