extension Case {
  /// The smallest case to be found by taking parts away that still goes wrong.
  /// - Parameter fails: whether a case goes wrong.
  package func shrunk(triesMax: Int = 400, _ fails: (Case) -> Bool) -> Case {
    var best = self
    var tries = 0
    func attempt(_ change: (inout Case) -> Void) -> Bool {
      if tries >= triesMax { return false }
      tries += 1
      var smaller = best
      change(&smaller)
      if smaller == best || !fails(smaller) { return false }
      best = smaller
      return true
    }
    var hasShrunk = true
    while hasShrunk && tries < triesMax {
      hasShrunk = false
      if best.forgetsOffsets, attempt({ $0.forgetsOffsets = false }) { hasShrunk = true }
      if best.instances > 1, attempt({ $0.instances -= 1 }) { hasShrunk = true }
      if takeAway(\.faults, attempt, { best }) { hasShrunk = true }
      if takeAway(\.operations, attempt, { best }) { hasShrunk = true }
      if takeAway(\.inputs, attempt, { best }) { hasShrunk = true }
      if takeAway(\.shape.ports, attempt, { best }) { hasShrunk = true }
      if best.shape.looksUp, attempt({ $0.shape.forgetLookups() }) { hasShrunk = true }
      // They are named by their places.
      if takeAway(\.shape.joins, attempt, { best }) { hasShrunk = true }
      if takeAway(\.shape.followers, attempt, { best }) { hasShrunk = true }
      if takeAway(\.shape.changePorts, attempt, { best }) { hasShrunk = true }
      if !best.shape.namesTables, takeAway(\.shape.tables, attempt, { best }) { hasShrunk = true }
    }
    return best
  }

  /// Takes parts of a list away, large ones first; whether any could go.
  private func takeAway<Part>(
    _ list: WritableKeyPath<Case, [Part]>, _ attempt: ((inout Case) -> Void) -> Bool,
    _ best: () -> Case
  ) -> Bool {
    var hasShrunk = false
    var size = max(1, best()[keyPath: list].count / 2)
    while true {
      var start = 0
      while start < best()[keyPath: list].count {
        let end = min(start + size, best()[keyPath: list].count)
        if attempt({ $0[keyPath: list].removeSubrange(start..<end) }) {
          hasShrunk = true
        } else {
          start = end
        }
      }
      if size == 1 { return hasShrunk }
      size = max(1, size / 2)
    }
  }
}

extension Case: CustomStringConvertible {
  package var description: String {
    var text = "seed \(seed): \(instances) instances, turns of \(turnRecords) records or"
    text +=
      " \(turnAgeMs) ms or \(turnOutputBytes) bytes out, batches of \(batchBytes),"
    text +=
      " held after \(holdBytes), \(hotBytes) hot bytes, ticks each \(tickMs) ms\(forgetsOffsets ? ", offsets forgotten" : "")\n"
    for fault in faults.sorted(by: { $0.call < $1.call }) {
      text += "  call \(fault.call): \(fault.kind)\n"
    }
    for operation in operations {
      text += "  \(operation.atMs) ms: \(operation.kind) the \(operation.pick)th of quarantine"
      text += ", \(operation.times) times\(operation.isDisputed ? ", disputed" : "")"
      text += "\(operation.isOfNothing ? ", of nothing" : "")\n"
    }
    for input in inputs {
      text += "  \(input.atMs) ms: \(input.kind)/\(input.partition)"
      text += " \(input.value.map { String(decoding: $0.prefix(500), as: UTF8.self) } ?? "null")\n"
    }
    return text + (shape.files["shop/goods/transform.yaml"] ?? "")
  }
}
