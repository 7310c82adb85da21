/// Reads a flat JSON object into names and the texts of its values; nulls are left out. Only for
/// what a simulated product publishes: no value holds a quote, a comma or a brace.
enum FlatJSON {
  static func fields(_ bytes: [UInt8]) -> [String: String]? {
    let text = String(decoding: bytes, as: UTF8.self)
    guard text.first == "{", text.last == "}" else { return nil }
    var fields: [String: String] = [:]
    for member in text.dropFirst().dropLast().split(separator: ",") {
      let parts = member.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, parts[0].first == "\"", parts[0].last == "\"" else { return nil }
      let name = String(parts[0].dropFirst().dropLast())
      if fields[name] != nil { return nil }
      if parts[1] != "null" { fields[name] = String(parts[1]) }
    }
    return fields
  }
}
