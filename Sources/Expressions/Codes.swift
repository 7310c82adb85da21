import Diagnostics

/// The codes of expressions: W0301 to W0339. Permanent.
extension DiagnosticCode {
  /// The text is no expression.
  static let syntax = DiagnosticCode("W0301")
  /// A literal that says nothing: a bad escape, a number out of range, no date.
  static let badLiteral = DiagnosticCode("W0302")
  /// Too long, too deep, too many parts.
  static let expressionLimit = DiagnosticCode("W0303")
  /// A line of a block that is no assignment.
  static let assignment = DiagnosticCode("W0304")
  /// A name that is set twice.
  static let repeatedAssignment = DiagnosticCode("W0305")
  /// A variable that is not there.
  static let unknownVariable = DiagnosticCode("W0310")
  /// A field that the type does not have.
  static let unknownField = DiagnosticCode("W0203")
  /// An optional value used as if it were always there.
  static let mayBeAbsent = DiagnosticCode("W0312")
  /// A function that is not there.
  static let unknownFunction = DiagnosticCode("W0313")
  /// Operands or arguments of types that the operator or function does not take.
  static let operandTypes = DiagnosticCode("W0314")
  /// Another type than the place asks for.
  static let expectedType = DiagnosticCode("W0315")
  /// Of CEL, but not in Weft yet.
  static let notYet = DiagnosticCode("W0316")
  /// A function that needs a key, where there is none.
  static let noKey = DiagnosticCode("W0318")
  /// A macro whose argument has the wrong form.
  static let macroForm = DiagnosticCode("W0317")
}

/// Bounds of what one expression may be.
enum ExpressionLimit {
  /// Bytes of one expression, or of one block.
  static let bytesMax = 64 * 1024
  /// Expressions in expressions while reading: bounds the parser's stack.
  static let nestingMax = 100
  /// Height of a tree (a chain of operators grows it too): bounds the checker's and the compiler's.
  static let heightMax = 250
  /// Parts of one expression.
  static let nodesMax = 4000
}
