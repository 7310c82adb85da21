import Expressions

/// transform.yaml: how a product is made.
package enum TransformSpec {
  package static let file = RecordSpec(
    "transform.yaml",
    [
      FieldSpec("kind", .choice(["Transform"]), required: true, "What the file is."),
      FieldSpec("product", .wireName, required: true, "The product's `id`."),
      FieldSpec(
        "inputs", .map(key: "input port", .record(input)), required: true, "What is taken in."),
      FieldSpec(
        "journal", .either([.choice(["none"]), .record(journal)]),
        "The product's own log; `none` for a stateless product that runs direct."),
      FieldSpec("streams", .map(key: "stream", .record(stream)), "Derived flows."),
      FieldSpec("tables", .map(key: "table", .record(table)), "Keyed state."),
      FieldSpec(
        "outputs", .map(key: "port", .record(output)), required: true,
        "What is published, by NAME or NAME@MAJOR."),
      FieldSpec(
        "onError", .choice(["quarantine", "stop"]), "What becomes of a record that fails."),
      FieldSpec(
        "order", .choice(["skip", "hold-key"]),
        "Whether later events of its key go on, or wait until it is released or discarded; skip."),
      FieldSpec(
        "future", .duration, "How far an actual time may lie ahead of the recorded time; 1h."),
    ])

  static let input = RecordSpec(
    "an input",
    [
      FieldSpec("topic", .text, "The topic it reads."),
      FieldSpec("port", .text, "Another product's output port, such as `claims#charges@1`."),
      FieldSpec(
        "format", .choice(["json"], notYet: ["avro", "confluent-avro", "confluent-json"]),
        "How a record is written; `json` when nothing is said."),
      FieldSpec("contract", .text, "The file of its contract."),
      FieldSpec("discriminator", .text, "The field that names the event type."),
      FieldSpec(
        "id", .either([.text, .record(identity)]), "The field by which redeliveries are told."),
      FieldSpec("time", .text, "The field with the actual time; else the record's own."),
      FieldSpec(
        "start", .either([.choice(["earliest", "latest"]), .timestamp]),
        "Where the first start begins; `earliest` when nothing is said."),
      FieldSpec(
        "deletions", .choice(["undo", "ignore"]),
        "Of a state port: a tombstone takes back what the row has given to tables, or means nothing; "
          + "`undo`."),
      FieldSpec("envelope", .choice([], notYet: ["debezium"]), "What the event is wrapped in."),
      FieldSpec("headers", .list(.text), .notYet, "Headers to keep."),
    ])
  static let identity = RecordSpec(
    "`id`",
    [
      FieldSpec("field", .text, required: true, "The field."),
      FieldSpec("horizon", .duration, "For how long an id is remembered; 7d."),
    ])
  static let journal = RecordSpec(
    "`journal`",
    [
      FieldSpec("partitions", .integer(1...10_000), "Its partitions, for life; 12."),
      FieldSpec(
        "retention", .either([.choice(["forever"]), .duration]), "How long it is kept; forever."),
      FieldSpec("name", .name, "The last part of its topic, where its key gives none."),
    ])
  static let stream = RecordSpec(
    "a stream",
    [
      FieldSpec(
        "from", .oneOrMany(.text),
        "Inputs, event types, streams or tables; a stream has this or `join`. A table stands for the changes of its rows: `row` as "
          + "it is now (null when it has gone), `old` as it was before the event (null when it is "
          + "new), and the parts of its `key`."),
      FieldSpec(
        "explode", .map(key: "name", .expression),
        "Makes one event many, such as `{line: event.lines}`: each element of the list goes on by "
          + "itself, under that name; one that is null does not. Comes before all of the stream's "
          + "other steps."),
      FieldSpec("where", .expression, "Only events for which this is true go on."),
      FieldSpec("let", .assignments, "Values named for later."),
      FieldSpec(
        "identify", .map(key: "identifier", .record(identify)),
        "Finds the global id for a local one: `ids.NAME`, for tables and ports that take the stream, "
          + "and for streams `from` it. `where` and `let` come before it."),
      FieldSpec(
        "lookup", .map(key: "name", .expression),
        "Rows of tables, such as `{claim: \"claim[event.claimId]\"}`: the row as it was before the "
          + "event, null where there is none; of a key of several parts `{x: \"x[[a, b]]\"}`. The "
          + "table's journal must be the one that takes the event, under the same key. Comes after "
          + "`explode` and before `where`."),
      FieldSpec(
        "join", .record(join),
        "Pairs of two streams' events: `left` and `right` have the fields and named values of each, "
          + "`key` the key's parts by their names, such as `key.orderId`. A pair's actual time is the "
          + "later one's."),
      FieldSpec(
        "mask",
        .map(key: "field", .choice(FieldMask.allCases.map(\.rawValue), notYet: ["encrypt"])),
        "Fields of the event that what comes after the stream does not see as they are, such as "
          + "`{memberNo: pseudonym, name: drop}`. Comes after all of the stream's other steps."),
    ])
  static let join = RecordSpec(
    "`join`",
    [
      FieldSpec("left", .text, required: true, "An event type, or a stream of one."),
      FieldSpec("right", .text, required: true, "Another one."),
      FieldSpec(
        "key", .oneOrMany(.expression), required: true,
        "What both have, in the same words; it begins with their journal's key."),
      FieldSpec(
        "within", .duration, required: true, "How far apart their actual times may be."),
      FieldSpec(
        "grace", .duration,
        "How long after its actual time, by the journal's clock, an event may come; as long as "
          + "`within` when nothing is said. A later one goes to quarantine as `late`."),
    ])
  static let identify = RecordSpec(
    "`identify`",
    [
      FieldSpec("system", .text, required: true, "Whose local ids these are, as the links say."),
      FieldSpec("local", .expression, required: true, "The local id, a text."),
      FieldSpec(
        "unmapped", .choice(["hold", "reject", "provisional"]),
        "What becomes of an event whose id has no link: it waits for it, is quarantined, or goes on "
          + "without and is corrected; hold."),
      FieldSpec(
        "repairable", .duration,
        "How far back a link that changes is repaired, in recorded time; not at all."),
    ])
  static let table = RecordSpec(
    "a table",
    [
      FieldSpec("key", .oneOrMany(.expression), required: true, "Whose row an event updates."),
      FieldSpec(
        "on", .map(key: "input, event type, stream or table", .assignments), required: true,
        "What each event does to its row."),
      FieldSpec("window", .record(window), "One row a key and stretch of actual time."),
      FieldSpec("expire", .record(expire), "When a row is forgotten."),
    ])
  static let window = RecordSpec(
    "`window`",
    [
      FieldSpec("tumbling", .duration, "Windows of this size, one behind the other."),
      FieldSpec("hopping", .record(hopping), "Windows that overlap."),
      FieldSpec(
        "session", .duration,
        "Windows of events that follow each other within so long, which is where one ends."),
      FieldSpec(
        "grace", .duration,
        "For how long beyond its end a window takes events; not at all. An event that comes later is "
          + "quarantined as `late`; other tables and ports take it all the same."),
      FieldSpec(
        "emit", .choice(["changes", "final"]),
        "A record for each change, or one when end and `grace` have passed; changes."),
    ])
  static let hopping = RecordSpec(
    "`hopping`",
    [
      FieldSpec("size", .duration, required: true, "How long a window is."),
      FieldSpec("every", .duration, required: true, "How often one begins."),
    ])
  static let expire = RecordSpec(
    "`expire`",
    [
      FieldSpec(
        "after", .duration, required: true,
        "For how long of actual time no event has updated a row that goes.")
    ])
  static let output = RecordSpec(
    "an output",
    [
      FieldSpec(
        "from", .oneOrMany(.text), required: true, "An input, event type, stream or table."),
      FieldSpec("when", .expression, "Only what this is true of is published."),
      FieldSpec("key", .oneOrMany(.expression), "The record's key; else the input record's own."),
      FieldSpec(
        "select", .either([.assignments, .map(key: "input or stream", .assignments)]),
        "The fields of the record; of a table, every column when nothing is said."),
      FieldSpec("envelope", .choice(["cloudevents", "bare"]), "Which headers a record carries."),
      FieldSpec("partitions", .integer(1...10_000), "Of an event port; the journal's."),
      FieldSpec("snapshot", .record(snapshot), .unused, "The port as a table in files."),
      FieldSpec(
        "onViolation", .choice(["quarantine", "stop"]),
        "What becomes of a record that breaks the contract."),
      FieldSpec("mask", .any, .notYet, "Lowers the class of fields."),
    ])
  static let snapshot = RecordSpec(
    "`snapshot`",
    [
      FieldSpec("every", .duration, required: true, "How often."),
      FieldSpec("format", .choice(["delta"]), "How it is stored."),
      FieldSpec("keep", .integer(1...1_000_000), "How many stay."),
    ])
}
