import Expressions
import Product
import Records

/// Compiles tables with their state ports.
struct TableCompiler {
  let definition: ProductDefinition
  let ports: ContiguousArray<PortPlan>
  let entriesMax: Int

  func compile() throws(PlanFailure) -> ContiguousArray<TablePlan> {
    var tables: ContiguousArray<TablePlan> = []
    for (ordinal, table) in definition.tables.enumerated() {
      tables.append(
        TablePlan(
          table, ordinal: ordinal, statePorts: try statePorts(of: ordinal, table),
          entriesMax: entriesMax, showsEnd: definition.showsWindowEnd(ofTable: ordinal)))
    }
    return tables
  }

  private func statePorts(of ordinal: Int, _ table: TableDefinition) throws(PlanFailure)
    -> ContiguousArray<StatePortPlan>
  {
    var result: ContiguousArray<StatePortPlan> = []
    for (number, output) in definition.outputs.enumerated() {
      guard case .state(ordinal, let row, let when, let columns) = output.content else { continue }
      if row.fields.count != table.keyTypes.count + table.columns.count {
        throw PlanFailure(
          "`row` of `\(output.port)` is not the key and the columns of `\(table.name)`")
      }
      if result.count == 32 {
        throw PlanFailure("the table `\(table.name)` has more than 32 state ports")
      }
      result.append(
        try port(output, ports[number], row, when, columns, table, bit: 1 << result.count))
    }
    return result
  }

  private func port(
    _ output: OutputDefinition, _ port: PortPlan, _ row: ObjectType, _ when: CheckedExpression?,
    _ columns: [OutputDefinition.Column], _ table: TableDefinition, bit: UInt32
  ) throws(PlanFailure) -> StatePortPlan {
    let slot: (FieldPath) -> Int? = { path in
      if path.parts == ["row"] { return TablePlan.rowSlot }
      if path.parts.count == 2, path.parts[0] == "row", let index = row.index(of: path.parts[1]) {
        return TablePlan.keySlot + index
      }
      return Variable.slot(path.parts)
    }
    let sorted = columns.sorted { $0.field < $1.field }
    var terms: ContiguousArray<Term> = []
    var types: [ValueType] = []
    for column in sorted {
      switch column.source {
      case .expression(let expression):
        terms.append(try Term(expression, slot: slot))
        types.append(expression.type)
      case .keyPart(let part):
        terms.append(Term(slot: TablePlan.keySlot + part))
        types.append(table.keyTypes[part])
      case .column(let index):
        terms.append(Term(slot: TablePlan.keySlot + table.keyTypes.count + index))
        types.append(table.columns[index].type)
      }
    }
    return StatePortPlan(
      port: port, bit: bit, when: try Term(ifAny: when, slot: slot), columns: terms,
      shape: try OutputShape(output.fields, columns: sorted.map(\.field), types: types))
  }
}

extension ProductDefinition {
  /// Whether what is made of a table's rows shows when their windows end.
  fileprivate func showsWindowEnd(ofTable table: Int) -> Bool {
    var read: [CheckedExpression?] = []
    func add(_ columns: [OutputDefinition.Column]) {
      for case .expression(let expression) in columns.map(\.source) { read.append(expression) }
    }
    for output in outputs {
      switch output.content {
      case .state(table, _, let when, let columns):
        read.append(when)
        add(columns)
      case .state: break
      case .events(let branches):
        for branch in branches where branch.branch.changed == tables[table].name {
          read += branch.branch.expressions + branch.key + [branch.when]
          add(branch.columns)
        }
      }
    }
    return read.compactMap(\.self).flatMap(\.uses).contains {
      $0.parts.first == "window" && $0.parts.dropFirst().first != "start"
    }
  }
}
