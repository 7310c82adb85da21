/// What a mixed value is asked to be, where the place takes one type.
enum Cast: UInt8, CaseIterable, Sendable {
  case bool, int, uint, double, decimal, string, bytes, timestamp, date, duration, list
  /// What a macro with one variable goes over, and `in` looks into: the elements of a list, the
  /// keys of a map.
  case elements
  /// What a macro with two variables goes over, as a map: places and elements, or keys and values.
  case entries

  /// Nil: no mixed value is ever of that type.
  init?(_ type: ValueType) {
    guard let found = Cast.allCases.first(where: { $0.type == type }) else { return nil }
    self = found
  }

  /// The type of what it gives.
  var type: ValueType {
    switch self {
    case .bool: .bool
    case .int: .int
    case .uint: .uint
    case .double: .double
    case .decimal: .decimal
    case .string: .string
    case .bytes: .bytes
    case .timestamp: .timestamp
    case .date: .date
    case .duration: .duration
    case .list, .elements: .list(.dyn)
    case .entries: .map(key: .dyn, value: .dyn)
    }
  }
}

/// Functions of mixed values: which instruction carries one out is known when the values are there.
/// Their names are those of ``FunctionTable``, where the instructions come from.
enum MixedFunction: UInt8, CaseIterable, Sendable {
  case add, subtract, multiply, divide, remainder, negate, order, size
  case bool, int, uint, double, decimal, string, bytes, timestamp, date, duration

  var name: String {
    switch self {
    case .add: "_+_"
    case .subtract: "_-_"
    case .multiply: "_*_"
    case .divide: "_/_"
    case .remainder: "_%_"
    case .negate: "-_"
    case .order: "_<_"
    case .size: "size"
    default: "\(self)"
    }
  }

  /// Whether it makes a value of another type of one: then a number is read exactly.
  var isConversion: Bool { rawValue >= MixedFunction.bool.rawValue }
}

/// The names of types as values.
enum TypeName {
  static let all: Set<String> = [
    "bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "decimal",
    "date", "type", "optional_type",
  ]
}
