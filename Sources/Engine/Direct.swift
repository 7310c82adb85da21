import Records

/// The program of a product with `journal: none`: input record in, output records out.
package final class Direct {
  package let plan: ProductPlan
  /// What became of the records taken; the owner sets it back.
  package var counts = Counts()

  package init(_ plan: ProductPlan) {
    self.plan = plan
  }

  /// Runs the record through the product and appends what it becomes. `recordedMs` is the turn's
  /// clock, in milliseconds since 1970.
  package func take(_ record: SourceRecord, recordedMs: Int64, into batch: OutputBatch) -> Intake {
    .taken
  }
}
