/// tests/*.yaml: examples of how a product is made.
package enum TestSpec {
  package static let test = RecordSpec(
    "a test",
    [
      FieldSpec("name", .text, required: true, "The guarantee, as a sentence."),
      FieldSpec("given", .list(.any), required: true, "What comes in, in order."),
      FieldSpec("expect", .any, required: true, "What must have come out, by port."),
    ])

  /// What may stand beside an input's record.
  static let steps = ["crash", "rebalance"]
}
