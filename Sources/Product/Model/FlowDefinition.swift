import Diagnostics
import Expressions

/// The way of one event type, or of the changes of a table's rows, through streams, flattened:
/// steps in the order they are taken.
package struct Branch: Sendable {
  /// Where it begins.
  package enum Origin: Sendable, Hashable {
    case event(EventReference)
    /// Each change of a row: variables `row` as it is now, absent when it has gone, `old` as it
    /// was, absent when it is new, and `key`. Of windows that are shown once, each that is closed:
    /// `row`, `key` and `window`.
    case changes(table: String)
    /// Each pair of a join: variables `left`, `right` and `key`.
    case pairs(stream: String)
  }
  package enum Step: Sendable {
    /// Goes on only when true.
    case filter(CheckedExpression)
    /// Names a value for the later steps: variable `name`, path `[name]`.
    case bind(name: String, CheckedExpression)
    /// Goes on once for each element of a list, which has that name; absent is an empty list.
    case explode(name: String, CheckedExpression)
    /// Names a row of a table, which may be absent.
    case lookup(Lookup)
    /// Finds a global id, for the later steps: path `[ids, name]`.
    case identify(Identification)
  }
  package let origin: Origin
  /// The event type that it begins with; nil: it begins with rows or pairs.
  package let event: EventReference?
  package var steps: [Step]
  /// Fields of the event of which its end is given something else. Checked expressions have that
  /// in them; it tells branches apart whose texts are the same.
  package var masks: [FieldPath: FieldMask] = [:]
  package init(origin: Origin, steps: [Step]) {
    self.origin = origin
    // Kept, as Swift 6.3's optimizer does not survive a look into a borrowed branch's origin.
    event = if case .event(let event) = origin { event } else { nil }
    self.steps = steps
  }
  package init(event: EventReference, steps: [Step]) {
    self.init(origin: .event(event), steps: steps)
  }

  /// The table whose changes it begins with.
  package var changed: String? { if case .changes(let table) = origin { table } else { nil } }
  /// The stream whose pairs it begins with.
  package var joined: String? { if case .pairs(let stream) = origin { stream } else { nil } }

  /// What its steps evaluate.
  package var expressions: [CheckedExpression] {
    steps.flatMap { step in
      switch step {
      case .filter(let expression), .bind(_, let expression), .explode(_, let expression):
        [expression]
      case .lookup(let lookup): lookup.key
      case .identify(let identification): [identification.local]
      }
    }
  }

  /// The rows that it looks up.
  package var lookups: [Lookup] {
    steps.compactMap { if case .lookup(let lookup) = $0 { lookup } else { nil } }
  }

  /// Whether it may make several events of one.
  package var explodes: Bool {
    steps.contains { if case .explode = $0 { true } else { false } }
  }

  /// The global id that it looks for, if it does.
  package var identification: Identification? {
    for case .identify(let identification) in steps { return identification }
    return nil
  }
}

/// A row of a table that a stream names: as it was before the event.
package struct Lookup: Sendable {
  package let name: String
  package let table: String
  /// The parts of its key, of which the first are those of the journal's.
  package let key: [CheckedExpression]
  /// The same in canonical form, as the journal's key.
  package let keyTexts: [String]
  /// Key parts, then columns.
  package let row: ObjectType
  package let span: SourceSpan

  package init(
    name: String, table: String, key: [CheckedExpression], keyTexts: [String], row: ObjectType,
    span: SourceSpan
  ) {
    self.keyTexts = keyTexts
    self.name = name
    self.table = table
    self.key = key
    self.row = row
    self.span = span
  }
}

/// How a stream finds the global id of what its events know by a local one.
package struct Identification: Sendable {
  package enum Unmapped: String, Sendable, Hashable {
    /// The event waits, in order, until its link comes.
    case hold
    /// It goes to quarantine.
    case reject
    /// It goes on without its global id, and is corrected when its link comes.
    case provisional
  }

  /// Of the identifier, in ``ProductDefinition/identifiers``.
  package let identifier: Int
  package let name: String
  /// Whose local ids these are.
  package let system: String
  package let local: CheckedExpression
  package let unmapped: Unmapped
  /// How far back a link that changes is repaired, in milliseconds of recorded time; nil: it holds
  /// from then on.
  package let repairableMs: Int64?

  /// Whether what went out may be taken back.
  package var corrects: Bool { unmapped == .provisional || repairableMs != nil }

  package init(
    identifier: Int, name: String, system: String, local: CheckedExpression, unmapped: Unmapped,
    repairableMs: Int64? = nil
  ) {
    self.repairableMs = repairableMs
    self.identifier = identifier
    self.name = name
    self.system = system
    self.local = local
    self.unmapped = unmapped
  }

  /// Whether the two find the same id for the same event, and do the same where there is none.
  package func isSame(as other: Identification) -> Bool {
    identifier == other.identifier && system == other.system && unmapped == other.unmapped
      && repairableMs == other.repairableMs
      && CanonicalText.of(local.span) == CanonicalText.of(other.local.span)
  }
}

/// A global identifier of the mesh that a product uses, and how a link is read from an event of the
/// input that brings links.
package struct IdentifierDefinition: Sendable {
  package let name: String
  package let links: EventReference
  package let system: CheckedExpression
  package let local: CheckedExpression
  package let global: CheckedExpression

  package init(
    name: String, links: EventReference, system: CheckedExpression, local: CheckedExpression,
    global: CheckedExpression
  ) {
    self.name = name
    self.links = links
    self.system = system
    self.local = local
    self.global = global
  }
}

/// A stream as it is written, for people: what it does is in the branches that lead through it.
package struct StreamDefinition: Sendable {
  package struct Variable: Sendable {
    package let name: String
    package let value: SourceSpan
  }
  package let name: String
  /// Inputs, event types and streams.
  package let from: [String]
  /// What it makes many events of one by.
  package let explosion: Variable?
  /// In the order of their names.
  package let lookups: [Variable]
  package let condition: SourceSpan?
  package let identifications: [Identification]
  /// In the order of `let`, where a later one sees those before it.
  package let variables: [Variable]
  /// Fields of the event that it masks, in the order of their names.
  package let masks: [(field: String, mask: FieldMask)]
}

/// One journal of a product: which events it takes, and under which key.
package struct JournalDefinition: Sendable {
  /// How the journal's key is found in an event of one type.
  package enum Key: Sendable {
    /// The record's own Kafka key.
    case source
    /// Parts computed from the event alone.
    case parts([CheckedExpression])
    /// The local id of a link of this identifier, where the link is of one of these systems: the
    /// link goes where the events are that need it.
    case links(identifier: Int, systems: Set<String>)
    /// Parts that are known once the event was identified: apply of another journal hands it on.
    case handed([CheckedExpression])
  }

  /// Events of one type that apply of another journal hands on to this one, a chained journal,
  /// once they have come so far on a way.
  package struct Handover: Sendable {
    /// Ordinal of the journal whose apply writes this one; always a lower one.
    package let from: Int
    package let branch: Branch
    package init(from: Int, branch: Branch) {
      self.from = from
      self.branch = branch
    }
  }

  /// Last part of the topic's name: `claimId`, or `source`.
  package var name: String
  package var topic: String
  package var partitions: Int32
  /// Milliseconds; nil: for ever.
  package var retentionMs: Int64?
  package var keys: [EventReference: Key]
  /// Of a chained journal, one that apply of others writes. What comes to it so has no part in
  /// redelivery, which the other journal has seen to.
  package var handovers: [Handover]

  package init(
    name: String, topic: String, partitions: Int32, retentionMs: Int64?,
    keys: [EventReference: Key], handovers: [Handover] = []
  ) {
    self.handovers = handovers
    self.name = name
    self.topic = topic
    self.partitions = partitions
    self.retentionMs = retentionMs
    self.keys = keys
  }
}

/// Keyed state: one row a key, updated by events.
package struct TableDefinition: Sendable {
  package struct Column: Sendable, Hashable {
    package let name: String
    package let type: ValueType
    /// Of an average of decimals: digits behind the point.
    package let decimalPlaces: UInt8?
    /// Of a quantile: which one, in billionths.
    package let quantileBillionths: Int64?
    package init(
      name: String, type: ValueType, decimalPlaces: UInt8? = nil, quantileBillionths: Int64? = nil
    ) {
      self.name = name
      self.type = type
      self.decimalPlaces = decimalPlaces
      self.quantileBillionths = quantileBillionths
    }
  }

  /// What a clause does to one column.
  package struct Update: Sendable {
    package let column: Int
    package let aggregate: Aggregate
    /// Nil for `count()`.
    package let argument: CheckedExpression?
    package let condition: CheckedExpression?
    /// Of a map column: which of its entries is updated.
    package let mapKey: CheckedExpression?
    package init(
      column: Int, aggregate: Aggregate, argument: CheckedExpression?,
      condition: CheckedExpression?, mapKey: CheckedExpression? = nil
    ) {
      self.mapKey = mapKey
      self.column = column
      self.aggregate = aggregate
      self.argument = argument
      self.condition = condition
    }
  }

  package enum Aggregate: String, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    case count, sum, min, max, avg, first, last, latest, countDistinct, collect, collectSet
    case quantile
    /// Sets the column to what an expression over `state`, the row as it was, gives.
    case fold

    /// Those that are called by their name.
    package static let named = allCases.filter { $0 != .fold }

    /// Whether its column is 0 in a new row; all others are absent.
    package var startsAtZero: Bool { self == .count || self == .countDistinct }
  }

  /// The updates that one event type makes, and the row's key in it. Expressions may read columns
  /// of the row as the clause finds it: paths `[state, column]`.
  package struct Clause: Sendable {
    package let branch: Branch
    package let key: [CheckedExpression]
    package let updates: [Update]
    /// When this is true the row goes, and nothing is updated.
    package let delete: CheckedExpression?
    /// Whether what its events do to the row may be taken back.
    package var corrects: Bool
    package init(
      branch: Branch, key: [CheckedExpression], updates: [Update],
      delete: CheckedExpression? = nil, corrects: Bool = false
    ) {
      self.corrects = corrects
      self.branch = branch
      self.key = key
      self.updates = updates
      self.delete = delete
    }
  }

  /// Stretches of actual time, in milliseconds. One takes events until the clock has passed its end
  /// by the grace.
  package struct Window: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
      /// One begins every so often since 1970; those that begin as often as they last stand one
      /// behind the other.
      case regular(sizeMs: Int64, everyMs: Int64)
      /// Of each key, events that follow each other within the gap. It ends the gap after its last
      /// event, and one that comes just then is a part of it.
      case session(gapMs: Int64)
    }
    /// When ports show its row.
    package enum Emit: String, Sendable, Hashable {
      /// Each time it changes.
      case changes
      /// Once, when it takes no more events.
      case final
    }
    package let kind: Kind
    package let graceMs: Int64
    package let emit: Emit
    package init(_ kind: Kind, graceMs: Int64, emit: Emit = .changes) {
      self.kind = kind
      self.graceMs = graceMs
      self.emit = emit
    }

    package var isSession: Bool { if case .session = kind { true } else { false } }
  }

  /// What a tombstone of a state port takes back: the row there was one of this table's key, and
  /// the columns are set by that port's records alone.
  package struct Deletion: Sendable {
    package let event: EventReference
    /// Plain fields of the port's key.
    package let key: [CheckedExpression]
    /// In rising order.
    package let columns: [Int]
  }

  package var name: String
  /// Ordinal of the journal that feeds it.
  package var journal: Int
  package var keyTypes: [ValueType]
  package var columns: [Column]
  package var clauses: [Clause]
  /// Each key has a row for each of these stretches of actual time, whose start is the last part of
  /// the row's key; nil: one row.
  package var window: Window?
  package var deletions: [Deletion] = []
  /// A row goes when no event has updated it for so many milliseconds of the journal partition's
  /// clock; nil: it stays.
  package var expireAfterMs: Int64?

  /// Whether its rows are of sessions.
  package var isOfSessions: Bool { window?.isSession ?? false }

  /// Whether its rows are of windows that ports show once, when they are closed.
  package var isFinal: Bool { window?.emit == .final }

  /// Whether it goes by the clock of its journal's partitions.
  package var needsClock: Bool { window != nil || expireAfterMs != nil }

  /// Whether anything that was done to its rows may be taken back.
  package var corrects: Bool { clauses.contains(where: \.corrects) }

  /// Whether what was done to a column may be taken back: then the column keeps what it takes to do
  /// so.
  package func corrects(column: Int) -> Bool {
    clauses.contains { $0.corrects && $0.updates.contains { $0.column == column } }
  }

  package init(
    name: String, journal: Int, keyTypes: [ValueType], columns: [Column], clauses: [Clause],
    expireAfterMs: Int64? = nil, window: Window? = nil, deletions: [Deletion] = []
  ) {
    self.window = window
    self.expireAfterMs = expireAfterMs
    self.deletions = deletions
    self.name = name
    self.journal = journal
    self.keyTypes = keyTypes
    self.columns = columns
    self.clauses = clauses
  }
}

/// One output port at one major version.
package struct OutputDefinition: Sendable {
  package enum Envelope: Sendable, Hashable { case cloudevents, bare }

  /// Where a field of the published record comes from.
  package enum Source: Sendable {
    case expression(CheckedExpression)
    /// A column of the table (state ports).
    case column(Int)
    /// A part of the table's key (state ports).
    case keyPart(Int)
  }

  /// A field of the record, in the order of `fields`; those without a column are left out.
  package struct Column: Sendable {
    /// Index in ``OutputDefinition/fields``.
    package let field: Int
    package let source: Source
    package init(field: Int, source: Source) {
      self.field = field
      self.source = source
    }
  }

  /// What one event type becomes at an event port.
  package struct EventBranch: Sendable {
    package let branch: Branch
    package let when: CheckedExpression?
    /// Empty: the record's own Kafka key.
    package let key: [CheckedExpression]
    package let columns: [Column]
    package init(
      branch: Branch, when: CheckedExpression?, key: [CheckedExpression], columns: [Column]
    ) {
      self.branch = branch
      self.when = when
      self.key = key
      self.columns = columns
    }
  }

  package enum Content: Sendable {
    case events([EventBranch])
    /// One record for every change of a row; `row` is an object of the table's key parts (named by
    /// the contract's primary key) and columns.
    case state(table: Int, row: ObjectType, when: CheckedExpression?, columns: [Column])
  }

  package var port: String
  package var major: Int
  package var topic: String
  package var partitions: Int32
  package var envelope: Envelope
  package var content: Content
  /// Ordinal of the journal whose apply publishes it; 0 for a direct product.
  package var journal: Int
  /// The contract's fields: what each record is checked against at write.
  package var fields: [ContractField]
  package var contractId: String
  package var onViolation: ErrorReaction
  /// Whether it carries corrections, as its contract says.
  package var corrects: Bool

  package init(
    port: String, major: Int, topic: String, partitions: Int32, envelope: Envelope,
    content: Content, journal: Int, fields: [ContractField], contractId: String,
    onViolation: ErrorReaction = .quarantine, corrects: Bool = false
  ) {
    self.corrects = corrects
    self.port = port
    self.major = major
    self.topic = topic
    self.partitions = partitions
    self.envelope = envelope
    self.content = content
    self.journal = journal
    self.fields = fields
    self.contractId = contractId
    self.onViolation = onViolation
  }

  /// Whether it is a compacted topic of one row a key.
  package var isState: Bool { if case .state = content { true } else { false } }
}
