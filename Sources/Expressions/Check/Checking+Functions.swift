import Diagnostics

/// Messages about calls.
extension Checking {
  mutating func reportUnknown(
    function name: SyntaxNode.Name, _ syntax: SyntaxNode, _ receiver: SyntaxNode?,
    others: [Overload]
  ) {
    // The arguments may have mistakes of their own.
    for part in (receiver.map { [$0] } ?? []) { _ = find(part) }
    if let other = others.first {
      let form =
        other.style == .member
        ? "x.\(name.text)(…)" : "\(name.text)(\(other.parameters.isEmpty ? "" : "x"))"
      report(
        .unknownFunction, "`\(name.text)` is not called this way", name.range,
        help: "write `\(form)`")
      return
    }
    if NotYet.functions.contains(name.text) {
      report(.notYet, "`\(name.text)` is not in Weft yet", name.range)
      return
    }
    let style: Overload.Style = receiver == nil ? .function : .member
    var names = FunctionTable.names(style).filter { $0.utf8.allSatisfy { isLetter($0) } }
    names += style == .member ? Macro.names : ["has"]
    let near = closest(to: name.text, among: Set(names).union(NotYet.functions).sorted())
    report(
      .unknownFunction, "there is no function `\(name.text)`", name.range,
      label: near == nil ? "functions here: \(Set(names).sorted().joined(separator: ", "))" : nil,
      help: near.map { "did you mean `\($0)`?" })
  }

  mutating func reportNoOverload(
    _ name: SyntaxNode.Name, _ candidates: [Overload], _ syntax: SyntaxNode,
    _ parts: [SyntaxNode], _ given: [Finding]
  ) {
    if let index = given.firstIndex(where: \.type.isOptional),
      candidates.allSatisfy({ !$0.takesOptional })
    {
      reportAbsent(given[index], parts[index])
      return
    }
    if name.isOperator && name.text != "_[_]" {
      reportOperator(name, candidates, syntax, parts, given)
      return
    }
    let counts = Set(candidates.map { $0.parameters.count })
    if !counts.contains(given.count) {
      let receiver = candidates[0].style == .member ? 1 : 0
      let wanted = counts.map { String($0 - receiver) }.sorted().joined(separator: " or ")
      report(
        .operandTypes,
        "`\(name.text)` takes \(wanted) argument\(wanted == "1" ? "" : "s"), not \(given.count - receiver)",
        name.range)
      return
    }
    var help: String?
    if name.text == "decimal", given.first?.type == .double {
      help =
        literalHelp(parts[0], wanted: .decimal)
        ?? "a double is not exact: declare the field as decimal in its contract"
    } else if given.count == 2, candidates[0].takesOptional {
      help = conversionHelp(parts[1], given[1].type, wanted: given[0].type.unwrapped)
    }
    if help == nil, let index = given.firstIndex(where: { $0.type == .dyn }) {
      help = "say of which type it is, such as `string(\(text(parts[index].range)))`"
    }
    let types = given.map(\.type.description).joined(separator: ", ")
    let last = given.count == 2 ? parts[1].range : parts[0].range
    report(
      .operandTypes, "`\(name.text)` does not take \(types)", last,
      label: "this is \(given.count == 2 ? given[1].type : given[0].type)", help: help)
  }

  private mutating func reportOperator(
    _ name: SyntaxNode.Name, _ candidates: [Overload], _ syntax: SyntaxNode,
    _ parts: [SyntaxNode], _ given: [Finding]
  ) {
    let symbol = name.symbol
    if given.count == 1 {
      report(
        .operandTypes, "`\(symbol)` does not take \(given[0].type)", parts[0].range,
        label: "this is \(given[0].type)")
      return
    }
    let left = given[0].type
    let right = given[1].type
    if left == .null || right == .null {
      let other = left == .null ? parts[1] : parts[0]
      let negation = symbol == "==" ? "!" : ""
      report(
        .operandTypes, "`\(symbol)` does not take \(left) and \(right)", syntax.range,
        help: "to ask whether a field is there: `\(negation)has(\(text(other.range)))`")
      return
    }
    // The help changes the literal, or the less exact side.
    let wrongIsLeft = !isLiteral(parts[1]) && literalHelp(parts[0], wanted: right) != nil
    let help =
      wrongIsLeft
      ? conversionHelp(parts[0], left, wanted: right)
      : conversionHelp(parts[1], right, wanted: left)
        ?? conversionHelp(parts[0], left, wanted: right)
    var message = "`\(symbol)` does not take \(left) and \(right)"
    if left == right { message = "`\(symbol)` is not there for \(left)" }
    if name.text == "_/_" && left == .decimal && right == .decimal {
      report(.notYet, "division of decimals is not in Weft yet", syntax.range)
      return
    }
    let range = wrongIsLeft ? parts[0].range : isLiteral(parts[1]) ? parts[1].range : syntax.range
    let label =
      range == syntax.range ? "\(left) and \(right)" : "this is \(wrongIsLeft ? left : right)"
    report(.operandTypes, message, range, label: label, help: help)
  }

  private func isLiteral(_ syntax: SyntaxNode) -> Bool {
    if case .literal = syntax.kind { true } else { false }
  }
}

extension Overload {
  /// Whether its receiver is an optional: what `.?` begins, it ends.
  var settlesOptional: Bool {
    if style == .member, case .optional = parameters[0] { true } else { false }
  }
  var takesOptional: Bool {
    parameters.contains { if case .optional = $0 { true } else { false } }
  }
}
