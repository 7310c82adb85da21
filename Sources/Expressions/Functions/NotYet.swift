/// What CEL and its libraries have and Weft has not yet: refused by name, so that nobody looks for
/// a misspelling. An entry goes when its overloads come into ``FunctionTable``.
enum NotYet {
  static let functions: Set<String> = [
    "matches",
    "charAt", "indexOf", "lastIndexOf", "join", "lowerAscii", "upperAscii", "replace", "split",
    "substring", "trim", "format", "quote", "reverse", "strings.quote",
    "math.greatest", "math.least", "math.ceil", "math.floor", "math.round", "math.trunc",
    "math.abs", "math.sign", "math.isNaN", "math.isInf", "math.isFinite", "math.sqrt",
    "math.bitAnd", "math.bitOr", "math.bitXor", "math.bitNot", "math.bitShiftLeft",
    "math.bitShiftRight", "base64.encode", "base64.decode", "optional.ofNonZeroValue", "unwrap",
    "unwrapOpt", "first", "last", "flatten", "slice", "sort", "sortBy", "distinct", "range",
    "lists.range", "sets.contains", "sets.equivalent", "sets.intersects", "cel.bind", "optMap",
    "optFlatMap", "transformMap", "transformMapEntry",
  ]
  /// What may stand before a dot without being a variable.
  static let namespaces: Set<String> = [
    "optional", "math", "base64", "strings", "sets", "lists", "cel",
  ]
  /// Names of types as values that ``TypeName`` has not.
  static let typeNames: Set<String> = ["google"]
}
