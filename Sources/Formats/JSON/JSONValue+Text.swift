import Records

/// Writing a tree: compact for machines, indented for people.
extension JSONValue: CustomStringConvertible {
  /// One line without white space.
  package var description: String {
    let buffer = ByteBuffer()
    buffer.append(self)
    return buffer.view.text
  }

  /// Two spaces a level, one member or element a line, no newline at the end.
  package var indented: String {
    let buffer = ByteBuffer()
    buffer.append(self, indent: 0)
    return buffer.view.text
  }
}

extension ByteBuffer {
  /// The tree as compact JSON.
  package func append(_ value: JSONValue) { append(value, indent: nil) }

  fileprivate func append(_ value: JSONValue, indent: Int?) {
    switch value {
    case .null: appendJSONNull()
    case .bool(let value): appendJSON(bool: value)
    case .number(let text): append(text)
    case .string(let text): appendJSON(string: text)
    case .array(let values):
      append(UInt8(ascii: "["))
      for (place, value) in values.enumerated() {
        separate(place, indent)
        append(value, indent: indent.map { $0 + 1 })
      }
      if !values.isEmpty { startLine(indent) }
      append(UInt8(ascii: "]"))
    case .object(let members):
      append(UInt8(ascii: "{"))
      for (place, member) in members.enumerated() {
        separate(place, indent)
        appendJSON(string: member.name)
        append(indent == nil ? ":" : ": " as StaticString)
        append(member.value, indent: indent.map { $0 + 1 })
      }
      if !members.isEmpty { startLine(indent) }
      append(UInt8(ascii: "}"))
    }
  }

  private func separate(_ place: Int, _ indent: Int?) {
    if place > 0 { append(UInt8(ascii: ",")) }
    startLine(indent.map { $0 + 1 })
  }

  private func startLine(_ indent: Int?) {
    guard let indent else { return }
    append(UInt8(ascii: "\n"))
    for _ in 0..<indent { append("  " as StaticString) }
  }
}
