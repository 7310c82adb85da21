import Diagnostics

/// Fields that a stream has masked: whoever names one is given what the mask lets be seen.
extension Checking {
  /// The field as it is seen; nil, and reported, when it is not.
  mutating func masked(_ found: Finding, _ syntax: SyntaxNode) -> Finding? {
    guard let path = found.use, let mask = scope.masks[path] else { return found }
    guard let overload = FunctionTable.overloads[mask.rawValue]?.first else {
      reportDropped(syntax)
      return nil
    }
    uses.insert(path)
    var field = TypedNode(kind: found.node.kind, type: .string, range: syntax.range)
    field.isAssumedPresent = found.node.isAssumedPresent
    guard let operands = keyed(overload, [field], syntax) else { return nil }
    var result = found
    result.use = nil
    result.node = TypedNode(kind: .call(overload, operands), type: .string, range: syntax.range)
    if found.mayBeAbsent || found.type.isOptional {
      let optional = ValueType.optional(.string)
      let asked = TypedNode(kind: found.node.kind, type: optional, range: syntax.range)
      let test = TypedNode(kind: .has(asked), type: .bool, range: syntax.range)
      let none = TypedNode(kind: .constant(.null), type: optional, range: syntax.range)
      result.node = TypedNode(
        kind: .conditional(test, result.node, none), type: found.type, range: syntax.range)
    }
    return result
  }

  mutating func reportDropped(_ syntax: SyntaxNode) {
    report(
      .unknownField, "`\(text(syntax.range))` is dropped by a stream on the way", syntax.range)
  }

  /// Tells when something is read as a whole of which a part is masked.
  mutating func checkWhole(_ path: FieldPath, _ range: Range<Int>) {
    guard
      let part = scope.masks.keys.filter({
        $0.parts.count > path.parts.count && $0.parts.starts(with: path.parts)
      }).map({ $0.parts.joined(separator: ".") }).min()
    else { return }
    report(
      .unknownField, "`\(text(range))` cannot be read as a whole: `\(part)` is masked", range,
      help: "name the fields that are needed")
  }

  /// The operands of a call, with the scope's key before those of one that needs it; nil, and
  /// reported, when there is none.
  mutating func keyed(_ overload: Overload, _ operands: [TypedNode], _ syntax: SyntaxNode)
    -> [TypedNode]?
  {
    guard case .keyed = overload.emission else { return operands }
    guard let key = scope.pseudonymKey else {
      report(
        .noKey, "`\(overload.name)` needs a key, and worker.yaml has none", syntax.range,
        help: "add `keys: {pseudonym: \"${WEFT_PSEUDONYM_KEY}\"}` to worker.yaml")
      return nil
    }
    return [TypedNode(kind: .constant(.string(key)), type: .string, range: syntax.range)] + operands
  }
}
