import Diagnostics
import Records

extension FieldReader {
  mutating func scalar(_ node: YAMLNode, _ shape: Shape) -> FileValue? {
    guard let scalar = node.scalar, let text = node.text else { return wrong(node, shape) }
    if scalar == .null { return wrong(node, shape) }
    func found(_ content: FileValue.Content) -> FileValue {
      FileValue(node: node, content: content)
    }
    switch shape {
    case .scalar, .expression, .assignments: return found(.text(text))
    case .text, .wireName, .name, .version:
      guard case .text = scalar else {
        return wrong(node, shape, help: "put it in quotes: `\"\(text)\"`")
      }
      return named(node, text, shape)
    case .bool:
      if case .bool(let flag) = scalar { return found(.flag(flag)) }
      return wrong(node, shape)
    case .integer(let range):
      if case .int(let digits) = scalar, let value = Int(digits), range.contains(value) {
        return found(.integer(value))
      }
      if case .int = scalar { return bad(node, "`\(text)` is not \(shape.text)") }
      return wrong(node, shape)
    case .number:
      switch scalar {
      case .int, .float: return found(.text(text))
      default: return wrong(node, shape)
      }
    case .duration:
      if let milliseconds = FieldReader.milliseconds(text) {
        return found(.duration(milliseconds))
      }
      if FieldReader.isTooLong(text) { return bad(node, "`\(text)` is \(FieldReader.tooLong)") }
      return bad(node, "`\(text)` is not \(shape.text)")
    case .size(let range):
      if let bytes = FieldReader.bytes(text), range.contains(bytes) {
        return found(.integer(bytes))
      }
      return bad(node, "`\(text)` is not \(shape.text)")
    case .timestamp:
      if let time = FieldReader.timestamp(text) { return found(.timestamp(time.milliseconds)) }
      return bad(node, "`\(text)` is not \(shape.text)")
    case .choice(let words, let notYet): return word(node, text, words, notYet, shape)
    default: return wrong(node, shape)
    }
  }

  private mutating func bad(_ node: YAMLNode, _ message: String, help: String? = nil) -> FileValue?
  {
    report(.badValue, message, node, help: help)
    return nil
  }

  private mutating func named(_ node: YAMLNode, _ text: String, _ shape: Shape) -> FileValue? {
    let isGood: Bool
    switch shape {
    case .wireName: isGood = FieldReader.isWireName(text)
    case .name: isGood = FieldReader.isName(text)
    case .version: isGood = FieldReader.majorVersion(text) != nil
    default: isGood = true
    }
    if isGood { return FileValue(node: node, content: .text(text)) }
    return bad(node, "`\(text)` is not \(shape.text)")
  }

  private mutating func word(
    _ node: YAMLNode, _ text: String, _ words: [String], _ notYet: [String], _ shape: Shape
  ) -> FileValue? {
    if words.contains(text) { return FileValue(node: node, content: .text(text)) }
    if notYet.contains(text) {
      notThere("`\(text)`", node)
      return nil
    }
    let near = closest(to: text, among: words + notYet)
    return bad(
      node, "`\(text)` is not \(shape.text)", help: near.map { "did you mean `\($0)`?" })
  }

  static func isWireName(_ text: String) -> Bool {
    let isAllowed = text.utf8.allSatisfy { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
    }
    return isAllowed && !text.isEmpty && text.utf8.count <= 100 && text.first != "-"
  }

  static func isName(_ text: String) -> Bool {
    guard let first = text.utf8.first, isLetter(first), text.utf8.count <= 100 else { return false }
    return text.utf8.allSatisfy { byte in
      isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }

  /// The first number of `1`, `1.2`, `1.2.0` or `v1.2.0`, perhaps with a label behind `-` or `+`.
  package static func majorVersion(_ text: String) -> Int? {
    var rest = Substring(text)
    if rest.first == "v" { rest.removeFirst() }
    let core = rest.prefix { $0 != "-" && $0 != "+" }
    let parts = core.split(separator: ".", omittingEmptySubsequences: false)
    let numbers = parts.map { $0.allSatisfy { ("0"..."9").contains($0) } ? Int($0) : nil }
    if parts.count > 3 || numbers.contains(nil) { return nil }
    return numbers.first ?? nil
  }

  /// A hundred years: times and spans add up without an overflow.
  private static let durationMaxMs: Int64 = 36_500 * 86_400_000
  package static let tooLong = "more than `36500d`, the longest time span"

  /// Whether a text would be a time span if it were shorter.
  package static func isTooLong(_ text: String) -> Bool {
    let unit = text.drop { ("0"..."9").contains($0) }
    return unit.count < text.count && milliseconds("1" + unit) != nil && milliseconds(text) == nil
  }

  /// `100ms`, `30s`, `15m`, `1h`, `7d`; nil: it is none, or longer than `36500d`.
  package static func milliseconds(_ text: String) -> Int64? {
    let digits = text.prefix { ("0"..."9").contains($0) }
    guard let value = Int64(digits) else { return nil }
    let factor: Int64
    switch text.dropFirst(digits.count) {
    case "ms": factor = 1
    case "s": factor = 1000
    case "m": factor = 60_000
    case "h": factor = 3_600_000
    case "d": factor = 86_400_000
    default: return nil
    }
    let (result, overflows) = value.multipliedReportingOverflow(by: factor)
    return overflows || result > durationMaxMs ? nil : result
  }

  private static let sizeUnits = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40)]

  /// `64MiB`, `2GiB`.
  static func bytes(_ text: String) -> Int? {
    let digits = text.prefix { ("0"..."9").contains($0) }
    let unit = text.dropFirst(digits.count)
    guard let value = Int(digits), let shift = sizeUnits.first(where: { $0.0 == unit })?.1
    else { return nil }
    let (result, overflows) = value.multipliedReportingOverflow(by: 1 << shift)
    return overflows ? nil : result
  }

  /// A number of bytes in the largest unit that it is whole in.
  static func sizeText(_ bytes: Int) -> String {
    let unit = sizeUnits.last { bytes % (1 << $0.1) == 0 && bytes > 0 }
    return unit.map { "\(bytes >> $0.1)\($0.0)" } ?? "\(bytes)"
  }

  static func timestamp(_ text: String) -> Timestamp? {
    let buffer = ByteBuffer(capacity: 64)
    for byte in text.utf8 { buffer.append(byte) }
    return Timestamp(rfc3339: buffer.view)
  }
}
