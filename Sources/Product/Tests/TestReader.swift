import Diagnostics
import Expressions

/// Makes tests of a file's nodes, checked against the product they are about.
struct TestReader {
  let product: ProductDefinition
  var diagnostics: [Diagnostic] = []

  init(_ product: ProductDefinition) { self.product = product }

  private var errorCount: Int { diagnostics.count { $0.severity == .error } }

  mutating func report(
    _ code: DiagnosticCode, _ message: String, _ node: YAMLNode, help: String? = nil
  ) {
    diagnostics.append(Diagnostic(code, message, at: node.span, help: help))
  }

  mutating func read(_ root: YAMLNode) -> [ProductTest] {
    var fields = FieldReader()
    var tests: [ProductTest] = []
    guard case .sequence(let nodes) = root.content else {
      report(.wrongType, "a file of tests is a list, each item a test", root)
      return []
    }
    for node in nodes {
      guard let record = fields.value(node, .record(TestSpec.test))?.record else { continue }
      if let test = test(record) { tests.append(test) }
    }
    diagnostics += fields.diagnostics
    return tests
  }

  private mutating func test(_ record: FileRecord) -> ProductTest? {
    guard let name = record["name"], let title = name.text, let given = record["given"],
      let expect = record["expect"]?.node
    else { return nil }
    let before = errorCount
    let steps = given.items.compactMap { step($0.node) }
    var expectations: [ProductTest.Expectation] = []
    var quarantine: [ExpectedValue]?
    var held: Int?
    if expect.kindText != "a map" { report(.wrongType, "expected a map by port", expect) }
    for entry in expect.entries {
      switch entry.key.text ?? "" {
      case "quarantine": quarantine = values(entry.value)
      case "held": held = count(entry.value)
      case let port:
        if let found = expectation(port, entry) { expectations.append(found) }
      }
    }
    if errorCount > before { return nil }
    return ProductTest(
      name: title, span: name.span, steps: steps, expectations: expectations,
      quarantine: quarantine, held: held)
  }

  private mutating func step(_ node: YAMLNode) -> ProductTest.Step? {
    switch node.text {
    case "crash": return .crash
    case "rebalance": return .rebalance
    case let word?:
      report(
        .badValue, "`\(word)` is no step", node,
        help: closest(to: word, among: TestSpec.steps).map { "did you mean `\($0)`?" } ?? stepKinds)
      return nil
    case nil: break
    }
    if let span = node["advance"] {
      if node.entries.count == 1, let text = span.text,
        let milliseconds = FieldReader.milliseconds(text)
      {
        return .advance(milliseconds)
      }
      if let text = span.text, FieldReader.isTooLong(text) {
        report(.badValue, "`\(text)` is \(FieldReader.tooLong)", span)
      } else {
        report(.badValue, "`advance` takes \(Shape.duration.text)", span)
      }
      return nil
    }
    return record(node)
  }

  var stepKinds: String {
    "a step is `crash`, `rebalance`, `advance: 2m`, or a record of an input: "
      + product.inputs.map { "`\($0.name): {…}`" }.joined(separator: ", ")
  }

  private mutating func values(_ node: YAMLNode) -> [ExpectedValue]? {
    guard case .sequence(let items) = node.content else {
      report(.wrongType, "expected a list, found \(node.kindText)", node)
      return nil
    }
    var values = YAMLValues()
    let result = items.compactMap { values.value($0) }
    diagnostics += values.diagnostics
    return result
  }

  private mutating func count(_ node: YAMLNode) -> Int? {
    if case .int(let digits) = node.scalar, let count = Int(digits), count >= 0 { return count }
    report(.wrongType, "expected a number, found \(node.kindText)", node)
    return nil
  }

  private mutating func expectation(_ name: String, _ entry: YAMLNode.Entry)
    -> ProductTest.Expectation?
  {
    let parts = name.split(separator: "@")
    let major = parts.count == 2 ? Int(parts[1]) : 1
    let output = product.outputs.firstIndex {
      $0.port == parts.first.map(String.init) && $0.major == major
    }
    guard let output else {
      let names = product.outputs.map { $0.major == 1 ? $0.port : "\($0.port)@\($0.major)" }
      report(
        .unknownReference, "`\(name)` is no output port", entry.key,
        help: closest(to: name, among: names + ["quarantine", "held"])
          .map { "did you mean `\($0)`?" })
      return nil
    }
    let fields = product.outputs[output].fields
    if case .mapping(let rows) = entry.value.content {
      let content = rows.compactMap { row($0, fields) }
      return ProductTest.Expectation(
        output: output, content: .rows(content), span: entry.key.span)
    }
    guard let records = values(entry.value) else { return nil }
    let headers = product.outputs[output].corrects ? ProductTest.correctionHeaders : []
    var isState = false
    if case .state = product.outputs[output].content { isState = true }
    for record in records {
      // A tombstone.
      if isState, case .null = record.content { continue }
      check(record, fields, headers)
    }
    return ProductTest.Expectation(
      output: output, content: .records(records), span: entry.key.span)
  }

  private mutating func row(_ entry: YAMLNode.Entry, _ fields: [ContractField])
    -> (key: String, value: ExpectedValue?, span: SourceSpan)?
  {
    guard let key = entry.key.text else { return nil }
    if entry.value.scalar == .null { return (key, nil, entry.key.span) }
    var values = YAMLValues()
    let value = values.value(entry.value)
    diagnostics += values.diagnostics
    guard let value else { return nil }
    check(value, fields)
    return (key, value, entry.key.span)
  }

  /// A field that the contract does not have can never be met.
  private mutating func check(
    _ value: ExpectedValue, _ fields: [ContractField], _ headers: [String] = []
  ) {
    guard case .object(let members) = value.content else {
      diagnostics.append(
        Diagnostic(.wrongType, "expected a map of fields", at: value.span))
      return
    }
    let names = fields.map(\.name) + headers
    for member in members where !names.contains(member.name) {
      let near = closest(to: member.name, among: names)
      diagnostics.append(
        Diagnostic(
          .unknownReference, "`\(member.name)` is not a field of this port", at: member.value.span,
          help: near.map { "did you mean `\($0)`?" }))
    }
  }
}
