import Diagnostics
import Expressions
import Product

/// Builds the parts of a product definition by hand, as the loader would.
enum Make {
  struct Problem: Error, CustomStringConvertible { let description: String }

  static func expression(
    _ text: String, _ scope: Scope, expecting: ValueType? = nil, optional: Bool = true
  ) throws -> CheckedExpression {
    let source = SourceText(name: "transform.yaml", bytes: Array(text.utf8))
    var diagnostics: [Diagnostic] = []
    guard
      let parsed = ParsedExpression.parse(
        SourceSpan(source, 0..<source.bytes.count), into: &diagnostics),
      let checked = Checker.check(
        parsed, in: scope, expecting: expecting, allowsOptional: optional, into: &diagnostics)
    else { throw Problem(description: "\(text): \(diagnostics.map(\.message))") }
    return checked
  }

  static func scope(_ event: EventType, known: Set<FieldPath> = []) -> Scope {
    Scope(
      [
        .init("event", .object(event.object)), .init("key", .string, isRequired: false),
        .init("time", .timestamp), .init("recorded", .timestamp), .init("now", .timestamp),
      ], known: known)
  }

  static func field(
    _ name: String, _ type: ValueType, required: Bool = false,
    decimal: (Int, Int)? = nil, fields: [ContractField] = []
  ) -> ContractField {
    ContractField(
      name: name, type: type, isRequired: required,
      decimal: decimal.map { .init(precision: $0.0, scale: $0.1) }, fields: fields)
  }

  static func money(_ name: String, required: Bool = false) -> ContractField {
    field(name, .decimal, required: required, decimal: (18, 2))
  }

  static func text(_ name: String, required: Bool = false) -> ContractField {
    field(name, .string, required: required)
  }

  static func branch(_ input: InputDefinition, _ event: Int, where condition: String? = nil) throws
    -> Branch
  {
    let reference = EventReference(input: 0, event: event)
    guard let condition else { return Branch(event: reference, steps: []) }
    let filter = try expression(condition, scope(input.events[event]), expecting: .bool)
    return Branch(event: reference, steps: [.filter(filter)])
  }

  /// A clause from lines such as `("charged", .sum, "event.amount", "event.kind == \"CHARGE\"")`.
  static func clause(
    _ input: InputDefinition, _ event: Int, key: [String], columns: [TableDefinition.Column],
    _ updates: [(String, TableDefinition.Aggregate, String?, String?)], deleteIf: String? = nil
  ) throws -> TableDefinition.Clause {
    var scope = scope(input.events[event])
    let state = ObjectType(
      name: "row",
      fields: columns.map { column in
        let update = updates.first { $0.0.split(separator: "[")[0] == column.name }
        let isThere = update?.1.startsAtZero ?? false || update?.0.contains("[") ?? false
        return .init(column.name, column.type, isRequired: isThere)
      })
    scope.variables.append(.init("state", .object(state)))
    let whole = scope
    return TableDefinition.Clause(
      branch: try branch(input, event), key: try key.map { try expression($0, scope) },
      updates: try updates.map { target, aggregate, argument, condition in
        // `name` or `name[key]`.
        let parts = target.split(separator: "[", maxSplits: 1).map(String.init)
        let name = parts[0]
        let mapKey = try parts.dropFirst().first.map {
          try expression(String($0.dropLast()), whole, optional: false)
        }
        guard let column = columns.firstIndex(where: { $0.name == name }) else {
          throw Problem(description: "no column \(name)")
        }
        let test = try condition.map { try expression($0, scope, expecting: .bool) }
        var inner = whole
        inner.known = test?.factsWhenTrue ?? []
        return .init(
          column: column, aggregate: aggregate,
          argument: try argument.map { try expression($0, inner) }, condition: test,
          mapKey: mapKey)
      }, delete: try deleteIf.map { try expression($0, scope, expecting: .bool) })
  }

  /// An event port's branch; `select` sets the contract's fields by name.
  static func port(
    _ input: InputDefinition, _ event: Int, where condition: String? = nil, when: String? = nil,
    key: [String], fields: [ContractField], select: [(String, String)]
  ) throws -> OutputDefinition.EventBranch {
    let branch = try branch(input, event, where: condition)
    var known: Set<FieldPath> = []
    for case .filter(let filter) in branch.steps { known.formUnion(filter.factsWhenTrue) }
    let scope = scope(input.events[event], known: known)
    return OutputDefinition.EventBranch(
      branch: branch, when: try when.map { try expression($0, scope, expecting: .bool) },
      key: try key.map { try expression($0, scope) },
      columns: try select.map { name, text in
        guard let field = fields.firstIndex(where: { $0.name == name }) else {
          throw Problem(description: "no field \(name)")
        }
        return .init(
          field: field, source: .expression(try expression(text, scope)))
      })
  }

  /// A state port with every column of the table under the contract's fields of the same name.
  static func state(
    table: Int, _ definition: TableDefinition, keys: [String], when: String? = nil,
    fields: [ContractField], derived: [(String, String)] = []
  ) throws -> OutputDefinition.Content {
    let row = ObjectType(
      name: definition.name,
      fields: zip(keys, definition.keyTypes).map { .init($0, $1, isRequired: true) }
        + definition.columns.enumerated().map { index, column in
          let update = definition.clauses.flatMap(\.updates).first { $0.column == index }
          let isThere = update?.mapKey != nil || update?.aggregate.startsAtZero ?? false
          return .init(column.name, column.type, isRequired: isThere)
        })
    let scope = Scope([.init("row", .object(row)), .init("recorded", .timestamp)])
    var columns: [OutputDefinition.Column] = []
    for (place, field) in fields.enumerated() {
      if let line = derived.first(where: { $0.0 == field.name }) {
        columns.append(.init(field: place, source: .expression(try expression(line.1, scope))))
      } else if let part = keys.firstIndex(of: field.name) {
        columns.append(.init(field: place, source: .keyPart(part)))
      } else if let column = definition.columns.firstIndex(where: { $0.name == field.name }) {
        columns.append(.init(field: place, source: .column(column)))
      }
    }
    return .state(
      table: table, row: row, when: try when.map { try expression($0, scope, expecting: .bool) },
      columns: columns)
  }

  static func output(
    _ port: String, major: Int = 1, partitions: Int32 = 4,
    envelope: OutputDefinition.Envelope = .cloudevents, _ content: OutputDefinition.Content,
    journal: Int = 0, fields: [ContractField], onViolation: ErrorReaction = .quarantine
  ) -> OutputDefinition {
    OutputDefinition(
      port: port, major: major, topic: "claims.claims.\(port).v\(major)", partitions: partitions,
      envelope: envelope, content: content, journal: journal, fields: fields,
      contractId: "claims/\(port)", onViolation: onViolation)
  }

  static func product(
    inputs: [InputDefinition], journals: [JournalDefinition], tables: [TableDefinition],
    outputs: [OutputDefinition], onError: ErrorReaction = .quarantine
  ) -> ProductDefinition {
    ProductDefinition(
      mesh: "health", domain: "claims", name: "claims", version: "1.0.0", inputs: inputs,
      journals: journals, tables: tables, outputs: outputs, onError: onError,
      names: WireNames(environment: "", domain: "claims", product: "claims"),
      logicDigest: Array(repeating: 7, count: 32))
  }
}
