import Expressions
import Product

/// The claims product of the example mesh, by hand.
enum Claims {
  static let common = [
    Make.text("eventId", required: true), Make.text("type", required: true),
    Make.field("occurredAt", .timestamp, required: true), Make.text("claimId", required: true),
    Make.text("memberNo", required: true),
  ]
  static let submitted = EventType(
    name: "ClaimSubmitted",
    fields: common + [
      Make.text("providerId"), Make.text("payerId"), Make.text("encounterId"),
      Make.field("diagnoses", .list(.string)), Make.text("claimType"),
    ])
  static let transaction = EventType(
    name: "ClaimTransaction",
    fields: common + [
      Make.text("kind", required: true), Make.money("amount"), Make.money("payment"),
      Make.money("transfer"), Make.money("adjustment"), Make.text("procedureCode"),
      Make.text("chargeId", required: true),
    ])
  static let closed = EventType(
    name: "ClaimClosed", fields: common + [Make.money("outstanding")])
  static let note = EventType(name: "NoteAdded", fields: common)

  static let transactionFields = [
    Make.text("transactionId", required: true), Make.text("claimId", required: true),
    Make.text("kind", required: true), Make.money("amount"), Make.money("payment"),
    Make.field("occurredAt", .timestamp, required: true),
  ]
  static let claimFields = [
    Make.text("claimId", required: true), Make.text("status"),
    Make.field("openedAt", .timestamp), Make.text("payerId"), Make.field("closedAt", .timestamp),
    Make.money("charged"), Make.money("paid"), Make.field("lines", .int, required: true),
  ]
  static let columns: [TableDefinition.Column] = [
    .init(name: "status", type: .string), .init(name: "payerId", type: .string),
    .init(name: "openedAt", type: .timestamp), .init(name: "charged", type: .decimal),
    .init(name: "paid", type: .decimal), .init(name: "lines", type: .int),
    .init(name: "closedAt", type: .timestamp),
  ]

  struct Options {
    var horizonMs: Int64 = 7 * 86_400_000
    var partitions: Int32 = 4
    var onError = ErrorReaction.quarantine
    var when: String?
    var keyedBySource = false
    /// With the table and the port of ``Figures``.
    var hasFigures = false
  }

  static func product(_ options: Options = Options()) throws -> ProductDefinition {
    let input = InputDefinition(
      name: "claim-events", topic: "ops.claims.events", discriminator: ["type"],
      id: .init(path: ["eventId"], horizonMs: options.horizonMs), time: ["occurredAt"],
      start: .earliest, events: [submitted, transaction, closed, note])
    let table = try table(input)
    var keys: [EventReference: JournalDefinition.Key] = [:]
    for event in 0..<3 {
      let parts = try Make.expression("event.claimId", Make.scope(input.events[event]))
      keys[EventReference(input: 0, event: event)] =
        options.keyedBySource ? .source : .parts([parts])
    }
    let transactions = try Make.port(
      input, 1, key: ["event.claimId"], fields: transactionFields,
      select: [
        ("transactionId", "event.eventId"), ("claimId", "event.claimId"), ("kind", "event.kind"),
        ("amount", "event.amount"), ("payment", "event.payment"),
        ("occurredAt", "event.occurredAt"),
      ])
    let claim = try Make.state(
      table: 0, table, keys: ["claimId"], when: options.when, fields: claimFields)
    var product = Make.product(
      inputs: [input],
      journals: [
        JournalDefinition(
          name: "claimId", topic: "weft.claims.claims.journal.claimId",
          partitions: options.partitions, retentionMs: nil, keys: keys)
      ], tables: [table],
      outputs: [
        Make.output("transactions", .events([transactions]), fields: transactionFields),
        Make.output("claim", claim, fields: claimFields),
      ], onError: options.onError)
    if options.hasFigures { try Figures.add(to: &product, input) }
    return product
  }

  private static func table(_ input: InputDefinition) throws -> TableDefinition {
    TableDefinition(
      name: "claim", journal: 0, keyTypes: [.string], columns: columns,
      clauses: [
        try Make.clause(
          input, 0, key: ["event.claimId"], columns: columns,
          [
            ("status", .latest, "\"submitted\"", nil), ("payerId", .last, "event.payerId", nil),
            ("openedAt", .min, "event.occurredAt", nil),
          ]),
        try Make.clause(
          input, 1, key: ["event.claimId"], columns: columns,
          [
            ("charged", .sum, "event.amount", "event.kind == \"CHARGE\""),
            ("paid", .sum, "event.payment", "event.kind == \"PAYMENT\""),
            ("lines", .count, nil, "event.kind == \"CHARGE\""),
          ]),
        try Make.clause(
          input, 2, key: ["event.claimId"], columns: columns,
          [
            ("status", .latest, "\"closed\"", nil), ("closedAt", .max, "event.occurredAt", nil),
          ]),
      ])
  }

  // MARK: Events as text

  static func submit(
    _ claim: String, id: String, at time: String = "2024-01-01T00:00:00Z", payer: String = "p1"
  ) -> String {
    """
    {"eventId":"\(id)","type":"ClaimSubmitted","occurredAt":"\(time)","claimId":"\(claim)",\
    "memberNo":"m1","payerId":"\(payer)","diagnoses":["a","b"]}
    """
  }

  static func charge(
    _ claim: String, id: String, _ amount: String, kind: String = "CHARGE",
    at time: String = "2024-01-02T00:00:00Z"
  ) -> String {
    let name = kind == "CHARGE" ? "amount" : "payment"
    return """
      {"eventId":"\(id)","type":"ClaimTransaction","occurredAt":"\(time)","claimId":"\(claim)",\
      "memberNo":"m1","kind":"\(kind)","\(name)":\(amount),"transfer":null,"chargeId":"1"}
      """
  }

  static func close(_ claim: String, id: String, at time: String = "2024-01-03T00:00:00Z")
    -> String
  {
    """
    {"eventId":"\(id)","type":"ClaimClosed","occurredAt":"\(time)","claimId":"\(claim)",\
    "memberNo":"m1","outstanding":0.0}
    """
  }
}
