/// What the checker knows of one node.
struct Finding {
  var node: TypedNode
  /// The path it is, as far as decoding is concerned: noted as used once its value is.
  var use: FieldPath?
  /// The path it is, as far as `has` is concerned; of a macro's variable one that nothing else has.
  var fact: FieldPath?
  /// An optional field that is not known to be there.
  var mayBeAbsent = false
  /// What must be there when the value is true, or false.
  var whenTrue: Set<FieldPath> = []
  var whenFalse: Set<FieldPath> = []

  var type: ValueType { node.type }
}

extension FieldPath {
  func appending(_ part: String) -> FieldPath { FieldPath(parts + [part]) }
}
