import CommandLine
import Diagnostics
import Expressions
import Formats
import Mesh
import Product

enum ExplainVerb {
  private static let subject = Argument(
    "PRODUCT|REASON", "a product, as `name` or `domain/name`, or a reason that quarantine gives")

  static let verb = Verb(
    command: Command(
      "explain", "show the plan of a product, or what a reason in quarantine means",
      arguments: [subject], options: [],
      examples: [
        .init("weft explain claims", "inputs, journals, streams, tables and ports, and why"),
        .init("weft explain claims --format json", "the same as one object"),
        .init("weft explain contract-input", "why events with this reason are in quarantine"),
      ],
      discussion:
        "From the files at hand; of a product that is in the catalog alone, what was published there "
        + "with its logic, as its files had it, line by line.")
  ) { session in
    let name = session.arguments[subject] ?? ""
    if let reason = QuarantineReason.named(name) { return explain(reason, session) }
    let found = try PublishedProduct(name, session)
    let plan = Explanation(found)
    if session.isJSON {
      session.output.write(plan.json.description + "\n")
    } else {
      for line in plan.lines { session.output.write(DisplayText.printable(line) + "\n") }
      if found.definition == nil {
        session.say("its files are not here, so this is what the catalog says")
      }
    }
    return .ok
  }
}

extension ExplainVerb {
  private static func explain(_ reason: QuarantineReason, _ session: Session) -> ExitCode {
    if session.isJSON {
      session.output.write(
        JSONValue.members([
          "reason": .string(reason.code), "meaning": .string(reason.meaning),
          "advice": .string(reason.advice),
        ]).description + "\n")
    } else {
      session.output.write("\(reason.code): \(reason.meaning)\n\(reason.advice)\n")
    }
    return .ok
  }
}

/// The plan of a product as headed lists of sentences.
struct Explanation {
  private struct Part {
    let title: String
    var items: [Item]
  }

  private struct Item {
    let name: String
    let facts: [String]
  }

  private let heading: [(name: String, text: String)]
  private var parts: [Part] = []

  init(_ found: PublishedProduct) {
    let product = found.product
    heading = [
      ("product", "\(product.domain)/\(product.name)"), ("version", product.version),
      ("logic", product.logicDigest), ("group", product.group),
      ("runs", Explanation.way(product)),
    ]
    guard let definition = found.definition else {
      parts = Explanation.outside(product, found.logic)
      return
    }
    parts = [
      Part(
        title: "inputs",
        items: definition.inputs.map {
          Explanation.input($0, isJournaled: !definition.journals.isEmpty)
        }),
      Part(
        title: "journals",
        items: definition.journals.indices.map { Explanation.journal($0, definition) }),
      Part(title: "streams", items: definition.streams.map { Explanation.stream($0, definition) }),
      Part(title: "tables", items: definition.tables.map { Explanation.table($0, definition) }),
      Part(title: "ports", items: definition.outputs.map { Explanation.port($0, definition) }),
      Part(title: "besides", items: Explanation.besides(definition)),
    ]
  }

  private static func way(_ product: CatalogProduct) -> String {
    product.journals.isEmpty
      ? "direct, as `journal: none` says: input to output in one transaction, without state,"
        + " redeliveries are published again, and nothing can be rebuilt"
      : "journaled, as every product that does not say `journal: none`: each event is written once"
        + " more, and state, redelivery and rebuilding follow from that"
  }

  /// - Parameter logic: as the product's files had it, comments and order apart. What contracts say
  ///   of fields is left out.
  private static func outside(_ product: CatalogProduct, _ logic: [LogicFile]) -> [Part] {
    func lines(_ path: String) -> [String] {
      let content = logic.first { $0.path == path }?.content ?? ""
      return content.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("field ") }
    }
    func items(_ kind: String) -> [Item] {
      logic.compactMap { file in
        guard file.path.hasPrefix(kind) else { return nil }
        let name = String(file.path.dropFirst(kind.count))
        return Item(name: name, facts: lines(file.path))
      }
    }
    let whole = Item(name: product.name, facts: lines("product"))
    return [
      Part(title: "overall", items: whole.facts.isEmpty ? [] : [whole]),
      Part(
        title: "inputs",
        items: product.inputs.map {
          let told = lines("input \($0.name)")
          return Item(name: $0.name, facts: told.isEmpty ? [$0.topic] : told)
        }),
      Part(
        title: "journals", items: product.journals.map { Item(name: $0.name, facts: [$0.topic]) }),
      Part(title: "streams", items: items("stream ")),
      Part(title: "tables", items: items("table ")),
      Part(
        title: "ports",
        items: product.ports.map {
          Item(
            name: $0.address(in: product.name),
            facts: [
              $0.topic,
              $0.isState ? "state port, key \($0.key.joined(separator: ", "))" : "event port",
              count($0.partitions, "partition"),
            ] + lines("output \($0.name)@\($0.major)"))
        }),
    ]
  }

  // MARK: Parts

  private static func input(_ input: InputDefinition, isJournaled: Bool) -> Item {
    var facts = ["topic \(input.topic)"]
    if let port = input.port {
      facts.append("\(port.isState ? "state" : "event") port \(port.address)")
      if port.isState {
        facts.append(
          input.undoesDeletions
            ? "a row that is deleted there takes back what it has given to tables"
            : "a row that is deleted there means nothing here, as `deletions: ignore` says")
      }
    }
    let types = input.events.map(\.name).joined(separator: ", ")
    facts.append(
      input.discriminator.map { "event types by `\($0.joined(separator: "."))`: \(types)" }
        ?? "event type \(types)")
    if input.corrects && isJournaled {
      facts.append(
        "its records may be taken back: each is remembered by its `ce_id`, for ever, in the state:"
          + " some 60 bytes each")
    } else if input.corrects {
      facts.append("its records may be taken back; corrections are passed on with their ids")
    } else if let id = input.id, !isJournaled {
      facts.append(
        "ids in `\(id.path.joined(separator: "."))` become `ce_id`; nothing remembers them")
    } else if let id = input.id {
      facts.append(
        "ids in `\(id.path.joined(separator: "."))` are remembered for \(span(id.horizonMs)) of"
          + " recorded time, in the state: some 100 bytes each")
    } else if input.port != nil {
      facts.append("each of the port's records is taken once; no `id` is remembered")
    } else {
      facts.append("no `id`: a redelivered event counts again")
    }
    facts.append(
      input.time.map { "actual time in `\($0.joined(separator: "."))`" }
        ?? (input.port == nil
          ? "actual time is Kafka's timestamp" : "actual time is what its records say"))
    switch input.start {
    case .earliest: facts.append("the first start begins at the earliest record")
    case .latest: facts.append("the first start begins at the latest record")
    case .timestamp(let ms): facts.append("the first start begins at \(ms) ms since 1970")
    }
    return Item(name: input.name, facts: facts)
  }

  private static func journal(_ index: Int, _ product: ProductDefinition) -> Item {
    let journal = product.journals[index]
    let tables = product.tables.filter { $0.journal == index }.map(\.name)
    let ports = product.outputs.filter { $0.journal == index }.map { "\($0.port)@\($0.major)" }
    var facts = [
      "topic \(journal.topic), \(count(journal.partitions, "partition")), fixed for its life",
      journal.retentionMs.map { "kept for \(span($0))" } ?? "kept for ever",
    ]
    let keys = Set(journal.keys.values.map { text($0, product) }).sorted()
    if !keys.isEmpty { facts.append("key: " + keys.joined(separator: "; ")) }
    if !tables.isEmpty { facts.append("feeds the tables " + tables.joined(separator: ", ")) }
    if !ports.isEmpty { facts.append("publishes " + ports.joined(separator: ", ")) }
    let before = Set(journal.handovers.map { product.journals[$0.from].name }).sorted()
    if !before.isEmpty {
      facts.append(
        "chained: apply of journal \(before.joined(separator: ", ")) hands on to it what it has"
          + " identified, with its place there and its recorded time; in the same transaction"
          + (journal.handovers.contains { $0.branch.identification?.corrects ?? false }
            ? "; when a link comes later or changes, it takes that back and hands it on anew" : ""))
    }
    let after = product.journals.filter { $0.handovers.contains { $0.from == index } }.map(\.name)
    if !after.isEmpty {
      facts.append("its identified events go on to journal " + after.joined(separator: ", "))
    }
    if !product.clockInputs(ofJournal: index).isEmpty {
      facts.append(
        "has a clock of actual time: the least advanced partition of its inputs, those at their end"
          + " aside; ticks are written for it, one block a partition each second at most")
    }
    if index > 0 && before.isEmpty {
      facts.append("one more, as its key does not begin as another's: each event is written again")
    }
    return Item(name: journal.name, facts: facts)
  }

  private static func stream(_ stream: StreamDefinition, _ product: ProductDefinition) -> Item {
    var facts = ["from \(stream.from.joined(separator: ", "))"]
    if let join = product.joins.first(where: { $0.name == stream.name }) {
      facts = [
        "pairs of \(stream.from.joined(separator: " and ")) by "
          + join.left.key.map(\.span.text).joined(separator: ", ")
          + ", at most \(span(join.withinMs)) apart in actual time",
        "what is read of each event is kept in the state of journal "
          + "\(product.journals[join.journal].name), by key, until its clock is "
          + "\(span(join.withinMs)) and \(span(join.graceMs)) of grace beyond it; one that comes"
          + " later than its grace goes to quarantine",
      ]
    }
    if let list = stream.explosion {
      facts.append(
        "explode \(list.name) = \(list.value.text); each element goes on as an event, all of them"
          + " or none")
    }
    facts += stream.lookups.map {
      "lookup \($0.name) = \($0.value.text); as it was before the event, read from the state"
    }
    if let condition = stream.condition { facts.append("where \(condition.text)") }
    facts += stream.variables.map { "let \($0.name) = \($0.value.text)" }
    for found in stream.identifications.prefix(1) {
      facts.append(
        "identify ids.\(found.name) by \(found.local.span.text) of \(found.system); "
          + without(found.unmapped))
      if let back = found.repairableMs {
        facts.append(
          "a link that changes is repaired \(span(back)) back: so long each event is kept whole, in"
            + " the state")
      }
    }
    facts += stream.masks.map { "mask \($0.field): \(seen($0.mask))" }
    return Item(name: stream.name, facts: facts)
  }

  private static func seen(_ mask: FieldMask) -> String {
    switch mask {
    case .pseudonym: "what comes after sees its pseudonym, the same for the same text"
    case .mask: "what comes after sees `***`"
    case .drop: "nothing that comes after sees it"
    }
  }

  private static func without(_ unmapped: Identification.Unmapped) -> String {
    switch unmapped {
    case .hold: "an event without a link waits for it, whole and in order, in the state"
    case .reject: "an event without a link goes to quarantine"
    case .provisional:
      "an event without a link goes on without the id, is kept whole in the state, and corrected"
        + " when the link comes"
    }
  }

  private static func text(_ key: JournalDefinition.Key, _ product: ProductDefinition) -> String {
    switch key {
    case .source: "the input's own"
    case .parts(let parts), .handed(let parts): parts.map(\.span.text).joined(separator: ", ")
    case .links(let identifier, let systems):
      "links of \(systems.sorted().joined(separator: ", ")) by "
        + product.identifiers[identifier].local.span.text
    }
  }

  private static func table(_ table: TableDefinition, _ product: ProductDefinition) -> Item {
    var facts = ["state by journal \(product.journals[table.journal].name), a row a key"]
    if let key = table.clauses.first?.key {
      facts.append("key " + key.map(\.span.text).joined(separator: ", "))
    }
    var aggregates: [Int: TableDefinition.Aggregate] = [:]
    for update in table.clauses.flatMap(\.updates) { aggregates[update.column] = update.aggregate }
    for (index, column) in table.columns.enumerated() {
      let kind = aggregates[index]
      facts.append(
        "\(column.name): \(kind.map { "\($0.rawValue), " } ?? "")\(column.type)"
          + (kind.map { cost($0, isCorrected: table.corrects(column: index)) } ?? ""))
    }
    if table.clauses.contains(where: { $0.delete != nil }) { facts.append("rows are deleted") }
    if table.corrects {
      facts.append("what events did to a row may be taken back; it goes when nothing of it is left")
    }
    facts += time(of: table)
    for deletion in table.deletions {
      let columns = deletion.columns.map { table.columns[$0].name }.joined(separator: ", ")
      facts.append(
        "a tombstone of \(product.inputs[deletion.event.input].name) sets back \(columns);"
          + " a row of which nothing is left goes")
    }
    return Item(name: table.name, facts: facts)
  }

  /// - Parameter isCorrected: its values may be taken back.
  private static func cost(_ aggregate: TableDefinition.Aggregate, isCorrected: Bool) -> String {
    isCorrected ? costOfCorrections(aggregate) : cost(aggregate)
  }

  private static func costOfCorrections(_ aggregate: TableDefinition.Aggregate) -> String {
    switch aggregate {
    case .sum, .avg: "; keeps of how many it is, of doubles all of them, to take one back"
    case .min, .max, .countDistinct, .collectSet:
      "; keeps each value and how often it came, to take one back, up to a limit"
    case .first, .last, .latest, .collect:
      "; keeps all values with their times, to take one back, up to a limit"
    case .count, .quantile, .fold: cost(aggregate)
    }
  }

  private static func cost(_ aggregate: TableDefinition.Aggregate) -> String {
    switch aggregate {
    case .countDistinct: "; keeps 16 bytes of each value it has seen, up to a limit"
    case .collect, .collectSet: "; keeps its values in the row, up to a limit"
    case .quantile: "; keeps counts by size, within 1 %"
    case .latest: "; keeps the time beside it"
    case .avg: "; keeps sum and count beside it"
    default: ""
    }
  }

  private static func port(_ port: OutputDefinition, _ product: ProductDefinition) -> Item {
    var facts = ["topic \(port.topic), \(count(port.partitions, "partition"))"]
    switch port.content {
    case .state(let table, _, let when, _):
      facts.append(
        "state port, compacted: a record for each change of a row of `\(product.tables[table].name)`"
      )
      if let when { facts.append("when \(when.span.text)") }
    case .events(let branches):
      facts.append("event port, kept for ever")
      for branch in branches {
        facts.append(
          "from \(text(branch.branch.origin, product))"
            + (branch.when.map { " when \($0.span.text)" } ?? ""))
      }
    }
    facts.append(port.envelope == .bare ? "bare, without headers" : "CloudEvents headers")
    if port.corrects {
      facts.append("carries corrections: `ce_op` says `retract` or `assert`, `ce_corrects` of what")
    }
    facts.append("checked against contract \(port.contractId)")
    return Item(name: "\(product.name)#\(port.port)@\(port.major)", facts: facts)
  }

  private static func text(_ origin: Branch.Origin, _ product: ProductDefinition) -> String {
    switch origin {
    case .event(let event):
      let input = product.inputs[event.input]
      return "\(input.name).\(input.events[event.event].name)"
    case .changes(let table): return "the changes of `\(table)`, in the same turn"
    case .pairs(let stream): return "the pairs of `\(stream)`"
    }
  }

  private static func besides(_ product: ProductDefinition) -> [Item] {
    let partitions =
      product.journals.reduce(0) { $0 + $1.partitions }
      + product.outputs.reduce(0) { $0 + $1.partitions } + 2
    let topics = product.journals.count + product.outputs.count + 2
    var quarantine = [
      "topic \(product.names.quarantineTopic)",
      product.onError == .stop
        ? "a record that cannot be processed, unless it is late, stops the product (`onError: stop`)"
        : "takes what cannot be processed, with its reason",
    ]
    if product.order == .holdKey {
      quarantine.append(
        "later events of its key wait in state until it is released or discarded"
          + " (`order: hold-key`)")
    } else if product.onError == .quarantine, !product.journals.isEmpty {
      quarantine.append("later events of its key go on; what is released comes at the end")
    }
    return [
      Item(name: "quarantine", facts: quarantine),
      Item(name: "observations", facts: ["topic \(product.names.observationsTopic), compacted"]),
      Item(
        name: "topics of its own",
        facts: ["\(topics), with \(count(partitions, "partition")) in all"]),
    ]
  }

  private static func count(_ number: Int32, _ what: String) -> String {
    "\(number) \(what)\(number == 1 ? "" : "s")"
  }

  static func span(_ ms: Int64) -> String {
    for (unit, factor) in [("d", Int64(86_400_000)), ("h", 3_600_000), ("m", 60_000), ("s", 1000)]
    where ms % factor == 0 {
      return "\(ms / factor)\(unit)"
    }
    return "\(ms)ms"
  }

  // MARK: Output

  var lines: [String] {
    var lines: [String] = []
    let width = heading.map(\.name.count).max() ?? 0
    for (name, text) in heading {
      lines.append(name + String(repeating: " ", count: width - name.count + 2) + text)
    }
    for part in parts where !part.items.isEmpty {
      lines.append("")
      lines.append(part.title)
      for item in part.items {
        lines.append("  \(item.name)")
        lines += item.facts.map { "    \($0)" }
      }
    }
    return lines
  }

  var json: JSONValue {
    var members = heading.map { JSONValue.Member($0.name, .string($0.text)) }
    for part in parts {
      members.append(
        .init(
          part.title,
          .array(
            part.items.map { item in
              .members([
                "name": .string(item.name), "facts": .array(item.facts.map { .string($0) }),
              ])
            })))
    }
    return .object(members)
  }
}

extension SourceSpan {
  /// What stands there, on one line.
  fileprivate var text: String { CanonicalText.shown(self) }
}
