/// What takes mixed values as they come: the other functions ask for one type, and fail at run time
/// where the value is of another.
extension FunctionTable {
  static let mixed: [Overload] =
    [MixedFunction.add, .subtract, .multiply, .divide, .remainder].map {
      Overload($0.name, [.dyn, .dyn], .dyn, .dispatch($0))
    }
    + [("_<_", Outcomes.less), ("_<=_", .lessEqual), ("_>_", .greater), ("_>=_", .greaterEqual)].map
  {
    Overload($0, [.dyn, .dyn], .bool, .order($1))
  }
    + ([
      (.bool, .bool), (.int, .int), (.uint, .uint), (.double, .double), (.decimal, .decimal),
      (.string, .string), (.bytes, .bytes), (.timestamp, .timestamp), (.date, .date),
      (.duration, .duration),
    ] as [(MixedFunction, TypePattern)]).map {
      Overload($0.name, [.dyn], $1, .dispatch($0))
    }
    + [
      Overload("-_", [.dyn], .dyn, .dispatch(.negate)),
      Overload("size", [.dyn], .int, .dispatch(.size)),
      Overload("size", .member, [.dyn], .int, .dispatch(.size)),
      Overload("dyn", [.dyn], .dyn, .identity),
      Overload("type", [.any], .type, .compute(.typeOf)),
      Overload("string", [.type], .string, .identity),
    ]
}
