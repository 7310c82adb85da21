/// What a generated product is: enough to write its files, and to say what it must publish.
package struct Shape: Sendable, Hashable {
  package enum Field: String, Sendable, Hashable { case amount, n, note }
  package enum Aggregate: String, Sendable, Hashable {
    case count, sum, min, max, first, last, latest
  }
  package enum Key: String, Sendable, Hashable, CaseIterable { case account, branch }
  /// `Moved` and `Closed` come by one input, told apart by a field; `Told` by another.
  package enum Kind: String, Sendable, Hashable, CaseIterable { case Moved, Closed, Told }

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
    /// Nil for `count`.
    package var field: Field?
  }

  package struct Update: Sendable, Hashable {
    package var column: Int
    package var condition: Condition?
  }

  package struct Clause: Sendable, Hashable {
    package var kind: Kind
    package var filter: Condition?
    package var updates: [Update]
  }

  package struct Table: Sendable, Hashable {
    package var name: String
    package var key: Key
    package var columns: [Column]
    package var clauses: [Clause]
    /// Of its state port: a column and what it has to be above.
    package var when: (column: Int, above: Int)? {
      get { whenColumn.map { ($0, whenAbove) } }
      set {
        whenColumn = newValue?.column
        whenAbove = newValue?.above ?? 0
      }
    }
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
  }

  package var isDirect = false
  package var hasTold = true
  package var hasTime = true
  package var inputPartitions = 2
  package var journalPartitions = 2
  package var outputPartitions = 2
  /// How long ids are remembered; nil: the inputs have none.
  package var horizonS: Int?
  package var tables: [Table] = []
  package var ports: [EventPort] = []

  package var kinds: [Kind] { hasTold ? Kind.allCases : [.Moved, .Closed] }
  package func input(of kind: Kind) -> Int { kind == .Told ? 1 : 0 }
  package var inputNames: [String] { hasTold ? ["moves", "tells"] : ["moves"] }

  /// Hundredths as a decimal number with two places.
  package static func decimal(_ hundredths: Int) -> String {
    let size = hundredths.magnitude
    return (hundredths < 0 ? "-" : "") + "\(size / 100)."
      + (size % 100 < 10 ? "0\(size % 100)" : "\(size % 100)")
  }
}

extension Shape {
  package static func generated(_ random: inout Random) -> Shape {
    var shape = Shape()
    shape.isDirect = random.percent(15)
    shape.hasTold = random.percent(60)
    shape.hasTime = random.percent(70)
    shape.inputPartitions = 1 + random.below(3)
    shape.journalPartitions = 1 + random.below(3)
    shape.outputPartitions = 1 + random.below(3)
    if random.percent(85) { shape.horizonS = random.pick([3, 20, 604_800]) }
    if !shape.isDirect {
      for number in 0...random.below(3) { shape.tables.append(shape.table(number, &random)) }
    }
    let portsMin = shape.isDirect ? 1 : 0
    for number in 0..<portsMin + random.below(3) {
      let kind = random.pick(shape.kinds)
      shape.ports.append(
        EventPort(
          name: "events\(number)", kind: kind,
          filter: random.percent(40) ? condition(&random) : nil,
          when: random.percent(40) ? condition(&random) : nil))
    }
    return shape
  }

  private static func condition(_ random: inout Random) -> Condition {
    random.percent(50)
      ? Condition(field: .n, above: random.below(8))
      : Condition(field: .amount, above: random.below(4000) - 1000)
  }

  private func table(_ number: Int, _ random: inout Random) -> Table {
    var columns: [Column] = []
    for place in 0..<1 + random.below(5) {
      let aggregate = random.pick(
        [Aggregate.count, .sum, .min, .max, .first, .last, .latest] + [.count, .sum])
      let field: Field? =
        switch aggregate {
        case .count: nil
        case .sum, .min, .max: random.pick([.amount, .n])
        case .first, .last, .latest: random.pick([.amount, .n, .note])
        }
      columns.append(Column(name: "c\(place)", aggregate: aggregate, field: field))
    }
    var clauses: [Clause] = []
    for kind in kinds where clauses.isEmpty || random.percent(60) {
      var updates: [Update] = []
      for column in columns.indices where random.percent(75) {
        updates.append(
          Update(column: column, condition: random.percent(35) ? Self.condition(&random) : nil))
      }
      if updates.isEmpty { updates.append(Update(column: 0, condition: nil)) }
      let filter = random.percent(25) ? Self.condition(&random) : nil
      clauses.append(Clause(kind: kind, filter: filter, updates: updates))
    }
    // Columns that no clause writes would not check.
    let written = Set(clauses.flatMap { $0.updates.map(\.column) })
    for column in columns.indices where !written.contains(column) {
      clauses[0].updates.append(Update(column: column, condition: nil))
    }
    var table = Table(
      name: "table\(number)", key: random.pick(Key.allCases), columns: columns, clauses: clauses)
    let numbers = columns.indices.filter { columns[$0].field == .n || columns[$0].field == nil }
    if let column = numbers.first, random.percent(30) { table.when = (column, random.below(6)) }
    return table
  }
}
