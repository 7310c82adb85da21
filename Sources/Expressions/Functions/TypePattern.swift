/// The type of a parameter in the function table; `T` stands for any one type in an overload.
indirect enum TypePattern: Sendable {
  case exactly(ValueType)
  case any
  case list(TypePattern)
  case map(key: TypePattern, value: TypePattern)
  case optional(TypePattern)

  static let bool = exactly(.bool)
  static let int = exactly(.int)
  static let uint = exactly(.uint)
  static let double = exactly(.double)
  static let decimal = exactly(.decimal)
  static let string = exactly(.string)
  static let bytes = exactly(.bytes)
  static let timestamp = exactly(.timestamp)
  static let date = exactly(.date)
  static let duration = exactly(.duration)
  static let null = exactly(.null)
  static let dyn = exactly(.dyn)
  static let type = exactly(.type)

  /// Whether `type` fits; `bound` is what `any` stands for, as far as it is known.
  func accepts(_ type: ValueType, _ bound: inout ValueType?) -> Bool {
    switch (self, type) {
    case (.exactly(let wanted), _): return wanted == type
    case (.any, _):
      guard let known = bound, known != .nothing else {
        bound = type
        return true
      }
      guard known.agrees(with: type) || type == .nothing else { return false }
      if type != .nothing { bound = known.joined(with: type) }
      return true
    case (.list(let element), .list(let given)): return element.accepts(given, &bound)
    case (.optional(let inner), .optional(let given)): return inner.accepts(given, &bound)
    case (.map(let key, let value), .map(let givenKey, let givenValue)):
      return key.accepts(givenKey, &bound) && value.accepts(givenValue, &bound)
    default: return false
    }
  }

  /// The same where a mixed value may stand for one of any type, and one of any type for a mixed
  /// one.
  func acceptsMixed(_ type: ValueType, _ bound: inout ValueType?) -> Bool {
    switch (self, type) {
    case (.exactly(.dyn), _): return type.isMixable
    case (.exactly, .dyn): return true
    case (.list(.any), .dyn):
      bound = .dyn
      return true
    case (.any, _):
      if accepts(type, &bound) { return true }
      guard let known = bound, known == .dyn || type == .dyn else { return false }
      bound = .dyn
      return known.isMixable && type.isMixable
    case (.list(.any), .list(let given)): return TypePattern.any.acceptsMixed(given, &bound)
    case (.optional(.any), .optional(let given)): return TypePattern.any.acceptsMixed(given, &bound)
    default: return accepts(type, &bound)
    }
  }

  func resolved(_ bound: ValueType?) -> ValueType {
    switch self {
    case .exactly(let type): type
    case .any: bound ?? .nothing
    case .list(let element): .list(element.resolved(bound))
    case .optional(let inner): .optional(inner.resolved(bound))
    case .map(let key, let value): .map(key: key.resolved(bound), value: value.resolved(bound))
    }
  }
}
