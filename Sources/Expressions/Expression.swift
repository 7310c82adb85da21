import Diagnostics
import Records

/// An expression read from a file: its syntax tree and where it stands.
package struct ParsedExpression: Sendable {
  package let span: SourceSpan
  let root: SyntaxNode
}

/// An expression whose types were checked against its scope.
package struct CheckedExpression: Sendable {
  package let span: SourceSpan
  /// The type of the value, without the optional that ``isOptional`` tells.
  package let type: ValueType
  /// The value may be absent: an optional field taken as it is, or `.?` left open.
  package let isOptional: Bool
  /// Every path it reads, down to the last field (list elements as `[]`): what must be decoded.
  package let uses: Set<FieldPath>
  /// Optional fields that must be there whenever this is true.
  package let factsWhenTrue: Set<FieldPath>
  let root: TypedNode
}

/// The syntax tree and the typed tree; the parser's and the checker's own.
indirect enum SyntaxNode: Sendable { case null }
indirect enum TypedNode: Sendable { case null }
