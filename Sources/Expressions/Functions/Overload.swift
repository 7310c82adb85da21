/// One signature of a function or operator, and how it is carried out.
struct Overload: Sendable {
  enum Style: Sendable {
    /// `f(x)` and operators.
    case function
    /// `x.f()`; the receiver is the first parameter.
    case member
  }

  /// How the compiler carries a call out.
  enum Emission: Sendable {
    /// One instruction that gives a value.
    case compute(Opcode)
    /// The same, with the scope's key before its operand.
    case keyed(Opcode)
    /// The same, of one part of a time.
    case part(Opcode, TimePart)
    /// One instruction that gives an outcome; true when the outcome is in the set.
    case condition(Opcode, Outcomes)
    /// The instruction that the kinds of its operands ask for, once they are there.
    case dispatch(MixedFunction)
    /// The order of two mixed values; true when it is in the set.
    case order(Outcomes)
    /// The mixed operand as what it has to be. Only the checker makes such calls.
    case cast(Cast)
    /// The sum of a list's elements: an addition each, from zero on.
    case sum(Opcode, zero: Constant)
    /// The first operand if it is there, else the second, which is evaluated only then.
    case firstPresent
    /// The operand itself.
    case identity
    /// Nothing there.
    case absent
  }

  /// What a literal argument becomes while checking.
  enum Fold: Sendable { case none, decimal, timestamp, date, duration }

  let name: String
  let style: Style
  let parameters: [TypePattern]
  let result: TypePattern
  let emission: Emission
  let fold: Fold

  /// Whether it is a condition.
  var asks: Bool {
    switch emission {
    case .condition, .order: true
    default: false
    }
  }

  /// Whether it takes mixed values as they come.
  var isMixed: Bool {
    parameters.contains { if case .exactly(.dyn) = $0 { true } else { false } }
  }

  init(
    _ name: String, _ style: Style, _ parameters: [TypePattern], _ result: TypePattern,
    _ emission: Emission, fold: Fold = .none
  ) {
    self.name = name
    self.style = style
    self.parameters = parameters
    self.result = result
    self.emission = emission
    self.fold = fold
  }

  init(
    _ name: String, _ parameters: [TypePattern], _ result: TypePattern, _ emission: Emission,
    fold: Fold = .none
  ) {
    self.init(name, .function, parameters, result, emission, fold: fold)
  }
}

/// A set of the outcomes 0 to 3 of a condition: less, equal, greater, not comparable (NaN); of a
/// plain test 0 is false and 1 true.
struct Outcomes: OptionSet, Sendable {
  let rawValue: UInt8
  static let equal = Outcomes(rawValue: 0b0010)
  static let notEqual = Outcomes(rawValue: 0b1101)
  static let less = Outcomes(rawValue: 0b0001)
  static let lessEqual = Outcomes(rawValue: 0b0011)
  static let greater = Outcomes(rawValue: 0b0100)
  static let greaterEqual = Outcomes(rawValue: 0b0110)
  /// Of a test.
  static let yes = equal
  var inverted: Outcomes { Outcomes(rawValue: ~rawValue & 0b1111) }
}
