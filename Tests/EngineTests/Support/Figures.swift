import Expressions
import Product

/// A table of claims with every aggregate that keeps more than its value.
enum Figures {
  static let fields = [
    Make.text("claimId", required: true), Make.money("average"),
    Make.field("kinds", .int, required: true),
    Make.field("amounts", .list(.decimal), decimal: (18, 3)),
    Make.field("payers", .list(.string)), Make.field("median", .double),
    Make.text("lastKind"),
    Make.field("means", .map(key: .string, value: .decimal), required: true, decimal: (18, 1)),
    Make.field(
      "lastOf", .map(key: .string, value: .object(ObjectType(name: "", fields: paid.map(\.type)))),
      required: true, fields: paid.map(\.field)),
    Make.money("balance"),
  ]
  /// What the values of the map `lastOf` are.
  private static let paid = [("id", ValueType.string, true), ("amount", .decimal, false)].map {
    (
      type: ObjectType.Field($0.0, $0.1, isRequired: $0.2),
      field: Make.field($0.0, $0.1, required: $0.2, decimal: $0.1 == .decimal ? (18, 3) : nil)
    )
  }
  static let columns: [TableDefinition.Column] = [
    .init(name: "average", type: .decimal, decimalPlaces: 2), .init(name: "kinds", type: .int),
    .init(name: "amounts", type: .list(.decimal)), .init(name: "payers", type: .list(.string)),
    .init(name: "median", type: .double, quantileBillionths: 500_000_000),
    .init(name: "lastKind", type: .string),
    .init(name: "means", type: .map(key: .string, value: .decimal), decimalPlaces: 1),
    .init(
      name: "lastOf",
      type: .map(
        key: .string,
        // In another order than the contract's.
        value: .object(ObjectType(name: "", fields: paid.map(\.type).reversed())))),
    .init(name: "balance", type: .decimal),
  ]

  /// Adds the table, by claim, and its state port behind those that are there.
  static func add(to product: inout ProductDefinition, _ input: InputDefinition) throws {
    let table = TableDefinition(
      name: "figures", journal: 0, keyTypes: [.string], columns: columns,
      clauses: [
        try Make.clause(
          input, 0, key: ["event.claimId"], columns: columns,
          [("payers", .collectSet, "event.payerId", nil)]),
        try Make.clause(
          input, 1, key: ["event.claimId"], columns: columns,
          [
            ("average", .avg, "event.amount", "event.kind == \"CHARGE\""),
            ("kinds", .countDistinct, "event.eventId + event.kind + event.chargeId", nil),
            ("amounts", .collect, "event.amount", nil),
            ("median", .quantile, "event.amount", nil),
            ("lastKind", .latest, "event.kind", nil),
            ("means[event.kind]", .avg, "event.amount", nil),
            (
              "lastOf[event.kind]", .latest,
              "{?\"amount\": event.?amount, \"id\": event.eventId}", nil
            ),
            (
              "balance", .fold,
              "state.?balance.orValue(decimal(\"0\")) - event.amount", "has(event.amount)"
            ),
          ]),
        try Make.clause(
          input, 2, key: ["event.claimId"], columns: columns,
          [("lastKind", .latest, "\"closed\"", nil)],
          deleteIf: "event.eventId.endsWith(\"0\") || event.eventId.endsWith(\"5\")"),
      ])
    product.tables.append(table)
    let ordinal = product.tables.count - 1
    product.outputs.append(
      Make.output(
        "figures", try Make.state(table: ordinal, table, keys: ["claimId"], fields: fields),
        fields: fields))
  }
}
