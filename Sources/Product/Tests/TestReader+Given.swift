import Diagnostics
import Records

/// Records that a test gives to the product.
extension TestReader {
  /// `input: document`, perhaps with `key: …` and headers beside it.
  mutating func record(_ node: YAMLNode) -> ProductTest.Step? {
    let names = product.inputs.map(\.name)
    var found: (input: Int, value: YAMLNode)?
    var key: [UInt8]?
    var headers: [YAMLNode.Entry] = []
    for entry in node.entries {
      let name = entry.key.text ?? ""
      if let input = names.firstIndex(of: name), found == nil {
        found = (input, entry.value)
      } else if name == "key" {
        key = Array((entry.value.text ?? "").utf8)
      } else if Self.headerNames.contains(name) {
        headers.append(entry)
      } else {
        report(
          .unknownReference, "`\(name)` is no input", entry.key,
          help: closest(to: name, among: names + ["key"] + Self.headerNames).map {
            "did you mean `\($0)`?"
          }
            ?? stepKinds)
        return nil
      }
    }
    guard let found else {
      report(
        .missingKey, "a step names the input that a record comes from", node,
        help: "inputs: \(names.map { "`\($0)`" }.joined(separator: ", "))")
      return nil
    }
    return self.headers(headers, of: found.input, node).flatMap {
      record(found.input, found.value, key, $0)
    }
  }

  private static let headerNames = ["ce_time"] + ProductTest.correctionHeaders

  /// What records say of themselves in headers, as far as this input reads them.
  private mutating func headers(_ entries: [YAMLNode.Entry], of input: Int, _ node: YAMLNode)
    -> ProductTest.Headers?
  {
    let definition = product.inputs[input]
    var headers = ProductTest.Headers()
    for entry in entries {
      let (name, text) = (entry.key.text ?? "", entry.value.text ?? "")
      let isRead = name == "ce_time" ? definition.port != nil : definition.corrects
      if !isRead {
        report(
          .badValue, "`\(definition.name)` does not read `\(name)`", entry.key,
          help: name == "ce_time"
            ? "only records of other products' ports say their actual time in a header"
            : "only records that may be taken back have it, as the contract says")
        return nil
      }
      switch name {
      case "ce_time":
        guard let time = ByteView.lending(text, { Timestamp(rfc3339: $0) }) else {
          report(.badValue, "`ce_time` takes \(Shape.timestamp.text)", entry.value)
          return nil
        }
        headers.time = time
      case "ce_id": headers.id = text
      case "ce_corrects": headers.corrects = text
      default:
        guard ProductTest.operations.contains(text) else {
          report(
            .badValue, "`ce_op` is `retract` or `assert`", entry.value,
            help: closest(to: text, among: ProductTest.operations).map { "did you mean `\($0)`?" })
          return nil
        }
        headers.operation = text
      }
    }
    if headers.operation == "retract", headers.corrects == nil {
      report(
        .missingKey, "a record that takes another one back says which, in `ce_corrects`", node,
        help: "give the other one a `ce_id`, and name that")
      return nil
    }
    return headers
  }

  private static let rawKeys: Set<String> = ["raw", "base64", "tombstone"]

  private mutating func record(
    _ input: Int, _ node: YAMLNode, _ key: [UInt8]?, _ headers: ProductTest.Headers
  ) -> ProductTest.Step? {
    func step(_ value: [UInt8]?, _ key: [UInt8]?) -> ProductTest.Step {
      .record(
        ProductTest.Given(
          input: input, key: key, value: value, headers: headers, span: node.span))
    }
    if node.scalar == .null { return step(nil, key) }
    let given = Set(node.entries.compactMap(\.key.text))
    let raw = given.intersection(Self.rawKeys)
    if raw.count == 1, given.isSubset(of: Self.rawKeys.union(["key"])) {
      let ownKey = node["key"]?.text.map { Array($0.utf8) }
      guard let value = rawValue(node) else { return nil }
      return step(value.bytes, ownKey ?? key)
    }
    var values = YAMLValues()
    let value = values.value(node)
    diagnostics += values.diagnostics
    if let value { diagnostics += MisspeltFields.warnings(value, of: product.inputs[input]) }
    return value.map { step(Array($0.json.utf8), key) }
  }

  private struct RawValue {
    /// Nil is a tombstone.
    let bytes: [UInt8]?
  }

  /// `raw: text`, `base64: …` or `tombstone: true`.
  private mutating func rawValue(_ node: YAMLNode) -> RawValue? {
    if let text = node["raw"]?.text { return RawValue(bytes: Array(text.utf8)) }
    if let text = node["base64"], let digits = text.text {
      if let bytes = Base64.bytes(digits) { return RawValue(bytes: bytes) }
      report(.badValue, "this is no base64", text)
      return nil
    }
    return RawValue(bytes: nil)
  }
}
