import Expressions
import Records

/// Writes what the logic digest covers as lines `what = content`, and compares two such texts.
package enum LogicText {
  /// The version of Weft's own semantics: raised when the same files would publish other bytes.
  static let semanticsVersion = 3

  static func joined(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }

  /// SHA-256 over the parts, each with its name and length before it.
  static func digest(_ files: [LogicFile]) -> [UInt8] {
    var bytes: [UInt8] = []
    for file in files {
      bytes += Array("\(file.path) \(file.content.utf8.count)\n".utf8)
      bytes += Array(file.content.utf8)
    }
    return SHA256.hash(bytes)
  }

  /// By which another key is told, and not the key: the beginning of a hash of what it makes of a
  /// text that no record has.
  static func fingerprint(_ key: [UInt8]) -> String {
    let bytes = ByteBuffer(capacity: 64)
    ByteView.lending(key) { key in
      ByteView.lending("weft: the fingerprint of a key") { bytes.append(hmac: $0, key: key) }
    }
    let text = ByteBuffer(capacity: 16)
    ByteView.lending(Array(SHA256.hash(bytes.view.copied()).prefix(8))) {
      text.append(hexadecimal: $0)
    }
    return text.view.text
  }

  static func of(_ input: InputDefinition) -> String {
    var text = [
      "topic = \(input.topic)", "format = json",
      "discriminator = \(input.discriminator?.joined(separator: ".") ?? "none")",
      "time = \(input.time?.joined(separator: ".") ?? "none")",
    ]
    let identity = input.id.map { "\($0.path.joined(separator: ".")) for \($0.horizonMs) ms" }
    text.append("id = \(identity ?? "none")")
    if input.corrects { text.append("corrections = true") }
    if let port = input.port {
      text.append("port = \(port.address)")
      if port.isState { text.append("deletions = \(input.undoesDeletions ? "undo" : "ignore")") }
    }
    for event in input.events.sorted(by: { $0.name < $1.name }) {
      text += lines(of: event.fields, path: event.name + ".")
    }
    return joined(text)
  }

  /// One line a field, in the order of the contract: it is the order in which records are written.
  static func lines(of fields: [ContractField], path: String) -> [String] {
    fields.flatMap { field -> [String] in
      var line = "field \(path)\(field.name) = \(type(field.type))"
      if let decimal = field.decimal { line += "(\(decimal.precision),\(decimal.scale))" }
      if field.isRequired { line += " required" }
      if let position = field.primaryKeyPosition { line += " key \(position)" }
      return [line] + lines(of: field.fields, path: path + field.name + ".")
    }
  }

  /// The type without its parts, which have lines of their own.
  private static func type(_ type: ValueType) -> String {
    switch type {
    case .object: "object"
    case .list(let element): "list of \(self.type(element))"
    case .map(let key, let value): "map of \(self.type(key)) to \(self.type(value))"
    default: "\(type)"
    }
  }

  /// What differs between two logics, for people: ``output `claim@1` changed: column `paid` ``.
  package static func differences(from old: [LogicFile], to new: [LogicFile]) -> [String] {
    let before = Dictionary(old.map { ($0.path, $0.content) }) { first, _ in first }
    let after = Dictionary(new.map { ($0.path, $0.content) }) { first, _ in first }
    return Set(before.keys).union(after.keys).sorted().compactMap { path in
      switch (before[path], after[path]) {
      case (nil, _): "\(named(path)) is new"
      case (_, nil): "\(named(path)) is gone"
      case (let left?, let right?) where left != right:
        "\(named(path)) changed: \(changes(left, right))"
      default: nil
      }
    }
  }

  private static func changes(_ old: String, _ new: String) -> String {
    let left = parts(old)
    let right = parts(new)
    let names = Set(left.keys).union(right.keys).sorted()
    let changed = names.filter { left[$0] != right[$0] }
    return changed.isEmpty ? "order of fields" : changed.map(named).joined(separator: ", ")
  }

  private static func parts(_ text: String) -> [String: [String]] {
    var result: [String: [String]] = [:]
    for line in text.split(separator: "\n") {
      let divider = line.firstRange(of: " = ")
      let name = String(divider.map { line[..<$0.lowerBound] } ?? line)
      result[name, default: []].append(String(line))
    }
    return result
  }

  /// ``output claim@1`` as ``output `claim@1` ``.
  private static func named(_ path: String) -> String {
    guard let space = path.firstIndex(of: " ") else { return "`\(path)`" }
    return "\(path[..<space]) `\(path[path.index(after: space)...])`"
  }
}
