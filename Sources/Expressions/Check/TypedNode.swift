/// The typed tree: what the checker made of the syntax, and the compiler reads.
struct TypedNode: Sendable {
  /// A field on the way from a variable: its name, and its index in the object's type.
  struct Step: Sendable {
    let name: String
    let index: Int
  }

  indirect enum Kind: Sendable {
    case constant(Constant)
    /// A variable of the scope, or a field below it.
    case path(root: String, [Step])
    /// The variable of a macro.
    case local(Int)
    /// A field of an object that is no path.
    case field(TypedNode, Int)
    case has(TypedNode)
    case and(TypedNode, TypedNode)
    case or(TypedNode, TypedNode)
    case conditional(TypedNode, TypedNode, TypedNode)
    case call(Overload, [TypedNode])
    case list([TypedNode])
    /// One value a field of the type; nil: absent.
    case object([TypedNode?])
    /// Keys with their values, which no one knows before.
    case map([(key: TypedNode, value: TypedNode)])
    case loop(Loop)
  }

  /// A macro: it goes over the elements of a list or the keys of a map.
  struct Loop: Sendable {
    enum Kind: Sendable { case map, filter, all, exists, existsOne }

    let kind: Kind
    let range: TypedNode
    /// The variable of the element or key; of macros with two variables that of the index or key,
    /// then that of the element or value.
    let locals: [Int]
    /// Of `map` with three arguments: which elements it takes.
    let filter: TypedNode?
    let body: TypedNode

    var parts: [TypedNode] { [range] + (filter.map { [$0] } ?? []) + [body] }
    var isOverMap: Bool { if case .map = range.type.unwrapped { true } else { false } }
    /// Whether it is a condition.
    var asks: Bool { kind != .map && kind != .filter }
  }

  let kind: Kind
  let type: ValueType
  let range: Range<Int>
  var isPath: Bool { if case .path = kind { true } else { false } }
  /// Read as plain because a test to the left was true; where that test may have failed instead, it
  /// must be looked at again.
  var isAssumedPresent = false
}
