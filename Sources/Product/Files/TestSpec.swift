/// tests/*.yaml: examples of how a product is made.
package enum TestSpec {
  package static let test = RecordSpec(
    "a test",
    [
      FieldSpec("name", .text, required: true, "The guarantee, as a sentence."),
      FieldSpec(
        "given", .list(.any), required: true,
        "What comes in, in order: `INPUT: {…}`, `crash`, `rebalance`, `advance: 2m`. Beside an input "
          + "may stand the record's `key`, `ce_time` (of another product's port) and, where records "
          + "may be taken back, `ce_id`, `ce_op` and `ce_corrects`."),
      FieldSpec(
        "expect", .any, required: true,
        "What must have come out, by port: a list of records or a map of rows; also `quarantine` and "
          + "`held`. Records of a port that carries corrections also have `ce_id`, `ce_op` and "
          + "`ce_corrects`."),
    ])

  /// What may stand beside an input's record.
  static let steps = ["crash", "rebalance"]
}
