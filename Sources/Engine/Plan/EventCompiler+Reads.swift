import Expressions
import Product
import Records

// What the expressions over an event read.
extension EventCompiler {
  /// All expressions over this event type, apart from the journals' keys.
  func expressions() -> [CheckedExpression] {
    var all: [CheckedExpression] = []
    for identifier in definition.identifiers where identifier.links == reference {
      all += [identifier.system, identifier.local, identifier.global]
    }
    for clause in definition.tables.flatMap(\.clauses) where clause.branch.origin == origin {
      all += clause.branch.expressions + clause.key
      for update in clause.updates {
        all += [update.argument, update.condition, update.mapKey].compactMap { $0 }
      }
      if let delete = clause.delete { all.append(delete) }
    }
    for (_, _, side) in joinSides {
      all += side.branch.expressions + side.key + side.fields.compactMap(\.self)
    }
    for case .handed(let parts)? in definition.journals.map({ $0.keys[reference] }) { all += parts }
    for output in definition.outputs {
      guard case .events(let branches) = output.content else { continue }
      for branch in branches where branch.branch.origin == origin {
        all += branch.branch.expressions + branch.key
        if let when = branch.when { all.append(when) }
        for column in branch.columns {
          if case .expression(let expression) = column.source { all.append(expression) }
        }
      }
    }
    return all
  }

  /// The fields that an expression reads, below `event`: down to the last one that the contract
  /// knows, and no further than a list.
  func paths(in expression: CheckedExpression) -> Set<[String]> {
    var result: Set<[String]> = []
    for use in expression.uses where use.parts.first == "event" {
      var path: [String] = []
      var members: [ContractField]? = event.fields
      for part in use.parts.dropFirst() {
        guard let field = members?.first(where: { $0.name == part }) else { break }
        path.append(part)
        if case .object = field.type { members = field.fields } else { members = nil }
      }
      result.insert(path)
    }
    return result
  }

  /// The columns that a clause's expressions read: each with its slot of the event's frame, where
  /// they stand from `first` on.
  func stateReads(
    _ clause: TableDefinition.Clause, _ table: TableDefinition, from first: Int
  ) -> ContiguousArray<ClausePlan.StateRead> {
    let expressions =
      clause.updates.flatMap { [$0.argument, $0.condition, $0.mapKey] } + [clause.delete]
    let names = Set(
      expressions.flatMap { expression in
        (expression?.uses ?? []).filter { $0.parts.count > 1 && $0.parts[0] == "state" }
          .map { $0.parts[1] }
      })
    return ContiguousArray(
      table.columns.indices.filter { names.contains(table.columns[$0].name) }.map {
        ClausePlan.StateRead(column: $0, slot: first + $0)
      })
  }
}
