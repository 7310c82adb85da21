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
    /// Its place in the partition.
    var order = 0

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
    /// How often its link had changed before; and whether it is there no more, as of that owner.
    package var round = 0
    package var isTakenBack = false
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
  package internal(set) var published: [String: [String: [Published]]] = [:]
  /// Source and reason of what goes to quarantine.
  package internal(set) var quarantined: [String] = []
  /// By chained journal, in the order of each partition of the first one.
  package internal(set) var handed: [Shape.Key: [Handed]] = [:]
  /// Journal, place in quarantine, and what became of it: released, discarded, quarantined again.
  package internal(set) var settled: [String] = []
  /// Whether the event that was applied last was too late for anything.
  var isLate = false

  let shape: Shape
  let clockFault: ReferenceClock.Fault?
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
    /// It comes too late for a window or a join.
    var isLate = false
    var handsTo: [Shape.Key] = []
    /// A way was gone that asks whose the account is.
    var passes = false
  }

  /// Where an event is applied, and what the clock says there.
  struct Moment {
    let home: String
    let nowMs: Int64?
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

  /// What is known of whose an event's account is.
  struct Known {
    var owner: String?
    var isReleased: Bool
  }

  init(_ shape: Shape, clockFault: ReferenceClock.Fault? = nil) {
    self.shape = shape
    self.clockFault = clockFault
    rows = Array(repeating: [:], count: shape.tables.count)
    followed = Array(repeating: [:], count: shape.followers.count)
  }

  mutating func keep(_ effect: Effect) {
    for (table, key, row) in effect.rows { rows[table][key] = row }
    for (side, events) in effect.sides { sides[side] = events }
    for (follower, key, row) in effect.followed { followed[follower][key] = row }
    for (port, key, value) in effect.records {
      published[port, default: [:]][key, default: []].append(value)
    }
  }

  /// The events that come of one, with a stream that makes them of its lines or without.
  func events(of input: GeneratedInput, _ isExploded: Bool) -> [GeneratedInput] {
    isExploded ? input.exploded : [input]
  }

  /// What a row that is looked up shows, as it was before the event; nil: nothing, or no row.
  func seen(_ lookup: Shape.Lookup, _ input: GeneratedInput) -> ReferenceRow.Value? {
    let table = shape.tables[lookup.table]
    let row = rows[lookup.table][input.text(of: table.key)]
    return row?.columns[lookup.column].value(table.columns[lookup.column])
  }

  func isLetThrough(_ lookup: Shape.Lookup?, _ input: GeneratedInput) -> Bool {
    guard let lookup, let above = lookup.above else { return true }
    guard case .number(let number)? = seen(lookup, input) else { return 0 > above }
    return number > above
  }

  /// - Parameter number: of the event among those that come of one.
  func countExploded(_ isExploded: Bool, _ number: Int) throws(Refused) {
    if isExploded, let most = shape.entriesMax, number >= most { throw Refused("too-many-entries") }
  }

  /// Whether a way is to be gone now; one that needs to know whose the account is may have to wait.
  func goes(_ isIdentified: Bool, _ known: Known, _ effect: inout Effect) throws(Refused)
    -> Bool
  {
    if !isIdentified { return !known.isReleased }
    if known.owner != nil || shape.unmapped == .provisional {
      effect.passes = true
      return true
    }
    if shape.unmapped == .reject { throw Refused("unmapped") }
    effect.waits = true
    return false
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
