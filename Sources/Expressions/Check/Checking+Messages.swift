import Diagnostics

extension Checking {
  func text(_ range: Range<Int>) -> String {
    let text = String(decoding: source.bytes[range], as: UTF8.self)
    // Over several lines, one is enough to know it again.
    guard let end = text.firstIndex(of: "\n") else { return text }
    return text[..<end] + " …"
  }

  mutating func report(
    _ code: DiagnosticCode, _ message: String, _ range: Range<Int>, label: String? = nil,
    help: String? = nil
  ) {
    diagnostics.append(
      Diagnostic(code, message, at: SourceSpan(source, range), label: label, help: help))
  }

  static func quoted(_ names: [String]) -> String {
    let shown = names.prefix(8).map { "`\($0)`" }.joined(separator: ", ")
    return names.count > 8 ? "\(shown) and \(names.count - 8) more" : shown
  }

  mutating func reportUnknown(variable name: String, _ syntax: SyntaxNode) {
    if NotYet.typeNames.contains(name) {
      report(.notYet, "types as values, such as `\(name)`, are not in Weft yet", syntax.range)
      return
    }
    let names = locals.map(\.name) + scope.variables.map(\.name)
    var help = closest(to: name, among: names).map { "did you mean `\($0)`?" }
    for variable in scope.variables where help == nil {
      if case .object(let object) = variable.type, object.index(of: name) != nil {
        help = "did you mean `\(variable.name).\(name)`?"
      }
    }
    report(
      .unknownVariable, "there is no variable `\(name)` here", syntax.range,
      label: names.isEmpty ? "no variables here" : "variables here: \(Checking.quoted(names))",
      help: help)
  }

  mutating func reportUnknown(
    field name: SyntaxNode.Name, of object: ObjectType, _ base: SyntaxNode, _ syntax: SyntaxNode
  ) {
    let near = closest(to: name.text, among: object.fields.map(\.name))
    var fields = object.fields
    var label = "fields here: "
    if let near, let index = object.index(of: near) {
      // What was meant has most likely the type of what is near.
      fields = object.fields.filter { $0.type == object.fields[index].type }
      if case .object = object.fields[index].type {
      } else {
        label = "\(object.fields[index].type) fields here: "
      }
    }
    label += Checking.quoted(fields.map(\.name))
    var owner = object.name.isEmpty ? "`\(text(base.range))`" : "`\(object.name)`"
    if case .name("event") = base.kind, !object.name.isEmpty { owner = "event type \(owner)" }
    let start = text(syntax.range.lowerBound..<name.range.lowerBound)
    let end = text(name.range.upperBound..<syntax.range.upperBound)
    report(
      .unknownField, "`\(name.text)` is not a field of \(owner)", syntax.range,
      label: object.fields.isEmpty ? "it has no fields" : label,
      help: near.map { "did you mean `\(start)\($0)\(end)`?" })
  }

  /// The text of a field taken as an optional: `event.?amount`.
  func optionalText(of syntax: SyntaxNode) -> String? {
    switch syntax.kind {
    case .select(let base, let name, false): "\(text(base.range)).?\(text(name.range))"
    case .select, .name: text(syntax.range)
    case .index(let base, let index, false): "\(text(base.range))[?\(text(index.range))]"
    default: nil
    }
  }

  mutating func reportAbsent(_ finding: Finding, _ syntax: SyntaxNode, help: String? = nil) {
    let plain = text(syntax.range)
    var label: String
    if finding.type.isOptional {
      label = "\(finding.type)"
    } else {
      label = "not a required field"
    }
    var edit = help
    if edit == nil, let optional = optionalText(of: syntax) {
      let value = Checking.sample(finding.type.unwrapped)
      edit =
        finding.type.isOptional || !isCondition
        ? "give a default: `\(optional).orValue(\(value))`"
        : "ask first with `has(\(plain)) && …`, or give a default: `\(optional).orValue(\(value))`"
    } else if edit == nil {
      edit = "give a default with `.orValue(\(Checking.sample(finding.type.unwrapped)))`"
    }
    if case .list = finding.type.unwrapped, !finding.type.isOptional, help == nil,
      let optional = optionalText(of: syntax)
    {
      edit = "take no elements for none: `\(optional).orValue([])`"
    }
    label = label.isEmpty ? "\(finding.type)" : label
    report(.mayBeAbsent, "`\(plain)` may be absent", syntax.range, label: label, help: edit)
  }

  /// A default that one would write.
  static func sample(_ type: ValueType) -> String {
    switch type {
    case .bool: "false"
    case .int: "0"
    case .uint: "0u"
    case .double: "0.0"
    case .decimal: "decimal(\"0\")"
    case .string: "\"\""
    case .list: "[]"
    default: "…"
    }
  }

  /// How a literal would be written as `wanted`.
  func literalHelp(_ syntax: SyntaxNode, wanted: ValueType) -> String? {
    let written = text(syntax.range)
    guard case .literal(let value) = syntax.kind else { return nil }
    switch (wanted.unwrapped, value) {
    case (.decimal, .int), (.decimal, .double): return "write `decimal(\"\(written)\")`"
    case (.double, .int): return "write `\(written).0`"
    case (.uint, .int(let number)) where number >= 0: return "write `\(written)u`"
    case (.int, .uint): return "write `\(written.dropLast())`"
    case (.timestamp, .string): return "write `timestamp(\(written))`"
    case (.date, .string): return "write `date(\(written))`"
    case (.string, .int), (.string, .double), (.string, .bool): return "write `\"\(written)\"`"
    default: return nil
    }
  }

  /// How a value of type `given` becomes one of type `wanted`.
  func conversionHelp(_ syntax: SyntaxNode, _ given: ValueType, wanted: ValueType) -> String? {
    if let help = literalHelp(syntax, wanted: wanted) { return help }
    let written = text(syntax.range)
    switch (wanted.unwrapped, given) {
    case (.decimal, .int), (.decimal, .string): return "write `decimal(\(written))`"
    case (.double, .int), (.double, .uint): return "write `double(\(written))`"
    case (.int, .uint): return "write `int(\(written))`"
    case (.string, .int), (.string, .uint), (.string, .bool), (.string, .decimal),
      (.string, .timestamp), (.string, .date), (.string, .type):
      return "write `string(\(written))`"
    case (.list, .dyn): return "write `\(written).map(item, …)`"
    case (_, .dyn): return Cast(wanted.unwrapped).map { "write `\($0)(\(written))`" }
    case (.dyn, .object): return "write an object of its fields: `{\"name\": \(written).name}`"
    default: return nil
    }
  }

  mutating func reportExpected(_ wanted: ValueType, _ finding: Finding, _ syntax: SyntaxNode) {
    let given = finding.type.unwrapped
    if case .object(let have) = given, case .object(let want) = wanted {
      reportShape(have, want, syntax)
      return
    }
    report(
      .expectedType, "\(given) stands where \(wanted) is wanted", syntax.range,
      label: "this is \(given)", help: conversionHelp(syntax, given, wanted: wanted))
  }

  private mutating func reportShape(_ have: ObjectType, _ want: ObjectType, _ syntax: SyntaxNode) {
    let missing = want.fields.filter { field in
      field.isRequired && !have.fields.contains { $0.name == field.name && $0.isRequired }
    }
    let extra = have.fields.filter { want.index(of: $0.name) == nil }
    var facts: [String] = []
    if !missing.isEmpty { facts.append("without required \(Checking.quoted(missing.map(\.name)))") }
    if !extra.isEmpty { facts.append("\(Checking.quoted(extra.map(\.name))) too many") }
    for field in have.fields {
      guard let index = want.index(of: field.name) else { continue }
      let wanted = want.fields[index].type
      if !field.type.satisfies(wanted) {
        facts.append("`\(field.name)` is \(field.type), not \(wanted)")
      }
    }
    report(
      .expectedType, "this object is not of the wanted type", syntax.range,
      label: facts.joined(separator: "; "),
      help: "fields wanted: \(Checking.quoted(want.fields.map(\.name)))")
  }
}
