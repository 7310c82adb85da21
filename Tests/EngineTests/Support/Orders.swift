import Expressions
import Product

/// The bench's orders: a direct product that maps them, and a journaled one that counts them.
enum Orders {
  static let item = [
    Make.text("sku", required: true), Make.field("qty", .int, required: true),
    Make.money("price", required: true),
  ]
  static let customer = [
    Make.field("id", .int, required: true), Make.text("email", required: true),
    Make.text("name", required: true),
  ]
  static let event = EventType(
    name: "Order",
    fields: [
      Make.text("order_id", required: true),
      Make.field(
        "customer", .object(ContractField.object(named: "customer", customer)), required: true,
        fields: customer),
      Make.text("status", required: true), Make.money("amount", required: true),
      Make.text("currency", required: true),
      Make.field(
        "items", .list(.object(ContractField.object(named: "items", item))), required: true,
        fields: item),
      Make.field("ts", .int, required: true),
    ])
  static let input = InputDefinition(
    name: "orders", topic: "orders", discriminator: nil, id: nil, time: nil, start: .earliest,
    events: [event])
  static let total = "event.items.map(i, decimal(i.qty) * i.price).sum()"

  static func map(envelope: OutputDefinition.Envelope = .bare) throws -> ProductDefinition {
    let fields = [
      Make.text("order_id", required: true), Make.field("customer_id", .int, required: true),
      Make.text("email", required: true), Make.text("status", required: true),
      Make.money("total", required: true), Make.field("ts", .int, required: true),
    ]
    let branch = try Make.port(
      input, 0, where: "event.status != \"cancelled\"", key: [], fields: fields,
      select: [
        ("order_id", "event.order_id"), ("customer_id", "event.customer.id"),
        ("email", "mask(event.customer.email)"), ("status", "event.status"), ("total", total),
        ("ts", "event.ts"),
      ])
    return Make.product(
      inputs: [input], journals: [], tables: [],
      outputs: [Make.output("mapped", envelope: envelope, .events([branch]), fields: fields)])
  }

  static func count(
    envelope: OutputDefinition.Envelope = .bare, id: InputDefinition.Identity? = nil
  ) throws -> ProductDefinition {
    var input = input
    input.id = id
    let columns: [TableDefinition.Column] = [
      .init(name: "orders", type: .int), .init(name: "total", type: .decimal),
    ]
    var clause = try Make.clause(
      input, 0, key: ["event.customer.id"], columns: columns,
      [("orders", .count, nil, nil), ("total", .sum, total, nil)])
    clause = TableDefinition.Clause(
      branch: try Make.branch(input, 0, where: "event.status != \"cancelled\""), key: clause.key,
      updates: clause.updates)
    let table = TableDefinition(
      name: "customers", journal: 0, keyTypes: [.int], columns: columns, clauses: [clause])
    let fields = [
      Make.field("customer_id", .int, required: true), Make.field("orders", .int, required: true),
      Make.money("total"),
    ]
    let reference = EventReference(input: 0, event: 0)
    let key = try Make.expression("event.customer.id", Make.scope(event))
    return Make.product(
      inputs: [input],
      journals: [
        JournalDefinition(
          name: "id", topic: "journal", partitions: 4, retentionMs: nil,
          keys: [reference: .parts([key])])
      ], tables: [table],
      outputs: [
        Make.output(
          "customers", envelope: envelope,
          try Make.state(table: 0, table, keys: ["customer_id"], fields: fields), fields: fields)
      ])
  }
}
