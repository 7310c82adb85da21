import Diagnostics
import Foundation
import Records
import Testing

@testable import Expressions

/// Random expressions, beside what Google's own implementation makes of them. The oracle stands
/// beside the repository; without it the suite has nothing to do.
@Suite struct ExpressionOracleTests {
  static let oracle = URL(filePath: "../shared/cel/cel-oracle")
  static let seed: UInt64 = 20_240_229
  static let rounds = 3000

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: oracle.path)))
  func `random expressions give what cel-go gives`() throws {
    var random = ExpressionGenerator(seed: Self.seed)
    try compare((0..<Self.rounds).map { _ in random.expression() })
  }

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: oracle.path)))
  func `random conditions over mixed values give what cel-go gives`() throws {
    var random = ExpressionGenerator(seed: Self.seed, mixes: true)
    try compare((0..<Self.rounds).map { _ in random.condition() })
  }

  private func compare(_ expressions: [String]) throws {
    let answers = try Self.ask(expressions)
    #expect(answers.count == expressions.count)
    var different: [String] = []
    var values = 0
    for (expression, answer) in zip(expressions, answers) {
      // Weft's types are stricter, so it must refuse whatever cel-go refuses.
      let mine = Self.evaluate(expression)
      if answer["limit"] != nil || Self.isStricter(mine) { continue }
      let other = Self.text(answer)
      if !mine.hasPrefix("rejected") && other != "an error" { values += 1 }
      if mine != other && !(mine.hasPrefix("rejected") && other == "rejected") {
        different.append("\(expression): cel-go \(other), Weft \(mine)")
      }
    }
    #expect(different.prefix(20) == [])
    #expect(values > expressions.count / 3)
  }

  /// What Weft refuses and cel-go takes: lists of several types, elements of `[]`, order between
  /// kinds of numbers, and what is not there yet.
  private static func isStricter(_ result: String) -> Bool {
    guard result.hasPrefix("rejected") else { return false }
    return ["elements of a list", "not in Weft yet", "` does not take "].contains {
      result.contains($0)
    }
  }

  private static func ask(_ expressions: [String]) throws -> [[String: Any]] {
    var lines = Data()
    for expression in expressions {
      let request: [String: Any] = [
        "expr": expression, "vars": ExpressionGenerator.types, "data": ExpressionGenerator.data,
      ]
      lines += try JSONSerialization.data(withJSONObject: request)
      lines.append(0x0A)
    }
    let folder = FileManager.default.temporaryDirectory
    let name = UUID().uuidString
    let input = folder.appending(path: name + ".in")
    let output = folder.appending(path: name + ".out")
    try lines.write(to: input)
    try Data().write(to: output)
    defer {
      try? FileManager.default.removeItem(at: input)
      try? FileManager.default.removeItem(at: output)
    }
    let process = Process()
    process.executableURL = oracle
    process.standardInput = try FileHandle(forReadingFrom: input)
    process.standardOutput = try FileHandle(forWritingTo: output)
    try process.run()
    process.waitUntilExit()
    return try Data(contentsOf: output).split(separator: 0x0A).compactMap {
      try JSONSerialization.jsonObject(with: $0) as? [String: Any]
    }
  }

  private static func evaluate(_ expression: String) -> String {
    let trial = Trial()
    trial.set("i", .int(7))
    trial.set("u", .uint(9))
    trial.set("d", .double(2.5))
    trial.set("b", .bool(true))
    trial.set("s", trial.text("grün"))
    trial.set("l", trial.list([.int(1), .int(-2), .int(3)]))
    trial.set("m", trial.map([("a", .int(1)), ("b", .int(2))]))
    trial.set("t", .timestamp(Timestamp(seconds: 1_709_164_799, nanoseconds: 500_000_000)))
    trial.set("p", .duration(seconds: -5400, nanoseconds: -1))
    let result = trial.evaluate(expression, in: ExpressionGenerator.scope)
    if result.hasPrefix("rejected") || result.hasPrefix("not compiled") { return result }
    // A NaN's sign means nothing.
    let shown = result.replacing("-nan", with: "nan")
    return shown.contains(" at ") && !shown.hasPrefix("\"") ? "an error" : shown
  }

  private static func text(_ answer: [String: Any]) -> String {
    if answer["check"] != nil || answer["parse"] != nil { return "rejected" }
    if answer["error"] != nil { return "an error" }
    return text(value: answer["value"] ?? "none")
  }

  private static func text(value: Any) -> String {
    if let text = value as? String { return "\"\(text)\"" }
    if let object = value as? [String: Any] {
      if let text = object["int"] as? String { return text }
      if let text = object["uint"] as? String { return text + "u" }
      if let text = object["double"] as? String { return "\(Double(text) ?? .nan)" }
      if let text = object["timestamp"] as? String {
        // Weft writes fractions with 3, 6 or 9 digits.
        return ByteView.lending(text) { Timestamp(rfc3339: $0)?.description ?? text }
      }
      if let text = object["duration"] as? String {
        let nanoseconds = ByteView.lending(text) { durationNanoseconds($0) }
        return "duration \(nanoseconds ?? 0)"
      }
      if let list = object["list"] as? [Any] {
        return "[" + list.map { Self.text(value: $0) }.joined(separator: ", ") + "]"
      }
      if let optional = object["optional"] {
        guard let some = (optional as? [String: Any])?["some"] else { return "absent" }
        return Self.text(value: some)
      }
    }
    if let flag = value as? Bool { return "\(flag)" }
    return "\(value)"
  }
}

/// Makes expressions that are mostly of the right types.
struct ExpressionGenerator {
  static let types = [
    "i": "int", "u": "uint", "d": "double", "b": "bool", "s": "string", "l": "list(int)",
    "m": "map(string, int)", "t": "timestamp", "p": "duration",
  ]
  static var data: [String: Any] {
    [
      "i": ["int": "7"], "u": ["uint": "9"], "d": ["double": "2.5"], "b": true, "s": "grün",
      "l": ["list": [["int": "1"], ["int": "-2"], ["int": "3"]]],
      "m": ["map": [["a", ["int": "1"]], ["b", ["int": "2"]]]],
      "t": ["timestamp": "2024-02-28T23:59:59.5Z"], "p": ["duration": "-5400.000000001s"],
    ]
  }
  static let scope = Scope([
    .init("i", .int), .init("u", .uint), .init("d", .double), .init("b", .bool),
    .init("s", .string), .init("l", .list(.int)), .init("m", .map(key: .string, value: .int)),
    .init("t", .timestamp), .init("p", .duration),
  ])

  private enum Kind: CaseIterable { case int, uint, double, bool, string, list, time, span }
  private var state: UInt64

  /// Whether operands are made mixed ones now and then.
  private let mixes: Bool

  init(seed: UInt64, mixes: Bool = false) {
    state = seed
    self.mixes = mixes
  }

  /// SplitMix64 (Steele, Lea, Flood 2014).
  private mutating func pick(_ count: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((mixed ^ (mixed >> 31)) % UInt64(count))
  }

  private mutating func one(_ choices: String...) -> String { choices[pick(choices.count)] }

  mutating func expression() -> String { make(Kind.allCases[pick(8)], 4) }

  /// What is true or false: a mixed value has no other form that both sides write alike.
  mutating func condition() -> String {
    let type = one("int", "uint", "double", "bool", "string", "list", "null_type")
    return pick(8) == 0
      ? "type(\(make(Kind.allCases[pick(8)], 3))) == \(type)" : "(\(bool(4)) ? true : false)"
  }

  private mutating func make(_ kind: Kind, _ depth: Int) -> String {
    // A list of mixed ones is none of ints, which `sum` and the like want.
    if mixes && pick(4) == 0 && kind != .list { return "dyn(\(plain(kind, depth)))" }
    return plain(kind, depth)
  }

  private mutating func plain(_ kind: Kind, _ depth: Int) -> String {
    if pick(10) == 0 && depth > 0 {
      return "(\(make(.bool, depth - 1)) ? \(make(kind, depth - 1)) : \(make(kind, depth - 1)))"
    }
    // Now and then a wrong type, to compare what is refused.
    let kind = pick(200) == 0 ? Kind.allCases[pick(8)] : kind
    switch kind {
    case .int: return int(depth)
    case .uint:
      if depth == 0 {
        return pick(8) == 0 ? one("0u", "18446744073709551615u") : one("u", "3u", "1u")
      }
      return pick(5) == 0
        ? "uint(\(make(.int, depth - 1)))"
        : "(\(make(.uint, depth - 1)) \(one("+", "-", "*", "/", "%")) \(make(.uint, depth - 1)))"
    case .double:
      if depth == 0 { return one("d", "0.0", "-1.5", "1e3", ".25") }
      return pick(4) == 0
        ? "double(\(make(pick(2) == 0 ? .int : .uint, depth - 1)))"
        : "(\(make(.double, depth - 1)) \(one("+", "-", "*", "/")) \(make(.double, depth - 1)))"
    case .bool: return bool(depth)
    case .string: return string(depth)
    case .time: return time(depth)
    case .span: return span(depth)
    case .list:
      // What cel-go takes the elements of `[]` for depends on what stands beside them.
      if depth == 0 { return one("l", "[4, 5]", "l", pick(4) == 0 && !mixes ? "[]" : "[i]") }
      switch pick(6) {
      case 0: return "(\(make(.list, depth - 1)) + \(make(.list, depth - 1)))"
      case 1: return "[\(make(.int, depth - 1)), \(make(.int, depth - 1))]"
      case 2: return "\(make(.list, depth - 1)).filter(x, \(predicate(depth)))"
      case 3: return "\(make(.list, depth - 1)).map(x, \(predicate(depth)), x * \(int(0)))"
      case 4: return "\(make(.list, depth - 1)).transformList(n, x, \(predicate(0)), n - x)"
      default: return "\(make(.list, depth - 1)).map(x, x \(one("+", "*", "/", "-")) \(int(0)))"
      }
    }
  }

  private mutating func predicate(_ depth: Int) -> String {
    pick(3) == 0
      ? "(\(one("6", "i")) / (x - \(int(0))) \(one("<", "!=", ">")) \(int(0)))"
      : "(x \(one("<", "==", "!=", ">=")) \(make(.int, min(depth, 1))))"
  }

  private mutating func time(_ depth: Int) -> String {
    if depth == 0 {
      return one(
        "t", "t", "timestamp('1969-12-31T23:59:59.999999999Z')", "timestamp(253402300799)",
        "timestamp('0001-01-01T00:00:00+00:00')", "timestamp('2024-02-29T01:02:03-05:30')")
    }
    let (time, span) = (make(.time, depth - 1), make(.span, depth - 1))
    return pick(4) == 0 ? "(\(span) + \(time))" : "(\(time) \(one("+", "-")) \(span))"
  }

  /// Of months at most: cel-go reckons the parts of a span by way of a double, and fails within a
  /// second of the largest one.
  private mutating func span(_ depth: Int) -> String {
    if depth == 0 {
      return one(
        "p", "duration('1h30m')", "duration('-0.5s')", "duration('700h1ms2us3ns')",
        "duration('0')", "duration('90000s')")
    }
    switch pick(3) {
    case 0: return "(\(make(.time, depth - 1)) - \(make(.time, depth - 1)))"
    default:
      return "(\(make(.span, depth - 1)) \(one("+", "-")) \(make(.span, depth - 1)))"
    }
  }

  private mutating func int(_ depth: Int) -> String {
    if depth == 0 {
      return pick(8) == 0
        ? one("0", "9223372036854775807", "-9223372036854775808") : one("i", "1", "-3", "0x1F")
    }
    switch pick(15) {
    case 12:
      let zone = one("", "", "'UTC'", "'+05:30'", "'-11:00'", "'3:15'")
      let part = one(
        "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear",
        "getHours", "getMinutes", "getSeconds", "getMilliseconds")
      return "\(make(.time, depth - 1)).\(part)(\(zone))"
    case 13:
      return "\(make(.span, depth - 1)).\(one("getHours", "getMinutes", "getSeconds"))()"
    case 0: return "-(\(make(.int, depth - 1)))"
    case 1: return "size(\(make(pick(2) == 0 ? .string : .list, depth - 1)))"
    case 2: return "\(make(.list, depth - 1))[\(make(.int, depth - 1))]"
    case 3: return "int(\(make(pick(2) == 0 ? .double : .uint, depth - 1)))"
    case 4:
      return one(
        "m.a", "m.c", "m['b']", "m.?c.orValue(5)", "m[?'a'].orValue(i)", "l[?1].orValue(8)")
    case 5: return "int(\(make(.string, depth - 1)))"
    default:
      return "(\(make(.int, depth - 1)) \(one("+", "-", "*", "/", "%")) \(make(.int, depth - 1)))"
    }
  }

  private mutating func bool(_ depth: Int) -> String {
    if depth == 0 { return one("b", "true", "false", "has(m.a)", "has(m.zz)") }
    switch pick(12) {
    case 9, 10:
      let macro = one("all", "exists", "exists_one")
      return "\(make(.list, depth - 1)).\(macro)(x, \(predicate(depth)))"
    case 11:
      let macro = one("all", "exists", "existsOne")
      return "m.\(macro)(k, v, k \(one("==", "!=")) 'a' \(one("&&", "||")) v / \(int(0)) == 0)"
    case 0, 1: return "(\(make(.bool, depth - 1)) && \(make(.bool, depth - 1)))"
    case 2, 3: return "(\(make(.bool, depth - 1)) || \(make(.bool, depth - 1)))"
    case 4: return "!\(make(.bool, depth - 1))"
    case 5: return "(\(make(.int, depth - 1)) in \(make(.list, depth - 1)))"
    case 6:
      let method = one("startsWith", "endsWith", "contains")
      return "\(make(.string, depth - 1)).\(method)(\(make(.string, depth - 1)))"
    default:
      let kind = [.int, .uint, .double, .bool, .string, .time, .span][pick(7)] as Kind
      let order = one("==", "!=", "<", "<=", ">", ">=")
      return "(\(make(kind, depth - 1)) \(order) \(make(kind, depth - 1)))"
    }
  }

  private mutating func string(_ depth: Int) -> String {
    if depth == 0 { return one("s", "''", "'ü'", "r'a\\b'", "\"\\u00e4\\n\"", "'12'") }
    switch pick(4) {
    case 0:
      // Not of times: cel-go keeps the zone that a timestamp was written in, and writes durations
      // by way of a double.
      return "string(\(make([.int, .uint, .bool, .string, .double][pick(5)], depth - 1)))"
    default: return "(\(make(.string, depth - 1)) + \(make(.string, depth - 1)))"
    }
  }
}
