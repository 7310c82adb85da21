import Records

extension Value {
  /// Of a duration; one that came about here always fits.
  var totalNanoseconds: Int64 {
    let (seconds, nanoseconds) = duration
    return seconds &* 1_000_000_000 &+ Int64(nanoseconds)
  }

  static func duration(nanoseconds: Int64) -> Value {
    let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    return .duration(seconds: seconds, nanoseconds: Int32(rest))
  }
}

/// Timestamps, dates and durations. A timestamp lies in the years 1 to 9999; a duration has 64 bits
/// of nanoseconds, 292 years, as in cel-go. What leaves these bounds fails.
extension Evaluation {
  @inline(never)
  func computeTime(_ instruction: Instruction, _ a: Value) -> Value {
    switch instruction.opcode {
    case .addTime:
      let b = load(instruction.b)
      return a.kind == .timestamp
        ? moved(a.timestamp, by: b.totalNanoseconds) : moved(b.timestamp, by: a.totalNanoseconds)
    case .subtractTime:
      // The least duration has no opposite; no timestamp has one so far behind it and before it.
      let (opposite, overflow) = Int64(0).subtractingReportingOverflow(
        load(instruction.b).totalNanoseconds)
      return overflow ? .failure(.timeOverflow) : moved(a.timestamp, by: opposite)
    case .timeBetween: return between(a.timestamp, load(instruction.b).timestamp)
    case .addDuration:
      return span(a.totalNanoseconds.addingReportingOverflow(load(instruction.b).totalNanoseconds))
    case .subtractDuration:
      return span(
        a.totalNanoseconds.subtractingReportingOverflow(load(instruction.b).totalNanoseconds))
    case .timestampOfText:
      guard let value = Timestamp(rfc3339: a.view) else { return .failure(.badConversion) }
      return .timestamp(value)
    case .durationOfText:
      guard let value = durationNanoseconds(a.view) else { return .failure(.badConversion) }
      return .duration(nanoseconds: value)
    case .dateOfText:
      guard let days = daysSince1970(a.view) else { return .failure(.badConversion) }
      return .date(days: days)
    case .timestampOfDate:
      return .timestamp(Timestamp(seconds: a.dateDays * 86_400, nanoseconds: 0))
    case .dateOfTimestamp: return .date(days: days(a.timestamp.seconds))
    case .intOfDuration: return .int(a.totalNanoseconds)
    case .partOfDuration: return .int(part(instruction.part, ofDuration: a.totalNanoseconds))
    case .partOfTimeInZone:
      guard let zone = zoneSeconds(load(instruction.b).view) else { return .failure(.badZone) }
      return .int(part(instruction.part, a.timestamp.seconds + zone, a.timestamp.nanoseconds))
    default:
      return a.kind == .date
        ? .int(part(instruction.part, a.dateDays * 86_400, 0))
        : .int(part(instruction.part, a.timestamp.seconds, a.timestamp.nanoseconds))
    }
  }

  private func span(_ result: (partialValue: Int64, overflow: Bool)) -> Value {
    result.overflow ? .failure(.timeOverflow) : .duration(nanoseconds: result.partialValue)
  }

  private func moved(_ time: Timestamp, by nanoseconds: Int64) -> Value {
    let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    var seconds = time.seconds + whole
    var fraction = Int64(time.nanoseconds) + rest
    if fraction < 0 {
      fraction += 1_000_000_000
      seconds -= 1
    } else if fraction >= 1_000_000_000 {
      fraction -= 1_000_000_000
      seconds += 1
    }
    if seconds < Timestamp.secondsMin || seconds > Timestamp.secondsMax {
      return .failure(.timeOverflow)
    }
    return .timestamp(Timestamp(seconds: seconds, nanoseconds: UInt32(fraction)))
  }

  private func between(_ left: Timestamp, _ right: Timestamp) -> Value {
    // In 128 bits: the whole range of timestamps is more than 64 bits of nanoseconds.
    let difference =
      Int128(left.seconds - right.seconds) * 1_000_000_000
      + Int128(left.nanoseconds) - Int128(right.nanoseconds)
    guard let nanoseconds = Int64(exactly: difference) else { return .failure(.timeOverflow) }
    return .duration(nanoseconds: nanoseconds)
  }

  private func days(_ seconds: Int64) -> Int64 {
    seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
  }

  /// Of a local time: seconds since 1970-01-01T00:00:00 there.
  private func part(_ part: TimePart, _ seconds: Int64, _ nanoseconds: UInt32) -> Int64 {
    let days = days(seconds)
    let rest = seconds - days * 86_400
    switch part {
    case .hours: return rest / 3600
    case .minutes: return rest / 60 % 60
    case .seconds: return rest % 60
    case .milliseconds: return Int64(nanoseconds / 1_000_000)
    case .dayOfWeek: return ((days + 4) % 7 + 7) % 7
    case .year: return civilDay(days).year
    case .month: return civilDay(days).month - 1
    case .date: return civilDay(days).day
    case .dayOfMonth: return civilDay(days).day - 1
    case .dayOfYear: return days - daysSince1970(year: civilDay(days).year)
    }
  }

  /// All of it in hours, minutes or seconds; of milliseconds those beyond the last second (cel-go
  /// gives all of them).
  private func part(_ part: TimePart, ofDuration nanoseconds: Int64) -> Int64 {
    switch part {
    case .hours: nanoseconds / 3_600_000_000_000
    case .minutes: nanoseconds / 60_000_000_000
    case .seconds: nanoseconds / 1_000_000_000
    default: nanoseconds / 1_000_000 % 1000
    }
  }
}

/// Seconds east of Greenwich of `UTC`, `+05:30`, `-02:00` or `5:30`; nil for anything else. Named
/// zones are not among them: what they mean changes with the data of the machine.
func zoneSeconds(_ text: ByteView) -> Int64? {
  if text.isEmpty || text == ("UTC" as StaticString).view { return 0 }
  let isNegative = text[0] == UInt8(ascii: "-")
  let digits = isNegative || text[0] == UInt8(ascii: "+") ? text.suffix(from: 1) : text
  guard digits.count == 4 || digits.count == 5, digits[digits.count - 3] == UInt8(ascii: ":"),
    let hours = smallNumber(digits.prefix(digits.count - 3)),
    let minutes = smallNumber(digits.suffix(from: digits.count - 2)), hours < 24, minutes < 60
  else { return nil }
  let seconds = hours * 3600 + minutes * 60
  return isNegative ? -seconds : seconds
}

private func smallNumber(_ digits: ByteView) -> Int64? {
  var value: Int64 = 0
  for index in 0..<digits.count {
    guard isDigit(digits[index]) else { return nil }
    value = value * 10 + Int64(digits[index] - 0x30)
  }
  return value
}

/// Reads `1h30m`, `-1.5s`, `0`: numbers with h, m, s, ms, us or ns behind them. Digits below a
/// nanosecond are dropped, as cel-go does. Nil when it is none, or beyond 64 bits.
func durationNanoseconds(_ text: ByteView) -> Int64? {
  var index = 0
  let isNegative = !text.isEmpty && text[0] == UInt8(ascii: "-")
  if isNegative || !text.isEmpty && text[0] == UInt8(ascii: "+") { index = 1 }
  if text.count == index { return nil }
  if text.count == index + 1, text[index] == UInt8(ascii: "0") { return 0 }
  var total: UInt64 = 0
  while index < text.count {
    guard let (nanoseconds, end) = durationPart(text, from: index) else { return nil }
    let (sum, overflow) = total.addingReportingOverflow(nanoseconds)
    if overflow { return nil }
    total = sum
    index = end
  }
  if isNegative { return total > 1 << 63 ? nil : Int64(truncatingIfNeeded: 0 &- total) }
  return Int64(exactly: total)
}

/// One number with its unit, in nanoseconds, and where it ends.
private func durationPart(_ text: ByteView, from start: Int) -> (UInt64, Int)? {
  var index = start
  var whole: UInt64 = 0
  var digits = 0
  while index < text.count, isDigit(text[index]) {
    let (product, overflow) = whole.multipliedReportingOverflow(by: 10)
    if overflow || product > 1 << 63 { return nil }
    whole = product + UInt64(text[index] - 0x30)
    digits += 1
    index += 1
  }
  var fraction: UInt64 = 0
  var scale: UInt64 = 1
  if index < text.count, text[index] == UInt8(ascii: ".") {
    index += 1
    while index < text.count, isDigit(text[index]) {
      // Sixteen digits are more than a nanosecond of an hour.
      if scale < 10_000_000_000_000_000 {
        fraction = fraction * 10 + UInt64(text[index] - 0x30)
        scale *= 10
      }
      digits += 1
      index += 1
    }
  }
  let unitStart = index
  while index < text.count, !isDigit(text[index]), text[index] != UInt8(ascii: ".") { index += 1 }
  guard digits > 0, let unit = durationUnit(text[unitStart..<index]) else { return nil }
  let (product, overflow) = whole.multipliedReportingOverflow(by: unit)
  let part = UInt64(UInt128(fraction) * UInt128(unit) / UInt128(scale))
  let (sum, carry) = product.addingReportingOverflow(part)
  return overflow || carry ? nil : (sum, index)
}

private func durationUnit(_ text: ByteView) -> UInt64? {
  if text == ("h" as StaticString).view { return 3_600_000_000_000 }
  if text == ("m" as StaticString).view { return 60_000_000_000 }
  if text == ("s" as StaticString).view { return 1_000_000_000 }
  if text == ("ms" as StaticString).view { return 1_000_000 }
  // The letter that stands for micro is in Unicode twice.
  if text == ("us" as StaticString).view || text == ("\u{B5}s" as StaticString).view
    || text == ("\u{3BC}s" as StaticString).view
  {
    return 1000
  }
  return text == ("ns" as StaticString).view ? 1 : nil
}
