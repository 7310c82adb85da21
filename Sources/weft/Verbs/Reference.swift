import CommandLine
import Expressions
import Product

enum ReferenceVerb {
  private static let file = Argument(
    "FILE", isRequired: false, choices: FileReference.all.map(\.name),
    "which file (default: a list of them)")

  static let verb = Verb(
    command: Command(
      "reference", "say what may stand in the files", arguments: [file],
      examples: [
        .init("weft reference transform", "inputs, streams, tables, aggregates, outputs"),
        .init("weft reference tests", "what a test may do and expect"),
      ],
      discussion:
        "From the same tables that `weft check` goes by, so that it names every key that this version "
        + "knows. Needs no files and no broker.")
  ) { session in
    guard let name = session.arguments[file] else {
      for page in FileReference.all {
        let fill = String(repeating: " ", count: 12 - page.name.count)
        session.output.write("\(page.name)\(fill)\(page.title)\n")
      }
      session.say("`weft reference NAME` shows one")
      return .ok
    }
    for page in FileReference.all where page.name == name { session.output.write(page.text) }
    return .ok
  }
}

/// The reference page of one kind of file.
struct FileReference {
  let name: String
  let title: String
  private let spec: RecordSpec
  /// What no table of keys says.
  private let more: String

  static let all = [
    FileReference(
      name: "product", title: "product.odps.yaml: what the product is (ODPS)",
      spec: DescriptorSpec.file, more: ""),
    FileReference(
      name: "transform", title: "transform.yaml: how it is made of its inputs",
      spec: TransformSpec.file, more: transformText),
    FileReference(
      name: "contract", title: "contracts/*.odcs.yaml: what an input or a port holds (ODCS)",
      spec: ContractSpec.file, more: contractText),
    FileReference(
      name: "tests", title: "tests/*.yaml: a list of examples, for `weft test`",
      spec: TestSpec.test, more: testText),
    FileReference(
      name: "worker", title: "worker.yaml: how the domain's worker runs", spec: WorkerSpec.file,
      more: workerText),
    FileReference(
      name: "mesh", title: "mesh.yaml: what the domains share", spec: MeshSpec.file, more: ""),
  ]

  var text: String {
    var lines = [title, ""]
    add(spec, indent: 0, within: [], to: &lines)
    if !more.isEmpty {
      let functions = wrapped(FunctionNames.all.joined(separator: ", "), "  ", "")
      lines += ["", more.replacing("FUNCTIONS", with: functions.joined(separator: "\n"))]
    }
    return lines.map { $0 + "\n" }.joined()
  }

  /// One line a key, those of a map within it below it; a map that holds its like only once.
  private func add(
    _ spec: RecordSpec, indent: Int, within: [String], to lines: inout [String]
  ) {
    let start = String(repeating: "  ", count: indent)
    for field in spec.fields {
      let stage =
        switch field.stage {
        case .used: field.isRequired ? " Required." : ""
        case .unused: " Nothing acts on it yet."
        case .notYet: " Not there yet: refused."
        }
      lines += wrapped("\(field.name): \(field.shape.text)\(field.shape.later)", start, "      ")
      lines += wrapped(field.meaning + stage, start + "    ", "")
      for inner in field.shape.records where !within.contains(inner.title) {
        add(inner, indent: indent + 2, within: within + [inner.title], to: &lines)
      }
    }
  }
}

/// In lines of at most 100 columns, those after the first further in.
private func wrapped(_ text: String, _ start: String, _ further: String) -> [String] {
  var lines: [String] = []
  var line = start
  for word in text.split(separator: " ") {
    if line.count + word.count + 1 > 100 {
      lines.append(line)
      line = start + further + word
    } else {
      line += (line.count == start.count ? "" : " ") + word
    }
  }
  return lines + [line]
}

extension Product.Shape {
  /// The words that are refused so far.
  fileprivate var later: String {
    guard case .choice(_, let words) = self, !words.isEmpty else { return "" }
    return " (not there yet: \(words.map { "`\($0)`" }.joined(separator: ", ")))"
  }

  /// The maps that may stand there, themselves or in lists and maps.
  fileprivate var records: [RecordSpec] {
    switch self {
    case .record(let spec): [spec]
    case .list(let item), .oneOrMany(let item), .map(_, let item): item.records
    case .either(let shapes): shapes.flatMap(\.records)
    default: []
    }
  }
}

private let transformText = """
  expressions
    CEL, with `event` (its fields as the contract has them), `time` (actual), `recorded` and `now`
    (when the journal took it), `source` (topic, partition, offset), names of `let`, behind
    `identify` `ids.NAME`, in a table's output `row`. Operators, literals and `.?` are CEL's.

  functions and macros
  FUNCTIONS

  lines of `on`
    column = aggregate(…)              one column has one aggregate in all lines of the table
    … if condition                     only for events for which it is true
    column[key] = aggregate(…)         a map column: an entry for each key, which is a text
    column = … state.column …          a fold: from what the column was, null before the first; its
                                       type is that of the port's contract
    delete if condition                the row goes, and its port gets a tombstone

  aggregates                           they pass over absent and null values
    count()                            int; 0 before the first
    sum(x)                             a number's own type, of decimals exact; null before the first
    avg(x)                             of decimals a decimal, rounded half to even; else a double
    min(x), max(x)                     numbers, texts, times, dates, spans, booleans
    first(x), last(x)                  in the order of the journal, of any type
    latest(x)                          by actual time; of two at one time the later to come
    countDistinct(x)                   int; at most 10,000 different values a row
    collect(x), collectSet(x)          a list of at most 10,000: all, or each once in order
    quantile(x, 0.95)                  a double, at most 0.8 % nearer to zero than the exact one

  limits
    A row is at most 1 MiB as it is stored, a record 1 MB; an event that would exceed a limit is
    quarantined, and changes nothing.
  """

private let contractText = """
  types
    logicalType: string, integer, boolean, date, timestamp, number, object, array, map. A number is
    a double; with physicalType: "decimal(18,2)" it is exact, of 18 digits, 2 of them behind the
    point. A quantile is a double, a countDistinct an integer, a map column a map whose keys are
    strings. A field that is not required may be absent or null, which is the same. The primary key
    of a state port is the table's key: primaryKey: true, and primaryKeyPosition from 1.
  """

private let testText = """
  steps of `given`
    - INPUT: {field: value, …}         a record; beside it `key: …` where the record's key matters
    - INPUT: {raw: "…"}                bytes that may be no JSON; `base64: …`; `tombstone: true`
    - crash                            the worker dies, and is back with what was committed
    - rebalance                        between two turns partitions go, and come back
    - advance: 2m                      the recorded time goes on, as for an id's horizon

  `expect`
    EVENT-PORT: [{field: value}, …]    exactly these records, those of one key in this order; fields
                                       that are not named may be anything
    STATE-PORT: {KEY: {field: value}}  these rows as they stand, KEY: null for one that is absent;
                                       other rows may be anything
    STATE-PORT: [{…}, …]               every record that was published, tombstones as null
    quarantine: [{reason: …}, …]       exactly these; left out, it may hold anything
  """

private let workerText = """
  values
    In `kafka`, `environment` and `state.directory` "${NAME}" is an environment variable,
    "${NAME:-default}" with a default, and "@FILE" a file's content. `kafka` takes any property of
    librdkafka but those that exactly once depends on.
  """
