/// Pairs of events.
extension Reference {
  /// What a side of a join has of a key in a journal partition, in the order in which it came.
  struct Side: Hashable {
    let join: Int
    let isLeft: Bool
    let home: String
    let key: String
  }

  /// The pairs that an event makes, and the sides that it is kept on.
  func pair(
    _ key: Shape.Key, _ input: GeneratedInput, _ partition: Int, _ moment: Moment,
    _ effect: inout Effect
  ) throws(Refused) {
    for (place, join) in shape.joins.enumerated() where shape.journal(of: join) == key {
      let isLeft = join.left == input.kind
      if !isLeft && join.right != input.kind { continue }
      if isLeft && !input.holds(join.filter) { continue }
      let time = input.actualMs(shape)
      if let now = moment.nowMs, time < now - join.graceMs {
        effect.isLate = true
        continue
      }
      let text = input.text(of: join.key)
      let own = Side(join: place, isLeft: isLeft, home: moment.home, key: text)
      let others = sides[
        Side(join: place, isLeft: !isLeft, home: moment.home, key: text), default: []]
      // Of the same key and side those come first whose time is earlier.
      for other in others.sorted(by: { $0.actualMs(shape) < $1.actualMs(shape) })
      where abs(other.actualMs(shape) - time) <= join.withinMs {
        let (left, right) = isLeft ? (input, other) : (other, input)
        var fields = ["one": "\"\(left.id)\"", "other": "\"\(right.id)\""]
        if let amount = left.amount { fields["amount"] = Shape.decimal(amount) }
        if let n = right.n { fields["n"] = "\(n)" }
        let target = "\(input.part(join.key.parts[0], owner: ""))@\(partition)"
        effect.records.append((join.name, target, fields))
      }
      let kept = (sides[own] ?? []).filter { other in
        // With what is kept to the nanosecond there is some room.
        guard let now = moment.nowMs else { return true }
        return other.actualMs(shape) + join.withinMs + join.graceMs + 2 > now
      }
      if let most = shape.entriesMax, kept.count >= most { throw Refused("too-many-entries") }
      effect.sides.append((own, kept + [input]))
    }
  }
}
