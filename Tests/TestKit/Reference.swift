import Records

/// What a product must publish, by a plain reading of its shape: no engine, no state rows, no
/// programs, no bytes. It is told the order in which the product took its events, and nothing else.
package struct Reference {
  /// An event at its place in a journal partition.
  package struct Taken {
    package let input: GeneratedInput
    /// Topic, partition and offset that it came from.
    package let source: String
    /// Of its block.
    package let recordedMs: Int64
    /// Its journal, where its block lies there, and its place in it.
    package let place: String
    /// It comes from quarantine, as an operator says.
    package let control: Control?

    package init(
      _ input: GeneratedInput, from source: String, recordedMs: Int64, at place: String,
      control: Control? = nil
    ) {
      self.input = input
      self.source = source
      self.recordedMs = recordedMs
      self.place = place
      self.control = control
    }

    /// Something that nobody fed.
    package static func nothing(_ control: Control, recordedMs: Int64) -> Taken {
      Taken(GeneratedInput.nothing, from: "", recordedMs: recordedMs, at: "", control: control)
    }
  }

  /// What an operator says of a place in quarantine.
  package struct Control: Sendable, Hashable {
    package let quarantine: Int64
    package let isDiscard: Bool
    package init(_ quarantine: Int64, isDiscard: Bool) {
      self.quarantine = quarantine
      self.isDiscard = isDiscard
    }
  }

  /// An event as apply of the first journal hands it on: with whose its account then was.
  package struct Handed {
    package let event: Taken
    package let owner: String
    /// The first journal, and its partition.
    package let journal: Shape.Key
    package let partition: Int
  }

  /// What a journal partition holds, in order.
  enum Entry {
    case event(Taken)
    case ticks([ReferenceClock.Tick], recordedMs: Int64)

    var recordedMs: Int64 {
      switch self {
      case .event(let event): event.recordedMs
      case .ticks(_, let recordedMs): recordedMs
      }
    }
  }

  /// A published value: fields as they stand in JSON; nil is a tombstone.
  package typealias Published = [String: String]?

  /// Why an event goes to quarantine; nothing else comes of it then.
  struct Refused: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
  }

  /// By port and key, in order. At event ports of a journaled product a key is followed by `@` and
  /// the partition of the journal, since its events need not all be in one.
  package private(set) var published: [String: [String: [Published]]] = [:]
  /// Source and reason of what goes to quarantine.
  package private(set) var quarantined: [String] = []
  /// By chained journal, in the order of each partition of the first one.
  package private(set) var handed: [Shape.Key: [Handed]] = [:]
  /// Journal, place in quarantine, and what became of it: released, discarded, quarantined again.
  package private(set) var settled: [String] = []

  let shape: Shape
  private let clockFault: ReferenceClock.Fault?
  /// By table and key.
  var rows: [[String: ReferenceRow]]
  /// By follower and key.
  var followed: [[String: Followed]]
  var sides: [Side: [GeneratedInput]] = [:]

  /// What comes of one event, if all of it succeeds.
  struct Effect {
    var rows: [(table: Int, key: String, row: ReferenceRow?)] = []
    var sides: [(side: Side, events: [GeneratedInput])] = []
    var followed: [(follower: Int, key: String, row: Followed)] = []
    var records: [(port: String, key: String, value: Published)] = []
    var waits = false
    var handsTo: [Shape.Key] = []
  }

  init(_ shape: Shape, clockFault: ReferenceClock.Fault? = nil) {
    self.shape = shape
    self.clockFault = clockFault
    rows = Array(repeating: [:], count: shape.tables.count)
    followed = Array(repeating: [:], count: shape.followers.count)
  }

  // MARK: Journaled

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
    var waiting: [String: [Taken]] = [:]
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
      if outcome == .waits { waiting[local, default: []].append(event) }
      return outcome
    }
    // Whose event is in quarantine no more.
    func goOn(_ own: String) {
      blocked[own] = nil
      while blocked[own] == nil, let next = behind[own]?.first {
        behind[own]?.removeFirst()
        _ = take(next.event, isReleased: next.isReleased)
      }
    }
    for entry in entries {
      guard case .event(let event) = entry else {
        clock = max(clock, entry.recordedMs)
        if case .ticks(let ticks, _) = entry { time.hear(ticks, recordedMs: clock) }
        moment = Moment(home: home, nowMs: time.nowMs)
        if let now = time.nowMs { pass(now, at: home) }
        continue
      }
      let input = event.input
      if let control = event.control {
        // Both, as a topic of quarantine may be made anew.
        if !done.insert("\(control.quarantine) \(event.source)").inserted { continue }
        var result = "discarded"
        if !control.isDiscard {
          guard let isReleased = failed[event.source] else {
            settled.append("\(event.source) is released, of which nothing had failed here")
            continue
          }
          result = take(event, isReleased: isReleased) == .failed ? "quarantined" : "released"
        } else {
          failed[event.source] = nil
        }
        let own = input.text(of: key)
        if result != "quarantined", blocked[own] == event.source { goOn(own) }
        settled.append("\(key) \(control.quarantine) \(result)")
        continue
      }
      clock = max(clock, event.recordedMs)
      if input.kind == .Linked {
        let old = links[input.account]
        if let old, old.timeS > input.timeS { continue }
        links[input.account] = (input.owner, input.timeS)
        for held in waiting.removeValue(forKey: input.account) ?? [] {
          _ = take(held, isReleased: true)
        }
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

  private enum Outcome { case done, waits, waitsBehind, failed }

  private mutating func refuse(_ event: Taken, _ tells: Bool) -> Outcome {
    if tells { quarantined.append("\(event.source) contract-input") }
    return .failed
  }

  /// What stands in a chained journal: an event that was handed on, or what an operator wants done
  /// with one that came to nothing there.
  package enum Chained {
    case event(Handed)
    case control(Control, source: String)
  }

  /// Reads a partition of a chained journal, in order.
  package mutating func read(_ entries: [Chained], of key: Shape.Key, _ partition: Int) {
    var failed: [String: Handed] = [:]
    var done: Set<String> = []
    func take(_ handed: Handed) -> Outcome {
      let outcome = apply(
        handed.event, key, partition, owner: handed.owner, isReleased: false,
        Moment(home: "\(key)/\(partition)", nowMs: nil), { _ in false })
      failed[handed.event.source] = outcome == .failed ? handed : nil
      return outcome
    }
    for entry in entries {
      switch entry {
      case .event(let handed): _ = take(handed)
      case .control(let control, let source):
        if !done.insert("\(control.quarantine) \(source)").inserted { continue }
        var result = "discarded"
        if control.isDiscard {
          failed[source] = nil
        } else if let handed = failed[source] {
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
      let changes = try change(key, event.input, known, partition, moment, &effect)
      for place in shape.ports.indices where isPublisher(place) {
        let target = "\(event.input.account)@\(partition)"
        try publish(shape.ports[place], event.input, target, known, &effect)
      }
      follow(changes, partition, &effect)
      try handOn(from: key, event.input, known, &effect)
      keep(effect)
      for target in effect.handsTo {
        handed[target, default: []].append(
          Handed(event: event, owner: owner ?? "", journal: key, partition: partition))
      }
      return effect.waits ? .waits : .done
    } catch {
      quarantined.append("\(event.source) \(error.reason)")
      return .failed
    }
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

  /// Where an event is applied, and what the clock says there.
  struct Moment {
    let home: String
    let nowMs: Int64?
  }

  /// The clock of a journal partition comes to `nowMs`.
  private mutating func pass(_ nowMs: Int64, at home: String) {
    for (place, table) in shape.tables.enumerated() {
      for (key, row) in rows[place] where row.home == home {
        // A window that is closed: what was shown of it stays.
        if let window = row.window, window.closesMs <= nowMs { rows[place][key] = nil }
        guard let seconds = table.expireS else { continue }
        if row.touchedMs + Int64(seconds) * 1000 > nowMs { continue }
        rows[place][key] = nil
        if row.isPublished { published[table.name, default: [:]][key, default: []].append(nil) }
      }
    }
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
        var row: ReferenceRow? = old.without(.Kept, table)
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

  /// What is known of whose an event's account is.
  private struct Known {
    var owner: String?
    var isReleased: Bool
  }

  /// Whether a way is to be gone now; one that needs to know whose the account is may have to wait.
  private func goes(_ isIdentified: Bool, _ known: Known, _ effect: inout Effect) throws(Refused)
    -> Bool
  {
    if !isIdentified { return !known.isReleased }
    if known.owner != nil { return true }
    if shape.unmapped == .reject { throw Refused("unmapped") }
    effect.waits = true
    return false
  }

  /// Where an event goes on to: to each chained journal with a table that wants it, once.
  private func handOn(
    from journal: Shape.Key, _ input: GeneratedInput, _ known: Known, _ effect: inout Effect
  ) throws(Refused) {
    if journal != shape.local(of: input.kind) { return }
    for key in shape.chainedJournals {
      for table in shape.tables where shape.isChained(table) && shape.journal(of: table) == key {
        guard let clause = table.clauses.first(where: { $0.kind == input.kind }) else { continue }
        for (number, one) in events(of: input, table.isExploded).enumerated() {
          try countExploded(table.isExploded, number)
          if !one.holds(clause.filter) { continue }
          if try goes(true, known, &effect), !effect.handsTo.contains(key) {
            effect.handsTo.append(key)
          }
          break
        }
      }
    }
  }

  private mutating func keep(_ effect: Effect) {
    for (table, key, row) in effect.rows { rows[table][key] = row }
    for (side, events) in effect.sides { sides[side] = events }
    for (follower, key, row) in effect.followed { followed[follower][key] = row }
    for (port, key, value) in effect.records {
      published[port, default: [:]][key, default: []].append(value)
    }
  }

  /// The rows of all tables that are made of the journal of a key, and what their ports show.
  private func change(
    _ key: Shape.Key, _ input: GeneratedInput, _ known: Known, _ partition: Int,
    _ moment: Moment, _ effect: inout Effect
  ) throws(Refused) -> [Changed] {
    var changed: [Changed] = []
    for place in shape.tables.indices {
      let table = shape.tables[place]
      guard shape.journal(of: table) == key,
        let clause = table.clauses.first(where: { $0.kind == input.kind }),
        table.isIdentified || !known.isReleased
      else { continue }
      for (number, one) in events(of: input, table.isExploded).enumerated() {
        try countExploded(table.isExploded, number)
        if !one.holds(clause.filter) || !isLetThrough(table.lookup, one) { continue }
        if try !goes(table.isIdentified, known, &effect) { break }
        for start in try starts(table, one, moment) {
          try change(place, clause, one, start, owner: known.owner ?? "", moment, &changed)
        }
      }
    }
    if !known.isReleased { try pair(key, input, partition, moment, &effect) }
    for one in changed {
      var row = one.row
      if one.isChanged {
        try show(
          shape.tables[one.table], one.key, &row, before: rows[one.table][one.key],
          { one.input.part($0, owner: one.owner) }, &effect)
      }
      effect.rows.append((one.table, one.key, row))
    }
    return changed.filter { $0.isChanged && ($0.row != nil || rows[$0.table][$0.key] != nil) }
  }

  /// A row that an event changes, of which it may have made several.
  struct Changed {
    let table: Int
    let key: String
    var row: ReferenceRow?
    /// What has its key.
    let input: GeneratedInput
    let owner: String
    /// Whether it has ever shown something else than before, since the event came.
    var isChanged = false

    func part(_ name: String) -> String { input.part(name, owner: owner) }
  }

  /// Where the windows begin whose rows an event updates; of a table without windows one that is
  /// none.
  private func starts(_ table: Shape.Table, _ input: GeneratedInput, _ moment: Moment)
    throws(Refused) -> [Int64?]
  {
    guard let window = table.window else { return [nil] }
    let open = window.starts(of: input.actualMs(shape)).filter {
      window.closesMs($0) > moment.nowMs ?? .min
    }
    if open.isEmpty { throw Refused("late") }
    return open
  }

  /// The key of a row of a window.
  private static func text(_ key: String, _ startMs: Int64) -> String {
    let text = "\"\(Timestamp(milliseconds: startMs))\""
    return key.hasPrefix("[") ? "\(key.dropLast()),\(text)]" : "[\"\(key)\",\(text)]"
  }

  private func change(
    _ place: Int, _ clause: Shape.Clause, _ input: GeneratedInput, _ start: Int64?, owner: String,
    _ moment: Moment, _ changed: inout [Changed]
  ) throws(Refused) {
    let table = shape.tables[place]
    let plain = input.text(of: table.key, owner: owner)
    let own = start.map { Self.text(plain, $0) } ?? plain
    let known = changed.firstIndex { $0.table == place && $0.key == own }
    var now =
      known.map { changed[$0] }
      ?? Changed(table: place, key: own, row: rows[place][own], input: input, owner: owner)
    let old = now.row
    if input.isRetraction, shape.corrects(input.kind) {
      guard var row = old, row.touches.contains(input.contribution) else { return }
      row.takeBack(input.contribution)
      now.row = row.touches.isEmpty ? nil : row
      if old?.fields(table) != now.row?.fields(table) { now.isChanged = true }
    } else if isDeleting(clause, input, old) {
      if old == nil { return }
      now.row = nil
      now.isChanged = true
    } else {
      var row = old ?? ReferenceRow(table)
      row.home = moment.home
      if let start, let window = table.window { row.window = (start, window.closesMs(start)) }
      let isUpdated = try row.update(clause, table, shape, input)
      // Another element of the same event may have taken it away.
      if !isUpdated, known == nil || old == nil { return }
      if isUpdated {
        row.touchedMs = max(row.touchedMs, input.actualMs(shape), moment.nowMs ?? .min)
      }
      if old?.fields(table) != row.fields(table) { now.isChanged = true }
      now.row = row
    }
    if let known { changed[known] = now } else { changed.append(now) }
  }

  /// The events that come of one, with a stream that makes them of its lines or without.
  private func events(of input: GeneratedInput, _ isExploded: Bool) -> [GeneratedInput] {
    isExploded ? input.exploded : [input]
  }

  /// What a row that is looked up shows, as it was before the event; nil: nothing, or no row.
  private func seen(_ lookup: Shape.Lookup, _ input: GeneratedInput) -> ReferenceRow.Value? {
    let table = shape.tables[lookup.table]
    let row = rows[lookup.table][input.text(of: table.key)]
    return row?.columns[lookup.column].value(table.columns[lookup.column])
  }

  private func isLetThrough(_ lookup: Shape.Lookup?, _ input: GeneratedInput) -> Bool {
    guard let lookup, let above = lookup.above else { return true }
    guard case .number(let number)? = seen(lookup, input) else { return 0 > above }
    return number > above
  }

  /// - Parameter number: of the event among those that come of one.
  private func countExploded(_ isExploded: Bool, _ number: Int) throws(Refused) {
    if isExploded, let most = shape.entriesMax, number >= most { throw Refused("too-many-entries") }
  }

  private func isDeleting(
    _ clause: Shape.Clause, _ input: GeneratedInput, _ row: ReferenceRow?
  ) -> Bool {
    switch clause.deletion {
    case .event(let condition): input.holds(condition)
    case .count(let column, let above): row.map { $0.columns[column].seen.count > above } ?? false
    case nil: false
    }
  }

  private func show(
    _ table: Shape.Table, _ key: String, _ row: inout ReferenceRow?, before old: ReferenceRow?,
    _ part: (String) -> String, _ effect: inout Effect
  ) throws(Refused) {
    let wasShown = old?.isPublished ?? false
    guard let new = row else {
      if wasShown { effect.records.append((table.name, key, nil)) }
      return
    }
    let fields = new.fields(table)
    let isShown = new.isShown(table)
    row?.isPublished = isShown
    if !isShown {
      if wasShown { effect.records.append((table.name, key, nil)) }
      return
    }
    if table.isNarrow && new.isTooWide(table) { throw Refused("contract-output") }
    var value = fields
    for name in table.key.parts { value[name] = "\"\(part(name))\"" }
    if let window = new.window {
      value["since"] = "\"\(Timestamp(milliseconds: window.startMs))\""
    }
    if table.isDerived { value["label"] = "\"of \(part(table.key.parts[0]))\"" }
    effect.records.append((table.name, key, value))
  }

  private func publish(
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
    if let note = input.note { fields["note"] = "\"\(note)\"" }
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

  // MARK: Taken in

  /// What is refused before it gets to a journal.
  package mutating func refuse(_ source: String, _ reason: String) {
    quarantined.append("\(source) \(reason)")
  }

  /// One input of a direct product.
  package mutating func take(_ input: GeneratedInput, from source: String) {
    // What no output reads is not even checked.
    let isRead = shape.ports.contains { $0.kind == input.kind }
    if let reason = input.intakeReason(shape) {
      let isContract = ["contract-input", "bad-correction"].contains(reason)
      if !isContract || isRead { refuse(source, reason) }
      return
    }
    do throws(Refused) {
      var effect = Effect()
      let known = Known(owner: nil, isReleased: false)
      for port in shape.ports { try publish(port, input, input.account, known, &effect) }
      keep(effect)
    } catch {
      refuse(source, error.reason)
    }
  }
}

extension GeneratedInput {
  /// A part of a key by its name.
  func part(_ name: String, owner: String) -> String {
    switch name {
    case "account": account
    case "branch": branch
    case "who": owner
    default: sku
    }
  }

  /// As a key of a record.
  func text(of key: Shape.Key, owner: String = "") -> String {
    let parts = key.parts.map { part($0, owner: owner) }
    return parts.count == 1
      ? parts[0] : "[" + parts.map { "\"\($0)\"" }.joined(separator: ",") + "]"
  }

  func holds(_ condition: Shape.Condition?) -> Bool {
    guard let condition else { return true }
    guard let value = condition.field == .amount ? amount : n else { return false }
    return value > condition.above
  }
}
