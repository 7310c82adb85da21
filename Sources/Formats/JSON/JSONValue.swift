import Records

/// A JSON document as a tree, for the catalog, `--format json` and tests: never on the hot path.
///
/// Members keep their order, numbers their text.
package indirect enum JSONValue: Hashable, Sendable {
  package struct Member: Hashable, Sendable {
    package var name: String
    package var value: JSONValue
    package init(_ name: String, _ value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  case null
  case bool(Bool)
  /// The number as it is written.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([Member])

  package static func integer(_ value: Int64) -> JSONValue { .number(String(value)) }
  package static func integer(_ value: Int) -> JSONValue { .number(String(value)) }
  /// Null for what JSON cannot say: infinities and NaN.
  package static func double(_ value: Double) -> JSONValue {
    value.isFinite ? .number(value.description) : .null
  }
  /// An object with these members, in this order.
  package static func members(_ members: KeyValuePairs<String, JSONValue>) -> JSONValue {
    .object(members.map { Member($0.key, $0.value) })
  }
}

/// What is inside; nil when it is of another kind.
extension JSONValue {
  /// The last member of that name; nil when there is none or this is no object.
  package subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.name == name }?.value
  }
  package var string: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }
  package var bool: Bool? {
    guard case .bool(let value) = self else { return nil }
    return value
  }
  /// The number, when it is integral and fits.
  package var int64: Int64? {
    guard case .number(let text) = self else { return nil }
    return ByteView.lending(text) { $0.isEmpty ? nil : JSONInteger($0).int64 }
  }
  package var double: Double? {
    guard case .number(let text) = self else { return nil }
    return ByteView.lending(text) { $0.isEmpty ? nil : Double(json: $0) }
  }
  package var array: [JSONValue]? {
    guard case .array(let values) = self else { return nil }
    return values
  }
  package var object: [Member]? {
    guard case .object(let members) = self else { return nil }
    return members
  }
}

extension JSONValue {
  /// Reads a document, as strictly as ``JSONTape`` does.
  package init(parsing text: ByteView) throws(JSONFailure) {
    let tape = JSONTape()
    if let failure = tape.parse(text) { throw failure }
    self.init(tape, at: 0)
  }

  package init(parsing text: String) throws(JSONFailure) {
    self = try ByteView.lending(text) { view in
      Result { () throws(JSONFailure) in try JSONValue(parsing: view) }
    }.get()
  }

  /// The value at `index` of a tape. Its recursion is bounded by ``JSONTape/depthMax``.
  package init(_ tape: JSONTape, at index: Int) {
    switch tape.kind(at: index) {
    case .null: self = .null
    case .true: self = .bool(true)
    case .false: self = .bool(false)
    case .number: self = .number(tape.rawText(at: index).text)
    case .string, .key: self = .string(tape.text(at: index))
    case .array:
      var values: [JSONValue] = []
      let range = tape.children(of: index)
      var at = range.lowerBound
      while at < range.upperBound {
        values.append(JSONValue(tape, at: at))
        at = tape.next(after: at)
      }
      self = .array(values)
    case .object:
      var members: [Member] = []
      let range = tape.children(of: index)
      var at = range.lowerBound
      while at < range.upperBound {
        let name = tape.text(at: at)
        members.append(Member(name, JSONValue(tape, at: at + 1)))
        at = tape.next(after: at + 1)
      }
      self = .object(members)
    }
  }
}
