import Diagnostics
import Expressions
import Formats
import Product
import Records

/// The steps of one event type through its streams, compiled.
struct BranchPlan {
  struct Step {
    enum Kind: UInt8 { case filter, bind, explode, lookup, identify }
    let kind: Kind
    let term: Term
    /// Where a named value, a row or each element of a list goes.
    let slot: Int
    /// Of a row: place in ``BranchPlan/lookups``.
    var lookup = 0
    /// For messages: what that is called.
    var name = ""
  }

  let steps: ContiguousArray<Step>
  /// Whether several events may come of one.
  let explodes: Bool
  let lookups: Lent<LookupPlan>
  /// Place in ``WorkPlan/identities``; −1: it asks for none.
  let identity: Int
  /// The one that stands there.
  let identityPlan: IdentityPlan?

  init(
    steps: ContiguousArray<Step>, lookups: ContiguousArray<LookupPlan>, identity: Int,
    identityPlan: IdentityPlan?
  ) {
    self.steps = steps
    self.lookups = Lent(lookups)
    explodes = steps.contains { $0.kind == .explode }
    self.identity = identity
    self.identityPlan = identityPlan
  }
}

/// A row of a table that a branch names.
final class LookupPlan {
  let table: TablePlan
  let key: KeyPlan

  init(table: TablePlan, key: KeyPlan) {
    self.table = table
    self.key = key
  }
}

/// How a key is found in an event: a journal's, a row's or a record's.
final class KeyPlan {
  /// The record's own Kafka key; then there are no parts.
  let isSource: Bool
  let parts: ContiguousArray<Term>
  /// Each part as its file has it, for messages.
  let texts: [String]

  /// - Parameters:
  ///   - parts: none: the record's own Kafka key.
  ///   - isOfWindow: the window's start is one part more.
  init(
    _ parts: [CheckedExpression], isOfWindow: Bool = false, slot: @escaping (FieldPath) -> Int?
  ) throws(PlanFailure) {
    isSource = parts.isEmpty
    var terms: ContiguousArray<Term> = []
    for part in parts { terms.append(try Term(part, slot: slot)) }
    if isOfWindow { terms.append(Term(slot: Variable.windowStart)) }
    self.parts = terms
    texts =
      parts.map { String(decoding: $0.span.source.bytes[$0.span.range], as: UTF8.self) }
      + (isOfWindow ? ["window.start"] : [])
  }

  private init() {
    isSource = true
    parts = []
    texts = []
  }

  /// The record's own Kafka key.
  static var source: KeyPlan { KeyPlan() }
}

/// What one event type does to one table.
final class ClausePlan {
  /// A class, as copying a struct of two programs would count eight references.
  final class Update {
    let column: Int
    let aggregate: TableDefinition.Aggregate
    /// None of `count()`.
    let argument: Term
    let hasArgument: Bool
    let condition: Term
    let hasCondition: Bool
    /// Of a map column: which entry.
    let mapKey: Term
    let hasMapKey: Bool
    /// For messages: the column's name.
    let name: String

    init(
      column: Int, aggregate: TableDefinition.Aggregate, argument: Term?, condition: Term?,
      mapKey: Term?, name: String
    ) {
      self.mapKey = mapKey ?? .none
      hasMapKey = mapKey != nil
      self.column = column
      self.aggregate = aggregate
      self.argument = argument ?? .none
      hasArgument = argument != nil
      self.condition = condition ?? .none
      hasCondition = condition != nil
      self.name = name
    }
  }
  let table: TablePlan
  let branch: BranchPlan
  let key: KeyPlan
  let updates: Lent<Update>
  let delete: Term
  let hasDelete: Bool
  /// Of rows of a state port that take back what they have given when they are deleted: what says
  /// in ``RowLayout/touches`` that there is one; 0: each event counts.
  let presence: Int64
  /// A column of the row that expressions read, and its slot of the event's frame.
  struct StateRead: BitwiseCopyable {
    let column: Int
    let slot: Int
  }
  let stateReads: ContiguousArray<StateRead>
  let readsState: Bool

  init(
    table: TablePlan, branch: BranchPlan, key: KeyPlan, updates: ContiguousArray<Update>,
    delete: Term?, stateReads: ContiguousArray<StateRead>, presence: Int64 = 0
  ) {
    self.presence = presence
    self.stateReads = stateReads
    readsState = !stateReads.isEmpty
    self.table = table
    self.branch = branch
    self.key = key
    self.updates = Lent(updates)
    self.delete = delete ?? .none
    hasDelete = delete != nil
  }
}

/// What one event type becomes at one event port.
final class EventPortPlan {
  let port: PortPlan
  let branch: BranchPlan
  let when: Term
  let hasWhen: Bool
  let key: KeyPlan
  /// One for each of ``PortPlan/shape``'s columns.
  let columns: ContiguousArray<Term>
  let shape: OutputShape

  init(
    port: PortPlan, branch: BranchPlan, when: Term?, key: KeyPlan,
    columns: ContiguousArray<Term>, shape: OutputShape
  ) {
    self.port = port
    self.branch = branch
    self.when = when ?? .none
    hasWhen = when != nil
    self.key = key
    self.columns = columns
    self.shape = shape
  }
}

/// What every record of an output needs, apart from its fields.
final class PortPlan {
  /// What constant headers and Kafka's own framing take at most, beside the record's own bytes.
  static let overheadBytes = 1024

  let ordinal: Int32
  let partitions: Int32
  let hasHeaders: Bool
  let contractId: String
  let stopsOnViolation: Bool

  init(_ output: OutputDefinition, ordinal: Int) {
    self.ordinal = Int32(ordinal)
    partitions = output.partitions
    hasHeaders = output.envelope == .cloudevents
    contractId = output.contractId
    stopsOnViolation = output.onViolation == .stop
  }
}

/// What apply of one journal, or a direct product, does with one event type.
final class WorkPlan {
  let key: KeyPlan
  let clauses: Lent<ClausePlan>
  let ports: Lent<EventPortPlan>
  /// Whether this journal's apply counts the event: the first journal that takes it does.
  let counts: Bool
  /// The journal does not take the event.
  let isNothing: Bool
  /// What its branches are identified by.
  let identities: Lent<IdentityPlan>
  /// What the event links.
  let links: Lent<LinkPlan>
  /// Chained journals that it goes on to.
  let handovers: Lent<HandoverPlan>
  /// Of a handed event whose journal's key is the global id alone: that key, as files have it.
  let globalKey: [String]
  /// Joins of which it is on a side.
  let joins: Lent<JoinSidePlan>
  /// Tables of which it looks up the row of the journal's own key, and changes none.
  let lookedUp: ContiguousArray<Int>
  /// Of ``identities``, a bit each: those for which an event is remembered that has gone out, as
  /// its link may come or change.
  let remembered: UInt64
  /// Whether columns tell the event from others.
  let isMarked: Bool
  /// Of a handed event: whether it may be taken back.
  let isCorrected: Bool

  /// Stands where an optional would count a reference to be looked at.
  static var nothing: WorkPlan {
    WorkPlan(key: .source, clauses: [], ports: [], counts: false, isNothing: true)
  }

  init(
    key: KeyPlan, clauses: ContiguousArray<ClausePlan>, ports: ContiguousArray<EventPortPlan>,
    counts: Bool, isNothing: Bool = false, identities: ContiguousArray<IdentityPlan> = [],
    links: ContiguousArray<LinkPlan> = [], handovers: ContiguousArray<HandoverPlan> = [],
    globalKey: [String] = [], joins: ContiguousArray<JoinSidePlan> = [], isHanded: Bool = false
  ) {
    self.joins = Lent(joins)
    self.handovers = Lent(handovers)
    self.globalKey = globalKey
    self.isNothing = isNothing
    let remembered: UInt64 = identities.indices.reduce(0) { bits, index in
      identities[index].remembers ? bits | 1 << UInt64(index) : bits
    }
    // Whoever hands it on remembers it.
    self.remembered = isHanded ? 0 : remembered
    isCorrected = isHanded && remembered != 0
    isMarked = clauses.contains { $0.table.keepsTouches }
    self.identities = Lent(identities)
    self.links = Lent(links)
    self.key = key
    let changed = clauses.filter { $0.key.texts == key.texts }.map(\.table.ordinal)
    let lookups = clauses.flatMap(\.branch.lookups) + ports.flatMap(\.branch.lookups)
    lookedUp = ContiguousArray(
      Set(lookups.filter { $0.key.texts == key.texts }.map(\.table.ordinal)).subtracting(changed))
    self.clauses = Lent(clauses)
    self.ports = Lent(ports)
    self.counts = counts
  }
}

/// One event type of one input, compiled.
final class EventPlan {
  /// A class, to be lent.
  final class JournalKey {
    let journal: Int
    let key: KeyPlan
    /// Of an event that the journal takes as a link alone: it does not take all of them.
    let link: LinkPlan?

    init(journal: Int, key: KeyPlan, link: LinkPlan?) {
      self.journal = journal
      self.key = key
      self.link = link
    }
  }

  let name: ByteBuffer
  /// Reads and checks the whole document.
  let decode: DecodePlan
  /// Reads what ingest needs: keys, id, time.
  let intake: DecodePlan
  /// Journals that take it, with their keys over ``intake``'s slots.
  let journals: Lent<JournalKey>
  /// By journal; nothing where a journal does not take it. Of a direct product: one.
  let work: Lent<WorkPlan>
  /// What a direct product does with it.
  let direct: WorkPlan
  /// Slots of event id and actual time, by ``decode`` and by ``intake``; −1: not declared.
  let id: (decode: Int, intake: Int)
  let time: (decode: Int, intake: Int)
  /// Whether a journal's key depends on more than the document.
  let keysReadVariables: Bool
  /// One behind the last slot that a program of this event type uses.
  let slotEnd: Int

  init(
    name: String, decode: DecodePlan, intake: DecodePlan, journals: ContiguousArray<JournalKey>,
    work: ContiguousArray<WorkPlan?>, id: (decode: Int, intake: Int),
    time: (decode: Int, intake: Int), keysReadVariables: Bool, slotEnd: Int,
    deletion: DeletionPlan? = nil
  ) {
    self.deletion = deletion
    self.name = ByteBuffer(capacity: 64)
    self.name.append(name)
    self.decode = decode
    self.intake = intake
    self.journals = Lent(journals)
    self.work = Lent(ContiguousArray(work.map { $0 ?? .nothing }))
    direct = self.work[0]
    self.id = id
    self.time = time
    self.keysReadVariables = keysReadVariables
    self.slotEnd = slotEnd
    isTaken = !journals.isEmpty
    hasLinks = journals.contains { $0.link != nil }
    isRead = isTaken || !direct.ports.isEmpty
    decodeShape = decode.shape
    intakeShape = intake.shape
  }

  /// What a tombstone does; nil: it means nothing.
  let deletion: DeletionPlan?
  /// Whether a journal takes it for its links, and so perhaps not.
  let hasLinks: Bool
  /// Whether a journal takes it, and whether anything does.
  let isTaken: Bool
  let isRead: Bool
  /// Those of ``decode`` and ``intake``, here as they are used for each record (README.md,
  /// "References").
  let decodeShape: JSONShape
  let intakeShape: JSONShape
}

/// One input, compiled.
final class InputPlan {
  let name: String
  let topic: ByteBuffer
  let topicName: String
  /// Names of the way to the discriminator; empty: there is one event type.
  let discriminator: ContiguousArray<ByteBuffer>
  let discriminatorName: String
  let events: Lent<EventPlan>
  /// Whether every walk of a document would see the discriminator twice if it were there twice, so
  /// that the first one says the type.
  let isDiscriminatorSeen: Bool
  /// How long ids are remembered, in milliseconds of recorded time; nil: no id is declared.
  let horizonMs: Int64?
  /// Whether a null or unreadable time counts as Kafka's.
  let hasTime: Bool
  /// Whether its records may be taken back.
  let corrects: Bool
  /// Whether its records are rows of a state port: one without a value is a row that is deleted.
  let isState: Bool
  /// What such a one does; nil: it means nothing.
  let deletion: DeletionPlan?

  init(_ input: InputDefinition, events: ContiguousArray<EventPlan>) {
    name = input.name
    topic = ByteBuffer(capacity: 64)
    topic.append(input.topic)
    topicName = input.topic
    discriminator = ContiguousArray(
      (input.discriminator ?? []).map { name in
        let bytes = ByteBuffer(capacity: 64)
        bytes.append(name)
        return bytes
      })
    discriminatorName = (input.discriminator ?? []).joined(separator: ".")
    self.events = Lent(events)
    isDiscriminatorSeen = InputPlan.isSeen(input.discriminator ?? [], events)
    horizonMs = input.id?.horizonMs
    hasTime = input.time != nil
    corrects = input.corrects
    isState = input.port?.isState ?? false
    // A port has one kind of record.
    deletion = events.first?.deletion
  }

  private static func isSeen(_ discriminator: [String], _ events: ContiguousArray<EventPlan>)
    -> Bool
  {
    if discriminator.isEmpty { return true }
    if discriminator.count > 1 { return false }
    return events.allSatisfy { event in
      [event.decode, event.intake].allSatisfy {
        $0.shape.seesRepetition(of: discriminator[0], inObject: 0)
      }
    }
  }
}
