import Diagnostics
import Expressions

/// Makes a contract of a checked file.
struct ContractReader {
  private(set) var diagnostics: [Diagnostic] = []
  private var places: [String: SourceSpan] = [:]
  private var knowsMaps = false
  private var corrects = false

  mutating func report(
    _ code: DiagnosticCode, _ message: String, _ span: SourceSpan, help: String? = nil
  ) {
    diagnostics.append(Diagnostic(code, message, at: span, help: help))
  }

  mutating func read(_ record: FileRecord) -> Contract? {
    corrects = isCorrecting(record)
    checkServers(record)
    knowsMaps = record.text("apiVersion") == "v3.2.0"
    guard let id = record.text("id"), let version = record.text("version"),
      let major = FieldReader.majorVersion(version), let status = record.text("status"),
      let schema = record["schema"]
    else { return nil }
    var objects: [Contract.Object] = []
    var isWhole = true
    for item in schema.items.compactMap(\.record) {
      if let object = object(item) {
        if objects.contains(where: { $0.name == object.name }) {
          report(.repeatedKey, "`\(object.name)` is described twice", object.nameSpan)
        } else {
          objects.append(object)
        }
      } else {
        isWhole = false
      }
    }
    if objects.isEmpty, isWhole {
      report(.missingKey, "`schema` describes nothing", schema.span)
    }
    if !isWhole || objects.isEmpty { return nil }
    return Contract(
      id: id, version: version, major: major, name: record.text("name") ?? id, status: status,
      objects: objects, source: record.node.span.source, idSpan: record.span("id"), record: record)
  }

  /// The keys of a server depend on its type; the standard gives `kafka` no topic.
  private mutating func checkServers(_ record: FileRecord) {
    let known = ContractSpec.server.fields.map(\.name) + ContractSpec.serverKeys
    for server in record["servers"]?.items.compactMap(\.record) ?? []
    where server.text("type") == "kafka" {
      for entry in server.node.entries {
        guard let name = entry.key.text, !known.contains(name) else { continue }
        let near = closest(to: name, among: known).map { "did you mean `\($0)`?" }
        report(
          .unknownKey, "`\(name)` is not a key of a server of type `kafka`", entry.key.span,
          help: name == "topic" ? "a topic is the `physicalName` of a schema object" : near)
      }
    }
  }

  private mutating func object(_ record: FileRecord) -> Contract.Object? {
    let corrects = isCorrecting(record) || corrects
    guard let name = record.text("name") else { return nil }
    places = [:]
    guard let list = record["properties"], let fields = fields(list, path: "") else { return nil }
    return Contract.Object(
      name: name, nameSpan: record.span("name"), topic: record.text("physicalName"),
      topicSpan: record.span("physicalName"), fields: numbered(fields), corrects: corrects,
      places: places)
  }

  /// Gives key parts without a position the next one.
  private func numbered(_ fields: [ContractField]) -> [ContractField] {
    var next = (fields.compactMap(\.primaryKeyPosition).max() ?? 0) + 1
    return fields.map { field in
      var result = field
      if field.primaryKeyPosition == ContractReader.unnumbered {
        result.primaryKeyPosition = next
        next += 1
      }
      return result
    }
  }

  private static let unnumbered = -1

  private mutating func fields(_ list: FileValue, path: String) -> [ContractField]? {
    var result: [ContractField] = []
    var isWhole = true
    for item in list.items.compactMap(\.record) {
      guard let name = item.text("name") else {
        isWhole = false
        continue
      }
      let path = path.isEmpty ? name : path + "." + name
      if result.contains(where: { $0.name == name }) {
        report(.repeatedKey, "`\(name)` is described twice", item.span("name"))
      } else if let field = field(item, named: name, path: path) {
        places[path] = item.span("name")
        result.append(field)
      } else {
        isWhole = false
      }
    }
    return isWhole ? result : nil
  }

  private mutating func field(_ record: FileRecord, named name: String, path: String)
    -> ContractField?
  {
    guard let type = type(of: record, named: name, path: path) else { return nil }
    var field = ContractField(
      name: name, type: type.type, isRequired: record["required"]?.flag ?? false,
      decimal: type.decimal, classification: record.text("classification"),
      description: record.text("description"), fields: type.fields)
    if record["primaryKey"]?.flag == true {
      let position = record["primaryKeyPosition"]?.integer ?? ContractReader.unnumbered
      field.primaryKeyPosition = position > 0 ? position : ContractReader.unnumbered
    }
    return field
  }

  private struct FieldType {
    var type: ValueType
    var decimal: ContractField.DecimalShape?
    var fields: [ContractField] = []
  }

  private mutating func type(of record: FileRecord, named name: String, path: String) -> FieldType?
  {
    if record.isBroken("logicalType") || record.isBroken("customProperties") { return nil }
    let custom = properties(of: record, known: ["weft.type"])
    if let mixed = custom["weft.type"] {
      if mixed.text == "dyn" { return FieldType(type: .dyn) }
      report(.badValue, "`weft.type` is `dyn` or nothing", mixed.span)
      return nil
    }
    guard let logical = record.text("logicalType") else {
      report(
        .missingKey, "`\(name)` has no `logicalType`", record.keySpan("name"),
        help: "add `logicalType`, or `customProperties: [{property: weft.type, value: dyn}]` for a "
          + "field of mixed type")
      return nil
    }
    switch logical {
    case "string", "time": return FieldType(type: .string)
    case "date": return FieldType(type: .date)
    case "timestamp": return FieldType(type: .timestamp)
    case "integer": return FieldType(type: .int)
    case "boolean": return FieldType(type: .bool)
    case "number": return number(record)
    case "object":
      guard let list = record["properties"] else { return untyped(record, "properties") }
      guard let inner = fields(list, path: path) else { return nil }
      return FieldType(type: .object(ContractField.object(named: name, inner)), fields: inner)
    case "array":
      guard let items = record["items"]?.record else { return untyped(record, "items") }
      guard let element = type(of: items, named: name, path: path + ".[]") else { return nil }
      return FieldType(
        type: .list(element.type), decimal: element.decimal, fields: element.fields)
    case "map": return map(record, named: name, path: path)
    default: return nil
    }
  }

  /// JSON has no keys but texts.
  private mutating func map(_ record: FileRecord, named name: String, path: String) -> FieldType? {
    if !knowsMaps {
      report(
        .badValue, "`map` is a type of version 3.2 of the standard", record.span("logicalType"),
        help: "write `apiVersion: v3.2.0`")
      return nil
    }
    guard let map = record["map"]?.record else { return untyped(record, "map") }
    guard let keys = map["key"]?.record, let values = map["value"]?.record,
      let key = type(of: keys, named: name, path: path + ".[]"),
      let value = type(of: values, named: name, path: path + ".[]")
    else { return nil }
    if key.type != .string {
      report(
        .badValue, "the keys of a map are strings, and these are \(key.type)",
        keys.span("logicalType"), help: "write `key: {logicalType: string}`")
      return nil
    }
    return FieldType(
      type: .map(key: .string, value: value.type), decimal: value.decimal, fields: value.fields)
  }

  /// An object or array without a description of its parts is passed on as it came.
  private func untyped(_ record: FileRecord, _ key: String) -> FieldType? {
    record.isBroken(key) ? nil : FieldType(type: .dyn)
  }

  private mutating func number(_ record: FileRecord) -> FieldType? {
    guard let physical = record.text("physicalType") else { return FieldType(type: .double) }
    let lower = physical.lowercased().filter { $0 != " " }
    guard let open = lower.firstIndex(of: "("),
      ["decimal", "numeric"].contains(String(lower[..<open])), lower.hasSuffix(")")
    else {
      if lower.hasPrefix("decimal") || lower.hasPrefix("numeric") {
        report(
          .badValue, "`\(physical)` does not say how many digits", record.span("physicalType"),
          help: "write `decimal(18,2)`: digits in all, and behind the point")
        return nil
      }
      return FieldType(type: .double)
    }
    let parts = lower[lower.index(after: open)...].dropLast().split(
      separator: ",", omittingEmptySubsequences: false
    ).map { Int($0) }
    guard let precision = parts.first ?? nil, let scale = parts.count == 1 ? 0 : parts[1],
      parts.count <= 2, (1...38).contains(precision), (0...precision).contains(scale)
    else {
      report(
        .badValue, "`\(physical)` is no decimal: 1 to 38 digits, as many or fewer behind the point",
        record.span("physicalType"))
      return nil
    }
    return FieldType(type: .decimal, decimal: .init(precision: precision, scale: scale))
  }

  private mutating func isCorrecting(_ record: FileRecord) -> Bool {
    guard let value = properties(of: record, known: ["weft.corrections"])["weft.corrections"]
    else { return false }
    if case .bool(let flag) = value.scalar { return flag }
    report(.badValue, "`weft.corrections` is true or false", value.span)
    return false
  }

  /// The custom properties that begin with `weft.`, by name; unknown ones are told.
  @discardableResult
  private mutating func properties(of record: FileRecord, known: [String]) -> [String: YAMLNode] {
    var result: [String: YAMLNode] = [:]
    for item in record["customProperties"]?.items.compactMap(\.record) ?? [] {
      guard let name = item.text("property"), name.hasPrefix("weft.") else { continue }
      guard known.contains(name) else {
        let near = closest(to: name, among: known)
        report(
          .unknownKey, "`\(name)` is no property that Weft knows here", item.span("property"),
          help: near.map { "did you mean `\($0)`?" })
        continue
      }
      result[name] = item["value"]?.node
    }
    return result
  }
}
