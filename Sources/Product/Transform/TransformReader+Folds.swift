import Diagnostics
import Expressions

/// Folds, `x = state.x + …`: columns whose types the contract of a port declares, as they would
/// else be defined by themselves.
extension TransformReader {
  /// The type of `state` in a table's clauses: its columns, as the ports made of it declare them.
  /// Nil when none does.
  func state(of table: String, _ lines: [Assignment]) -> ObjectType? {
    let declared = declaredFields(of: table)
    var fields: [ObjectType.Field] = []
    for line in lines where !line.isDelete && !line.isSpread {
      guard !fields.contains(where: { $0.name == line.name }),
        let field = declared.first(where: { $0.name == line.name })
      else { continue }
      let startsAtZero = line.value.call.flatMap {
        TableDefinition.Aggregate(rawValue: $0.name)?.startsAtZero
      }
      fields.append(
        .init(line.name, field.type, isRequired: line.mapKey != nil || startsAtZero ?? false))
    }
    return declared.isEmpty ? nil : ObjectType(name: table, fields: fields)
  }

  /// The fields of the contracts of all ports that are made of a table, which is not read yet.
  private func declaredFields(of table: String) -> [ContractField] {
    let entries = (record["outputs"]?.entries ?? []).sorted {
      ($0.key.text ?? "") < ($1.key.text ?? "")
    }
    return entries.flatMap { entry -> [ContractField] in
      guard let name = entry.key.text, let from = entry.value.record?["from"]?.items,
        from.count == 1, from[0].text == table
      else { return [] }
      let parts = name.split(separator: "@")
      let major = parts.count == 2 ? Int(parts[1]) : 1
      let port = around.descriptor.outputPorts.first { port in
        parts.first.map(String.init) == port.name && port.major == major
      }
      guard let port, let major,
        let contract = around.contracts.contract(id: port.contractId, major: major)
      else { return [] }
      return contract.objects.first?.fields ?? []
    }
  }

  /// What the lines of a clause may use.
  func scope(_ flow: Flow, _ draft: TableDraft) -> Scope {
    var scope = flow.scope
    // Of a session it is not known before its end.
    if let window = draft.window, !window.isSession { scope.variables.append(Flow.window) }
    if let state = draft.state { scope.variables.append(Scope.Variable("state", .object(state))) }
    return scope
  }

  /// `state` is no value: of its columns those are lent that an expression reads.
  mutating func checkColumns(_ expression: CheckedExpression) {
    if !expression.uses.contains(FieldPath(["state"])) { return }
    report(
      .misplaced, "`state` is read column by column", expression.span, help: "write `state.column`")
  }

  mutating func fold(_ line: Assignment, _ state: ObjectType?) -> AggregateCall? {
    guard let field = state?.fields.first(where: { $0.name == line.name }) else {
      report(
        .aggregate, "no contract declares the type of `\(line.name)`", line.nameSpan,
        notes: ["a column that is set from `state` has the type that a port of the table declares"],
        help: "give a port made of the table a field `\(line.name)`")
      return nil
    }
    if line.mapKey != nil {
      report(
        .misplaced, "an entry of a map column is set by an aggregate", line.value.span,
        help: "set the whole map: `\(line.name) = …`")
      return nil
    }
    return AggregateCall(kind: .fold, argument: line.value, declared: field.type)
  }

  /// The next event reads the column as the contract says, so it is stored in just that type.
  mutating func fold(_ call: AggregateCall, _ value: CheckedExpression, _ declared: ValueType)
    -> AggregateTypes?
  {
    if !TypeAgreement.isSame(value.type, declared) {
      report(
        .breaksContract, "this is \(value.type), and the contract says \(declared)", value.span,
        notes: TypeAgreement.notes(value.type, declared),
        help: "give an object's fields all, in the order of the contract")
      return nil
    }
    return AggregateTypes(call: call, column: declared, argument: value)
  }

  /// Tells columns that `state` would show in another type than they have.
  mutating func checkState(_ draft: TableDraft, _ lines: [Assignment]) {
    let isRead = lines.contains { line in
      [line.value, line.condition, line.mapKey].contains { $0?.mentions("state") ?? false }
    }
    if !isRead { return }
    for column in draft.columns {
      guard let field = draft.state?.fields.first(where: { $0.name == column.name }),
        !TypeAgreement.isSame(column.type, field.type)
      else { continue }
      report(
        .breaksContract,
        "`\(column.name)` is \(column.type), and the contract says \(field.type)", column.span,
        notes: ["`state` shows the columns in the types that a port of the table declares"])
    }
  }
}
