import Product
import Records

/// A product, compiled: decode plans, programs, ports. Made once; owned by one thread, as it also
/// holds the memory that its programs work in.
package final class ProductPlan {
  package let definition: ProductDefinition
  /// One for each output, in the order of the definition.
  package let ports: [PortTemplate]
  package let logicDigest: LogicDigest
  /// What the topics take; to be set before the first record.
  package var limits = Limits()

  package init(_ definition: ProductDefinition) throws(PlanFailure) {
    self.definition = definition
    ports = []
    logicDigest = .none
  }
}
