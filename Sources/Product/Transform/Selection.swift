import Diagnostics
import Expressions

/// What a port's record is made of, checked against the fields of its contract.
struct Selection {
  /// The row of a table: its key parts and columns under the names that `row` has.
  struct Row {
    let type: ObjectType
    let sources: [OutputDefinition.Source]
    /// Where each is declared.
    let spans: [SourceSpan]
  }

  private struct Chosen {
    let source: OutputDefinition.Source
    let isSpread: Bool
  }

  private let draft: OutputDraft
  private let row: Row?
  private var chosen: [Int: Chosen] = [:]
  /// Fields whose line was wrong: not missing as well.
  private var broken: Set<String> = []

  init(_ draft: OutputDraft, row: Row?) {
    self.draft = draft
    self.row = row
  }

  private var fields: [ContractField] { draft.object.fields }

  mutating func add(_ block: AssignmentBlock, _ scope: Scope, _ reader: inout TransformReader) {
    broken.formUnion(block.hasNameless ? Set(fields.map(\.name)) : block.brokenNames)
    for line in block.assignments {
      if line.isSpread {
        spread(line, scope, &reader)
      } else if !line.isPlain {
        reader.report(.misplaced, "`select` takes lines `name = expression`", line.nameSpan)
        broken.insert(line.name)
      } else {
        set(line, scope, &reader)
      }
    }
  }

  private mutating func set(_ line: Assignment, _ scope: Scope, _ reader: inout TransformReader) {
    guard let index = fields.firstIndex(where: { $0.name == line.name }) else {
      unknown(line.name, line.nameSpan, &reader)
      return
    }
    guard let source = source(line.value, fields[index], scope, &reader) else {
      broken.insert(line.name)
      return
    }
    chosen[index] = Chosen(source: source, isSpread: false)
  }

  private func unknown(_ name: String, _ span: SourceSpan, _ reader: inout TransformReader) {
    reader.report(
      .breaksContract, "`\(name)` is not a field of contract `\(draft.contract.id)`", span,
      notes: ["contract `\(draft.contract.source.name)`"],
      help: closest(to: name, among: fields.map(\.name)).map { "did you mean `\($0)`?" }
        ?? "add it there, or remove it here")
  }

  private func source(
    _ value: ParsedExpression, _ field: ContractField, _ scope: Scope,
    _ reader: inout TransformReader
  ) -> OutputDefinition.Source? {
    if let row, let path = value.path, path.parts.count == 2, path.parts[0] == "row",
      let index = row.type.index(of: path.parts[1])
    {
      return column(index, row, field, value.span, &reader)
    }
    guard
      let checked = reader.check(value, scope, expecting: field.type, allowsOptional: true)
    else { return nil }
    if checked.isOptional && field.isRequired {
      missing(field, value.span, &reader)
      return nil
    }
    return .expression(checked)
  }

  private func missing(_ field: ContractField, _ span: SourceSpan, _ reader: inout TransformReader)
  {
    reader.report(
      .breaksContract, "this may be absent, and the contract requires `\(field.name)`", span,
      notes: ["contract `\(draft.contract.source.name)`"],
      help: "give a value with `.?` and `orValue(…)`, or ask with `has(…)` before")
  }

  private func column(
    _ index: Int, _ row: Row, _ field: ContractField, _ span: SourceSpan,
    _ reader: inout TransformReader
  ) -> OutputDefinition.Source? {
    let found = row.type.fields[index]
    guard TypeAgreement.agrees(found.type, field.type) else {
      reader.report(
        .breaksContract,
        "`\(found.name)` is \(found.type), and the contract says \(field.type) for "
          + "`\(field.name)`", span,
        notes: TypeAgreement.notes(found.type, field.type)
          + ["contract `\(draft.contract.source.name)`"])
      return nil
    }
    if field.isRequired && !found.isRequired {
      reader.report(
        .breaksContract,
        "column `\(found.name)` may still be null, and the contract requires `\(field.name)`", span,
        notes: [
          "only `count`, `countDistinct`, maps and the key's parts are there from the first event on"
        ],
        help: "remove `required` in the contract, or set a default in `select`")
      return nil
    }
    return row.sources[index]
  }

  /// Every column of the row, or every field of an object variable.
  private mutating func spread(_ line: Assignment, _ scope: Scope, _ reader: inout TransformReader)
  {
    if let row, line.name == "row" {
      every(row, &reader)
      return
    }
    let variable = scope.variables.first { $0.name == line.name }
    guard let variable, case .object(let object) = variable.type else {
      reader.report(
        .misplaced, "`...` spreads a variable that is an object, and `\(line.name)` is none",
        line.nameSpan)
      return
    }
    for field in object.fields {
      guard let index = fields.firstIndex(where: { $0.name == field.name }) else {
        unknown(field.name, line.nameSpan, &reader)
        continue
      }
      if chosen[index]?.isSpread == false { continue }
      if scope.masks[FieldPath([line.name, field.name])] == .drop { continue }
      let text = "\(line.name).`\(field.name)`"
      let source = SourceText(
        name: line.nameSpan.source.name + " (...\(line.name))", bytes: Array(text.utf8))
      guard
        let value = ParsedExpression.parse(
          SourceSpan(source, 0..<source.bytes.count), into: &reader.diagnostics),
        let chosenSource = self.source(value, fields[index], scope, &reader)
      else {
        broken.insert(field.name)
        continue
      }
      chosen[index] = Chosen(source: chosenSource, isSpread: true)
    }
  }

  /// Every key part and column; what is wrong with one is told where the table declares it.
  mutating func every(_ row: Row, _ reader: inout TransformReader) {
    for (index, found) in row.type.fields.enumerated() {
      guard let field = fields.firstIndex(where: { $0.name == found.name }) else {
        unknown(found.name, row.spans[index], &reader)
        continue
      }
      if chosen[field]?.isSpread == false { continue }
      if let source = column(index, row, fields[field], row.spans[index], &reader) {
        chosen[field] = Chosen(source: source, isSpread: true)
      } else {
        broken.insert(found.name)
      }
    }
  }

  /// The columns in the contract's order; what the contract requires and nothing sets is told.
  func columns(_ reader: inout TransformReader) -> [OutputDefinition.Column] {
    for (index, field) in fields.enumerated()
    where field.isRequired && chosen[index] == nil && !broken.contains(field.name) {
      reader.report(
        .breaksContract, "the contract requires `\(field.name)`, and nothing sets it",
        draft.nameSpan, notes: ["contract `\(draft.contract.source.name)`"],
        help: "add a line `\(field.name) = …` to `select`")
    }
    return chosen.sorted { $0.key < $1.key }.map {
      OutputDefinition.Column(field: $0.key, source: $0.value.source)
    }
  }
}

/// Whether a column can be written where a contract asks for a type. Nothing is converted: a
/// contract says what is stored.
enum TypeAgreement {
  /// The same, objects by their fields' names: those that are not required may be missing.
  static func agrees(_ found: ValueType, _ wanted: ValueType) -> Bool {
    switch (found, wanted) {
    case (.list(let left), .list(let right)): agrees(left, right)
    case (.map(let key, let value), .map(let wantedKey, let wantedValue)):
      key == wantedKey && agrees(value, wantedValue)
    case (.object(let left), .object(let right)):
      left.fields.allSatisfy { field in
        right.fields.contains {
          $0.name == field.name && agrees(field.type, $0.type)
            && (field.isRequired || !$0.isRequired)
        }
      }
        && right.fields.allSatisfy { field in
          !field.isRequired || left.index(of: field.name) != nil
        }
    default: found == wanted
    }
  }

  /// Whether a value of the one type can be read as one of the other: as ``agrees(_:_:)``, and
  /// objects have all fields in the same order.
  static func isSame(_ found: ValueType, _ wanted: ValueType) -> Bool {
    switch (found, wanted) {
    case (.list(let left), .list(let right)): isSame(left, right)
    case (.map(let key, let value), .map(let wantedKey, let wantedValue)):
      key == wantedKey && isSame(value, wantedValue)
    case (.object(let left), .object(let right)):
      left.fields.map(\.name) == right.fields.map(\.name)
        && zip(left.fields, right.fields).allSatisfy {
          isSame($0.type, $1.type) && ($0.isRequired || !$1.isRequired)
        }
    default: found == wanted
    }
  }

  /// What two types have that have one name.
  static func notes(_ found: ValueType, _ wanted: ValueType) -> [String] {
    guard let here = fields(found), let there = fields(wanted) else { return [] }
    return ["fields here: \(here)", "fields in the contract: \(there)"]
  }

  private static func fields(_ type: ValueType) -> String? {
    switch type {
    case .list(let element), .map(_, let element), .optional(let element): fields(element)
    case .object(let object):
      object.fields.map { "`\($0.name)` \($0.isRequired ? "" : "optional ")\($0.type)" }
        .joined(separator: ", ")
    default: nil
    }
  }
}
