import CommandLine

/// What a reason in quarantine means, and what an operator does about it.
struct QuarantineReason {
  let code: String
  let meaning: String
  let advice: String

  static func named(_ code: String) -> QuarantineReason? { all.first { $0.code == code } }

  private init(_ code: String, _ meaning: String, _ advice: String) {
    self.code = code
    self.meaning = meaning
    self.advice = advice
  }

  private static let writer =
    "It never got to the journal, as it has no key. Have whoever writes the input write it right, and "
    + "discard this one."
  private static let files =
    "Its id is remembered: that it comes again has no effect. Once the files or what they read are as "
    + "they should be, release it; if it should not count at all, discard it."

  static let all = [
    QuarantineReason("null-value", "The record has no value (a tombstone).", writer),
    QuarantineReason("empty-value", "The record's value has no bytes.", writer),
    QuarantineReason("empty", "The value is white space, and no JSON.", writer),
    QuarantineReason("not-json", "A byte cannot stand where it does in JSON.", writer),
    QuarantineReason("truncated", "The JSON text ends before its value does.", writer),
    QuarantineReason("trailing-bytes", "Something follows the JSON value.", writer),
    QuarantineReason("byte-order-mark", "The text begins with a byte order mark.", writer),
    QuarantineReason("invalid-utf8", "The text is not valid UTF-8.", writer),
    QuarantineReason("control-character", "A string has a bare control character.", writer),
    QuarantineReason("bad-escape", "A string has an escape that JSON does not know.", writer),
    QuarantineReason("lone-surrogate", "A string has half of a surrogate pair.", writer),
    QuarantineReason("bad-number", "A number is not written as JSON writes it.", writer),
    QuarantineReason("too-deep", "Objects and lists are nested more than 128 deep.", writer),
    QuarantineReason(
      "unknown-type", "The field that tells the event type names none that the input has.",
      "Give the input's contract an object of that type, or discard it."),
    QuarantineReason(
      "missing-key", "A part of the key has no value, so that the event belongs to no partition.",
      writer),
    QuarantineReason("id-too-large", "The event's id takes more than 16 KiB.", writer),
    QuarantineReason("key-too-large", "A key of the event takes more than 16 KiB.", writer),
    QuarantineReason(
      "too-large", "The record takes more than the journal's topic does (`max.message.bytes`).",
      "`weft apply` gives journals more than the inputs' topics take; where a topic was changed since, "
        + "apply, restart the worker, and have the record written again."),
    QuarantineReason(
      "bad-correction", "`ce_op` or `ce_corrects` do not say which record is taken back.", writer),
    QuarantineReason(
      "contract-input", "A field is missing or of another type than the input's contract says.",
      files),
    QuarantineReason(
      "future", "The actual time lies further ahead of the recorded time than `future` allows.",
      "Release it once it is time; if the writer's clock was wrong, discard it."),
    QuarantineReason(
      "late",
      "Its window, or what it would have been paired with, was closed: the clock has passed the end and "
        + "`grace`. All else of the event counts: `place` says which table or join lacks it.",
      "It cannot be released, as it would be late again. Discard it; if such come often, allow more "
        + "`grace`."),
    QuarantineReason(
      "unmapped", "No link says which global id it has, and `unmapped: reject` has it not wait.",
      "Release it once the link has come. With `unmapped: hold` it would have waited."),
    QuarantineReason(
      "expression", "An expression has failed: `place` says which, such as a division by zero.",
      files),
    QuarantineReason(
      "too-many-entries", "A column or a list would hold more entries than it may.", files),
    QuarantineReason("row-too-large", "The row would take more than 1 MiB.", files),
    QuarantineReason(
      "event-too-large", "What `explode` makes of the event takes more than it may.", files),
    QuarantineReason(
      "contract-output", "What would be published breaks the contract of its port.", files),
    QuarantineReason(
      "internal", "A step has failed without a reason: a defect of Weft.", "Please report it."),
  ]
}
