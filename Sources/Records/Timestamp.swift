/// A moment in UTC, to the nanosecond: years 1 to 9999, as CEL and RFC 3339 have it.
public struct Timestamp: Hashable, Comparable, Sendable {
  /// Seconds since 1970-01-01T00:00:00Z; negative before.
  public let seconds: Int64
  /// 0 to 999,999,999, counted forward from `seconds`.
  public let nanoseconds: UInt32

  /// The first second of the year 1.
  public static let secondsMin: Int64 = -62_135_596_800
  /// The last second of the year 9999.
  public static let secondsMax: Int64 = 253_402_300_799

  /// The moment so many units after 1970-01-01T00:00:00Z.
  public init(seconds: Int64, nanoseconds: UInt32) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  /// The moment so many units after 1970-01-01T00:00:00Z.
  public init(milliseconds: Int64) {
    var (whole, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
    if rest < 0 {
      whole -= 1
      rest += 1000
    }
    self.init(seconds: whole, nanoseconds: UInt32(rest) * 1_000_000)
  }

  /// Milliseconds since 1970, rounded down.
  public var milliseconds: Int64 { seconds * 1000 + Int64(nanoseconds / 1_000_000) }

  /// Earlier.
  public static func < (left: Timestamp, right: Timestamp) -> Bool {
    (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
  }

  /// Reads RFC 3339: `2024-02-29T12:00:00.5+01:00`. Nil when it is none, a day does not exist, or
  /// the year leaves 1 to 9999. Digits beyond nanoseconds are refused.
  public init?(rfc3339 text: ByteView) {
    guard text.count >= 20, let days = daysSince1970(text.prefix(10)),
      text[10] | 0x20 == UInt8(ascii: "t"), text[13] == UInt8(ascii: ":"),
      text[16] == UInt8(ascii: ":"),
      let hour = number(text, 11, 2), let minute = number(text, 14, 2),
      let second = number(text, 17, 2), hour < 24, minute < 60, second < 60
    else { return nil }
    var index = 19
    var nanoseconds = 0
    if text[index] == UInt8(ascii: ".") {
      index += 1
      var factor = 100_000_000
      let start = index
      while index < text.count, text[index] >= 0x30, text[index] <= 0x39 {
        if factor == 0 { return nil }
        nanoseconds += Int(text[index] - 0x30) * factor
        factor /= 10
        index += 1
      }
      if index == start { return nil }
    }
    guard let zone = Timestamp.zone(text.suffix(from: index)) else { return nil }
    let seconds = days * 86_400 + Int64(hour * 3600 + minute * 60 + second) - zone
    if seconds < Timestamp.secondsMin || seconds > Timestamp.secondsMax { return nil }
    self.init(seconds: seconds, nanoseconds: UInt32(nanoseconds))
  }

  private static func zone(_ text: ByteView) -> Int64? {
    if text.count == 1 { return text[0] | 0x20 == UInt8(ascii: "z") ? 0 : nil }
    guard text.count == 6, text[3] == UInt8(ascii: ":"), let hours = number(text, 1, 2),
      let minutes = number(text, 4, 2), hours < 24, minutes < 60
    else { return nil }
    let seconds = Int64(hours * 3600 + minutes * 60)
    if text[0] == UInt8(ascii: "+") { return seconds }
    return text[0] == UInt8(ascii: "-") ? -seconds : nil
  }
}

/// Reads `2024-02-29` as days since 1970-01-01; nil when it is no day of the years 1 to 9999.
public func daysSince1970(_ text: ByteView) -> Int64? {
  guard text.count == 10, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
    let year = number(text, 0, 4), let month = number(text, 5, 2), let day = number(text, 8, 2),
    year >= 1, month >= 1, month <= 12, day >= 1
  else { return nil }
  let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  let length =
    month == 2
    ? (leap ? 29 : 28) : (month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31)
  if day > length { return nil }
  return daysFromCivil(Int64(year), Int64(month), Int64(day))
}

/// Howard Hinnant's days_from_civil: eras of 400 years that begin on 1 March.
private func daysFromCivil(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
  let shifted = month <= 2 ? year - 1 : year
  let era = (shifted >= 0 ? shifted : shifted - 399) / 400
  let yearOfEra = shifted - era * 400
  let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
  let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

/// The day of the calendar so many days after 1970-01-01, in the Gregorian calendar of all times:
/// month 1 to 12, day 1 to 31 (Howard Hinnant's civil_from_days).
public func civilDay(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
  let shifted = days + 719_468
  let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
  let dayOfEra = shifted - era * 146_097
  let yearOfEra =
    (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let monthIndex = (5 * dayOfYear + 2) / 153
  let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
  return (
    yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthIndex + 2) / 5 + 1
  )
}

/// The first of January of a year, as days since 1970-01-01.
public func daysSince1970(year: Int64) -> Int64 { daysFromCivil(year, 1, 1) }

private func number(_ text: ByteView, _ start: Int, _ length: Int) -> Int? {
  var value = 0
  for index in start..<start + length {
    let byte = text[index]
    if byte < 0x30 || byte > 0x39 { return nil }
    value = value * 10 + Int(byte - 0x30)
  }
  return value
}

extension ByteBuffer {
  /// RFC 3339 in UTC, with no, 3, 6 or 9 digits of a second's fraction: the fewest that are exact.
  public func append(_ value: Timestamp) {
    var days = value.seconds / 86_400
    var rest = value.seconds % 86_400
    if rest < 0 {
      rest += 86_400
      days -= 1
    }
    let place = unsafe reserve(30)
    unsafe ByteBuffer.write(days: days, at: place)
    unsafe place[10] = UInt8(ascii: "T")
    let minutes = rest / 60
    unsafe ByteBuffer.write(UInt64(minutes / 60), 2, at: place + 11)
    unsafe place[13] = UInt8(ascii: ":")
    unsafe ByteBuffer.write(UInt64(minutes % 60), 2, at: place + 14)
    unsafe place[16] = UInt8(ascii: ":")
    unsafe ByteBuffer.write(UInt64(rest % 60), 2, at: place + 17)
    var length = 19
    let nanoseconds = UInt64(value.nanoseconds)
    if nanoseconds != 0 {
      unsafe place[19] = UInt8(ascii: ".")
      if nanoseconds % 1_000_000 == 0 {
        unsafe ByteBuffer.write(nanoseconds / 1_000_000, 3, at: place + 20)
        length = 23
      } else if nanoseconds % 1000 == 0 {
        unsafe ByteBuffer.write(nanoseconds / 1000, 6, at: place + 20)
        length = 26
      } else {
        unsafe ByteBuffer.write(nanoseconds, 9, at: place + 20)
        length = 29
      }
    }
    unsafe place[length] = UInt8(ascii: "Z")
    advance(by: length + 1)
  }

  /// A day as `2024-02-29`, from days since 1970-01-01.
  public func append(days: Int64) {
    unsafe ByteBuffer.write(days: days, at: reserve(10))
    advance(by: 10)
  }

  /// Ten bytes.
  @inline(__always)
  private static func write(days: Int64, at place: UnsafeMutablePointer<UInt8>) {
    let (year, month, day) = civilDay(days)
    unsafe ByteBuffer.write(UInt64(truncatingIfNeeded: year), 4, at: place)
    unsafe place[4] = UInt8(ascii: "-")
    unsafe ByteBuffer.write(UInt64(truncatingIfNeeded: month), 2, at: place + 5)
    unsafe place[7] = UInt8(ascii: "-")
    unsafe ByteBuffer.write(UInt64(truncatingIfNeeded: day), 2, at: place + 8)
  }
}

extension Timestamp: CustomStringConvertible {
  /// RFC 3339 in UTC.
  public var description: String {
    let buffer = ByteBuffer(capacity: 64)
    buffer.append(self)
    return buffer.view.text
  }
}
