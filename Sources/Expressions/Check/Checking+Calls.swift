import Diagnostics
import Records

extension Checking {
  mutating func call(
    _ syntax: SyntaxNode, _ name: SyntaxNode.Name, _ receiver: SyntaxNode?,
    _ arguments: [SyntaxNode], expecting: ValueType?
  ) -> Finding? {
    if receiver == nil && name.text == "has" { return has(syntax, arguments) }
    if receiver == nil && name.text == "dyn" && arguments.count == 1 {
      return operand(arguments[0], expecting: .dyn).flatMap { mixed($0, arguments[0], syntax) }
    }
    if let receiver, let macro = Macro(name.text, arguments.count) {
      return loop(syntax, macro, receiver, arguments)
    }
    if let receiver, case .name(let space) = receiver.kind, isNamespace(space) {
      let full = SyntaxNode.Name(
        text: "\(space).\(name.text)", range: receiver.range.lowerBound..<name.range.upperBound)
      return resolve(syntax, full, nil, arguments, expecting: expecting)
    }
    return resolve(syntax, name, receiver, arguments, expecting: expecting)
  }

  private func isNamespace(_ name: String) -> Bool {
    NotYet.namespaces.contains(name) && !locals.contains { $0.name == name }
      && !scope.variables.contains { $0.name == name }
  }

  private mutating func resolve(
    _ syntax: SyntaxNode, _ name: SyntaxNode.Name, _ receiver: SyntaxNode?,
    _ arguments: [SyntaxNode], expecting: ValueType?
  ) -> Finding? {
    let style: Overload.Style = receiver == nil ? .function : .member
    let all = FunctionTable.overloads[name.text] ?? []
    let candidates = all.filter { $0.style == style }
    if candidates.isEmpty {
      reportUnknown(function: name, syntax, receiver, others: all)
      return nil
    }
    let parts = (receiver.map { [$0] } ?? []) + arguments
    var found: [Finding?] = []
    for (index, part) in parts.enumerated() {
      if index == 0 && candidates[0].settlesOptional {
        found.append(settled(part, by: name))
        continue
      }
      if case .map(let entries) = part.kind, name.text == "@in", index == 1 {
        found.append(map(part, entries))
        continue
      }
      // The default of `orValue` is of the type that is asked for.
      let hint = index == 1 && style == .member ? found[0]?.type.unwrapped : nil
      found.append(operand(part, expecting: hint ?? (name.text == "-_" ? expecting : nil)))
    }
    let given = found.compactMap { $0 }
    if given.count < parts.count { return nil }
    for candidate in candidates where candidate.parameters.count == given.count {
      var bound: ValueType?
      let fits = zip(candidate.parameters, given).allSatisfy { $0.accepts($1.type, &bound) }
      if fits { return apply(candidate, bound, syntax, parts, given) }
    }
    if let (candidate, bound) = mixedOverload(candidates, given) {
      return apply(candidate, bound, syntax, parts, cast(given, for: candidate))
    }
    reportNoOverload(name, candidates, syntax, parts, given)
    return nil
  }

  /// The receiver of `orValue` and the like.
  private mutating func settled(_ syntax: SyntaxNode, by name: SyntaxNode.Name) -> Finding? {
    guard let finding = find(syntax) else { return nil }
    note(finding)
    guard finding.mayBeAbsent else { return finding }
    let optional = optionalText(of: syntax) ?? text(syntax.range)
    reportAbsent(
      finding, syntax, help: "take it as an optional: `\(optional).\(name.text)(…)`")
    return nil
  }

  private mutating func apply(
    _ overload: Overload, _ bound: ValueType?, _ syntax: SyntaxNode, _ parts: [SyntaxNode],
    _ given: [Finding]
  ) -> Finding? {
    if overload.fold != .none, case .constant(let value) = given[0].node.kind {
      guard let folded = fold(overload, value, parts[0]) else { return nil }
      return Finding(
        node: TypedNode(kind: .constant(folded), type: folded.type, range: syntax.range))
    }
    if overload.name == "type" {
      // These two say at run time only what they are of.
      if given[0].type == .type { return typeName("type", syntax) }
      if given[0].type.isOptional { return typeName("optional_type", syntax) }
    }
    if overload.name == "optional.of", given[0].type == .null {
      report(
        .operandTypes, "null is no value", parts[0].range,
        help: "write `optional.none()` for an optional without a value")
      return nil
    }
    if case .part(.partOfTimeInZone, _) = overload.emission,
      case .constant(.string(let zone)) = given[1].node.kind, !isZone(zone)
    {
      reportZone(parts[1])
      return nil
    }
    guard let operands = keyed(overload, given.map(\.node), syntax) else { return nil }
    let type = overload.result.resolved(bound)
    var result = Finding(
      node: TypedNode(
        kind: .call(overload, operands), type: type == .nothing ? .dyn : type, range: syntax.range))
    switch overload.name {
    case "!_":
      result.whenTrue = given[0].whenFalse
      result.whenFalse = given[0].whenTrue
    case "hasValue":
      if let fact = given[0].fact { result.whenTrue = [fact] }
    case "orValue":
      // An element of the list with a default is an element of the list.
      result.use = given[0].use
    default: break
    }
    return result
  }

  /// The constant that a function of a literal is; reported and nil when the literal is no such
  /// value.
  private mutating func fold(_ overload: Overload, _ value: Constant, _ syntax: SyntaxNode)
    -> Constant?
  {
    if case .int(let number) = value { return .decimal(Decimal(number)) }
    guard case .string(let bytes) = value else { return value }
    let folded: Constant? = ByteView.lending(bytes) { view in
      switch overload.fold {
      case .decimal: Decimal(view).map { .decimal($0) }
      case .timestamp: Timestamp(rfc3339: view).map { .timestamp($0) }
      case .date: daysSince1970(view).map { .date($0) }
      case .duration: durationNanoseconds(view).map { .duration($0) }
      case .none: nil
      }
    }
    if let folded { return folded }
    let example =
      switch overload.fold {
      case .timestamp: "a timestamp looks like `\"2024-02-29T12:00:00Z\"`"
      case .date: "a date looks like `\"2024-02-29\"`"
      case .duration: "a duration looks like `\"1h30m\"`: h, m, s, ms, us and ns"
      default: "a decimal has at most 38 digits: `\"-12.50\"`"
      }
    report(
      .badLiteral, "\(text(syntax.range)) is no \(overload.name)", syntax.range, help: example)
    return nil
  }
}
