/// product.odps.yaml: the Open Data Product Standard 1.0 of Bitol, and what 1.1 adds.
package enum DescriptorSpec {
  package static let apiVersions = ["v1.0.0", "v0.9.0", "v1.1.0"]

  package static let file = RecordSpec(
    "product.odps.yaml",
    [
      FieldSpec("apiVersion", .choice(apiVersions), required: true, "The standard's version."),
      FieldSpec("kind", .choice(["DataProduct"]), required: true, "What the file is."),
      FieldSpec("id", .wireName, required: true, "The product's name on the wire."),
      FieldSpec("name", .text, "Its name for people."),
      FieldSpec("version", .version, required: true, "The version of the whole product."),
      FieldSpec("status", .text, required: true, "Such as `draft`, `active`, `retired`."),
      FieldSpec("domain", .wireName, required: true, "The domain that owns it."),
      FieldSpec("tenant", .text, "The organisation."),
      FieldSpec("authoritativeDefinitions", authoritative, "Where more is written."),
      FieldSpec("description", .record(description), "What it is for."),
      FieldSpec("customProperties", custom, "Properties of your own."),
      FieldSpec("tags", tags, "Words to find it by."),
      FieldSpec("inputPorts", .list(.record(inputPort)), "What it takes in."),
      FieldSpec("outputPorts", .list(.record(outputPort)), required: true, "What it promises."),
      FieldSpec("managementPorts", .list(.record(managementPort)), "Where it is managed."),
      FieldSpec("support", .list(.record(support)), "Where to ask."),
      FieldSpec("team", .record(team), "Who owns it."),
      FieldSpec("productCreatedTs", .text, "When it came to be."),
    ])

  static let tags: Shape = .list(.text)
  static let custom: Shape = .list(
    .record(
      RecordSpec(
        "a custom property",
        [
          FieldSpec("id", .text, "Its permanent id."),
          FieldSpec("property", .text, required: true, "Its name."),
          FieldSpec("value", .any, required: true, "Its value."),
          FieldSpec("description", .text, "What it means."),
        ])))
  static let authoritative: Shape = .list(
    .record(
      RecordSpec(
        "an authoritative definition",
        [
          FieldSpec("id", .text, "Its permanent id."),
          FieldSpec("type", .text, required: true, "What is there."),
          FieldSpec("url", .text, required: true, "Where."),
          FieldSpec("description", .text, "What it is."),
        ])))
  private static let common = [
    FieldSpec("tags", tags, "Words to find it by."),
    FieldSpec("customProperties", custom, "Properties of your own."),
    FieldSpec("authoritativeDefinitions", authoritative, "Where more is written."),
  ]
  static let description = RecordSpec(
    "`description`",
    [
      FieldSpec("purpose", .text, "What it is for."),
      FieldSpec("limitations", .text, "What it cannot."),
      FieldSpec("usage", .text, "How it is used."),
      FieldSpec("authoritativeDefinitions", authoritative, "Where more is written."),
      FieldSpec("customProperties", custom, "Properties of your own."),
    ])
  static let inputPort = RecordSpec(
    "an input port",
    [
      FieldSpec("name", .name, required: true, "The name transform.yaml uses."),
      FieldSpec("version", .version, required: true, "The version it takes in."),
      FieldSpec("contractId", .text, required: true, "The contract of what comes in."),
    ] + common)
  static let outputPort = RecordSpec(
    "an output port",
    [
      FieldSpec("name", .wireName, required: true, "The port's name."),
      FieldSpec("version", .version, required: true, "Its version; each major is a port."),
      FieldSpec("contractId", .text, required: true, "The contract it keeps."),
      FieldSpec("description", .text, "What is there."),
      FieldSpec("type", .text, "`kafka`."),
      FieldSpec("sbom", .list(.any), "What it is built of."),
      FieldSpec("inputContracts", .list(.any), "The contracts it depends on."),
    ] + common)
  static let managementPort = RecordSpec(
    "a management port",
    [
      FieldSpec("name", .text, required: true, "Its name."),
      FieldSpec(
        "content", .choice(["discoverability", "observability", "control"]), required: true,
        "What it is for."),
      FieldSpec("type", .text, "Such as `rest`."),
      FieldSpec("url", .text, "Where it is."),
      FieldSpec("channel", .text, "Where it is."),
      FieldSpec("description", .text, "What it is for."),
    ] + common)
  static let support = RecordSpec(
    "a support channel",
    [
      FieldSpec("id", .text, "Its permanent id."),
      FieldSpec("channel", .text, required: true, "Its name."),
      FieldSpec("url", .text, "Where it is."),
      FieldSpec("description", .text, "What it is for."),
      FieldSpec("tool", .text, "Such as `email`."),
      FieldSpec("scope", .text, "Such as `interactive`."),
      FieldSpec("invitationUrl", .text, "How to come in."),
    ] + common)
  static let team = RecordSpec(
    "`team`",
    [
      FieldSpec("id", .text, "Its permanent id."),
      FieldSpec("name", .text, "The team's name."),
      FieldSpec("description", .text, "What it does."),
      FieldSpec("members", .list(.record(member)), "Who is in it."),
    ] + common)
  static let member = RecordSpec(
    "a member",
    [
      FieldSpec("id", .text, "Its permanent id."),
      FieldSpec("username", .text, required: true, "Such as an address."),
      FieldSpec("name", .text, "For people."),
      FieldSpec("description", .text, "What they do."),
      FieldSpec("role", .text, "Such as `owner`."),
      FieldSpec("dateIn", .scalar, "Since when."),
      FieldSpec("dateOut", .scalar, "Until when."),
      FieldSpec("replacedByUsername", .text, "By whom."),
    ] + common)
}
