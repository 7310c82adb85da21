extension Reference.Handed {
  /// What tells it from others, and what it takes back.
  var name: String { "\(original)\(isTakenBack ? " back" : "")" }
  var original: String { "\(event.place) \(round)" }
}

/// Events that went out before it was known whose their account is, or when somebody else's it was.
extension Reference {
  struct Standing {
    let event: Taken
    /// Under whose name it is out.
    var owner: String?
    /// It is out, though it waits to know.
    var isOut: Bool
    /// It went to quarantine since.
    var isGone = false
    /// How often it was made anew.
    var round = 0

    init(_ event: Taken, _ owner: String?, isOut: Bool = true, round: Int = 0) {
      self.round = round
      self.event = event
      self.owner = owner
      self.isOut = isOut
    }
  }

  /// Brings events under a new name that are out under another one, as far back as that goes.
  /// - Returns: those that went to quarantine.
  mutating func repair(
    _ all: inout [Standing], _ owner: String, _ clock: Int64, _ key: Shape.Key, _ partition: Int,
    _ isPublisher: (Int) -> Bool
  ) -> [Taken] {
    guard let back = shape.repairableS else { return [] }
    var gone: [Taken] = []
    for place in all.indices where !all[place].isGone && all[place].owner != owner {
      if all[place].event.recordedMs < clock - Int64(back) * 1000 { continue }
      if relink(all[place], to: owner, key, partition, isPublisher) {
        all[place].owner = owner
        all[place].round += 1
      } else {
        all[place].isGone = true
        gone.append(all[place].event)
      }
    }
    return gone
  }

  /// Takes back what an event made, and makes it anew under another name; false: it went to
  /// quarantine, and what it made is taken back.
  mutating func relink(
    _ one: Standing, to owner: String, _ key: Shape.Key, _ partition: Int,
    _ isPublisher: (Int) -> Bool
  ) -> Bool {
    do throws(Refused) {
      keep(try remade(one, owner, key, partition, isPublisher))
      try handOn(one, owner, key, partition)
      return true
    } catch {
      refuse(one.event.source, error.reason)
    }
    if let effect = try? remade(one, nil, key, partition, isPublisher) {
      keep(effect)
      try? handOn(one, nil, key, partition)
    }
    return false
  }

  /// Hands on that an event is not of whom it was of, and of whom it is.
  private mutating func handOn(
    _ one: Standing, _ owner: String?, _ key: Shape.Key, _ partition: Int
  ) throws(Refused) {
    let new: [(owner: String?, isTakenBack: Bool)] = owner.map { [($0, false)] } ?? []
    for (owner, isTakenBack) in [(one.owner, true)] + new {
      var effect = Effect()
      try handOn(
        from: key, told(one.event, owner), Known(owner: owner, isReleased: true), &effect)
      for target in effect.handsTo {
        handed[target, default: []].append(
          Handed(
            event: behind(one.event, partition), owner: owner ?? "",
            round: isTakenBack ? one.round : one.round + 1, isTakenBack: isTakenBack, journal: key,
            partition: partition))
      }
    }
  }

  /// An event in a chained journal: it stands there as it does when all that is handed on is
  /// merged, by recorded time and where it comes from.
  func behind(_ event: Taken, _ partition: Int) -> Taken {
    if !shape.relinks { return event }
    var event = event
    event.order += Int(event.recordedMs) << 22 + partition << 18
    return event
  }

  /// Takes back what an event has made in a chained journal; false: it went to quarantine.
  mutating func takeBack(_ one: Handed, _ key: Shape.Key, _ partition: Int) -> Bool {
    let standing = Standing(one.event, one.owner.isEmpty ? nil : one.owner)
    do throws(Refused) {
      keep(try remade(standing, nil, key, partition, { _ in false }))
      return true
    } catch {
      refuse(one.event.source, error.reason)
      return false
    }
  }

  /// - Parameter owner: nil: it is only taken back.
  private func remade(
    _ one: Standing, _ owner: String?, _ key: Shape.Key, _ partition: Int,
    _ isPublisher: (Int) -> Bool
  ) throws(Refused) -> Effect {
    var effect = Effect()
    let input = told(one.event, owner)
    let whose = one.owner ?? ""
    for (place, table) in shape.tables.enumerated()
    where table.isIdentified && shape.journal(of: table) == key {
      for one in try remade(place, input, whose, isAnew: owner != nil) {
        var now = one.row
        let old = rows[place][one.key]
        if old?.fields(table) != now?.fields(table) {
          do throws(Refused) {
            try show(
              table, one.key, &now, before: old, { one.input.part($0, owner: whose) }, &effect)
          } catch {
            if owner != nil { throw error }
            // What is left of it may not be shown.
            if old?.isPublished ?? false { effect.records.append((table.name, one.key, nil)) }
            now?.isPublished = false
          }
        }
        effect.rows.append((place, one.key, now))
      }
    }
    for place in shape.ports.indices where isPublisher(place) && shape.ports[place].isIdentified {
      let target = "\(input.account)@\(partition)"
      var back = Effect()
      try publish(
        shape.ports[place], input, target, Known(owner: one.owner, isReleased: true), &back)
      for (port, key, value) in back.records {
        var fields = value
        fields?["ce_op"] = "retract"
        fields?["ce_corrects"] =
          "\"\(input.id)\"" + (one.owner.map { "\"\($0)\"" } ?? "")
          + Reference.lineText(value ?? [:])
        effect.records.append((port, key, fields))
      }
      guard let owner else { continue }
      var anew = Effect()
      try publish(shape.ports[place], input, target, Known(owner: owner, isReleased: true), &anew)
      for (port, key, value) in anew.records {
        var fields = value
        fields?["ce_op"] = "assert"
        effect.records.append((port, key, fields))
      }
    }
    return effect
  }

  /// The rows that an event has a part in, without that, or with what it would give anew.
  private func remade(
    _ place: Int, _ input: GeneratedInput, _ whose: String, isAnew: Bool
  ) throws(Refused) -> [Changed] {
    let table = shape.tables[place]
    guard let clause = table.clauses.first(where: { $0.kind == input.kind }) else { return [] }
    var all: [Changed] = []
    for isTaken in isAnew ? [true, false] : [true] {
      for (number, one) in events(of: input, table.isExploded).enumerated() {
        try countExploded(table.isExploded, number)
        if !one.holds(clause.filter) { continue }
        // Of who it is now only those ask for that are not by that.
        let own = one.text(of: table.key, owner: whose)
        let known = all.firstIndex { $0.key == own }
        var now =
          known.map { all[$0] }
          ?? Changed(table: place, key: own, row: rows[place][own], input: one, owner: whose)
        if now.row == nil && isTaken { continue }
        var row = now.row ?? ReferenceRow(table)
        if isTaken {
          row.takeBack(one.contribution)
        } else {
          _ = try row.update(clause, table, shape, one)
        }
        now.row = row
        if let known { all[known] = now } else { all.append(now) }
      }
    }
    for index in all.indices where all[index].row?.touches.isEmpty ?? false { all[index].row = nil }
    return all
  }

  /// What a record says of the line that it was made of.
  static func lineText(_ fields: [String: String]) -> String {
    fields["sku"].map { $0 + (fields["n"] ?? "") } ?? ""
  }
}
