/// What became of a record that was handed to ingest or to a direct product.
package enum Intake {
  /// Journaled, published, filtered or quarantined; go on with the next.
  case taken
  /// The product says `onError: stop`, and this record cannot be processed: publish nothing of
  /// this turn, stop the product before it.
  case stop(Stop)
}

/// What became of a journal block.
package enum Applied {
  /// Its events are in the state and, unless it was re-applied silently, in the output batch.
  case applied
  /// The output batch is full (``OutputBatch/isFull``): publish and clear it, then apply the block
  /// on from its event `next`.
  case full(next: UInt32)
  /// The product says `onError: stop`, and an event of the block cannot be processed.
  case stop(Stop)
  /// The block was taken in under other logic: nothing of it was applied (idea.md, "Changing a
  /// product").
  case otherLogic
  /// The bytes are no whole block of a version that this build knows; nothing of it was applied.
  case unreadable(String)
}

/// Why a product that says `onError: stop` has to stop, for people.
package struct Stop: Sendable, Hashable {
  /// The reason's code, as the header `weft_reason` would have it.
  package let reason: String
  package let message: String
  /// Place in a product file (`file:line:column`) or in the document; may be empty.
  package let place: String
  /// The input's name, its topic, and where the record stands in it.
  package let input: String
  package let topic: String
  package let partition: Int32
  package let offset: Int64

  package init(
    reason: String, message: String, place: String, input: String, topic: String,
    partition: Int32, offset: Int64
  ) {
    self.reason = reason
    self.message = message
    self.place = place
    self.input = input
    self.topic = topic
    self.partition = partition
    self.offset = offset
  }
}

/// A product that cannot be compiled; a defect of the checker, as checked files always can be.
package struct PlanFailure: Error, Sendable, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}
