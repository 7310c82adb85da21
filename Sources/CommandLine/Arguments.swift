/// What was said on the command line, asked by the specification's own options and arguments.
package struct Arguments: Sendable {
  private(set) var options: [String: [String]] = [:]
  private(set) var words: [String: [String]] = [:]

  package init() {}

  mutating func add(_ option: Option, _ value: String) {
    options[option.name, default: []].append(value)
  }
  mutating func add(_ argument: Argument, _ word: String) {
    words[argument.name, default: []].append(word)
  }

  /// Whether the switch was given.
  package func has(_ option: Option) -> Bool { options[option.name] != nil }
  /// The option's value; the last when it was given several times.
  package subscript(option: Option) -> String? { options[option.name]?.last }
  /// All values of a repeatable option, in order.
  package func all(_ option: Option) -> [String] { options[option.name] ?? [] }
  /// These options as they were given, for another command that has to be told the same:
  /// ` --environment dev`, a blank before each; empty where none was.
  package func repeating(_ options: [Option]) -> String {
    options.map { option in
      all(option).map { option.value == nil ? " --\(option.name)" : " --\(option.name) \($0)" }
        .joined()
    }.joined()
  }
  package subscript(argument: Argument) -> String? { words[argument.name]?.first }
  /// All words of a repeatable argument, in order.
  package func all(_ argument: Argument) -> [String] { words[argument.name] ?? [] }
}
