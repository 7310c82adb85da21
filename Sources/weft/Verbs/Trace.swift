import CommandLine
import Diagnostics
import Engine
import Formats
import Kafka
import Mesh
import Records

enum TraceVerb {
  private static let event = Argument(
    "EVENT-ID",
    "the id of an event, as the input's `id` field has it; the `ce_id` of one that may be taken back"
  )

  static let verb = Verb(
    command: Command(
      "trace", "say where an event is, and what became of it",
      arguments: [PublishedProduct.argument, event], options: [],
      examples: [
        .init("weft trace claims e-4711", "from the input to the ports"),
        .init("weft trace claims e-4711 --format json", "the same as one object"),
      ],
      discussion:
        "Reads the product's journals for the event's id, then its ports for what the event made, and "
        + "its quarantine; where it is in none of them, what the inputs have that was not taken in yet. "
        + "All of them are read to their end, which takes as long as they are large. Works for inputs "
        + "that declare an id, or whose records may be taken back. Exit code 1: the event is nowhere."
    )
  ) { session in
    let found = try PublishedProduct(session.arguments[PublishedProduct.argument] ?? "", session)
    let broker = try Broker(found.settings, session)
    let id = session.arguments[event] ?? ""
    if id.isEmpty { throw UsageError("an event's id is not empty") }
    let errors = session.errors
    var progress = ProgressLine(session.errorTerminal) { errors.write($0) }
    var trace = EventTrace(id, found)
    defer { progress.end() }
    try trace.find(broker) { progress.show($0) }
    progress.end()
    if trace.isNowhere {
      throw Refusal(
        .noSuchEvent, "no event `\(DisplayText.printable(id))` is in `\(found.product.name)`",
        notes: [
          "its journals, ports and quarantine were read to their end, and its inputs from where they"
            + " were taken in to"
        ],
        help:
          "it has not come, it is of a type that no table, stream or output takes and was passed"
          + " over, or the input declares no `id`")
    }
    if session.isJSON {
      session.output.write(trace.json.description + "\n")
    } else {
      write(trace, session)
    }
    return .ok
  }

  private static func write(_ trace: EventTrace, _ session: Session) {
    func line(_ text: String) { session.output.write(DisplayText.printable(text) + "\n") }
    for event in trace.waiting {
      line(
        "waiting    \(event.input.topic), partition \(event.partition), offset \(event.offset)")
      line(
        "           not taken in yet, "
          + (event.behind == 0 ? "and next in its partition" : "\(event.behind) before it")
          + "; known by its bytes alone: they hold the id")
    }
    for event in trace.journaled { write(event, line) }
    for found in trace.published {
      let record = found.record
      line(
        "published  \(found.port), partition \(record.partition), offset \(record.offset),"
          + " key \(record.keyText)")
      let value = record.value.map { String(decoding: $0, as: UTF8.self) } ?? "(tombstone)"
      line("           \(value)")
    }
    for found in trace.quarantined {
      let record = found.record
      if case .settlement(let settlement)? = found.entry {
        line("settled    quarantine, position \(settlement.settles): \(settlement.result.text)")
        continue
      }
      line(
        "quarantined  \(record.header("weft_reason") ?? ""): \(record.header("weft_message") ?? "")"
          + (record.header("weft_place").flatMap { $0.isEmpty ? nil : " (\($0))" } ?? ""))
      let source = ["weft_topic", "weft_partition", "weft_offset"].map { record.header($0) ?? "?" }
      if !found.isCertain { line("             known by its bytes alone: they hold the id") }
      line("             it came from \(source[0]), partition \(source[1]), offset \(source[2])")
      line("             \(found.topic), partition \(record.partition), offset \(record.offset)")
    }
    let isQuiet = trace.published.isEmpty && trace.quarantined.isEmpty
    if isQuiet, trace.journaled.contains(where: { $0.isApplied && !$0.isRedelivered }) {
      line(
        "           applied; it changed nothing that a port shows, was filtered, or waits: for a link, or"
          + " behind one of its key that is in quarantine")
    }
    if !trace.silentPorts.isEmpty {
      line(
        "           not looked for at \(trace.silentPorts.joined(separator: ", ")): records there do"
          + " not say where they come from (envelope: bare)")
    }
  }

  private static func write(_ event: EventTrace.Journaled, _ line: (String) -> Void) {
    if let place = event.releasedFrom {
      line("released   from quarantine, position \(place)")
    } else if event.origin == nil {
      line(
        "taken in   \(event.input?.topic ?? "an input that the product no longer has"), partition"
          + " \(event.sourcePartition), offset \(event.sourceOffset)")
    }
    if let origin = event.origin {
      let what =
        switch origin.isTakenBack {
        case nil: "handed on  "
        case true?: "taken back "
        case false?: "made anew  "
        }
      let ids = origin.ids.filter { !$0.isEmpty }.joined(separator: ", ")
      line(
        "\(what)\(place(event)), as of \(ids.isEmpty ? "nobody yet" : ids)")
      line(
        "           from journal \(origin.journal), partition \(origin.partition), block"
          + " \(origin.block), event \(origin.index)")
    } else {
      line("journaled  \(place(event)), recorded \(Timestamp(milliseconds: event.recordedMs))")
    }
    if event.isRetraction { line("           takes back the record of that id") }
    if event.isRedelivered {
      line(
        event.releasedFrom == nil
          ? "           a redelivery: its id came before, and under the same key that has no effect"
            + " within the horizon"
          : "           it was released or discarded before, so that this has no effect")
    } else if !event.isApplied {
      line("           not applied yet")
    }
  }

  private static func place(_ event: EventTrace.Journaled) -> String {
    "\(event.journal.topic), partition \(event.partition), block \(event.block), event"
      + " \(event.index)"
  }
}

extension EventTrace {
  var json: JSONValue {
    .members([
      "id": .string(id), "waiting": .array(waiting.map(\.json)),
      "journaled": .array(journaled.map(\.json)),
      "published": .array(published.map(\.json)),
      "quarantined": .array(quarantined.map(\.json)),
      "notLookedFor": .array(silentPorts.map { .string($0) }),
    ])
  }
}

extension EventTrace.Waiting {
  fileprivate var json: JSONValue {
    .members([
      "input": .string(input.topic), "inputPartition": .integer(Int64(partition)),
      "inputOffset": .integer(offset), "behind": .integer(behind),
    ])
  }
}

extension EventTrace.Journaled {
  fileprivate var json: JSONValue {
    .members([
      "input": input.map { .string($0.topic) } ?? .null,
      "inputPartition": .integer(Int64(sourcePartition)),
      "inputOffset": .integer(sourceOffset), "journal": .string(journal.topic),
      "partition": .integer(Int64(partition)), "block": .integer(block), "index": .integer(index),
      "recordedMs": .integer(recordedMs), "redelivered": .bool(isRedelivered),
      "applied": .bool(isApplied), "handedFrom": origin.map(\.json) ?? .null,
      "releasedFrom": releasedFrom.map { .integer($0) } ?? .null,
      "retraction": .bool(isRetraction),
    ])
  }
}

extension EventTrace.Journaled.Origin {
  fileprivate var json: JSONValue {
    .members([
      "journal": .string(journal), "partition": .integer(Int64(partition)),
      "block": .integer(block), "index": .integer(Int64(index)),
      "ids": .array(ids.map { .string($0) }),
      "takesBack": isTakenBack.map { .bool($0) } ?? .null,
    ])
  }
}

extension EventTrace.Published {
  fileprivate var json: JSONValue {
    let text = record.json(JSONTape())
    return .members([
      "port": .string(port), "topic": .string(topic), "certain": .bool(isCertain),
      "record": (try? JSONValue(parsing: text)) ?? .null,
    ])
  }
}

extension EventTrace.Published {
  /// As a record of the quarantine.
  fileprivate var entry: QuarantineLogEntry? {
    QuarantineLogEntry(
      offset: record.offset, headers: record.headers, key: record.key, value: record.value)
  }
}
