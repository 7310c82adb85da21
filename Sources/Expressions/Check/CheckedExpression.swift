import Diagnostics

/// An expression whose types were checked against its scope.
package struct CheckedExpression: Sendable {
  package let span: SourceSpan
  /// The type of the value, without the optional that ``isOptional`` tells.
  package let type: ValueType
  /// The value may be absent: an optional field taken as it is, or `.?` left open.
  package let isOptional: Bool
  /// Every path it reads, down to the last field (list elements as `[]`): what must be decoded.
  /// A path that ends at an object or a list asks for the whole of it.
  package let uses: Set<FieldPath>
  /// Optional fields that must be there whenever this is true.
  package let factsWhenTrue: Set<FieldPath>
  /// The path, when the expression is nothing else: what may be copied without evaluating.
  package let path: FieldPath?
  let root: TypedNode
}
