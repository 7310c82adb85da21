import Records
import Testing

struct RecordsTests {
  private func decimal(_ text: String) -> Decimal? { ByteView.lending(text) { Decimal($0) } }
  private func timestamp(_ text: String) -> Timestamp? {
    ByteView.lending(text) { Timestamp(rfc3339: $0) }
  }

  @Test func `bytes are found where a plain search finds them`() {
    var state: UInt64 = 0x1234_5678_9ABC_DEF1
    func random(_ bound: Int) -> Int {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Int(state % UInt64(bound))
    }
    for _ in 0..<20_000 {
      let letters = 1 + random(3)
      let text = (0..<random(40)).map { _ in UInt8(random(letters)) }
      let needle = (0..<random(10)).map { _ in UInt8(random(letters)) }
      let plain =
        needle.count > text.count
        ? nil
        : (0...text.count - needle.count).first {
          Array(text[$0..<$0 + needle.count]) == needle
        }
      let found = ByteView.lending(text) { view in
        ByteView.lending(needle) { view.firstIndex(of: $0) }
      }
      #expect(found == plain, "\(needle) in \(text)")
    }
  }

  @Test(arguments: [
    ("12.50", "12.50"), ("-0.05", "-0.05"), ("1e3", "1000"), ("1.5E-3", "0.0015"), ("0", "0"),
    ("10000000000000000000.000000000000000001", "10000000000000000000.000000000000000001"),
    ("99999999999999999999999999999999999999", "99999999999999999999999999999999999999"),
    ("1.2300e1", "12.300"), ("0.0e5", "0"),
  ])
  func `a decimal's text comes out as it went in`(text: String, expected: String) {
    #expect(decimal(text)?.description == expected)
  }

  @Test(arguments: [
    "", "-", "1.", ".5", "1e", "1e+", "abc", "1x", "0x10", "1e99", "1e-99", "1.2.3", "--1",
    "999999999999999999999999999999999999999", "NaN", " 1", "+1",
  ])
  func `what is no decimal of 38 digits is refused`(text: String) {
    #expect(decimal(text) == nil)
  }

  @Test(arguments: [
    ("0", "0"), ("0.00", "0.00"), ("0.05", "0.05"), ("-0.50", "-0.50"), ("12.5", "12.5"),
    ("0.000000000000000001", "0.000000000000000001"),
    ("18.446744073709551615", "18.446744073709551615"),
    ("18.446744073709551616", "18.446744073709551616"),
    ("18446744073709551615", "18446744073709551615"),
    ("0.0000000000000000001", "0.0000000000000000001"),
  ])
  func `a decimal is written with all its places, however long`(text: String, written: String)
    throws
  {
    #expect(try #require(decimal(text)).description == written)
  }

  @Test func `decimal arithmetic is exact and keeps the scale that the rules give`() throws {
    let a = try #require(decimal("9.99"))
    let three = try #require(decimal("3"))
    #expect(a.multiplied(by: three)?.description == "29.97")
    #expect(a.adding(three)?.description == "12.99")
    #expect(a.subtracting(three)?.description == "6.99")
    let largest = Decimal(mantissa: Decimal.mantissaMax, scale: 0)
    #expect(largest.adding(Decimal(1)) == nil)
    #expect(largest.multiplied(by: Decimal(2)) == nil)
  }

  @Test func `zeros at the end never make a sum or a product too long`() throws {
    let long = try #require(decimal("0.01" + String(repeating: "0", count: 34)))
    let hundred = try #require(decimal("100.00"))
    let six = try #require(decimal("6.00"))
    let short = try #require(long.adding(six))
    #expect(short.scale == 36)
    let sum = try #require(short.adding(hundred))
    #expect(sum.description == "106.01")
    #expect(sum.adding(long)?.description == "106.02")
    #expect(hundred.multiplied(by: long)?.description == "1.00")
    let least = Decimal(mantissa: -Decimal.mantissaMax, scale: 2)
    let last = try #require(decimal("0.010"))
    #expect(least.adding(last)?.mantissa == -Decimal.mantissaMax + 1)
    #expect(least.subtracting(last) == nil)
  }

  @Test(arguments: [
    ("2.5", 0, "2"), ("3.5", 0, "4"), ("-2.5", 0, "-2"), ("2.51", 0, "3"), ("1.005", 2, "1.00"),
    ("1.015", 2, "1.02"), ("7", 2, "7.00"), ("-0.5", 0, "0"),
  ])
  func `rounding goes half to even`(text: String, scale: Int, expected: String) throws {
    #expect(try #require(decimal(text)).rounded(toScale: UInt8(scale))?.description == expected)
  }

  @Test func `decimals compare by value whatever their scales`() throws {
    #expect(decimal("1.50") == decimal("1.5"))
    #expect(try #require(decimal("-1")) < #require(decimal("0.0000000001")))
    let large = try #require(decimal("99999999999999999999999999999999999999"))
    let small = Decimal(mantissa: 1, scale: 38)
    #expect(small < large)
    #expect(large.negated < small)
    #expect(small.negated > large.negated)
    #expect(Set([decimal("1.50"), decimal("1.5"), decimal("1.500")]).count == 1)
  }

  @Test(arguments: [
    ("123.45", 5, 2, true), ("123.456", 6, 2, false), ("123.450", 5, 2, true),
    ("1234.5", 5, 2, false), ("999.99", 5, 2, true), ("1000", 5, 2, false), ("0.01", 2, 2, true),
  ])
  func `precision and scale are checked on the value, not its text`(
    text: String, precision: Int, scale: Int, fits: Bool
  ) throws {
    #expect(try #require(decimal(text)).fits(precision: precision, scale: scale) == fits)
  }

  @Test(arguments: [
    ("2024-02-29T12:00:00.5+01:00", "2024-02-29T11:00:00.500Z"),
    ("1949-11-26T00:00:00Z", "1949-11-26T00:00:00Z"),
    ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"),
    ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
    ("2000-01-01t00:00:00z", "2000-01-01T00:00:00Z"),
  ])
  func `a timestamp is read and written as RFC 3339`(text: String, expected: String) {
    #expect(timestamp(text)?.description == expected)
  }

  @Test(arguments: [
    "not-a-time", "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01T24:00:00Z",
    "2024-01-01 00:00:00Z", "2024-01-01T00:00:00", "2024-01-01T00:00:00.Z", "1900-02-29T00:00:00Z",
    "2024-01-01T00:00:00.1234567890Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00",
    "2024-01-01T00:00:00+0100",
  ])
  func `what is no moment of the years 1 to 9999 is refused`(text: String) {
    #expect(timestamp(text) == nil)
  }

  @Test func `every day of four centuries is read and written alike`() {
    let buffer = ByteBuffer()
    for day in Int64(-146_097)...146_097 {
      buffer.clear()
      buffer.append(days: day)
      #expect(daysSince1970(buffer.view) == day)
    }
  }

  // The values that Kafka's own clients agree on.
  @Test(arguments: [
    ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
    ("a-little-bit-longer-string", -1_486_304_829), ("abc", 479_470_107),
  ])
  func `a key goes to the partition that Java producers give it`(key: String, hash: Int) {
    let positive = UInt32(bitPattern: Int32(hash)) & 0x7FFF_FFFF
    #expect(
      ByteView.lending(key) { partition(ofKey: $0, among: 12) } == Partition(Int32(positive % 12)))
  }

  @Test func `numbers written to a buffer are read back, and truncated ones are refused`() {
    let buffer = ByteBuffer(capacity: 1)
    let numbers: [Int64] = [0, 1, -1, 63, -64, 64, .max, .min, 1_700_000_000_000]
    for number in numbers { buffer.append(zigzag: number) }
    buffer.append(littleEndian: UInt32(0xDEAD_BEEF))
    var reader = ByteReader(buffer.view)
    for number in numbers { #expect(reader.zigzag() == number) }
    #expect(reader.littleEndian(UInt32.self) == 0xDEAD_BEEF)
    #expect(reader.byte() == nil)
    ByteView.lending([0x80, 0x80]) {
      var short = ByteReader($0)
      #expect(short.varint() == nil)
    }
    ByteView.lending([UInt8](repeating: 0xFF, count: 10)) {
      var long = ByteReader($0)
      #expect(long.varint() == nil)
    }
  }

  @Test func `an arena's memory is reused after a reset, and large pieces are given back`() {
    let arena = Arena()
    for _ in 0..<3 {
      var copies: [ByteView] = []
      for index in 0..<5000 {
        copies.append(ByteView.lending("value \(index)") { arena.copy($0) })
      }
      let large = ByteView.lending([UInt8](repeating: 7, count: 1 << 20)) { arena.copy($0) }
      #expect(large.count == 1 << 20 && large[(1 << 20) - 1] == 7)
      #expect(copies[4321].text == "value 4321")
      arena.reset()
      #expect(arena.used == 0)
    }
  }

  @Test func `a value gives back what was put in`() throws {
    #expect(Value.int(.min).int == .min)
    #expect(Value.double(-0.5).double == -0.5)
    let number = try #require(decimal("-12345678901234567890.123456789"))
    #expect(Value.decimal(number).decimal == number)
    let moment = try #require(timestamp("1949-11-26T00:00:00.25Z"))
    #expect(Value.timestamp(moment).timestamp == moment)
    #expect(Value.duration(seconds: -3, nanoseconds: -5).duration == (-3, -5))
    #expect(MemoryLayout<Value>.stride == 24)
    let arena = Arena()
    let run = arena.values(2)
    run[0] = .string(StaticString("a").view)
    run[1] = .list(.empty)
    #expect(Value.object(run).run[0].view == StaticString("a").view)
    #expect(Value.object(run).run[1].run.count == 0)
  }

  @Test func `pieces of any length are appended whole`() {
    let buffer = ByteBuffer(capacity: 1)
    var expected: [UInt8] = []
    for count in 0...70 {
      let piece = (0..<count).map { UInt8(truncatingIfNeeded: $0 + count) }
      ByteView.lending(piece) { buffer.append($0) }
      expected += piece
    }
    #expect(buffer.view.copied() == expected)
  }

  @Test func `numbers of any length are written with and without places`() {
    let buffer = ByteBuffer(capacity: 64)
    var number: UInt64 = 0
    for count in 1...20 {
      for value in [number, UInt64(pow10(count - 1)), count == 20 ? .max : pow10(count) - 1] {
        buffer.clear()
        buffer.append(decimal: value)
        #expect(buffer.view.text == "\(value)")
        for places in 1...18 {
          buffer.clear()
          buffer.append(decimal: value, places: places)
          let digits =
            String(repeating: "0", count: max(0, places + 1 - "\(value)".count))
            + "\(value)"
          #expect(buffer.view.text == digits.dropLast(places) + "." + digits.suffix(places))
        }
      }
      number = number &* 10 &+ UInt64(count % 10)
    }
  }

  private func pow10(_ exponent: Int) -> UInt64 {
    (0..<exponent).reduce(1) { value, _ in value * 10 }
  }

  @Test func `a copy with zeros behind it ends where the text does`() {
    let arena = Arena()
    for count in [0, 1, 15, 16, 17, 300, 300_000] {
      arena.reset()
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 | 1) }
      ByteView.lending(bytes) { #expect(arena.copy($0, zeros: 16).copied() == bytes) }
    }
  }

  @Test func `short sums and products are what decimals give, or are left to them`() throws {
    let texts = [
      "0", "0.00", "-0.01", "1.50", "12", "9223372036854775807", "-9223372036854775808",
      "922337203685477580.7", "9223372036854775808", "0.0000000000000000000000000001",
      "3037000500", "-3037000500.0",
    ]
    for left in texts {
      for right in texts {
        let (one, other) = (try #require(decimal(left)), try #require(decimal(right)))
        if let sum = Value.decimal(one).shortSum(.decimal(other))?.decimal {
          #expect(sum.description == one.adding(other)?.description)
        }
        if let product = Value.decimal(one).shortProduct(.decimal(other))?.decimal {
          #expect(product.description == one.multiplied(by: other)?.description)
        }
      }
    }
    let amount = Value.decimal(try #require(decimal("1.25")))
    #expect(Value.decimal(Decimal(0)).shortSum(amount)?.decimal.description == "1.25")
    #expect(amount.shortProduct(amount)?.decimal.description == "1.5625")
  }

  @Test func `a quotient is rounded half to even, at any scale`() throws {
    func quotient(_ text: String, by count: Int64, places: UInt8) -> String? {
      decimal(text)?.divided(by: count, places: places)?.description
    }
    #expect(quotient("10", by: 4, places: 1) == "2.5")
    #expect(quotient("10", by: 4, places: 0) == "2")
    #expect(quotient("14", by: 4, places: 0) == "4")
    #expect(quotient("-14", by: 4, places: 0) == "-4")
    #expect(quotient("2", by: 3, places: 4) == "0.6667")
    #expect(quotient("0.125", by: 1, places: 2) == "0.12")
    #expect(quotient("0.375", by: 1, places: 2) == "0.38")
    // Half, less and more than half, by digits that rounding drops first.
    #expect(quotient("0.15", by: 3, places: 1) == "0.0")
    #expect(quotient("0.1500000000000000001", by: 3, places: 1) == "0.1")
    #expect(quotient("1.4999999999", by: 1, places: 0) == "1")
    #expect(quotient("99999999999999999999999999999999999999", by: 1, places: 1) == nil)
    #expect(
      quotient("99999999999999999999999999999999999999", by: .max, places: 0)
        == "10842021724855044341")
    // Beside whole numbers: the doubled remainder decides.
    for mantissa in -60..<60 {
      for count in 1...9 {
        for (scale, places) in [(0, 0), (2, 0), (1, 2)] {
          let value = Decimal(mantissa: Int128(mantissa), scale: UInt8(scale))
          let found = try #require(value.divided(by: Int64(count), places: UInt8(places)))
          let ten = { (power: Int) in (0..<power).reduce(1) { product, _ in product * 10 } }
          let (top, bottom) = (mantissa * ten(places), count * ten(scale))
          let distance = 2 * abs(top - Int(found.mantissa) * bottom)
          #expect(distance <= bottom)
          if distance == bottom { #expect(found.mantissa % 2 == 0) }
        }
      }
    }
  }

  @Test func `what is lent is what was put in`() {
    let lent = Lent<ByteBuffer>([ByteBuffer(capacity: 1), ByteBuffer(capacity: 1)])
    lent[1].append(UInt8(7))
    #expect(lent.map(\.count) == [0, 1])
    #expect(lent.lend(1) { $0.view[0] } == 7)
  }

  @Test func `a place lends what was put there last, or nothing`() {
    let places = LentPlaces<ByteBuffer>(count: 2)
    #expect(places.lend(1) { $0.count } == nil)
    for size in 1...3 {
      // Nobody else holds it.
      places[1] = ByteBuffer(capacity: 8)
      places[1]?.append(littleEndian: UInt8(size))
      #expect(places.lend(1) { Int($0.view[0]) } == size)
    }
    places[1] = nil
    #expect(places.lend(1) { $0.count } == nil && places.lend(0) { $0.count } == nil)
  }
}
