import Diagnostics
import Records
import Testing

@testable import Expressions

@Suite struct ExpressionTimeTests {
  private func trial() -> Trial {
    let trial = Trial()
    trial.set("event.at", .timestamp(Timestamp(seconds: 1_709_251_199, nanoseconds: 987_654_321)))
    trial.set("event.born", .date(days: -7519))
    trial.set("event.kind", trial.text("2024-02-29T23:59:59.987654321Z"))
    trial.set("event.eventId", trial.text("+05:30"))
    trial.set("key", trial.text("6ba7b810-9dad-11d1-80b4-00c04fd430c8"))
    trial.set("event.rate", .double(-0.00001234))
    trial.set("event.count", .uint(.max))
    return trial
  }

  @Test(arguments: [
    ("event.at.getFullYear()", "2024"), ("event.at.getMonth()", "1"),
    ("event.at.getDate()", "29"), ("event.at.getDayOfMonth()", "28"),
    ("event.at.getDayOfWeek()", "4"), ("event.at.getDayOfYear()", "59"),
    ("event.at.getHours()", "23"), ("event.at.getMinutes()", "59"),
    ("event.at.getSeconds()", "59"), ("event.at.getMilliseconds()", "987"),
    ("event.at.getDate('+00:01')", "1"), ("event.at.getHours(event.eventId)", "5"),
    ("event.at.getMonth('-23:59')", "1"), ("event.at.getDate('UTC')", "29"),
    ("event.born.getFullYear()", "1949"), ("event.born.getDayOfWeek()", "3"),
    ("event.born.getDayOfYear()", "151"), ("timestamp(event.kind) == event.at", "true"),
    ("date(event.at) == date('2024-02-29')", "true"),
    ("string(timestamp(event.born))", "\"1949-06-01T00:00:00Z\""),
    ("(event.at - timestamp(event.born)).getHours() / 8766", "74"),
    ("event.at + duration('13ms') < event.at + duration('12.999999ms')", "false"),
    ("string(event.at + duration('12.345679ms'))", "\"2024-03-01T00:00:00Z\""),
    ("duration('1h1m') - duration('-1.5s')", "duration 3661500000000"),
    ("duration('90m').getMinutes() + duration('90m').getHours()", "91"),
    ("duration('1.0625s').getMilliseconds()", "62"),
    ("duration('1ms') in [duration('1ms')]", "true"),
    ("string(duration('-1m0.05s'))", "\"-60.05s\""), ("int(duration('1us'))", "1000"),
    ("duration('1\u{B5}s') == duration('1\u{3BC}s')", "true"),
    ("timestamp('0001-01-01T00:00:00Z').getDayOfWeek()", "1"),
    ("event.at + duration('2540400h') > event.at", "true"),
  ]) func `times are reckoned in the calendar, to the nanosecond`(text: String, value: String) {
    #expect(trial().evaluate(text) == value)
  }

  @Test(arguments: [
    ("timestamp('9999-12-31T23:59:59.999999999Z') + duration('1ns')", "time-overflow at"),
    ("timestamp('0001-01-01T00:00:00Z') - duration('1ns')", "time-overflow at"),
    (
      "timestamp('9999-12-31T00:00:00Z') - timestamp('0001-01-01T00:00:00Z')", "time-overflow at"
    ),
    ("duration('9223372036s') + duration('1s')", "time-overflow at"),
    ("duration('-9223372036.854775808s') - duration('1ns')", "time-overflow at"),
    ("event.at - duration('-9223372036.854775808s')", "time-overflow at"),
    ("timestamp(event.eventId)", "bad-conversion at"), ("date(event.kind)", "bad-conversion at"),
    ("duration(event.kind)", "bad-conversion at"), ("event.at.getDate(key)", "bad-zone at"),
    ("double(event.eventId)", "bad-conversion at"), ("string(b'\\xC3')", "bad-conversion at"),
    ("uuid5(event.kind, 'x')", "bad-conversion at"),
    ("double('0x' + string(event.count))", "bad-conversion at"),
    ("int(decimal(event.count))", "integer-overflow"),
    ("uint(decimal('-0.5'))", "integer-overflow"), ("double(event.eventId + '1e400')", "bad-conv"),
  ]) func `what leaves its range or has no meaning fails at its place`(
    text: String, failure: String
  ) {
    #expect(trial().evaluate(text).hasPrefix(failure), "\(trial().evaluate(text))")
  }

  @Test(arguments: [
    ("string(event.rate)", "\"-1.234e-05\""), ("string(123456.0)", "\"123456\""),
    ("string(1234567.0)", "\"1.234567e+06\""), ("string(0.5)", "\"0.5\""),
    ("string(-1e100)", "\"-1e+100\""), ("string(1.0 / 0.0)", "\"+Inf\""),
    ("double('1e3')", "1000.0"), ("double(decimal('0.1'))", "0.1"),
    ("double(decimal('12345678901234567890.123'))", "1.2345678901234567e+19"),
    ("int(decimal('-12.99'))", "-12"), ("uint(decimal('12.99'))", "12u"),
    ("decimal(event.count)", "decimal 18446744073709551615"),
    ("string(b'gr\\303\\274n')", "\"grün\""),
  ]) func `numbers become others as CEL says`(text: String, value: String) {
    #expect(trial().evaluate(text) == value)
  }

  @Test(arguments: [
    (
      "sha256('')", "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\""
    ),
    (
      "sha256(bytes('abc'))", "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""
    ),
    (
      // RFC 4231, test case 2.
      "hmac('Jefe', 'what do ya want for nothing?')",
      "\"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843\""
    ),
    (
      "pseudonym('a') == hmac('a key of the tests', 'a') && pseudonym('a') != pseudonym('b')",
      "true"
    ),
    ("uuid5(key, 'www.example.com')", "\"2ed6657d-e927-568b-95e1-2665a8aea6a2\""),
    ("uuid5(key, 'a') == uuid5(key, 'a') && uuid5(key, 'a') != uuid5(key, 'b')", "true"),
  ]) func `hashes are those that others compute`(text: String, value: String) {
    #expect(trial().evaluate(text) == value)
  }

  @Test func `only UTF-8 becomes text`() {
    let bad: [[UInt8]] = [
      [0x80], [0xC0, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
      [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82], [0xC3, 0x28],
    ]
    for bytes in bad { #expect(!ByteView.lending(bytes) { $0.isUTF8 }, "\(bytes)") }
    for text in ["", "a", "é", "€", "😀", "\u{D7FF}\u{E000}\u{10FFFF}"] {
      #expect(ByteView.lending(text) { $0.isUTF8 })
    }
  }
}
