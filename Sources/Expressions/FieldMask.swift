/// What a stream lets be seen of a field that it masks.
package enum FieldMask: String, Sendable, CaseIterable {
  /// As `pseudonym()` has it: the same for the same text.
  case pseudonym
  /// As `mask()` has it: that there is something.
  case mask
  /// Nothing: the field cannot be named.
  case drop
}
