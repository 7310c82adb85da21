import Diagnostics
import Formats

/// Values as YAML that means the same to every reader.
enum YAMLText {
  /// Plain where nobody can take it for anything else, else quoted.
  static func scalar(_ text: String) -> String {
    let words: Set<String> = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
    let isPlain =
      text.first?.isLetter == true && !words.contains(text.lowercased())
      && text.utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || $0 == 0x5F
          || $0 == 0x2D || $0 == 0x2E || $0 == 0x2F
      }
    return isPlain ? text : JSONText.string(text)
  }

  static func quoted(_ text: String) -> String { JSONText.string(text) }

  /// One line, such as `{a: 1, b: [x]}`.
  static func flow(_ value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool(let flag): flag ? "true" : "false"
    case .number(let text): text
    case .string(let text): scalar(text)
    case .array(let values): "[" + values.map(flow).joined(separator: ", ") + "]"
    case .object(let members):
      "{" + members.map { scalar($0.name) + ": " + flow($0.value) }.joined(separator: ", ") + "}"
    }
  }

  /// The `properties` of a contract's schema object, each line indented by `indent` spaces.
  static func properties(_ fields: [Shape.Field], keys: [String] = [], indent: Int) -> String {
    fields.map { field in
      var parts = ["name: \(scalar(field.name))"] + type(field.shape)
      if field.isRequired { parts.append("required: true") }
      if let position = keys.firstIndex(of: field.name) {
        parts += ["primaryKey: true", "primaryKeyPosition: \(position + 1)"]
      }
      parts.append("classification: \(classification(field.name))")
      return String(repeating: " ", count: indent) + "- {" + parts.joined(separator: ", ") + "}\n"
    }.joined()
  }

  private static func type(_ shape: Shape) -> [String] {
    switch shape {
    case .string: return ["logicalType: string"]
    case .timestamp: return ["logicalType: timestamp"]
    case .date: return ["logicalType: date"]
    case .boolean: return ["logicalType: boolean"]
    case .integer: return ["logicalType: integer"]
    case .double: return ["logicalType: number"]
    case .decimal(let scale):
      return ["logicalType: number", "physicalType: \"decimal(\(Shape.precision),\(scale))\""]
    case .array(let element):
      let items = element == .nothing ? type(.string) : type(element)
      return ["logicalType: array", "items: {" + items.joined(separator: ", ") + "}"]
    case .object(let fields):
      let inner = fields.map { field in
        let parts = ["name: \(scalar(field.name))"] + type(field.shape)
        return "{" + (parts + (field.isRequired ? ["required: true"] : [])).joined(separator: ", ")
          + "}"
      }
      return ["logicalType: object", "properties: [" + inner.joined(separator: ", ") + "]"]
    case .mixed, .nothing:
      // Whatever comes is taken, and passed through as it is.
      return [
        "logicalType: object", "customProperties: [{property: weft.type, value: dyn}]",
      ]
    }
  }

  /// What is likely about a person is marked so; the rest is the reader's to refine.
  private static func classification(_ name: String) -> String {
    let personal = ["email", "phone", "firstname", "lastname", "birth", "address", "ssn", "iban"]
    let plain = name.lowercased().filter { $0 != "_" && $0 != "-" }
    return personal.contains(where: plain.contains) ? "pii" : "internal"
  }
}
