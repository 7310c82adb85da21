/// What a generated product is: enough to write its files, and to say what it must publish.
package struct Shape: Sendable, Hashable {
  package enum Field: String, Sendable, Hashable {
    case amount, n, note
    /// Whose the account is: of tables that ask for that.
    case who
  }
  package enum Aggregate: String, Sendable, Hashable {
    case count, sum, min, max, first, last, latest
    case avg, countDistinct, collect, collectSet, quantile
    // Folds over `state`; what each is says its line in `ShapeFiles`.
    case rolled, before, divided, switched, grown

    var isFold: Bool {
      switch self {
      case .rolled, .before, .divided, .switched, .grown: true
      default: false
      }
    }
  }
  package enum Key: String, Sendable, Hashable, CaseIterable {
    case account, branch
    /// Of two parts: account and branch.
    case pair = "account-branch"
    /// Of two parts, of which only the first can be known without a stream: account and the line's.
    case sku = "account-sku"
    /// Whose the account is, and that with the branch: of tables whose events are handed on.
    case who
    case whoBranch = "who-branch"

    var parts: [String] { rawValue.split(separator: "-").map(String.init) }
    var isOfWho: Bool { self == .who || self == .whoBranch }
  }
  /// `Moved` and `Closed` come by one input, told apart by a field; `Told` by another. `Linked`
  /// says whose an account is, and comes from another product's port. `Kept` is a row of a state
  /// port, and may be deleted there.
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    case Moved, Closed, Told, Linked, Kept
  }
  /// What becomes of an event whose account nobody is known for.
  package enum Unmapped: String, Sendable, Hashable { case hold, reject, provisional }

  package struct Condition: Sendable, Hashable {
    package var field: Field
    package var above: Int
    /// As CEL; amounts are hundredths.
    func text(_ root: String, _ name: String) -> String {
      let limit =
        field == .amount ? "decimal(\"\(Shape.decimal(above))\")" : "\(above)"
      return "has(\(root).\(name)) && \(root).\(name) > \(limit)"
    }
  }

  package struct Column: Sendable, Hashable {
    package var name: String
    package var aggregate: Aggregate
    /// Nil for `count` and folds.
    package var field: Field?
    /// One aggregate for each note; those without one have the empty note.
    package var isMap = false
    /// Of a quantile.
    package var percent = 50
    /// Of `before`: the column that it repeats.
    package var other = 0

    /// Whether it shows what its field holds.
    var isPlain: Bool {
      switch aggregate {
      case .sum, .min, .max, .first, .last, .latest: !isMap
      default: false
      }
    }
    /// Whether it is a number that is never absent.
    var isCount: Bool { aggregate == .count && !isMap }
    /// Whether it is a whole number, or absent.
    var isWhole: Bool { isPlain && field == .n || aggregate == .rolled }
  }

  package struct Update: Sendable, Hashable {
    package var column: Int
    package var condition: Condition?
  }

  /// A row that a stream looks up.
  package struct Lookup: Sendable, Hashable {
    /// Of its tables, one that is before what looks it up.
    package var table: Int
    /// One that counts, or a whole number.
    package var column: Int
    /// Only events of whose row the column is above so much go on; nil: all do.
    package var above: Int?
  }

  /// What takes a row away.
  package enum Deletion: Sendable, Hashable {
    case event(Condition)
    /// A column that counts has come above so many.
    case count(column: Int, above: Int)
  }

  package struct Clause: Sendable, Hashable {
    package var kind: Kind
    package var filter: Condition?
    package var deletion: Deletion?
    package var updates: [Update]
  }

  /// In seconds.
  package struct Window: Sendable, Hashable {
    package var size: Int
    package var every: Int
    package var grace: Int
    /// Its row is shown once, when it is closed.
    package var isFinal = false
    /// It is one of events that follow each other within its size.
    package var isSession = false

    /// Where the windows begin that a time falls into, in milliseconds.
    func starts(of timeMs: Int64) -> [Int64] {
      let (size, every) = (Int64(size) * 1000, Int64(every) * 1000)
      let last = timeMs / every * every
      return (0...size / every).map { last - $0 * every }.filter { $0 + size > timeMs }.reversed()
    }

    /// When it takes no more events: of a session, when there is no room for one at its very end.
    /// - Parameter fromMs: its start, or a session's last event.
    func closesMs(_ fromMs: Int64) -> Int64 {
      endMs(fromMs) + Int64(grace) * 1000 + (isSession ? 1 : 0)
    }

    func endMs(_ fromMs: Int64) -> Int64 { fromMs + Int64(size) * 1000 }
  }

  package struct Table: Sendable, Hashable {
    package var name: String
    package var key: Key
    package var columns: [Column]
    package var clauses: [Clause]
    /// Its contract takes amounts below a hundred only.
    package var isNarrow = false
    /// Its state port says what is at it: all of the row, and a text made of its key.
    package var isDerived = false
    /// Its events wait until it is known whose their account is.
    package var isIdentified = false
    /// Its events are made of the lines of what comes: `n` is a line's.
    package var isExploded = false
    /// Its rows are of a window each.
    package var window: Window?
    /// Its state port says when the window ends.
    package var showsEnd = false
    /// Its rows go when nothing has updated them for so many seconds.
    package var expireS: Int?
    package var lookup: Lookup?
    /// Of its state port: a column and what it has to be above.
    package var when: (column: Int, above: Int)? {
      get { whenColumn.map { ($0, whenAbove) } }
      set {
        whenColumn = newValue?.column
        whenAbove = newValue?.above ?? 0
      }
    }
    var takesKept: Bool { clauses.contains { $0.kind == .Kept } }
    var isFinal: Bool { window?.isFinal ?? false }
    private var whenColumn: Int?
    private var whenAbove = 0

    package init(name: String, key: Key, columns: [Column], clauses: [Clause]) {
      self.name = name
      self.key = key
      self.columns = columns
      self.clauses = clauses
    }
  }

  package struct EventPort: Sendable, Hashable {
    package var name: String
    package var kind: Kind
    /// By way of a stream.
    package var filter: Condition?
    package var when: Condition?
    package var isNarrow = false
    /// It says whose the account is, and its events wait until that is known.
    package var isIdentified = false
    /// Its events are made of the lines of what comes: `n` is a line's.
    package var isExploded = false
    /// It says what the row has.
    package var lookup: Lookup?
    /// Its stream lets be seen of a note only that there is one.
    package var isMasked = false
    /// Whether its events come through a stream of its own.
    var hasStream: Bool { filter != nil || isIdentified || isExploded || lookup != nil }
  }

  /// What does not fit a narrow contract, in hundredths.
  package static let narrowEnd = 100_00
  /// How often what `grown` holds is longer than before, and how long it may become: one more step
  /// is more than a row takes (1 MiB).
  package static let growth = 16
  package static let grownMax = 65_536

  package var isDirect = false
  package var hasTold = true
  package var hasTime = true
  package var inputPartitions = 2
  package var journalPartitions = 2
  package var outputPartitions = 2
  /// How long ids are remembered; nil: the inputs have none.
  package var horizonS: Int?
  /// How many values a column may hold; nil: as ever.
  package var entriesMax: Int?
  package var tables: [Table] = []
  package var ports: [EventPort] = []
  package var followers: [Follower] = []
  package var changePorts: [ChangePort] = []
  package var joins: [Join] = []
  package var unmapped = Unmapped.hold
  /// Later events of a key wait behind one that is in quarantine.
  package var holdsKeys = false
  /// How far back a link that changes is repaired; nil: not at all.
  package var repairableS: Int?
  /// Whose local ids the accounts are, as the files say.
  package var system = "shop"
  /// Whether events by `tells` are known by whose their branch is, and not their account.
  package var isToldByBranch = false
  /// Which changes of rows are followed, `KEY` being a part of their key, and what is what they
  /// were: as the files say.
  package var followed: String?
  package var old = "old"
  /// The lines of an event, as the files say.
  package var lines = "event.lines"
  /// Whether the contract leaves open what lines are (`dyn`).
  package var mixesLines = false
  /// A list of them also where an event has none.
  var allLines: String { mixesLines ? Shape.mixedLines : "event.?lines.orValue([])" }
  /// Objects made of such ones.
  static let mixedLines =
    "event.?lines.orValue([]).map(one, {\"sku\": string(one.sku), ?\"n\": has(one.n) "
    + "? optional.of(int(one.n)) : optional.none()})"

  /// Whether what comes by `moves` may be taken back.
  package var corrects = false

  /// Whether events of a kind may be taken back.
  func corrects(_ kind: Kind) -> Bool { corrects && (kind == .Moved || kind == .Closed) }
  /// Whether what went out is corrected by links that come later or change.
  var relinks: Bool { usesLinks && (unmapped == .provisional || repairableS != nil) }
  /// Whether values of a table may be taken back.
  func corrects(_ table: Table) -> Bool {
    relinks && table.isIdentified || table.clauses.contains { corrects($0.kind) }
  }
  func corrects(_ port: EventPort) -> Bool {
    relinks && port.isIdentified || corrects(port.kind)
  }
  /// Whether values of a column may be, so that it keeps them.
  func keeps(_ column: Int, of table: Table) -> Bool {
    relinks && table.isIdentified
      || table.clauses.contains { clause in
        corrects(clause.kind) && clause.updates.contains { $0.column == column }
      }
  }

  /// What a row of the state port is known by.
  package var keptKey = Key.account
  /// Whether a row that is deleted there takes back what it has given.
  package var undoesDeletions = true

  /// Whether a table takes rows of the state port.
  package var usesKept: Bool { tables.contains(where: \.takesKept) }
  /// Whether anything asks whose an account is.
  package var usesLinks: Bool {
    tables.contains(where: \.isIdentified) || ports.contains(where: \.isIdentified)
  }
  /// Whether anything is made of the lines of events.
  package var explodes: Bool {
    tables.contains(where: \.isExploded) || ports.contains(where: \.isExploded)
  }
  /// Whether anything goes by the clock.
  var hasClock: Bool {
    tables.contains { $0.expireS != nil || $0.window != nil } || !joins.isEmpty
  }
  /// Whether anything looks up rows.
  var looksUp: Bool {
    tables.contains { $0.lookup != nil } || ports.contains { $0.lookup != nil }
  }
  /// Whether something names tables by their places.
  var namesTables: Bool { looksUp || !followers.isEmpty || !changePorts.isEmpty }
  mutating func forgetLookups() {
    for table in tables.indices { tables[table].lookup = nil }
    for port in ports.indices { ports[port].lookup = nil }
  }
  /// Kinds of what the product is about.
  package var kinds: [Kind] { hasTold ? [.Moved, .Closed, .Told] : [.Moved, .Closed] }
  /// Inputs stand in the order of their names.
  package func input(of kind: Kind) -> Int {
    let links = usesKept ? 1 : 0
    let first = usesLinks ? links + 1 : links
    return switch kind {
    case .Kept: 0
    case .Linked: links
    case .Moved, .Closed: first
    case .Told: first + 1
    }
  }
  package var inputNames: [String] {
    (usesKept ? ["kept"] : []) + (usesLinks ? ["links"] : []) + ownInputNames
  }
  /// Those that are no other product's port.
  var ownInputNames: [String] { hasTold ? ["moves", "tells"] : ["moves"] }

  /// By what events of a kind are known locally.
  package func local(of kind: Kind) -> Key { kind == .Told && isToldByBranch ? .branch : .account }

  /// By what the events of a table are known.
  private func locals(of table: Table) -> Set<Key> {
    table.isIdentified ? Set(table.clauses.map { local(of: $0.kind) }) : []
  }

  /// Whether a journal by a local id is there for who asks whose that is.
  private func isAsked(_ local: Key) -> Bool {
    tables.contains { locals(of: $0).contains(local) }
      || ports.contains { $0.isIdentified && self.local(of: $0.kind) == local }
  }

  /// Whether a table's events are handed on to it: they come by another key than its own.
  package func isChained(_ table: Table) -> Bool {
    let locals = locals(of: table)
    return locals.count > 1 || locals.first.map { $0.rawValue != table.key.parts[0] } ?? false
  }

  /// The tables of a journal in which a deleted row of the state port takes something back.
  package func undoes(inJournalOf key: Key) -> Bool {
    undoesDeletions && tables.contains { $0.takesKept && journal(of: $0) == key }
  }

  /// By whose journal a table is made: a longer key goes with a shorter one that it begins with.
  package func journal(of table: Table) -> Key {
    switch table.key {
    case .pair:
      isAsked(.account) || tables.contains { $0.key == .account || $0.key == .sku }
        || joins.contains { $0.key == .account }
        ? .account : .pair
    case .sku: .account
    case .whoBranch: tables.contains { $0.key == .who } ? .who : .whoBranch
    case .account, .branch, .who: table.key
    }
  }

  /// By whose journal a join is made.
  package func journal(of join: Join) -> Key {
    journal(of: Table(name: "", key: join.key, columns: [], clauses: []))
  }

  /// Journals that apply of others writes.
  package var chainedJournals: [Key] {
    Key.allCases.filter { key in
      tables.contains { isChained($0) && journal(of: $0) == key }
    }
  }

  /// Hundredths as a decimal number with two places.
  package static func decimal(_ hundredths: Int) -> String {
    let size = hundredths.magnitude
    return (hundredths < 0 ? "-" : "") + "\(size / 100)."
      + (size % 100 < 10 ? "0\(size % 100)" : "\(size % 100)")
  }
}
