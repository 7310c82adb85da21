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
    /// `range.map(local, body)`.
    case map(TypedNode, local: Int, TypedNode)
  }

  let kind: Kind
  let type: ValueType
  let range: Range<Int>
  /// Read as plain because a test to the left was true; where that test may have failed instead, it
  /// must be looked at again.
  var isAssumedPresent = false
}
