import Diagnostics
import Expressions

// Corrections: what may be taken back has to be the same when it is computed again, and whoever
// publishes it has to have said that it may be.
extension TransformReader {
  /// Whether what comes of a way may be taken back.
  func corrects(_ branch: Branch) -> Bool {
    isOfCorrections(branch) || branch.identification?.corrects ?? false
  }

  /// Whether its records may be taken back, and come once more for that.
  private func isOfCorrections(_ branch: Branch) -> Bool {
    branch.event.map { inputs[$0.input].corrects } ?? false
  }

  /// Why something of a way may be taken back.
  private func cause(_ branch: Branch) -> String {
    if let found = branch.identification, found.corrects {
      return "the link of a `\(found.name)` may come later, or change"
    }
    let name = branch.event.map { inputs[$0.input].name } ?? ""
    return "records of `\(name)` may be taken back"
  }

  /// What a retraction, which is taken in later and from elsewhere, sees otherwise than its
  /// original. What a link corrects is the event as it was kept.
  private func changing(_ branch: Branch) -> Set<String> {
    let names = ["state"] + branch.lookups.map(\.name)
    return Set(isOfCorrections(branch) ? names + ["recorded", "now", "source"] : names)
  }

  /// Tells what of a way that may be taken back uses any of that.
  private mutating func checkRepeats(_ branch: Branch, _ expressions: [CheckedExpression]) {
    let changing = changing(branch)
    for expression in expressions + branch.expressions {
      guard let name = expression.uses.compactMap(\.parts.first).first(where: changing.contains)
      else { continue }
      report(
        .corrections, "`\(name)` is not the same when this is taken back", expression.span,
        notes: [cause(branch)])
    }
  }

  /// Tells what of a table could not be taken back.
  mutating func checkCorrections(_ draft: TableDraft) {
    if !draft.clauses.contains(where: \.corrects) { return }
    for clause in draft.clauses {
      if let delete = clause.delete {
        report(
          .corrections, "a row whose values may be taken back is not deleted", delete.span,
          help: "remove it: the row goes by itself when nothing that made it is left")
      }
      if !clause.corrects { continue }
      for update in clause.updates where update.aggregate == .fold {
        guard let value = update.argument else { continue }
        report(
          .corrections, "a fold cannot be taken back", value.span,
          notes: [cause(clause.branch), "an aggregate can be made as if a value had never come"])
      }
      let isFold = clause.updates.contains { $0.aggregate == .fold }
      if isFold { continue }
      checkRepeats(
        clause.branch,
        clause.key
          + clause.updates.flatMap { [$0.argument, $0.condition, $0.mapKey] }
          .compactMap(\.self))
    }
  }

  /// Tells an event port that would have to take back what it promises never to.
  mutating func checkCorrections(
    _ draft: OutputDraft, _ branches: [OutputDefinition.EventBranch]
  ) {
    let correcting = branches.filter { corrects($0.branch) }
    if let first = correcting.first, !draft.object.corrects {
      report(
        .corrections,
        "what port `\(draft.port)` publishes may be taken back, and its contract does "
          + "not say so", draft.nameSpan,
        notes: [cause(first.branch)],
        help: "add `customProperties: [{property: weft.corrections, value: true}]` to the contract "
          + "`\(draft.contract.id)`")
    }
    for branch in correcting {
      let columns = branch.columns.compactMap { column -> CheckedExpression? in
        if case .expression(let expression) = column.source { expression } else { nil }
      }
      checkRepeats(branch.branch, branch.key + [branch.when].compactMap(\.self) + columns)
    }
  }

  /// A row is replaced, so nothing of it is ever taken back.
  mutating func checkNoCorrections(_ draft: OutputDraft) {
    if !draft.object.corrects { return }
    report(
      .corrections, "a state port carries no corrections: its rows replace each other",
      draft.object.nameSpan, help: "remove `weft.corrections` from the contract")
  }
}
