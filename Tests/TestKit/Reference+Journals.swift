/// Partitions of journals, read in order.
extension Reference {
  /// Reads a partition of the journal of a key, in order.
  /// - Parameters:
  ///   - tells: whether it is the first journal that takes such events, which alone quarantines
  ///     those that break their contract.
  ///   - ports: whether this journal's events go to the event port of that place.
  ///   - inputs: those that the journal's clock goes by.
  mutating func read(
    _ entries: [Entry], of key: Shape.Key, _ partition: Int, tells: (Shape.Kind) -> Bool,
    ports isPublisher: (Int) -> Bool, inputs: Set<Int>
  ) {
    var clock: Int64 = .min
    var time = ReferenceClock(inputs: inputs, fault: clockFault)
    let home = "\(key)/\(partition)"
    // By input: ids with the time when they were first seen, oldest first.
    var seen: [[(id: String, at: Int64)]] = shape.inputNames.map { _ in [] }
    // By local id: who it is, as of when; and who waits to know.
    var links: [String: (owner: String, timeS: Int64)] = [:]
    var waiting: [String: [Standing]] = [:]
    // By account: what went out under a name, while a link repairs it.
    var standing: [String: [Standing]] = [:]
    // By key and id: what became of records that may be taken back.
    var fates: [String: Fate] = [:]
    // By source, what came to nothing here: whether it had waited, and all else came of it before.
    var failed: [String: Bool] = [:]
    var done: Set<String> = []
    var moment = Moment(home: home, nowMs: nil)
    // By key: the event in quarantine that blocks it, and those that wait behind it.
    var blocked: [String: String] = [:]
    var behind: [String: [(event: Taken, isReleased: Bool)]] = [:]
    func take(_ event: Taken, isReleased: Bool) -> Outcome {
      let local = key == .branch ? event.input.branch : event.input.account
      let own = event.input.text(of: key)
      if shape.holdsKeys, let blocker = blocked[own], blocker != event.source {
        behind[own, default: []].append((event, isReleased))
        return .waitsBehind
      }
      let outcome: Outcome
      isLate = false
      if event.input.isDeletion {
        outcome = undo(event, key, partition)
      } else if shape.corrects(event.input.kind) {
        outcome = correct(
          event, key, partition, &fates, tells(event.input.kind), moment, isPublisher)
      } else if event.input.breaksContract {
        outcome = refuse(event, tells(event.input.kind))
      } else {
        outcome = apply(
          event, key, partition, owner: links[local]?.owner, isReleased: isReleased,
          moment, isPublisher)
      }
      failed[event.source] = outcome == .failed ? isReleased : nil
      if outcome == .failed { blocked[own] = event.source }
      let owner = links[local]?.owner
      switch outcome {
      case .waits:
        waiting[local, default: []].append(Standing(event, nil, isOut: false))
      case .out where owner == nil: waiting[local, default: []].append(Standing(event, nil))
      case .out where shape.repairableS != nil:
        standing[local, default: []].append(Standing(event, owner))
      case .out, .done, .waitsBehind, .failed: break
      }
      return outcome
    }
    // What went out could not be made anew.
    func quarantine(_ event: Taken) {
      failed[event.source] = true
      let own = event.input.text(of: key)
      if blocked[own] == nil { blocked[own] = event.source }
    }
    // Whose event is in quarantine no more.
    func goOn(_ own: String) {
      blocked[own] = nil
      while blocked[own] == nil, let next = behind[own]?.first {
        behind[own]?.removeFirst()
        _ = take(next.event, isReleased: next.isReleased)
      }
    }
    for (order, entry) in entries.enumerated() {
      guard case .event(let taken) = entry else {
        clock = max(clock, entry.recordedMs)
        if case .ticks(let ticks, _) = entry { time.hear(ticks, recordedMs: clock) }
        moment = Moment(home: home, nowMs: time.nowMs)
        if let now = time.nowMs { pass(now, at: home, partition) }
        continue
      }
      var event = taken
      event.order = order
      let input = event.input
      if let control = event.control {
        // Both, as a topic of quarantine may be made anew.
        if !done.insert("\(control.quarantine) \(event.source)").inserted { continue }
        var result = "discarded"
        var frees = true
        let own = input.text(of: key)
        // It has failed in another journal, and its turn has not come in this one.
        var queue = behind[own] ?? []
        if let place = queue.firstIndex(where: { $0.event.source == event.source }) {
          let waiting = queue.remove(at: place)
          if !control.isDiscard {
            queue.append((event, waiting.isReleased))
            result = "released"
          }
          behind[own] = queue
        } else if !control.isDiscard {
          guard let isReleased = failed[event.source] else {
            settled.append("\(event.source) is released, of which nothing had failed here")
            continue
          }
          let outcome = take(event, isReleased: isReleased)
          frees = outcome != .failed
          result = frees && !isLate ? "released" : "quarantined"
        } else {
          failed[event.source] = nil
        }
        if frees, blocked[own] == event.source { goOn(own) }
        settled.append("\(key) \(control.quarantine) \(result)")
        continue
      }
      clock = max(clock, event.recordedMs)
      if input.kind == .Linked {
        let old = links[input.account]
        if let old, old.timeS > input.timeS { continue }
        links[input.account] = (input.owner, input.timeS)
        for held in waiting.removeValue(forKey: input.account) ?? [] {
          if !held.isOut {
            _ = take(held.event, isReleased: true)
          } else if !relink(held, to: input.owner, key, partition, isPublisher) {
            quarantine(held.event)
          } else if shape.repairableS != nil {
            standing[input.account, default: []].append(
              Standing(held.event, input.owner, round: 1))
          }
        }
        let gone = repair(
          &standing[input.account, default: []], input.owner, clock, key, partition, isPublisher)
        gone.forEach(quarantine)
        continue
      }
      if input.isDeletion || shape.corrects(input.kind) {
        _ = take(event, isReleased: false)
        continue
      }
      if let horizon = shape.horizonS, input.flaw != .noId, input.kind != .Kept {
        for number in seen.indices {
          while let oldest = seen[number].first, oldest.at < clock - Int64(horizon) * 1000 {
            seen[number].removeFirst()
          }
        }
        let id = input.text(of: key) + "|" + input.id
        let number = shape.input(of: input.kind)
        if seen[number].contains(where: { $0.id == id }) { continue }
        seen[number].append((id, clock))
      }
      _ = take(event, isReleased: false)
    }
  }

  /// What became of an event: `out` asks for corrections should its link come or change.
  private enum Outcome { case done, out, waits, waitsBehind, failed }

  private mutating func refuse(_ event: Taken, _ tells: Bool) -> Outcome {
    if tells { quarantined.append("\(event.source) contract-input") }
    return .failed
  }

  /// What stands in a chained journal: an event that was handed on, or what an operator wants done
  /// with one that came to nothing there.
  package enum Chained {
    case event(Handed)
    /// - Parameter handed: the event, by ``Handed/name``.
    case control(Control, source: String, handed: String)
  }

  /// Reads a partition of a chained journal, in order.
  package mutating func read(_ entries: [Chained], of key: Shape.Key, _ partition: Int) {
    // By name. What was taken back meanwhile is no more to be made when it is released.
    var failed: [String: Handed] = [:]
    var gone: Set<String> = []
    // What came to nothing for good: there is nothing to take back.
    var discarded: Set<String> = []
    var done: Set<String> = []
    func take(_ handed: Handed) -> Outcome {
      if handed.isTakenBack { return takeBack(handed, key, partition) ? .done : .failed }
      let owner = handed.owner.isEmpty ? nil : handed.owner
      let outcome = apply(
        handed.event, key, partition, owner: owner, isReleased: false,
        Moment(home: "\(key)/\(partition)", nowMs: nil), { _ in false })
      failed[handed.name] = outcome == .failed ? handed : nil
      return outcome
    }
    for entry in entries {
      switch entry {
      case .event(let handed)
      where handed.isTakenBack
        && (failed[handed.original] != nil || discarded.contains(handed.original)):
        failed[handed.original] = nil
        gone.insert(handed.original)
      case .event(let handed):
        if take(handed) == .failed { failed[handed.name] = handed }
      case .control(let control, let source, let name):
        if !done.insert("\(control.quarantine) \(source)").inserted { continue }
        var result = "discarded"
        if control.isDiscard {
          if failed.removeValue(forKey: name) != nil { discarded.insert(name) }
        } else if gone.contains(name) {
          result = "released"
        } else if let handed = failed[name] {
          result = take(handed) == .failed ? "quarantined" : "released"
        } else {
          result = "released, of which nothing had failed"
        }
        settled.append("\(key) \(control.quarantine) \(result)")
      }
    }
  }

  /// What comes of one event of a journal.
  /// - Parameters:
  ///   - owner: whose the account is, if that is known.
  ///   - isReleased: it has waited to know, and all else has come of it before.
  private mutating func apply(
    _ event: Taken, _ key: Shape.Key, _ partition: Int, owner: String?, isReleased: Bool,
    _ moment: Moment, _ isPublisher: (Int) -> Bool
  ) -> Outcome {
    do throws(Refused) {
      var effect = Effect()
      let known = Known(owner: owner, isReleased: isReleased)
      let input = told(event, owner)
      let changes = try change(key, input, known, partition, moment, &effect)
      for place in shape.ports.indices where isPublisher(place) {
        let target = "\(input.account)@\(partition)"
        try publish(shape.ports[place], input, target, known, &effect)
      }
      follow(changes, partition, &effect)
      try handOn(from: key, input, known, &effect)
      keep(effect)
      isLate = effect.isLate
      if isLate { quarantined.append("\(event.source) late") }
      for target in effect.handsTo {
        handed[target, default: []].append(
          Handed(
            event: behind(event, partition), owner: owner ?? "", journal: key,
            partition: partition))
      }
      return effect.waits ? .waits : effect.passes ? .out : .done
    } catch {
      quarantined.append("\(event.source) \(error.reason)")
      return .failed
    }
  }

  /// An event with what the reference knows of it.
  func told(_ event: Taken, _ owner: String?) -> GeneratedInput {
    var input = event.input
    input.owner = owner ?? ""
    input.order = event.order
    input.tag = shape.corrects(input.kind) ? input.subject : "#\(event.order)"
    return input
  }

  private enum Fate { case taken, retracted, failed }

  /// An event that may be taken back, or takes one back.
  private mutating func correct(
    _ event: Taken, _ key: Shape.Key, _ partition: Int, _ fates: inout [String: Fate],
    _ tells: Bool, _ moment: Moment, _ isPublisher: (Int) -> Bool
  ) -> Outcome {
    let input = event.input
    let id = input.text(of: key) + "|" + input.subject
    // Nothing was made of it but that it is known to have failed.
    if event.control != nil && !input.isRetraction && fates[id] == .failed { fates[id] = nil }
    if input.breaksContract && (input.isRetraction || fates[id] == nil) {
      if !input.isRetraction { fates[id] = .failed }
      return refuse(event, tells)
    }
    switch fates[id] {
    case nil where input.isRetraction, .failed where input.isRetraction: fates[id] = .retracted
    case .taken where input.isRetraction, nil:
      let outcome = apply(
        event, key, partition, owner: nil, isReleased: false, moment, isPublisher)
      if input.isRetraction {
        if outcome != .failed { fates[id] = .retracted }
      } else {
        fates[id] = outcome == .failed ? .failed : .taken
      }
      return outcome
    default: break
    }
    return .done
  }

  /// A row of the state port is deleted: what it has given goes.
  private mutating func undo(_ event: Taken, _ key: Shape.Key, _ partition: Int) -> Outcome {
    do throws(Refused) {
      var effect = Effect()
      var changes: [Changed] = []
      for place in shape.tables.indices {
        let table = shape.tables[place]
        let own = event.input.text(of: table.key)
        guard table.takesKept, shape.journal(of: table) == key, let old = rows[place][own]
        else { continue }
        var row: ReferenceRow? = old.without(.Kept, table, corrects: shape.corrects(table))
        if row?.fields(table) != old.fields(table) {
          try show(table, own, &row, before: old, { event.input.part($0, owner: "") }, &effect)
          changes.append(
            Changed(
              table: place, key: own, row: row, input: event.input, owner: "", isChanged: true))
        }
        effect.rows.append((place, own, row))
      }
      follow(changes, partition, &effect)
      keep(effect)
      return .done
    } catch {
      quarantined.append("\(event.source) \(error.reason)")
      return .failed
    }
  }

  /// Where an event goes on to: to each chained journal with a table that wants it, once.
  func handOn(
    from journal: Shape.Key, _ input: GeneratedInput, _ known: Known, _ effect: inout Effect
  ) throws(Refused) {
    if journal != shape.local(of: input.kind) { return }
    for key in shape.chainedJournals {
      for table in shape.tables where shape.isChained(table) && shape.journal(of: table) == key {
        guard let clause = table.clauses.first(where: { $0.kind == input.kind }) else { continue }
        for (number, one) in events(of: input, table.isExploded).enumerated() {
          try countExploded(table.isExploded, number)
          if !one.holds(clause.filter) { continue }
          // Where nobody is known yet it is not asked for what is by whose it is.
          if try !goes(true, known, &effect) { break }
          if known.owner == nil && table.key.isOfWho { continue }
          if !effect.handsTo.contains(key) {
            effect.handsTo.append(key)
          }
          break
        }
      }
    }
  }
}
