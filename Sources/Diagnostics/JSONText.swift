/// JSON written by hand where a message is all there is to write; data has its own writer in
/// Formats.
package enum JSONText {
  /// The text as a JSON string, quotes included; control characters are escaped, all else is UTF-8.
  package static func string(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  /// An object of members whose values are JSON already; members without a value are left out.
  package static func object(_ members: [(name: String, value: String?)]) -> String {
    let parts = members.compactMap { member in
      member.value.map { string(member.name) + ":" + $0 }
    }
    return "{" + parts.joined(separator: ",") + "}"
  }

  /// An array of values that are JSON already.
  package static func array(_ values: [String]) -> String {
    "[" + values.joined(separator: ",") + "]"
  }
}
