/// What the accessors of timestamps, dates and durations ask for.
enum TimePart: UInt8, CaseIterable, Sendable {
  case year, month, dayOfMonth, date, dayOfWeek, dayOfYear, hours, minutes, seconds, milliseconds

  /// CEL's name of the accessor.
  var function: String {
    switch self {
    case .year: "getFullYear"
    case .month: "getMonth"
    case .dayOfMonth: "getDayOfMonth"
    case .date: "getDate"
    case .dayOfWeek: "getDayOfWeek"
    case .dayOfYear: "getDayOfYear"
    case .hours: "getHours"
    case .minutes: "getMinutes"
    case .seconds: "getSeconds"
    case .milliseconds: "getMilliseconds"
    }
  }

  /// Whether a day has it; the others a duration has.
  var isOfDate: Bool { rawValue <= TimePart.dayOfYear.rawValue }
}
