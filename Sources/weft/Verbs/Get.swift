import CommandLine
import Diagnostics
import Expressions
import Formats
import Kafka
import Product
import Records

enum GetVerb {
  private static let port = Argument("PORT", "a state port: `product#port`, or `product#port@1`")
  private static let key = Argument(
    "KEY", "the row's key; of several parts, a JSON array of them: '[\"a\",\"b\"]'")

  static let verb = Verb(
    command: Command(
      "get", "show a row of a state port as it stands", arguments: [port, key], options: [],
      examples: [
        .init("weft get claims#claim C-1001", "one row: a line a field, JSON in a pipe"),
        .init("weft get labs#latest-values '[\"LR5059\",\"8867-4\"]'", "a key of two parts"),
        .init("weft get claims#claim C-1001 --format json | jq .value.status", "as JSON"),
      ],
      discussion: "Reads the partition of the port that has the key (all of them, if the key has "
        + "several parts), to its end: a compacted topic knows no other way. Only committed records "
        + "count. Exit code 1: there is no such row.")
  ) { session in
    let address = try PortAddress(session.arguments[port] ?? "", isProduct: false)
    let found = try PortResolver(session: session, isQuarantine: false).resolve(address)
    let given = session.arguments[key] ?? ""
    let key = Array(given.utf8)
    if found.fields != nil && !found.isState {
      throw UsageError(
        "`\(found.name)` is an event port and has no rows",
        help: "`weft read \(found.name)` reads its events")
    }
    let broker = try Broker(found.settings, session)
    let row: ReadRecord? = try broker.run { admin, deadline in
      if case .topic(let name) = address, try admin.topic(name, deadline) == nil {
        throw Refusal(
          .unknownPort, "`\(name)` is no port, and there is no topic of that name",
          help: "write `product#port`; `weft explain` shows which ports a product has")
      }
      if let row = try newest(of: key, found, session) { return row }
      let other = canonical(given, found)
      return other == key ? nil : try newest(of: other, found, session)
    }
    guard let row, row.value != nil else {
      let text = DisplayText.printable(String(decoding: key, as: UTF8.self))
      throw Refusal(
        .noSuchRow,
        "`\(found.name)` has no row with the key `\(text)`"
          + (row == nil ? "" : ": it was deleted"),
        help: row == nil
          ? "a key of several parts is a JSON array of them, as `weft read` shows it" : nil)
    }
    show(row, found, session)
    return .ok
  }

  /// A key of several parts as ports have it, however it is written: numbers and booleans bare, a
  /// decimal without zeros at its end, all else quoted.
  private static func canonical(_ text: String, _ port: ReadablePort) -> [UInt8] {
    guard text.first == "[", let values = (try? JSONValue(parsing: text))?.array
    else { return Array(text.utf8) }
    let types = ContractField.primaryKey(port.fields ?? []).map(\.type)
    var parts: [String] = []
    for (place, value) in values.enumerated() {
      let type = place < types.count ? types[place] : nil
      switch value {
      case .number(let text): parts.append(part(text, type ?? .int))
      case .string(let text): parts.append(part(text, type ?? .string))
      case .bool(let flag): parts.append(part("\(flag)", type ?? .bool))
      case .null, .array, .object: return Array(text.utf8)
      }
    }
    return Array("[\(parts.joined(separator: ","))]".utf8)
  }

  private static func part(_ text: String, _ type: ValueType) -> String {
    switch type {
    case .int, .uint, .bool: return text
    case .decimal:
      return ByteView.lending(Array(text.utf8)) { Decimal($0) }
        .map { "\($0.withoutTrailingZeros)" } ?? text
    default: return JSONText.string(text)
    }
  }

  /// The last record of the key, if there is one.
  private static func newest(of key: [UInt8], _ port: ReadablePort, _ session: Session) throws
    -> ReadRecord?
  {
    let isPart = key.first == UInt8(ascii: "[")
    if !isPart, port.partitions > 0 {
      let place = ByteView.lending(key) { view -> Partition in
        partition(ofKey: view, among: port.partitions)
      }
      if let found = try newest(of: key, port, [place], session) { return found }
    }
    return try newest(of: key, port, nil, session)
  }

  private static func newest(
    of key: [UInt8], _ port: ReadablePort, _ partitions: [Partition]?, _ session: Session
  ) throws -> ReadRecord? {
    let start = Deadline.after(milliseconds: Broker.workMs)
    let reader = try TopicReader(
      settings: port.settings, topic: port.topic, partitions: partitions, from: .earliest, start)
    let errors = session.errors
    var progress = ProgressLine(session.errorTerminal) { errors.write($0) }
    defer { progress.end() }
    let batch = RecordBatch(capacity: 1000)
    var silence = Deadline.after(milliseconds: ReadVerb.silenceMs)
    var newest: ReadRecord?
    var taken = 0
    while !reader.isAtEnd {
      try reader.poll(into: batch, waitMilliseconds: 100)
      ByteView.lending(key) { wanted in
        for index in 0..<batch.count where batch.key(at: index) == wanted {
          newest = ReadRecord(batch, index)
        }
      }
      taken += batch.count
      if !batch.isEmpty {
        silence = Deadline.after(milliseconds: ReadVerb.silenceMs)
        progress.show("\(taken) records")
      }
      if silence.hasPassed {
        throw KafkaError(
          code: .timedOut, operation: "read \(reader.topic)", message: "nothing came any more")
      }
    }
    return newest
  }

  private static func show(_ record: ReadRecord, _ port: ReadablePort, _ session: Session) {
    if session.isJSON || !session.terminal.isTerminal {
      session.output.write(record.json(JSONTape()) + "\n")
      return
    }
    let columns = RecordColumns(fields: port.fields, isQuarantine: false)
    let names = columns.titles.map(\.title)
    let width = names.map(DisplayText.width).max() ?? 0
    for (name, cell) in zip(names, columns.cells(record)) {
      let fill = String(repeating: " ", count: width - DisplayText.width(of: name))
      session.output.write("\(name)\(fill)  \(DisplayText.printable(cell))\n")
    }
    session.say("partition \(record.partition), offset \(record.offset)")
  }
}
