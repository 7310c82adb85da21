/// What may be called in an expression, for people.
package enum FunctionNames {
  /// In the order of the alphabet: functions, methods and macros, but no operators.
  package static var all: [String] {
    let named = FunctionTable.overloads.keys.filter { $0.first?.isLetter == true }
    return Set(named + Macro.names + ["has"]).sorted()
  }
}
