/// Reads a JSON object into names and the texts of its values, lists and objects as they stand;
/// nulls are left out. Only for what a simulated product publishes: no text holds a quote, a
/// bracket or a backslash.
enum FlatJSON {
  static func fields(_ bytes: [UInt8]) -> [String: String]? {
    guard bytes.first == UInt8(ascii: "{"), bytes.last == UInt8(ascii: "}") else { return nil }
    var fields: [String: String] = [:]
    let inner = bytes.dropFirst().dropLast()
    var start = inner.startIndex
    var depth = 0
    var isQuoted = false
    for index in inner.indices {
      switch inner[index] {
      case UInt8(ascii: "\""): isQuoted.toggle()
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += isQuoted ? 0 : 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= isQuoted ? 0 : 1
      case UInt8(ascii: ",") where depth == 0 && !isQuoted:
        if !take(inner[start..<index], &fields) { return nil }
        start = index + 1
      default: break
      }
    }
    if depth != 0 || isQuoted || !take(inner[start...], &fields) { return nil }
    return fields
  }

  private static func take(_ member: ArraySlice<UInt8>, _ fields: inout [String: String]) -> Bool {
    guard let colon = member.firstIndex(of: UInt8(ascii: ":")), colon > member.startIndex + 1
    else { return false }
    let quoted = member[..<colon]
    let quote = UInt8(ascii: "\"")
    if quoted.first != quote || quoted.last != quote { return false }
    let name = String(decoding: quoted.dropFirst().dropLast(), as: UTF8.self)
    let value = String(decoding: member[(colon + 1)...], as: UTF8.self)
    if fields[name] != nil || value.isEmpty { return false }
    if value != "null" { fields[name] = value }
    return true
  }
}
