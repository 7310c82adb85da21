/// What event ports publish.
extension Reference {
  func publish(
    _ port: Shape.EventPort, _ input: GeneratedInput, _ key: String, _ known: Known,
    _ effect: inout Effect
  ) throws(Refused) {
    if port.kind != input.kind || known.isReleased && !port.isIdentified { return }
    for (number, one) in events(of: input, port.isExploded).enumerated() {
      try countExploded(port.isExploded, number)
      if !one.holds(port.filter) || !isLetThrough(port.lookup, one) { continue }
      if try !goes(port.isIdentified, known, &effect) { return }
      if one.holds(port.when) { try publish(port, one, to: key, known, &effect) }
    }
  }

  private func publish(
    _ port: Shape.EventPort, _ input: GeneratedInput, to key: String, _ known: Known,
    _ effect: inout Effect
  ) throws(Refused) {
    if port.isNarrow, let amount = input.amount, abs(amount) >= Shape.narrowEnd {
      throw Refused("contract-output")
    }
    var fields = ["id": "\"\(input.id)\"", "account": "\"\(input.account)\""]
    if let amount = input.amount { fields["amount"] = Shape.decimal(amount) }
    if let n = input.n { fields["n"] = "\(n)" }
    if let note = input.note { fields["note"] = port.isMasked ? "\"***\"" : "\"\(note)\"" }
    if port.isExploded { fields["sku"] = "\"\(input.sku)\"" }
    if let lookup = port.lookup, case .number(let number)? = seen(lookup, input) {
      fields["seen"] = "\(number)"
    }
    if port.isIdentified, let owner = known.owner { fields["who"] = "\"\(owner)\"" }
    if let operation = input.operation, shape.corrects(input.kind) {
      fields["ce_op"] = operation
      if input.isRetraction { fields["ce_corrects"] = "\"\(input.corrects)\"" }
    }
    effect.records.append((port.name, key, fields))
  }
}
