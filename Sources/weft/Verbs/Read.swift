import CommandLine
import Diagnostics
import Kafka
import Mesh
import Records

enum ReadVerb {
  private static let port = Argument(
    "PORT", "`product#port`, `product#port@1`, `domain/product#port@1`, or a topic")
  private static let from = Option(
    "from", value: "WHERE",
    "begin at `earliest` (default), `latest`, an offset, or a time such as 2024-01-31T12:00:00Z")
  private static let follow = Option("follow", short: "f", "wait for more, until stopped")
  private static let limit = Option(
    "limit", value: "N", short: "n",
    "stop after so many records; of a state port, after so many rows")
  private static let all = Option("all", "of a state port every change, not the rows as they stand")
  private static let quarantine = Option(
    "quarantine", "read the product's quarantine: `weft read PRODUCT --quarantine`")
  /// Rows shown on a terminal when nobody says how many.
  static let rowsOnTerminal = 100
  /// Without anything new for so long, reading is given up (unless it follows).
  static let silenceMs = 30_000

  static let verb = Verb(
    command: Command(
      "read", "read a port", arguments: [port], options: [from, follow, limit, all, quarantine],
      examples: [
        .init("weft read claims#claim", "the rows of a state port, as a table"),
        .init("weft read claims#payments@1 --follow", "events as they come"),
        .init("weft read claims#claim | jq .value.status", "one object a line in a pipe"),
        .init("weft read claims --quarantine", "what could not be processed, and why"),
      ],
      discussion: "Only committed records are read. A state port shows the newest row of each key, "
        + "which is known only at the topic's end: all of it is read. A terminal gets a table of at "
        + "most \(rowsOnTerminal) rows; a pipe, or --format json, gets every record as one JSON object a "
        + "line: key, value, partition, offset, timestamp, headers. The port is found in the files at "
        + "hand, or else in the mesh's catalog at KAFKA_BOOTSTRAP.")
  ) { session in
    let isQuarantine = session.arguments.has(quarantine)
    let address = try PortAddress(session.arguments[port] ?? "", isProduct: isQuarantine)
    let start = try begin(session.arguments[from])
    let count = try number(session.arguments[limit])
    if case .port(_, _, nil, _) = address, !isQuarantine {
      throw UsageError("`read` needs a port")
    }
    let found = try PortResolver(session: session, isQuarantine: isQuarantine).resolve(address)
    let broker = try Broker(found.settings, session)
    var sink = RecordSink(
      found, session, isQuarantine: isQuarantine, limit: count,
      showsRows: found.isState && !session.arguments.has(all) && !session.arguments.has(follow)
        && session.arguments[from] == nil)
    try broker.run { _, deadline in
      let reader: TopicReader
      do throws(KafkaError) {
        reader = try TopicReader(
          settings: found.settings, topic: found.topic, from: start, deadline)
      } catch {
        throw error.isTopicMissing ? missing(found, address) : error
      }
      try read(reader, into: &sink, follows: session.arguments.has(follow), session)
    }
    return .ok
  }

  private static func read(
    _ reader: TopicReader, into sink: inout RecordSink, follows: Bool, _ session: Session
  ) throws {
    let batch = RecordBatch(capacity: 1000)
    var silence = Deadline.after(milliseconds: silenceMs)
    var hasCaughtUp = false
    while !sink.isFull, !session.output.isClosed {
      if reader.isAtEnd, !hasCaughtUp {
        if !follows { break }
        hasCaughtUp = true
        sink.startFollowing()
      }
      try reader.poll(into: batch, waitMilliseconds: 100)
      for index in 0..<batch.count where !sink.isFull { sink.take(ReadRecord(batch, index)) }
      if hasCaughtUp { session.output.flush() }
      if !batch.isEmpty || follows { silence = Deadline.after(milliseconds: silenceMs) }
      if silence.hasPassed {
        throw KafkaError(
          code: .timedOut, operation: "read \(reader.topic)", message: "nothing came any more")
      }
    }
    sink.finish()
  }

  /// A topic that is not there is often one of another environment.
  private static func missing(
    _ port: ReadablePort, _ address: PortAddress
  ) -> Refusal {
    let place = port.settings.bootstrap
    if case .topic = address {
      return Refusal(
        .topicMissing, "there is no topic `\(port.topic)` at \(place)",
        help: "write its whole name, with its environment in front, such as `dev.\(port.topic)`; "
          + "`product#port` reads a port")
    }
    return Refusal(
      .topicMissing, "there is no topic `\(port.topic)` for \(port.name) at \(place)",
      help: "name the environment that it runs in, with --environment or WEFT_ENVIRONMENT; `weft "
        + "apply` makes the topics of this one")
  }

  private static func begin(_ text: String?) throws -> TopicReader.Start {
    guard let text, text != "earliest" else { return .earliest }
    if text == "latest" { return .latest }
    if let offset = Int64(text), offset >= 0 { return .offset(Offset(offset)) }
    let moment = ByteView.lending(text) { view in
      Timestamp(rfc3339: view)?.milliseconds ?? daysSince1970(view).map { $0 * 86_400_000 }
    }
    guard let moment else {
      throw UsageError(
        "`\(text)` is no place to begin",
        help: "write `earliest`, `latest`, an offset, a day or a time such as 2024-01-31T12:00:00Z")
    }
    return .time(milliseconds: moment)
  }

  static func number(_ text: String?) throws -> Int? {
    guard let text else { return nil }
    guard let number = Int(text), number > 0 else {
      throw UsageError(
        "`--limit \(text)` is no number of records",
        help: "write a whole number from 1 on, such as `--limit 20`")
    }
    return number
  }
}
