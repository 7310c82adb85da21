import Expressions
import Formats
import Product

extension ContractField {
  package var json: JSONValue {
    var members: [JSONValue.Member] = [
      .init("name", .string(name)), .init("type", type.json), .init("required", .bool(isRequired)),
    ]
    if let decimal {
      members.append(
        .init(
          "decimal",
          .members(["precision": .integer(decimal.precision), "scale": .integer(decimal.scale)])))
    }
    if let position = primaryKeyPosition { members.append(.init("primaryKey", .integer(position))) }
    if let classification { members.append(.init("classification", .string(classification))) }
    if let description { members.append(.init("description", .string(description))) }
    if !fields.isEmpty { members.append(.init("fields", .array(fields.map(\.json)))) }
    return .object(members)
  }

  package init?(_ json: JSONValue) {
    guard let name = json["name"]?.string, let typeText = json["type"],
      let isRequired = json["required"]?.bool
    else { return nil }
    var fields: [ContractField] = []
    if json["fields"] != nil {
      guard let read = json["fields"].all(ContractField.init) else { return nil }
      fields = read
    }
    guard let type = ValueType(typeText, named: name, fields) else { return nil }
    self.init(
      name: name, type: type, isRequired: isRequired,
      decimal: json["decimal"].flatMap(DecimalShape.init),
      primaryKeyPosition: json["primaryKey"]?.int64.map(Int.init),
      classification: json["classification"]?.string, description: json["description"]?.string,
      fields: fields)
  }
}

extension ContractField.DecimalShape {
  fileprivate init?(_ json: JSONValue) {
    guard let precision = json["precision"]?.int64, let scale = json["scale"]?.int64 else {
      return nil
    }
    self.init(precision: Int(precision), scale: Int(scale))
  }
}

/// A type is its name, or an object with the name of the kind and what is inside. The fields of an
/// object stand beside the type, with all that a contract says of them.
extension ValueType {
  private static let names: [String: ValueType] = [
    "bool": .bool, "int": .int, "uint": .uint, "double": .double, "decimal": .decimal,
    "string": .string, "bytes": .bytes, "timestamp": .timestamp, "date": .date,
    "duration": .duration, "null": .null, "dyn": .dyn,
  ]

  var json: JSONValue {
    switch self {
    case .list(let element): .members(["list": element.json])
    case .map(let key, let value): .members(["map": .array([key.json, value.json])])
    case .optional(let inner): .members(["optional": inner.json])
    case .object(let object): .members(["object": .string(object.name)])
    default: .string(ValueType.names.first { $0.value == self }?.key ?? "dyn")
    }
  }

  init?(_ json: JSONValue, named name: String, _ fields: [ContractField]) {
    if let text = json.string {
      guard let type = ValueType.names[text] else { return nil }
      self = type
    } else if let element = json["list"] {
      guard let element = ValueType(element, named: name, fields) else { return nil }
      self = .list(element)
    } else if let inner = json["optional"] {
      guard let inner = ValueType(inner, named: name, fields) else { return nil }
      self = .optional(inner)
    } else if let pair = json["map"]?.array, pair.count == 2 {
      guard let key = ValueType(pair[0], named: name, fields),
        let value = ValueType(pair[1], named: name, fields)
      else { return nil }
      self = .map(key: key, value: value)
    } else if let object = json["object"]?.string {
      self = .object(ContractField.object(named: object, fields))
    } else {
      return nil
    }
  }
}
