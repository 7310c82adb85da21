import Formats
import Records

/// What values of a sample look like: a contract's field type, guessed.
indirect enum Shape: Hashable, Sendable {
  case string, timestamp, date, boolean, integer, double
  case decimal(scale: Int)
  case array(Shape)
  case object([Field])
  /// Values of several kinds.
  case mixed
  /// Only nulls, or an empty array's elements.
  case nothing

  struct Field: Hashable, Sendable {
    var name: String
    var shape: Shape
    /// There in every sample, and not null.
    var isRequired: Bool
  }

  /// A fraction of at most so many digits is taken for an exact amount, more for a measurement.
  static let exactScaleMax = 4
  static let precision = 18

  /// The one shape that all values have.
  init(of values: [JSONValue]) {
    let values = values.filter { $0 != .null }
    guard let first = values.first else {
      self = .nothing
      return
    }
    switch first {
    case .string where values.allSatisfy({ $0.string != nil }):
      self = Shape.text(values.compactMap(\.string))
    case .number where values.allSatisfy({ $0.double != nil || $0.int64 != nil }):
      self = Shape.number(values)
    case .bool where values.allSatisfy({ $0.bool != nil }): self = .boolean
    case .array where values.allSatisfy({ $0.array != nil }):
      self = .array(Shape(of: values.flatMap { $0.array ?? [] }))
    case .object where values.allSatisfy({ $0.object != nil }):
      self = .object(Shape.fields(of: values))
    default: self = .mixed
    }
  }

  /// The fields of objects, in the order in which they were first met.
  static func fields(of objects: [JSONValue]) -> [Field] {
    var names: [String] = []
    var values: [String: [JSONValue]] = [:]
    for object in objects {
      for member in object.object ?? [] {
        if values[member.name] == nil { names.append(member.name) }
        values[member.name, default: []].append(member.value)
      }
    }
    return names.map { name in
      let found = values[name] ?? []
      let isRequired = found.count == objects.count && !found.contains(.null)
      return Field(name: name, shape: Shape(of: found), isRequired: isRequired)
    }
  }

  private static func text(_ texts: [String]) -> Shape {
    func all(_ test: (ByteView) -> Bool) -> Bool {
      texts.allSatisfy { ByteView.lending($0, test) }
    }
    if all({ Timestamp(rfc3339: $0) != nil }) { return .timestamp }
    return all({ daysSince1970($0) != nil }) ? .date : .string
  }

  private static func number(_ values: [JSONValue]) -> Shape {
    if values.allSatisfy({ $0.int64 != nil && !isFraction($0) }) { return .integer }
    var scale = 0
    for case .number(let text) in values {
      if text.contains("e") || text.contains("E") { return .double }
      let digits = text.split(separator: ".", omittingEmptySubsequences: false)
      if digits.count == 2 { scale = max(scale, digits[1].count) }
      if digits[0].count > Shape.precision - Shape.exactScaleMax { return .double }
    }
    return scale <= Shape.exactScaleMax ? .decimal(scale: max(2, scale)) : .double
  }

  /// Whether it is written with a point or an exponent: `5.000` is whole, but its field is not.
  private static func isFraction(_ value: JSONValue) -> Bool {
    guard case .number(let text) = value else { return false }
    return text.contains { ".eE".contains($0) }
  }

  /// Whether all of it has one type, so that an output can promise it.
  var isKnown: Bool {
    switch self {
    case .string, .timestamp, .date, .boolean, .integer, .double, .decimal: true
    case .array(let element): element.isKnown
    case .object(let fields): fields.allSatisfy(\.shape.isKnown)
    case .mixed, .nothing: false
    }
  }

  /// Whether values of several kinds are anywhere in it.
  var holdsMixed: Bool {
    switch self {
    case .mixed: true
    case .array(let element): element.holdsMixed
    case .object(let fields): fields.contains(where: \.shape.holdsMixed)
    default: false
    }
  }
}
