/// Something that happened, worth a line. One type a message, so that its fields are always there.
///
/// ```swift
/// struct ProductStopped: LogEvent {
///   static let name = "product-stopped"
///   let product: String, reason: String
///   var level: LogLevel { .error }
///   var message: String { "the product stopped; the domain's others go on" }
///   var fields: [LogField] { [LogField("product", product), LogField("reason", reason)] }
/// }
/// ```
/// Never put a secret or a record's content in one.
package protocol LogEvent: Sendable {
  /// Stable and unique, in kebab case: what a machine filters by.
  static var name: String { get }
  var level: LogLevel { get }
  /// For people; lower case, no full stop.
  var message: String { get }
  var fields: [LogField] { get }
}

/// How much a line matters: `debug` is off unless asked for, `error` means that somebody must act.
package enum LogLevel: String, Sendable, CaseIterable, Comparable {
  case debug, info, warning, error

  private var rank: Int {
    switch self {
    case .debug: 0
    case .info: 1
    case .warning: 2
    case .error: 3
    }
  }
  package static func < (left: LogLevel, right: LogLevel) -> Bool { left.rank < right.rank }
}

/// A named value of a log line; names in snake case with the unit last (`latency_ms`).
package struct LogField: Sendable {
  enum Value: Sendable {
    case text(String)
    case number(String)
  }
  let name: String
  let value: Value

  package init(_ name: String, _ text: String) {
    self.name = name
    value = .text(text)
  }
  package init(_ name: String, _ number: some BinaryInteger) {
    self.name = name
    value = .number("\(number)")
  }
  /// Rounded to three decimals, which is what a person or a graph can use.
  package init(_ name: String, _ number: Double) {
    self.name = name
    value = number.isFinite ? .number(Self.rounded(number)) : .text("\(number)")
  }
  package init(_ name: String, _ flag: Bool) {
    self.name = name
    value = .number(flag ? "true" : "false")
  }

  /// By whole numbers: `rounded()` would want the C library's mathematics linked for one line.
  private static func rounded(_ number: Double) -> String {
    if abs(number) >= 1e12 { return "\(number)" }
    return "\(Double(Int64(number * 1000 + (number < 0 ? -0.5 : 0.5))) / 1000)"
  }
}
