/// *.odcs.yaml: the Open Data Contract Standard of Bitol, 3.0 to 3.2.
package enum ContractSpec {
  package static let apiVersions = ["v3.1.0", "v3.2.0", "v3.0.2", "v3.0.1", "v3.0.0"]

  package static let file = RecordSpec(
    "a contract",
    [
      FieldSpec("apiVersion", .choice(apiVersions), required: true, "The standard's version."),
      FieldSpec("kind", .choice(["DataContract"]), required: true, "What the file is."),
      FieldSpec("id", .text, required: true, "What product.odps.yaml calls it."),
      FieldSpec("name", .text, "Its name for people."),
      FieldSpec("version", .version, required: true, "A new major breaks its readers."),
      FieldSpec("status", .text, required: true, "Such as `draft`, `active`, `retired`."),
      FieldSpec("domain", .text, "Whose promise it is."),
      FieldSpec("dataProduct", .text, "The product that keeps it."),
      FieldSpec("tenant", .text, "The organisation."),
      FieldSpec("tags", DescriptorSpec.tags, "Words to find it by."),
      FieldSpec("description", .record(DescriptorSpec.description), "What it is for."),
      FieldSpec("servers", .list(.record(server)), "Where the data are."),
      FieldSpec("schema", .list(.record(object)), required: true, "What the data look like."),
      FieldSpec("support", .list(.record(DescriptorSpec.support)), "Where to ask."),
      FieldSpec("price", .any, "What it costs."),
      FieldSpec("team", .any, "Who keeps it."),
      FieldSpec("roles", .list(.any), "Who may read it."),
      FieldSpec("slaDefaultElement", .text, "What service levels are about."),
      FieldSpec("slaProperties", .list(.record(serviceLevel)), "Service levels."),
      FieldSpec("context", .any, "What machines should know."),
      FieldSpec(
        "authoritativeDefinitions", DescriptorSpec.authoritative, "Where more is written."),
      FieldSpec(
        "customProperties", DescriptorSpec.custom,
        "Properties of your own; `{property: weft.corrections, value: true}` has the port carry "
          + "corrections."),
      FieldSpec("contractCreatedTs", .text, "When it came to be."),
    ])

  /// Each type of server has keys of its own; of `kafka` there are `host` and `format`.
  static let server = RecordSpec(
    "a server", isOpen: true,
    [
      FieldSpec("server", .text, required: true, "Its name."),
      FieldSpec("type", .text, required: true, "Such as `kafka`."),
      FieldSpec("host", .text, "The brokers."),
      FieldSpec("format", .text, "Such as `json`."),
    ])
  /// What else every type of server has.
  static let serverKeys = ["id", "description", "environment", "roles", "customProperties"]
  static let object = RecordSpec(
    "a schema object",
    [
      FieldSpec("id", .text, "Its permanent id."),
      FieldSpec("name", .text, required: true, "The event type, or what a row is."),
      FieldSpec("logicalType", .choice(["object"]), "Always `object`."),
      FieldSpec("physicalName", .text, "The topic."),
      FieldSpec("physicalType", .text, "`topic`."),
      FieldSpec("description", .text, "What it is."),
      FieldSpec("businessName", .text, "Its name for people."),
      FieldSpec("dataGranularityDescription", .text, "What one record is."),
      FieldSpec("properties", properties(depth: 8), required: true, "The fields."),
      FieldSpec("relationships", .list(.any), "How it joins."),
      FieldSpec("quality", .list(.any), "Rules of quality."),
      FieldSpec("context", .any, "What machines should know."),
      FieldSpec("synonyms", .list(.any), "Other names."),
      FieldSpec("tags", DescriptorSpec.tags, "Words to find it by."),
      FieldSpec(
        "authoritativeDefinitions", DescriptorSpec.authoritative, "Where more is written."),
      FieldSpec("customProperties", DescriptorSpec.custom, "Properties of your own."),
    ])
  static let serviceLevel = RecordSpec(
    "a service level",
    [
      FieldSpec("id", .text, "Its permanent id."),
      FieldSpec("property", .text, required: true, "Such as `latency`."),
      FieldSpec("value", .any, required: true, "How much."),
      FieldSpec("valueExt", .any, "How much at most."),
      FieldSpec("unit", .text, "Of what."),
      FieldSpec("element", .text, "Of which object or field."),
      FieldSpec("driver", .text, "Why."),
      FieldSpec("description", .text, "What it means."),
      FieldSpec("scheduler", .text, "What measures it."),
      FieldSpec("schedule", .text, "When."),
    ])

  package static let logicalTypes = [
    "string", "date", "timestamp", "time", "number", "integer", "boolean", "object", "array",
    "map",
  ]

  /// Objects may hold objects; a specification is a finite table, so it says how deep.
  static func properties(depth: Int) -> Shape { properties(field(depth: depth)) }

  private static func properties(_ field: [FieldSpec]) -> Shape {
    .list(
      .record(
        RecordSpec("a field", [FieldSpec("name", .text, required: true, "Its name.")] + field)))
  }

  private static func map(of element: RecordSpec) -> RecordSpec {
    RecordSpec(
      "a map",
      [
        FieldSpec("key", .record(element), required: true, "What its keys are."),
        FieldSpec("value", .record(element), required: true, "What its values are."),
      ])
  }

  private static func field(depth: Int) -> [FieldSpec] {
    var inner: [FieldSpec] = []
    if depth > 0 {
      let below = field(depth: depth - 1)
      let element = RecordSpec("an element", [FieldSpec("name", .text, "Its name.")] + below)
      inner = [
        FieldSpec("properties", properties(below), "The fields of an object."),
        FieldSpec("items", .record(element), "What the elements of an array are."),
        FieldSpec("map", .record(map(of: element)), "What the keys and values of a map are."),
      ]
    }
    return [
      FieldSpec("id", .text, "Its permanent id."),
      FieldSpec("logicalType", .choice(logicalTypes), "Its type."),
      FieldSpec(
        "physicalType", .text, "Of a number `decimal(precision,scale)`: exact, as money is."),
      FieldSpec("logicalTypeOptions", .any, "More about its type."),
      FieldSpec("physicalName", .text, "Its name where it is stored."),
      FieldSpec("required", .bool, "It is always there and never null."),
      FieldSpec("primaryKey", .bool, "It is part of the key."),
      FieldSpec("primaryKeyPosition", .integer(-1...64), "Its place in the key, from 1."),
      FieldSpec("unique", .bool, "No two records share it."),
      FieldSpec("classification", .text, "One of mesh.yaml's classes."),
      FieldSpec("description", .text, "What it means."),
      FieldSpec("businessName", .text, "Its name for people."),
      FieldSpec("semanticType", .text, "What it means."),
      FieldSpec("enum", .list(.any), "The values it may have."),
      FieldSpec("synonyms", .list(.any), "Other names."),
      FieldSpec("partitioned", .bool, "Data are stored by it."),
      FieldSpec("partitionKeyPosition", .integer(-1...64), "Its place in that."),
      FieldSpec("encryptedName", .text, "The field with it encrypted."),
      FieldSpec("transformSourceObjects", .list(.text), "What it was made of."),
      FieldSpec("transformLogic", .text, "How."),
      FieldSpec("transformDescription", .text, "How, in words."),
      FieldSpec("examples", .list(.any), "Values it has."),
      FieldSpec("criticalDataElement", .bool, "Much depends on it."),
      FieldSpec("relationships", .list(.any), "How it joins."),
      FieldSpec("quality", .list(.any), "Rules of quality."),
      FieldSpec("tags", DescriptorSpec.tags, "Words to find it by."),
      FieldSpec(
        "authoritativeDefinitions", DescriptorSpec.authoritative, "Where more is written."),
      FieldSpec(
        "customProperties", DescriptorSpec.custom,
        "Properties of your own; `{property: weft.type, value: dyn}` for values of any type."),
    ] + inner
  }
}
