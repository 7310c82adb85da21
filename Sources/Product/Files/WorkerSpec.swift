/// worker.yaml: how one domain's worker runs.
package enum WorkerSpec {
  package static let file = RecordSpec(
    "worker.yaml",
    [
      FieldSpec("kind", .choice(["Worker"]), required: true, "What the file is."),
      FieldSpec("domain", .wireName, required: true, "The domain that this worker runs."),
      FieldSpec(
        "environment", .scalar, "Put before every topic of ours, group and transactional id."),
      FieldSpec(
        "kafka", .map(key: "librdkafka property", .scalar), required: true,
        "How to reach the brokers; any property of librdkafka."),
      FieldSpec("state", .record(state), "Where state is kept."),
      FieldSpec(
        "keys", .record(keys), "Secrets that expressions are computed with; never printed."),
      FieldSpec("snapshots", .record(snapshots), .unused, "Where snapshots go."),
      FieldSpec("http", .record(http), .unused, "Where health and metrics are served."),
      FieldSpec("commit", .record(commit), "When a turn is committed."),
    ])

  static let state = RecordSpec(
    "`state`",
    [
      FieldSpec(
        "directory", .scalar,
        "A directory of this worker alone, from the folder of worker.yaml on; default `.weft`."),
      FieldSpec(
        "memory", .size(16 << 20...8 << 30),
        "What rows and files of state may take of the process's memory; default `256MiB`."),
    ])
  static let keys = RecordSpec(
    "`keys`",
    [
      FieldSpec(
        "pseudonym", .scalar,
        "The key of `pseudonym()`, from `${ENV}` or `@file`: 16 characters or more. Another one makes "
          + "other pseudonyms, so it is part of the logic, as a fingerprint.")
    ])
  static let snapshots = RecordSpec(
    "`snapshots`",
    [FieldSpec("store", .scalar, required: true, "`file:///path` or `s3://bucket/prefix`.")])
  static let http = RecordSpec(
    "`http`", [FieldSpec("listen", .scalar, required: true, "Address and port.")])
  static let commit = RecordSpec(
    "`commit`",
    [
      FieldSpec("interval", .duration, "A turn is at most so old."),
      FieldSpec("records", .integer(1...10_000_000), "A turn holds at most so many records."),
    ])
}

/// mesh.yaml: what the domains share.
package enum MeshSpec {
  package static let file = RecordSpec(
    "mesh.yaml",
    [
      FieldSpec("kind", .choice(["Mesh"]), required: true, "What the file is."),
      FieldSpec("name", .wireName, required: true, "The mesh's name."),
      FieldSpec(
        "identifiers", .map(key: "identifier", .record(identifier)),
        "Global identifiers that let products join."),
      FieldSpec(
        "classifications", .list(.text), .unused, "Classes of fields, in rising order."),
      FieldSpec(
        "masks", .map(key: "class", .list(.text)),
        "By which masks streams may let through fields of a class; of another class, by all."),
      FieldSpec("naming", .record(naming), "How things are called."),
      FieldSpec("policies", .list(.record(policy)), .unused, "Rules that every product keeps."),
    ])

  static let identifier = RecordSpec(
    "an identifier",
    [
      FieldSpec("description", .text, "What it names."),
      FieldSpec("type", .text, "Its type."),
      FieldSpec("links", .text, required: true, "The port whose events are the links."),
      FieldSpec("link", .record(link), required: true, "How a link is read from such an event."),
    ])
  static let link = RecordSpec(
    "`link`",
    [
      FieldSpec("system", .expression, required: true, "Whose local id it is."),
      FieldSpec("local", .expression, required: true, "The local id."),
      FieldSpec("global", .expression, required: true, "The global id."),
    ])
  static let naming = RecordSpec(
    "`naming`",
    [
      FieldSpec(
        "topics", .choice(["{domain}.{product}.{port}.v{major}"]), "The names of output topics.")
    ])
  static let policy = RecordSpec(
    "a policy",
    [
      FieldSpec("name", .text, required: true, "What it asks for."),
      FieldSpec("check", .expression, required: true, "True when it is kept."),
      FieldSpec("severity", .choice(["error", "warning"]), "What a breach is."),
      FieldSpec("until", .scalar, "A breach is a warning until this day."),
    ])
}
