import Diagnostics
import Expressions
import Records

/// The right sides of a table's lines.
extension TransformReader {
  struct AggregateCall {
    let kind: TableDefinition.Aggregate
    let argument: ParsedExpression?
    /// Of a quantile: which one.
    var billionths: Int64?
    /// Of a fold: the column's type.
    var declared: ValueType?
  }

  /// An aggregate with the type of its column.
  struct AggregateTypes {
    let call: AggregateCall
    let column: ValueType
    /// What may be absent is ignored by the aggregate.
    let argument: CheckedExpression?
  }

  mutating func aggregate(_ line: Assignment, _ state: ObjectType?) -> AggregateCall? {
    let known = TableDefinition.Aggregate.named.map(\.rawValue)
    let isNamed = line.value.call.map { known.contains($0.name) } ?? false
    if !isNamed, line.value.mentions("state") { return fold(line, state) }
    guard let call = line.value.call else {
      report(
        .aggregate, "a column is set by an aggregate", line.value.span,
        notes: ["aggregates: \(Self.names(known))"],
        help: "write `\(line.name) = last(…)` to keep the newest to arrive")
      return nil
    }
    guard isNamed, let kind = TableDefinition.Aggregate(rawValue: call.name) else {
      report(
        .aggregate, "`\(call.name)` is no aggregate", call.nameSpan,
        notes: ["aggregates: \(Self.names(known))"],
        help: closest(to: call.name, among: known).map { "did you mean `\($0)`?" })
      return nil
    }
    let wanted: Int
    let takes: String
    switch kind {
    case .count: (wanted, takes) = (0, "nothing")
    case .quantile: (wanted, takes) = (2, "a value and which quantile")
    default: (wanted, takes) = (1, "one value")
    }
    if call.arguments.count != wanted {
      let help: String? =
        switch kind {
        case .count: "write `count()`, and what to count behind `if`"
        case .quantile: "write `quantile(…, 0.95)`"
        default: nil
        }
      report(.aggregate, "`\(call.name)` takes \(takes)", line.value.span, help: help)
      return nil
    }
    var result = AggregateCall(kind: kind, argument: call.arguments.first)
    if kind == .quantile {
      guard let billionths = billionths(call.arguments[1].span) else { return nil }
      result.billionths = billionths
    }
    return result
  }

  /// Which quantile: a constant, so that a sketch can be read in one way only.
  private mutating func billionths(_ span: SourceSpan) -> Int64? {
    let text = Array(span.source.bytes[span.range])
    if let number = ByteView.lending(text, { Decimal($0) }), number >= Decimal(0),
      number <= Decimal(1), number.fits(precision: 10, scale: 9),
      let exact = number.rounded(toScale: 9)
    {
      return Int64(exact.mantissa)
    }
    report(
      .aggregate, "which quantile is a constant from 0 to 1, of at most 9 decimal places", span,
      help: "write `0.5` for the median, `0.95` for what 95 of 100 values do not exceed")
    return nil
  }

  private static let numbers: [ValueType] = [.int, .uint, .double, .decimal]
  private static let ordered: [ValueType] =
    numbers + [.string, .timestamp, .date, .duration, .bool]

  /// What an aggregate takes; nil: everything.
  private static func allowed(_ kind: TableDefinition.Aggregate) -> [ValueType]? {
    switch kind {
    case .sum, .avg, .quantile: numbers
    case .min, .max, .countDistinct, .collectSet: ordered
    case .count, .first, .last, .latest, .collect, .fold: nil
    }
  }

  mutating func types(of call: AggregateCall, _ scope: Scope) -> AggregateTypes? {
    guard let argument = call.argument else {
      return AggregateTypes(call: call, column: .int, argument: nil)
    }
    guard
      let checked = check(argument, scope, expecting: call.declared, allowsOptional: true)
    else { return nil }
    if let declared = call.declared {
      return fold(call, checked, declared)
    }
    if let allowed = Self.allowed(call.kind), !allowed.contains(checked.type) {
      report(
        .aggregate, "`\(call.kind.rawValue)` does not take \(checked.type)", argument.span,
        notes: ["it takes \(allowed.map(\.description).joined(separator: ", "))"],
        help: checked.type == .dyn ? "say of which type it is, such as with `decimal(…)`" : nil)
      return nil
    }
    let column: ValueType =
      switch call.kind {
      case .avg: checked.type == .decimal ? .decimal : .double
      case .quantile: .double
      case .countDistinct: .int
      case .collect, .collectSet: .list(checked.type)
      case .count, .sum, .min, .max, .first, .last, .latest, .fold: checked.type
      }
    return AggregateTypes(call: call, column: column, argument: checked)
  }

  /// The column that a line sets: a new one, or one that is set in the same way elsewhere.
  mutating func column(
    _ line: Assignment, _ found: AggregateTypes, _ draft: inout TableDraft
  ) -> Int? {
    let call = found.call
    let isMap = line.mapKey != nil
    guard let index = draft.columns.firstIndex(where: { $0.name == line.name }) else {
      draft.columns.append(
        TableDraft.ColumnDraft(
          name: line.name, type: isMap ? .map(key: .string, value: found.column) : found.column,
          aggregate: call.kind, argument: found.argument?.type, billionths: call.billionths,
          isMap: isMap, span: line.nameSpan))
      return draft.columns.count - 1
    }
    let first = draft.columns[index]
    let place = first.span.source.place(of: first.span.range.lowerBound).line
    if first.aggregate != call.kind {
      report(
        .aggregate,
        "column `\(line.name)` is `\(call.kind.rawValue)` here and "
          + "`\(first.aggregate.rawValue)` in line \(place)", line.value.span,
        help: "one column has one aggregate; give this another name")
      return nil
    }
    if first.isMap != isMap {
      report(
        .aggregate,
        "column `\(line.name)` is \(isMap ? "a map" : "no map") here and "
          + "\(isMap ? "none" : "one") in line \(place)", line.nameSpan)
      return nil
    }
    if first.argument != found.argument?.type {
      let (here, there) = (found.argument?.type ?? .null, first.argument ?? .null)
      report(
        .aggregate, "column `\(line.name)` is of \(here) here and of \(there) in line \(place)",
        line.value.span)
      return nil
    }
    if first.billionths != call.billionths {
      report(
        .aggregate, "column `\(line.name)` is another quantile here than in line \(place)",
        line.value.span, help: "one column has one quantile; give this another name")
      return nil
    }
    return index
  }

  /// Decimal places of an average that no port takes as it is.
  private static let averagePlaces: UInt8 = 6

  /// An average is rounded once, in the table: to the decimal places that the contract promises.
  mutating func settleAverages() {
    for table in tables.indices {
      for column in tables[table].columns.indices
      where tables[table].columns[column].isDecimalAverage {
        let promised = promises(ofColumn: column, table)
        tables[table].columns[column].decimalPlaces = promised.first?.places ?? Self.averagePlaces
        for other in promised.dropFirst() where other.places != promised[0].places {
          report(
            .breaksContract,
            "`\(tables[table].columns[column].name)` is an average of \(promised[0].places) "
              + "decimal places at `\(promised[0].port)` and of \(other.places) at "
              + "`\(other.port)`",
            tables[table].columns[column].span,
            help: "an average is rounded once: let the contracts agree, or give each a column")
        }
      }
    }
  }

  private func promises(ofColumn column: Int, _ table: Int) -> [(port: String, places: UInt8)] {
    var result: [(port: String, places: UInt8)] = []
    for output in outputs {
      guard case .state(table, _, _, let columns) = output.content else { continue }
      for filled in columns {
        guard case .column(column) = filled.source,
          let shape = output.object.fields[filled.field].decimal
        else { continue }
        result.append(("\(output.port)@\(output.major)", UInt8(clamping: shape.scale)))
      }
    }
    return result
  }
}
