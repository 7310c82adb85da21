import Foundation
import Testing

/// Tests of a product whose records may be taken back, without a broker.
@Suite struct CorrectionFilesTests {
  private static func contract(_ port: String, _ fields: String..., corrects: Bool = true) -> String
  {
    """
    apiVersion: v3.1.0
    kind: DataContract
    id: sales/\(port)
    version: "1.0.0"
    status: active
    customProperties: [{property: weft.corrections, value: \(corrects)}]
    schema:
      - name: Record
        physicalName: shop.sales.\(port).v1
        properties:
    \(fields.map { "      - {name: \($0)}\n" }.joined())
    """
  }

  private static let files = [
    "worker.yaml": "kind: Worker\ndomain: shop\nkafka: {bootstrap.servers: \"nowhere:1\"}\n",
    "product.odps.yaml": """
    apiVersion: v1.0.0
    kind: DataProduct
    id: sales
    version: "1.0.0"
    status: active
    domain: shop
    inputPorts: [{name: sold, version: "1.0.0", contractId: sales/sold}]
    outputPorts:
      - {name: day, version: "1.0.0", contractId: sales/day}
      - {name: large, version: "1.0.0", contractId: sales/large}

    """,
    "contracts/sold.odcs.yaml": contract(
      "sold", "day, logicalType: string, required: true", "amount, logicalType: integer"),
    "contracts/day.odcs.yaml": contract(
      "day", "day, logicalType: string, required: true, primaryKey: true",
      "total, logicalType: integer", "most, logicalType: integer", corrects: false),
    "contracts/large.odcs.yaml": contract(
      "large", "day, logicalType: string, required: true", "amount, logicalType: integer"),
    "transform.yaml": """
    kind: Transform
    product: sales
    inputs:
      sold: {topic: ops.sold, contract: contracts/sold.odcs.yaml}
    tables:
      day:
        key: event.day
        on:
          sold: |
            total = sum(event.amount)
            most  = max(event.amount)
    outputs:
      day: {from: day}
      large:
        from: sold
        when: has(event.amount) && event.amount > 9
        key: event.day
        select: |
          ...event

    """,
    "tests/corrections.yaml": """
    - name: what is taken back counts no more, and is taken back at the port
      given:
        - {sold: {day: a, amount: 20}, ce_id: x}
        - {sold: {day: a, amount: 5}, ce_id: y}
        - crash
        - {sold: {day: a, amount: 20}, ce_op: retract, ce_corrects: x}
        - {sold: {day: a, amount: 12}, ce_id: z, ce_op: assert}
      expect:
        day: {a: {total: 17, most: 12}}
        large:
          - {amount: 20, ce_op: null}
          - {amount: 20, ce_op: retract}
          - {amount: 12, ce_op: assert}

    """,
  ]

  private func product() throws -> Weft {
    let weft = try Weft()
    for (path, text) in Self.files { try weft.write(text, to: path) }
    return weft
  }

  @Test func `records are given and expected with what takes them back`() throws {
    let weft = try product()
    defer { weft.remove() }
    let outcome = try weft("test")
    #expect(outcome.code == 0 && outcome.output.contains("1 test, none failed"), "\(outcome.all)")
    try weft.edit("tests/corrections.yaml", "- {amount: 20, ce_op: retract}", "- {amount: 20}")
    #expect(try weft("test").code == 0)
    try weft.edit(
      "tests/corrections.yaml", "- {amount: 12, ce_op: assert}", "- {amount: 12, ce_op: retract}")
    let wrong = try weft("test")
    #expect(wrong.code == 1 && wrong.output.contains("`ce_op` is \"assert\""), "\(wrong.all)")
  }

  @Test(arguments: [
    ("ce_op: retract, ce_corrects: x", "ce_op: retrac, ce_corrects: x", "did you mean `retract`?"),
    ("ce_op: retract, ce_corrects: x", "ce_op: retract", "says which, in `ce_corrects`"),
    ("ce_op: assert}\n  expect", "ce_time: now}\n  expect", "`sold` does not read `ce_time`"),
    ("total: 17", "ce_op: assert", "`ce_op` is not a field of this port"),
  ]) func `what takes nothing back is told where it stands`(
    old: String, new: String, problem: String
  ) throws {
    let weft = try product()
    defer { weft.remove() }
    try weft.edit("tests/corrections.yaml", old, new)
    let outcome = try weft("test")
    #expect(outcome.code == 1 && outcome.output.contains(problem), "\(outcome.all)")
    #expect(outcome.output.contains("tests/corrections.yaml:"))
  }
}
